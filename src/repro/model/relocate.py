"""A recorded command made to run in another tree: the paths that lead into the old one moved."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from posixpath import dirname, join, normpath

from repro.model.launchers import shell_line
from repro.model.shellwords import Quote, quote_for, scan_quotes

# No path begins behind a character that may be part of one, but in URLs such as `file:///a` and
# `sqlite:////a`, and behind the letter of an option such as `-I/a`.
_FREE = r"(?<![\w./~+%$}\\-])"
_BEFORE = rf"(?:{_FREE}|(?<=://)|(?<=:///)|(?<=\A-[A-Za-z]))"
_AFTER = r"""(?=[/:;,"'`)\]}&|<>?#\s]|\Z)"""
_REST = re.compile(r"""[^\s:;,"'`)\]}&|<>?#]*""")
_ELSEWHERE = re.compile(r"[\w.-]+@[\w.-]+:\Z")  # what rsync and scp put before a path
_LONGEST_HOST = 300
_RELATIVE = re.compile(rf"{_FREE}(?:[\w.+-]+/)+[\w.+-]+")
_PYTHON = re.compile(r"/python[0-9.]*(?![\w.-])")
# Prefixes whose `bin` holds all there is, and not an environment only.
_SYSTEM = {"/usr", "/usr/local", "/opt/homebrew"}


def relocate(
    argv: Sequence[str],
    *,
    old_roots: Sequence[str],
    new_root: str,
    cwd: str = ".",
    old_prefix: str | None = None,
    new_bin: str | None = None,
) -> tuple[str, ...]:
    """Give a command with the absolute paths into the old tree leading into the new one.

    Whole words, `--data=/old/x`, lists such as `/old/a:/old/b`, and paths inside of a line of
    shell or of Python are rewritten. What stays: a folder that merely begins with the same
    letters (`/old-2`), a path into `.git` or out of the tree again, one on another host
    (`me@host:/old`).

    A program of the recorded virtual environment, `old_prefix/bin/python` or `.venv/bin/python`,
    becomes that of `new_bin`; without one it stays that of `old_prefix`, by its absolute path,
    for no snapshot holds an environment. A relative path out of the tree, `../data`, becomes the
    absolute one that it was.

    Args:
        old_roots: The old tree by all its absolute spellings, the one without links first.
        new_root: Absolute.
        cwd: Where the command runs, relative to the tree.
        old_prefix: The recorded environment, absolute.
        new_bin: The folder of the programs that stand in for its own, absolute.
    """
    moves = _Moves.of(old_roots, new_root, old_prefix, new_bin)
    line = shell_line(argv)
    return tuple(
        moves.in_line(word, cwd) if position == line else moves.in_word(word, cwd)
        for position, word in enumerate(argv)
    )


@dataclass(frozen=True, slots=True)
class _Moves:
    """What takes the place of what.

    Attributes:
        roots: The old tree by all its spellings.
        new_root: The new one.
        bins: What stands for each folder of programs of the old environment.
        kept: The old environment by all its spellings.
    """

    roots: tuple[str, ...]
    new_root: str
    bins: Mapping[str, str]
    kept: tuple[str, ...]

    @classmethod
    def of(
        cls, old_roots: Sequence[str], new_root: str, old_prefix: str | None, new_bin: str | None
    ) -> "_Moves":
        roots = tuple(_plain(root) for root in old_roots if _is_folder(root))
        prefixes: list[str] = []
        if old_prefix is not None and _is_folder(old_prefix):
            prefix = _plain(old_prefix)
            prefixes.append(prefix)
            for root in roots:
                if prefix.startswith(f"{root}/"):
                    prefixes += [other + prefix.removeprefix(root) for other in roots]
        bins = {join(prefix, "bin"): new_bin or join(prefix, "bin") for prefix in prefixes}
        kept = tuple(prefix for prefix in prefixes if prefix not in roots)
        return cls(roots, new_root.rstrip("/"), bins, kept)

    def program(self, word: str, cwd: str) -> str | None:
        """The absolute path of a relative program of the environment, None for any other."""
        if word.startswith("/") or "/" not in word:
            return None
        for root in self.roots:
            folder, _, name = normpath(join(root, cwd, word)).rpartition("/")
            if folder in self.bins and self.is_ours(folder, f"/{name}"):
                return join(self.bins[folder], name)
        return None

    def outside(self, path: str, cwd: str) -> str | None:
        """The absolute path of one that leads out of the tree by `..`, None for any other."""
        if not path.startswith("../") or not self.roots:
            return None
        if not normpath(join(cwd, path)).startswith("../"):
            return None
        return normpath(join(self.roots[0], cwd, path))

    def in_word(self, word: str, cwd: str) -> str:
        head, equals, path = word.rpartition("=")
        if program := self.program(path, cwd):
            return head + equals + program
        if outside := self.outside(path, cwd):
            word = head + equals + outside
        space = re.search(r"\s", word)
        first_space = space.start() if space else len(word)

        def move(match: re.Match[str]) -> str:
            # A space ends a path only where an earlier one says that this is a line of words.
            after = word[match.end() : match.end() + 1]
            if after.isspace() and match.start() <= first_space:
                return match.group()
            return self.replacement(match, match.group()) or match.group()

        return re.sub(self.pattern(quoted=False), move, word)

    def in_line(self, line: str, cwd: str) -> str:
        def move(match: re.Match[str]) -> str:
            quote = quotes[match.start()]
            after = line[match.end() : match.end() + 1]
            is_opening = line[match.start() - 1 : match.start()] == quote.value
            if after.isspace() and quote is not Quote.NONE and is_opening:
                return match.group()
            plain = spelled.get(match.group(), match.group())
            moved = self.replacement(match, plain)
            return match.group() if moved is None else quote_for(moved, quote)

        def run(match: re.Match[str]) -> str:
            program = self.program(match.group(), cwd)
            return quote_for(program, quotes[match.start()]) if program else match.group()

        spelled = {quote_in_line: path for path in self.paths for quote_in_line in _spellings(path)}
        quotes = scan_quotes(line)
        line = re.sub(self.pattern(quoted=True), move, line)
        quotes = scan_quotes(line)
        return _RELATIVE.sub(run, line)

    @property
    def paths(self) -> list[str]:
        """All old paths, the longest first: an environment lies inside of the tree."""
        return sorted({*self.roots, *self.kept, *self.bins}, key=len, reverse=True)

    def pattern(self, *, quoted: bool) -> str:
        spellings = [
            spelling
            for path in self.paths
            for spelling in (_spellings(path) if quoted else (path,))
        ]
        either = "|".join(map(re.escape, sorted(spellings, key=len, reverse=True)))
        return f"{_BEFORE}(?:{either}){_AFTER}" if spellings else r"(?!)"

    def replacement(self, match: re.Match[str], path: str) -> str | None:
        """What takes the place of an old path that was found; None where it stays."""
        found = _REST.match(match.string, match.end())
        rest = found.group() if found else ""
        if _ELSEWHERE.search(match.string, max(0, match.start() - _LONGEST_HOST), match.start()):
            return None
        if path in self.bins:
            return self.bins[path] if self.is_ours(path, rest) else None
        if path in self.kept or not _is_inside(rest):
            return None
        return self.new_root

    def is_ours(self, folder: str, rest: str) -> bool:
        prefix = dirname(folder)
        if prefix in _SYSTEM or prefix in self.roots:
            return _PYTHON.match(rest) is not None
        return True


def _plain(folder: str) -> str:
    return folder.rstrip("/")


def _is_folder(path: str) -> bool:
    return path.startswith("/") and path.strip("/") != ""


def _spellings(path: str) -> tuple[str, ...]:
    """How a line of shell may have it: as it is, quoted by backslashes, inside of quotes."""
    escaped = re.sub(r"([^\w@%+=:,./-])", r"\\\1", path)
    return tuple(dict.fromkeys([path, escaped, *(quote_for(path, quote) for quote in _INSIDE)]))


_INSIDE = (Quote.SINGLE, Quote.DOUBLE)


def _is_inside(rest: str) -> bool:
    """Whether what follows the tree stays in it, and out of its `.git`."""
    depth = 0
    for part in rest.split("/"):
        if part.lower() == ".git":
            return False
        depth += -1 if part == ".." else part not in ("", ".")
        if depth < 0:
            return False
    return True

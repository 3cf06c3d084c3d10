"""Text searched by `git grep`, in blobs by their ids or in texts that are no objects."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

from repro.errors import GitError, UsageError
from repro.store.git import Git

Syntax = Literal["basic", "extended", "fixed", "perl"]

_BATCH = 1000  # blobs of one process: 40 or 64 KB of arguments
_SYNTAX = {"basic": "-G", "extended": "-E", "fixed": "-F", "perl": "-P"}
# Whatever the user has set for their own greps; no program of theirs is run.
_SHAPE = ("-n", "-z", "--no-color", "--no-column", "--no-heading", "--no-break", "--no-textconv")
_BINARY, _MATCHES = b"Binary file ", b" matches"
_NO_FETCH = {"GIT_NO_LAZY_FETCH": "1"}


@dataclass(frozen=True, slots=True)
class Pattern:
    """What to search for.

    Attributes:
        texts: Patterns, of which a line fits one; no NUL in them.
        syntax: None is what `grep.patternType` says, `basic` by default.
    """

    texts: tuple[str, ...]
    syntax: Syntax | None = None
    ignores_case: bool = False

    def words(self) -> list[str]:
        """The arguments of `git grep`, up to what is searched."""
        words = ["grep", *_SHAPE]
        words += [_SYNTAX[self.syntax]] if self.syntax else []
        words += ["-i"] if self.ignores_case else []
        return words + [word for text in self.texts for word in ("-e", text)]


@dataclass(frozen=True, slots=True)
class Hit:
    """A line that fits.

    Attributes:
        line: From 1 on; None for a binary file, of which nobody shows lines.
        text: The line without its end; bytes that are not UTF-8 are surrogates.
    """

    line: int | None
    text: str


def grep_blobs(
    git: Git, oids: Sequence[str], pattern: Pattern, *, on_missing: Callable[[str], None]
) -> Iterator[tuple[str, list[Hit]]]:
    """Give each blob in which a line fits, in the order of `oids`, with all of these lines.

    Args:
        oids: Ids of blobs, each once.
        on_missing: Called with each blob that cannot be read.

    Raises:
        UsageError: The pattern is wrong.
        GitError: git gives up for another reason.

    Cost: each blob is read once; a process for a thousand of them.
    """
    waiting = iter(oids)
    while batch := list(islice(waiting, _BATCH)):
        yield from _grep_batch(git, batch, pattern, on_missing)


def grep_texts(
    git: Git, texts: Sequence[bytes], pattern: Pattern
) -> Iterator[tuple[int, list[Hit]]]:
    """Give the position of each text in which a line fits, with all of these lines.

    Raises:
        UsageError: The pattern is wrong.
    """
    if not texts:
        return
    with tempfile.TemporaryDirectory(prefix="repro-grep-") as folder:
        digits = len(str(len(texts)))  # git lists files in the order of their names
        for position, text in enumerate(texts):
            (Path(folder) / f"{position:0{digits}}").write_bytes(text)
        words = [*pattern.words(), "--no-index", "--", "."]
        for name, hits in _collect(_stream(git, words, cwd=Path(folder))):
            yield int(name), hits


def _grep_batch(
    git: Git, batch: Sequence[str], pattern: Pattern, on_missing: Callable[[str], None]
) -> Iterator[tuple[str, list[Hit]]]:
    is_started = False
    try:
        for found in _collect(_stream(git, [*pattern.words(), *batch])):
            is_started = True
            yield found
    except GitError:
        if is_started:
            raise
        readable = _readable(git, batch, on_missing)
        if len(readable) == len(batch) == 1:  # there, but git gives up over it
            on_missing(batch[0])
            return
        if len(readable) < len(batch):
            parts: list[Sequence[str]] = [readable] if readable else []
        else:  # one of them is corrupt, and git does not say which
            parts = [batch[: len(batch) // 2], batch[len(batch) // 2 :]]
        for part in parts:
            yield from _grep_batch(git, part, pattern, on_missing)


def _readable(git: Git, batch: Sequence[str], on_missing: Callable[[str], None]) -> list[str]:
    asked = "".join(f"{oid}\n" for oid in batch).encode()
    done = git.run("cat-file", "--batch-check=%(objecttype)", stdin=asked, env=_NO_FETCH)
    kinds = done.out.split(b"\n")
    readable = []
    for oid, kind in zip(batch, kinds, strict=False):
        if kind == b"blob":
            readable.append(oid)
        else:
            on_missing(oid)
    return readable


def _collect(hits: Iterator[tuple[str, Hit]]) -> Iterator[tuple[str, list[Hit]]]:
    """The hits of one place after the other: git lists each place once, with all its lines."""
    place, found = "", list[Hit]()
    for name, hit in hits:
        if name != place and found:
            yield place, found
            found = []
        place = name
        found.append(hit)
    if found:
        yield place, found


def _stream(git: Git, words: Sequence[str], cwd: Path | None = None) -> Iterator[tuple[str, Hit]]:
    process = git.spawn(*words, env=_NO_FETCH, cwd=cwd)
    try:
        assert process.stdin is not None  # pipes, by `spawn`
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.close()
        for line in process.stdout:
            yield _parse(line)
        # Messages fit into the pipe: git stops at the first object that it cannot read.
        said = process.stderr.read().decode(errors="replace").strip()
        if process.wait() not in (0, 1):
            raise _failure(git, words, process.returncode, said)
    finally:
        process.kill()  # where nobody wanted to hear the rest
        with process:
            pass


def _parse(line: bytes) -> tuple[str, Hit]:
    line = line.removesuffix(b"\n")
    if b"\0" not in line and line.startswith(_BINARY) and line.endswith(_MATCHES):
        name = line.removeprefix(_BINARY).removesuffix(_MATCHES)
        return name.decode(), Hit(None, "")
    name, number, text = line.split(b"\0", 2)
    return name.decode(), Hit(int(number), text.decode(errors="surrogateescape"))


def _failure(git: Git, words: Sequence[str], code: int, said: str) -> Exception:
    reason = said.partition("-e option, ")[2].partition("\n")[0]
    if reason:
        return UsageError(
            f"the pattern is wrong: {reason}", hint="`-F` takes it as it stands, without patterns"
        )
    return git.failure(words, code, said)

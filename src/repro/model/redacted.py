"""The secrets that a recorded command lacks, and the variables that give them back."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from repro.model.launchers import shell_line
from repro.model.marking import MARK
from repro.model.secrets import LOGIN_PROGRAMS, is_secret_name
from repro.model.shellwords import quote_for, scan_quotes

_PREFIX = "REPRO_SECRET_"
_LONGEST_BEFORE = 300  # characters of a name
# What may stand right before the place of a secret, the nearest first.
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\Z")
_HOST = re.compile(r"@(\[[^\]\s]*\]|[^\s/?#:\"'<>]+)")
_NAMED = re.compile(r"(?:\A|[\s;&?|\"'(])([-+]*[A-Za-z_][\w.@/-]*)(?:=|\s{1,9})[\"']?\Z")
_HEADER = re.compile(r"([A-Za-z][\w-]*)\s*:\s*(?:bearer\s+)?\Z", re.IGNORECASE)
_BEARER = re.compile(r"\bbearer\s+\Z", re.IGNORECASE)


class Redacted(NamedTuple):
    """A secret that was taken out of a command.

    Attributes:
        position: Index of its word.
        option: The option or variable that it belongs to, as written; None for any other place.
        variables: Of the environment, whichever is set first gives it back.
    """

    position: int
    option: str | None
    variables: tuple[str, ...]


def find_redacted(argv: Sequence[str]) -> list[Redacted]:
    """Give the secrets that a recorded command lacks, in order.

    The one of `--api-key` is read from `REPRO_SECRET_API_KEY`, else `API_KEY`; that of
    `DB_PASS=` from `REPRO_SECRET_DB_PASS`, else `DB_PASS`. That of a URL comes from
    `REPRO_SECRET_` and its host (`REPRO_SECRET_GITHUB_COM`), that of `wandb login` from
    `REPRO_SECRET_WANDB`, any other from `REPRO_SECRET_ARG_` and the index of its word.
    """
    login = _login(argv)
    return [
        found for position in range(len(argv)) for found in _in_word(argv, position, login).values()
    ]


def fill_redacted(
    argv: Sequence[str], environ: Mapping[str, str]
) -> tuple[tuple[str, ...], tuple[Redacted, ...]]:
    """Put the secrets back that `environ` gives.

    Returns:
        The command, and the secrets that it still lacks.
    """
    words = list(argv)
    missing: list[Redacted] = []
    line, login = shell_line(argv), _login(argv)
    for position, word in enumerate(argv):
        parts: list[str] = []
        done = 0
        secrets = _in_word(argv, position, login)
        quotes = scan_quotes(word) if secrets and position == line else []
        for start, secret in secrets.items():
            value = next((environ[name] for name in secret.variables if environ.get(name)), None)
            if value is None:
                missing.append(secret)
                continue
            if quotes:
                value = quote_for(value, quotes[start])
            parts += [word[done:start], value]
            done = start + len(_mark_at(word, start))
        words[position] = "".join([*parts, word[done:]])
    return tuple(words), tuple(missing)


def _mark_at(word: str, start: int) -> str:
    return word[start : word.index(">", start) + 1]


class _Login(NamedTuple):
    """The place of the word `login`, and the program that it is for."""

    position: int
    program: str


def _login(argv: Sequence[str]) -> _Login | None:
    if "login" not in argv:
        return None
    position = argv.index("login")
    programs = [word.rpartition("/")[2] for word in argv[:position]]
    known = [name for name in programs if name in LOGIN_PROGRAMS]
    return _Login(position, known[0]) if known else None


def _in_word(argv: Sequence[str], position: int, login: _Login | None) -> dict[int, Redacted]:
    """The secrets that a word lacks, by where in it."""
    word = argv[position]
    found: dict[int, Redacted] = {}
    for match in re.finditer(MARK, word):
        unnamed = f"ARG_{position}" + (f"_{len(found) + 1}" if found else "")
        if match[0] == word and login is not None and position > login.position:
            unnamed = login.program
        found[match.start()] = _describe(argv, position, match, unnamed)
    return found


def _describe(argv: Sequence[str], position: int, match: re.Match[str], unnamed: str) -> Redacted:
    word = argv[position]
    before = word[max(0, match.start() - _LONGEST_BEFORE) : match.start()]
    if _URL.search(before):
        host = _HOST.match(word, match.end())
        return Redacted(position, None, (_variable(host[1] if host else unnamed),))
    option = _option(argv, position) if match[0] == word else None
    named = _NAMED.search(before) or _HEADER.search(before)
    if option is None and named and not _BEARER.search(named[1] + " "):
        option = named[1]
    if option is not None:
        name = _variable(option).removeprefix(_PREFIX)
        return Redacted(position, option, (_PREFIX + name, name))
    return Redacted(position, None, (_variable(unnamed),))


def _option(argv: Sequence[str], position: int) -> str | None:
    """The option whose value a whole word is."""
    before = argv[position - 1] if position else ""
    is_option = before.startswith("-") and "=" not in before and is_secret_name(before)
    return before if is_option else None


def _variable(name: str) -> str:
    return _PREFIX + re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")

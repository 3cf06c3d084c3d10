"""`repro grep`: lines of the code, configs, notes and outputs of runs."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from repro.cli import render
from repro.cli.context import open_here
from repro.cli.dashes import Appending
from repro.cli.numbers import WholeNumber
from repro.cli.selection import WHERE
from repro.core.grep import PARTS, Match, Part, Search, search_runs
from repro.errors import UsageError
from repro.model.readable import count_runs
from repro.model.text import escape, is_argument
from repro.store.grep import Pattern, Syntax

_LONGEST_LINE = 400  # characters shown on a terminal: a minified file is one line
_LONGEST_PATTERN = 1 << 16  # bytes; one argument of a program may have 128 KiB


@click.command(cls=Appending)
@click.argument("pattern", required=False)
@click.argument("appended", nargs=-1, metavar="[-- PATHSPEC...]")
@click.option(
    "-e", "patterns", multiple=True, metavar="PATTERN",
    help="A pattern, also one that starts with a dash; any of several may fit.",
)  # fmt: skip
@WHERE
@click.option("-i", "--ignore-case", is_flag=True, help="Whatever the case.")
@click.option("-F", "syntax", flag_value="fixed", help="Patterns are plain text.")
@click.option("-E", "syntax", flag_value="extended", help="Patterns are extended regular ones.")
@click.option("-P", "syntax", flag_value="perl", help="Patterns are those of Perl.")
@click.option("-G", "syntax", flag_value="basic", help="Patterns are basic ones, as by default.")
@click.option("--code", is_flag=True, help="Search the code, and no part that is not named so.")
@click.option("--config", is_flag=True, help="Likewise the configs.")
@click.option("--note", is_flag=True, help="Likewise the notes.")
@click.option("--output", is_flag=True, help="Likewise what the commands printed.")
@click.option("-l", "shape", flag_value="places", help="Only where lines fit.")
@click.option("-c", "shape", flag_value="counts", help="Only how many lines fit where.")
@click.option(
    "--limit", type=WholeNumber(min=0), default=0, metavar="N",
    help="Search the newest N runs only; 0 is all.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def grep(  # noqa: PLR0913  # click hands over each option by its name
    pattern: str | None,
    appended: tuple[str, ...],
    patterns: tuple[str, ...],
    where: str,
    syntax: Syntax | None,
    shape: str | None,
    limit: int,
    *,
    ignore_case: bool,
    as_json: bool,
    **named: bool,
) -> int:
    """Search the code, configs, notes and outputs of runs for lines that fit PATTERN.

    Patterns are those of `git grep`. Each line is told once, for the newest run that has it,
    with how many others have the same file, or a config with the same lines. PATHSPECs choose
    files of the code, and mean `--code` alone where no part is named. Exits with 1 where no line
    fits.
    """
    texts = _patterns(pattern, patterns)
    parts: Sequence[Part] = [part for part in PARTS if named[part]]
    parts = parts or (["code"] if appended else PARTS)
    _check_words(appended, "a pathspec")
    search = search_runs(
        open_here(),
        Pattern(texts, syntax, ignore_case),
        where=where,
        limit=limit or None,
        parts=parts,
        pathspecs=appended,
        cwd=Path.cwd(),
    )
    found = _print_json(search, shape) if as_json else _print(search, shape)
    for problem in search.problems:
        render.note(f"repro: warning: {escape(problem)}")
    if not search.n_runs:
        n_all = len(search.short)
        of = f"none of the {count_runs(n_all)} fits: `repro ls` lists them"
        render.note(of if n_all else "there is no run to search")
    return 0 if found else 1


def _patterns(pattern: str | None, patterns: tuple[str, ...]) -> tuple[str, ...]:
    if pattern is not None and patterns:
        raise UsageError(
            f"`{escape(pattern)}` stands beside `-e`", hint="files of the code stand behind `--`"
        )
    texts = patterns if pattern is None else (pattern,)
    if not texts:
        raise UsageError("there is no pattern to search for", hint="`repro grep PATTERN`")
    _check_words(texts, "a pattern")
    return texts


def _check_words(words: Sequence[str], what: str) -> None:
    for word in words:
        if not is_argument(word):
            raise UsageError(
                f"{what} holds a NUL, or half of a character",
                hint="no line of a text has that: search for something else",
            )
        if len(word.encode(errors="surrogateescape")) > _LONGEST_PATTERN:
            raise UsageError(f"{what} has more than 64 KiB", hint="a part of it is enough")


def _print(search: Search, shape: str | None) -> bool:
    lines = (line for match in search.matches for line in _lines(match, search, shape))
    if render.width():  # a terminal: the pager wants all of it
        text = "\n".join(lines)
        if text:
            render.page(text)
        return bool(text)
    found = False
    for line in lines:
        render.out(line)
        found = True
    return found


def _lines(match: Match, search: Search, shape: str | None) -> Iterator[str]:
    others = len(match.runs) - 1
    more = f" +{others:,} run{'s' if others > 1 else ''}" if others else ""
    short = render.colour(search.short.get(match.runs[0], match.runs[0]), "yellow")
    path = escape(match.path) if match.part == "code" else f"[{match.part}]"
    where = f"{short}{more}: {path}"
    if shape == "places":
        yield where
    elif shape == "counts":
        yield f"{where}:{len(match.hits)}"
    else:
        for hit in match.hits:
            if hit.line is None:
                yield f"{where}: binary file matches"
            else:
                yield f"{where}:{hit.line}: {_cut(escape(hit.text))}"


def _cut(text: str) -> str:
    if len(text) <= _LONGEST_LINE or not render.width():
        return text
    return f"{text[:_LONGEST_LINE]}…"


def _print_json(search: Search, shape: str | None) -> bool:
    found = [
        {"part": match.part, "path": match.path or None, **facts, "runs": list(match.runs)}
        for match in search.matches
        for facts in _facts(match, shape)
    ]
    render.data_json(found)
    return bool(found)


def _facts(match: Match, shape: str | None) -> list[dict[str, object]]:
    if shape:
        return [{"count": len(match.hits)}]
    return [
        {"line": hit.line, "text": None if hit.line is None else hit.text} for hit in match.hits
    ]

"""`repro diff`: what differs between two runs, differences first."""

from collections.abc import Iterator

import click

from repro.cli import render
from repro.cli.context import RUN, open_here
from repro.cli.parts import print_bytes
from repro.cli.progress import showing_progress
from repro.core.diff import (
    compare_code,
    compare_runs,
    compare_with_worktree,
    comparison_json,
    format_patch,
)
from repro.core.harm import refuse_harmful
from repro.core.project import Project
from repro.core.python_then import likely_command
from repro.core.query import code_of, resolve_code, resolve_run
from repro.errors import AmbiguousRunError, UnknownRunError, UsageError
from repro.model.datatext import list_changes
from repro.model.diff import Change, Comparison, describe_package
from repro.model.readable import format_value
from repro.model.run import Record
from repro.model.text import escape
from repro.model.values import ABSENT, Value

_SHOWN = 40  # entries of one part; --json has all
_SHOWN_AROUND = 20  # entries of environment or hardware, where an upgrade changes many at once
_PACKAGES = "packages."
_AROUND = ("environment", "hardware")


@click.command()
@click.argument("a", type=RUN, metavar="A")
@click.argument("b", type=RUN, metavar="[B]", required=False)
@click.option("--stat", is_flag=True, help="Only how much differs, by part and by file.")
@click.option(
    "--exit-code",
    "exit_code",
    is_flag=True,
    help="Exit with 1 if more than drawn seeds differs.",
)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def diff(a: str, b: str | None, *, stat: bool, exit_code: bool, as_json: bool) -> int:
    """Show what differs between run A and run B, or the working tree as it is now.

    Seven parts are compared: code, config, data, environment, hardware, randomness, results;
    and the command. What is equal is one line at the end. Seeds that were drawn for each run
    are one line, and none where both programs chose the same ones. Where A or B is no run but
    a git revision, or RUN^{code}, only code is compared.
    """
    project = open_here()
    before = _resolve(project, a)
    after = _resolve(project, b) if b is not None else None
    comparison = _compare(project, before, after, a)
    if as_json:
        render.data_json(comparison_json(comparison))
    else:
        _print(project, comparison, before, after, stat=stat)
    return 1 if exit_code and comparison.differs else 0


def _resolve(project: Project, text: str) -> Record | str:
    """A run, or the commit of a code state."""
    try:
        record = resolve_run(project, text)
    except (UnknownRunError, AmbiguousRunError):
        return resolve_code(project, text)
    refuse_harmful(project, record)
    return record


def _compare(
    project: Project, before: Record | str, after: Record | str | None, a: str
) -> Comparison:
    if isinstance(before, Record) and isinstance(after, Record):
        return compare_runs(project, before, after)
    if after is not None:
        return compare_code(project, _commit(before), _commit(after))
    if isinstance(before, Record):
        with showing_progress("hashing the datasets") as report:
            words = likely_command(project, before)
            return compare_with_worktree(project, before, words=words, on_progress=report)
    raise UsageError(
        f"`{escape(a)}` is no run, so there is only code to compare",
        hint="`git diff` compares a revision with the working tree",
    )


def _commit(side: Record | str) -> str:
    return side if isinstance(side, str) else code_of(side.run)


def _print(
    project: Project,
    comparison: Comparison,
    before: Record | str,
    after: Record | str | None,
    *,
    stat: bool,
) -> None:
    lines = [line for part in comparison.compared for line in _part(comparison, part, stat=stat)]
    equal = [part for part in comparison.compared if not _size(comparison, part)]
    if equal:
        lines.append(render.colour(f"equal: {', '.join(equal)}", "dim"))
    text = "\n".join(lines) + "\n"
    if comparison.code:
        target = None if after is None else _commit(after)
        patch = format_patch(
            project, _commit(before), target, stat=stat, coloured=render.has_colour()
        )
        text += "\n" + patch.decode(errors="surrogateescape")
    print_bytes(text.encode(errors="surrogateescape"))


def _size(comparison: Comparison, part: str) -> int:
    if part == "command":
        return 0 if comparison.command is None else 1
    return len(getattr(comparison, part))


def _part(comparison: Comparison, part: str, *, stat: bool) -> Iterator[str]:
    size = _size(comparison, part)
    if not size:
        return
    what = "file" if part == "code" else "dataset" if part == "data" else "entry"
    many = {"file": "files", "dataset": "datasets", "entry": "entries"}[what]
    count = "" if part == "command" else f": {size} {what if size == 1 else many}"
    yield render.colour(f"{part}{count}", "bold")
    if part == "data":  # of many files in one dataset, the line of the next one is still shown
        yield from (f"  {line}" for line in list_changes(comparison.data, stat=stat))
        return
    if stat:
        return
    lines = list(_entries(comparison, part))
    most = _SHOWN_AROUND if part in _AROUND else _SHOWN
    yield from (f"  {line}" for line in lines[:most])
    if len(lines) > most:
        yield f"  … and {len(lines) - most} more: `--json` has all"


def _entries(comparison: Comparison, part: str) -> Iterator[str]:
    if part == "code":
        yield from (f"{one.status} {escape(one.path)}" for one in comparison.code)
    elif part == "command":
        yield from _command(comparison.command)
    else:
        changes: dict[str, Change] = getattr(comparison, part)
        is_package = part == "environment"
        packages = [key for key in changes if is_package and key.startswith(_PACKAGES)]
        plain = {key: change for key, change in changes.items() if key not in packages}
        width = max((len(escape(key)) for key in plain), default=0)
        for key, (old, new) in plain.items():
            is_drawn = part == "randomness" and key == "seed" and comparison.drawn is not None
            note = " (drawn for each run)" if is_drawn else ""
            yield f"{escape(key).ljust(width)}  {format_value(old)} → {format_value(new)}{note}"
        for key in packages:
            yield escape(describe_package(key.removeprefix(_PACKAGES), changes[key]))


def _command(change: Change | None) -> Iterator[str]:
    if change is not None:
        yield from (f"{sign} {_words(side)}" for sign, side in zip("-+", change, strict=True))


def _words(side: Value) -> str:
    if side is ABSENT or not isinstance(side, list):
        return "-"
    return escape(" ".join(map(str, side)))

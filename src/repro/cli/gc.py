"""`repro gc`: what nothing needs any more, told in bytes and taken away."""

import sys
from collections.abc import Iterator

import click

from repro.cli import render
from repro.cli.context import open_here
from repro.cli.numbers import Number
from repro.cli.progress import showing_steps
from repro.core.collect import GRACE_DAYS, Garbage, collect, find_garbage
from repro.errors import ConsentError, UsageError
from repro.model.canonical import Json
from repro.model.literals import parse_duration
from repro.model.readable import count_of, format_size
from repro.model.text import escape


@click.command()
@click.option("-n", "--dry-run", is_flag=True, help="Only say what would go.")
@click.option(
    "--keep-trash",
    metavar="TIME",
    default="30d",
    show_default=True,
    help="Keep runs that were removed later than that ago, such as 12h, 30d, 0s.",
)
@click.option(
    "--grace",
    metavar="DAYS",
    type=Number(min=0),
    default=GRACE_DAYS,
    show_default=True,
    help="Keep entries of the content store that are younger.",
)
@click.option("-y", "--yes", is_flag=True, help="Take it away without asking.")
@click.option("--json", "as_json", is_flag=True, help="Print what went, or would go, as JSON.")
def gc(*, dry_run: bool, keep_trash: str, grace: float, yes: bool, as_json: bool) -> None:
    """Take away what repro keeps and nothing needs any more; say how many bytes that is.

    Runs that were removed 30 days ago; states that a checkout replaced 90 days ago, or fifty
    checkouts; bytes in the content store that no run, state or repro.lock names; rebuilt
    environments that no run had; what killed processes left. Packs are rolled up.
    Objects of git are never deleted here: `git gc` does that, once they are two weeks old.
    """
    keep_s = parse_duration(keep_trash)
    if keep_s is None:
        raise UsageError(
            f"`{escape(keep_trash)}` is no length of time", hint="such as `--keep-trash 30d`"
        )
    project = open_here()
    with showing_steps("looking at") as (on_step, _):
        garbage = find_garbage(project, keep_trash_s=keep_s, grace_days=grace, on_step=on_step)
    problems: tuple[str, ...] = ()
    if not dry_run:
        if garbage.is_final and not yes:
            _ask(garbage)
        with showing_steps("taking away") as (on_step, _):
            garbage, problems = collect(project, garbage, on_step=on_step)
    if as_json:
        render.data_json({"dry_run": dry_run, **_garbage_json(garbage), "failed": list(problems)})
    for line in _describe(garbage, dry_run=dry_run):
        render.note(line)
    for problem in (*garbage.problems, *problems):
        render.note(f"repro: warning: {escape(problem)}")


def _ask(garbage: Garbage) -> None:
    rows = [f"    {what}" for what in _list_final(garbage)]
    if sys.stdin is None or not sys.stdin.isatty():
        raise ConsentError(
            f"{_join(_list_final(garbage))} would go for ever, and there is nobody to ask",
            hint="`--yes` takes it away, `--dry-run` only says what would go",
        )
    render.note("repro: these go for ever:")
    for row in rows:
        render.note(row)
    if not click.confirm("Take them away?", err=True):
        raise ConsentError(
            "nothing was taken away", hint="`repro gc --dry-run` lists what would be"
        )


def _list_final(garbage: Garbage) -> list[str]:
    store = garbage.store.unneeded if garbage.store else ()
    parts = [
        (len(garbage.trash), "removed run"),
        (len(garbage.undo), "old state"),
        (len(store), "unneeded entry"),
    ]
    return [count_of(number, what) for number, what in parts if number]


def _join(parts: list[str]) -> str:
    return " and ".join([*filter(None, [", ".join(parts[:-1])]), *parts[-1:]])


def _describe(garbage: Garbage, *, dry_run: bool) -> Iterator[str]:
    verb = "would go" if dry_run else "gone"
    for what, number, size in _rows(garbage):
        if number:
            yield f"repro: {verb}: {count_of(number, what)} ({format_size(size)})"
    here = sum(size for what, _, size in _rows(garbage) if what not in _LATER)
    later = garbage.trash_size + garbage.undo_size
    total = "would be freed" if dry_run else "freed"
    yield f"repro: {format_size(here)} {total}; {format_size(later)} more by git's own gc, in time"
    if garbage.n_trash:
        yield f"repro: kept for now: {count_of(garbage.n_trash, 'removed run')}"
    if garbage.store is not None and garbage.store.young:
        young = count_of(garbage.store.young, "unneeded entry")
        yield f"repro: kept for now: {young} younger than {garbage.store.grace_days:g} days"


_LATER = ("removed run", "old state")


def _rows(garbage: Garbage) -> Iterator[tuple[str, int, int]]:
    """What, how many, how many bytes."""
    yield "removed run", len(garbage.trash), garbage.trash_size
    yield "old state", len(garbage.undo), garbage.undo_size
    if garbage.store is not None:
        yield "unneeded entry", len(garbage.store.unneeded), garbage.store.unneeded_size
    environments = garbage.environments
    yield "unused environment", len(environments), sum(one.size for one in environments)
    yield "left worktree", len(garbage.worktrees), sum(size for _, size in garbage.worktrees)
    yield "left file", len(garbage.leftovers), sum(size for _, size in garbage.leftovers)


def _garbage_json(garbage: Garbage) -> dict[str, Json]:
    store = garbage.store
    return {
        "trash": {
            "runs": [entry.run for entry in garbage.trash],
            "bytes": garbage.trash_size,
            "kept": garbage.n_trash,
        },
        "undo": {"refs": [one.ref for one in garbage.undo], "bytes": garbage.undo_size},
        "store": None
        if store is None
        else {
            "unneeded": [digest for digest, _ in store.unneeded],
            "bytes": store.unneeded_size,
            "young": store.young,
            "damaged": store.n_damaged,
        },
        "environments": [{"digest": one.name, "bytes": one.size} for one in garbage.environments],
        "worktrees": [{"path": str(path), "bytes": size} for path, size in garbage.worktrees],
        "leftovers": [{"path": str(path), "bytes": size} for path, size in garbage.leftovers],
        "skipped": list(garbage.problems),
    }

"""`repro rm`, `repro restore`: runs removed to the trash, and brought back."""

import sys
from collections.abc import Mapping, Sequence

import click

from repro.cli import render
from repro.cli.completing import RUN, complete_filter
from repro.cli.context import open_here
from repro.cli.opening import open_around
from repro.core.choosing import Choice, choose_runs
from repro.core.known import open_runs
from repro.core.naming import find_id
from repro.core.project import Project
from repro.core.trash import (
    Removed,
    find_removed,
    list_trash,
    remove_runs,
    restore_run,
)
from repro.errors import ConsentError, ReproError, UsageError
from repro.model.canonical import Json
from repro.model.ids import shorten_ids
from repro.model.readable import count_runs, format_age
from repro.model.text import escape
from repro.store.trash import TrashEntry, list_trash_refs

_SHOWN = 20  # lines of any list; `--json` has all


@click.command()
@click.argument("names", nargs=-1, metavar="[RUN]...", type=RUN)
@click.option(
    "--where",
    metavar="EXPR",
    default="",
    shell_complete=complete_filter,
    help="All runs that fit, such as \"status = 'failed'\"; asks first.",
)
@click.option("-y", "--yes", is_flag=True, help="Remove what --where chooses without asking.")
@click.option("--json", "as_json", is_flag=True, help="Print what was removed as JSON.")
def rm(names: tuple[str, ...], where: str, *, yes: bool, as_json: bool) -> None:
    r"""Remove runs: they go to the trash, from which `repro restore` brings them back.

    \b
    repro rm 3f9zq7
    repro rm --where "status = 'failed' and created < 30d ago"

    Nothing is deleted: `repro gc` does that to what has been in the trash for 30 days, and
    `repro purge` takes a run away with all that only it needs. A remote that has the run keeps it;
    what is in the trash is not fetched again.
    """
    if bool(names) is bool(where.strip()):
        raise UsageError("which runs?", hint="`repro rm RUN…` or `repro rm --where EXPR`")
    project = open_here()
    ids = _choose(project, where) if where.strip() else _find(project, names)
    if where.strip() and ids and not yes:
        _ask(ids)
    removed = remove_runs(project, ids)
    if as_json:
        render.data_json([_removed_json(one) for one in removed])
    gone = (one.entry.run for one in removed)
    short = shorten_ids({*list_trash_refs(project.repository.git), *gone})
    for line in _describe_removed(removed, short):
        render.note(line)


def _find(project: Project, names: Sequence[str]) -> list[str]:
    with open_runs(project) as runs:
        return list(dict.fromkeys(find_id(runs, name) for name in names))


def _choose(project: Project, where: str) -> list[str]:
    with open_runs(project) as runs:
        index = runs.index
        chosen, _ = choose_runs(index, Choice(where=where), now=project.clock())
        return index.select_ids(chosen)


def _ask(ids: Sequence[str]) -> None:
    if sys.stdin is None or not sys.stdin.isatty():
        raise ConsentError(
            f"{count_runs(len(ids))} would go to the trash, and there is nobody to ask",
            hint="`--yes` removes them; `repro ls --where EXPR` shows them",
        )
    for run_id in ids[:_SHOWN]:
        render.note(f"    {run_id}")
    if len(ids) > _SHOWN:
        render.note(f"    … and {len(ids) - _SHOWN:,} more")
    if not click.confirm(f"Move {count_runs(len(ids))} to the trash?", err=True):
        raise ConsentError(
            "nothing was removed", hint="`repro ls --where EXPR` shows what would be"
        )


def _describe_removed(removed: Sequence[Removed], short: Mapping[str, str]) -> list[str]:
    if not removed:
        return ["repro: no run fits: nothing was removed"]
    lines = []
    for one in removed[:_SHOWN]:
        lines.append(f"repro: run {_titled(one.entry, short)} is in the trash")
        lines += _describe_named(one, short)
        lines += [
            f"repro: note: {escape(remote)} still has it:"
            f" `repro purge {one.entry.run} --remote {escape(remote)}` takes it away there"
            for remote in one.entry.remotes
        ]
    if len(removed) > _SHOWN:
        lines.append(f"repro: … and {count_runs(len(removed) - _SHOWN)} more")
    names = short[removed[0].entry.run] if len(removed) == 1 else "RUN…"
    return [*lines, f"hint: `repro restore {names}` brings back what was removed"]


def _describe_named(one: Removed, short: Mapping[str, str]) -> list[str]:
    if not one.named_by:
        return []
    more = f" and {len(one.named_by) - 3:,} more" if len(one.named_by) > 3 else ""
    others = ", ".join(one.named_by[:3]) + more
    return [f"repro: note: {others} came from run {short[one.entry.run]}, and stay"]


def _titled(entry: TrashEntry, short: Mapping[str, str]) -> str:
    run = short[entry.run]
    return run if entry.name is None else f"{run} ({escape(entry.name)})"


def _entry_json(entry: TrashEntry) -> dict[str, Json]:
    return {
        "id": entry.run,
        "name": entry.name,
        "removed": entry.removed,
        "remotes": list(entry.remotes),
    }


def _removed_json(one: Removed) -> dict[str, Json]:
    return {**_entry_json(one.entry), "named_by": list(one.named_by)}


@click.command()
@click.argument("names", nargs=-1, metavar="[RUN]...")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def restore(names: tuple[str, ...], *, as_json: bool) -> None:
    """Bring removed runs back from the trash; without a RUN, list what is in it.

    RUN is an id, its first four or more characters, or a name, of runs that `repro rm` removed.
    """
    project = open_around()
    if not names:
        _list_trash(project, as_json=as_json)
        return
    entries = {entry.run: entry for entry in (find_removed(project, name) for name in names)}
    short = shorten_ids({*list_trash_refs(project.repository.git), *entries})
    done: list[Json] = []
    for entry in entries.values():
        restored = restore_run(project, entry)
        if restored.entry.refs:
            kind = "sweep" if entry.is_sweep else "run"
            render.note(f"repro: {kind} {_titled(entry, short)} is back")
        else:
            render.note(f"repro: of run {_titled(entry, short)} nothing was left here")
            render.note("hint: `repro fetch` brings it again from a remote that has it")
        done.append({**_entry_json(entry), "refs": list(restored.refs)})
    if as_json:
        render.data_json(done)


def _list_trash(project: Project, *, as_json: bool) -> None:
    entries, problems = list_trash(project)
    _say_problems(problems)
    if as_json:
        render.data_json([_entry_json(entry) for entry in entries])
        return
    if not entries:
        render.note("the trash is empty: `repro rm` puts runs there")
        return
    now = project.clock()
    short = shorten_ids(entry.run for entry in entries)
    rows = [
        (short[one.run], escape(one.name or "-"), format_age(one.removed, now)) for one in entries
    ]
    render.out(render.table(rows, ("run", "name", "removed")))


def _say_problems(problems: Sequence[ReproError]) -> None:
    for problem in problems:
        render.note(f"repro: warning: {escape(problem.message)}")

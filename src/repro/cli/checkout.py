"""`repro checkout` and `repro undo`: bring the code of a run back, and take that back."""

import shlex
from collections.abc import Container, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import click

from repro.cli import render
from repro.cli.context import RUN, open_here
from repro.cli.progress import showing_bytes, showing_progress
from repro.core.beside import Beside, check_out_beside
from repro.core.beside_data import DataBeside, fill_worktree, plan_beside
from repro.core.moving import DataMoves
from repro.core.project import Project
from repro.core.query import resolve_code, resolve_run, short_id
from repro.core.restore import Restored, check_out, take_back_interrupted
from repro.core.restore_data import plan_restore, size_of
from repro.core.undo import Undone
from repro.core.undo import undo as take_back
from repro.errors import AmbiguousRunError, DamagedRecordError, UnknownRunError, UsageError
from repro.model.readable import count_of
from repro.model.run import Record
from repro.model.text import escape
from repro.store.datafacts import decode_facts

_SHOWN = 20  # files, of any list
_SHORT = 10  # characters of a commit


@click.command()
@click.argument("name", metavar="RUN", type=RUN)
@click.option(
    "-w",
    "--worktree",
    "folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Restore beside, into a new git worktree at DIR.",
)
@click.option("--save", is_flag=True, help="Keep work that would be lost for `repro undo`.")
@click.option("--data", "with_data", is_flag=True, help="Bring its datasets back, too.")
@click.option(
    "--dataset",
    "datasets",
    multiple=True,
    metavar="NAME",
    help="Of its datasets only this one; may be repeated.",
)
@click.option("--env", "with_env", is_flag=True, help="Build its environment again, too.")
@click.option("--nearest", is_flag=True, help="With --env: take the nearest of what is gone.")
@click.option("--yes", is_flag=True, help="With --env: agree to build what others made.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
def checkout(
    name: str,
    folder: Path | None,
    datasets: tuple[str, ...],
    *,
    save: bool,
    with_data: bool,
    as_json: bool,
    **env: bool,
) -> None:
    r"""Bring the exact code of a run back, in place or beside.

    \b
    repro checkout baseline
    repro checkout -w ../baseline baseline
    repro checkout --data baseline
    repro checkout --env baseline

    RUN is a run, or any git revision. In place, HEAD ends detached at the snapshot of the run;
    work that exists nowhere else is never lost: without --save the checkout is refused, and
    `repro undo` brings everything back. What `git worktree remove` takes away, -w made.

    With --data the files of its datasets come from the content store, verified; what was not kept
    must still be there, else the files that differ are listed and nothing is changed. In a
    worktree they are linked, read-only, where they would else take space.

    With --env its environment is built as by `repro env create`, once the code is there.
    """
    if save and folder is not None:
        raise UsageError(
            "`--save` is of no use with `-w`, which replaces nothing", hint="leave `--save` out"
        )
    project = open_here()
    target = _resolve(project, name)
    record = _with_data(target, name) if with_data or datasets else None
    wish = _agreed(project, _wished(target, name, **env))
    if folder is not None:
        plans = _plan_beside(project, record, datasets)
        beside = check_out_beside(project, target, folder)
        with showing_bytes("restoring data", sum(plan.size for plan in plans)) as report:
            fill_worktree(project, beside.folder, plans, report=report)
        _say_beside(project, beside, plans)
        for plan in plans:
            _say_filled(plan)
        if isinstance(target, Record):
            with suppress(DamagedRecordError):  # the code is there, which was asked for
                _say_not_brought(target, {plan.name for plan in plans}, beside.folder)
        built = _build(project, wish, beside.folder)
        if as_json:
            filled = {plan.name: len(plan.entries) for plan in plans}
            done = _beside_json(beside) | ({"data": filled} if record else {})
            render.data_json(done | built)
        return
    take_back_interrupted(project, target, save=save)
    moves = _plan_restore(project, record, datasets)
    with showing_bytes("restoring data", size_of(moves)) as report:
        restored = check_out(project, target, save=save, data=moves, report=report)
    _say_restored(project, restored)
    if isinstance(target, Record):
        with suppress(DamagedRecordError):  # likewise
            _say_strayed(project, target)
    changed = {one.name: len(one.moves) for one in moves}
    for name, count in changed.items():
        render.note(f"dataset {escape(name)}: {count_of(count, 'path')} as recorded again")
    built = _build(project, wish, project.repository.root)
    if as_json:
        done = _restored_json(restored) | ({"data": changed} if record else {})
        render.data_json(done | built)


@click.command()
@click.option("--save", is_flag=True, help="Keep the present state for the next `repro undo`.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
def undo(*, save: bool, as_json: bool) -> None:
    """Take the last checkout back: branch, index and files as they were.

    Refused when work done since then would be lost, unless --save keeps it. Commits made since
    that are on no branch are kept for the next undo.
    """
    project = open_here()
    undone = take_back(project, save=save)
    _say_undone(project, undone)
    if as_json:
        render.data_json(_undone_json(undone))


def _resolve(project: Project, name: str) -> Record | str:
    try:
        return resolve_run(project, name.removesuffix("^{code}"))
    except (UnknownRunError, AmbiguousRunError):
        return resolve_code(project, name)


def _with_data(target: Record | str, name: str) -> Record:
    if isinstance(target, str):
        raise UsageError(
            f"`{escape(name)}` is no run, so it has no record of datasets",
            hint="leave `--data` out; `repro data pull` brings what its repro.lock names",
        )
    return target


@dataclass(frozen=True, slots=True)
class _EnvWish:
    """A run whose environment is to be built."""

    record: Record
    nearest: bool
    yes: bool


def _wished(
    target: Record | str, name: str, *, with_env: bool, nearest: bool, yes: bool
) -> _EnvWish | None:
    if not with_env:
        if nearest or yes:
            option = "--nearest" if nearest else "--yes"
            raise UsageError(f"`{option}` says something about `--env`, which is not there")
        return None
    if isinstance(target, str):
        raise UsageError(
            f"`{escape(name)}` is no run, so it has no record of an environment",
            hint="leave `--env` out",
        )
    return _EnvWish(target, nearest, yes)


def _agreed(project: Project, wish: _EnvWish | None) -> _EnvWish | None:
    """Ask about somebody else's run before anything is made; what comes later need not ask."""
    if wish is None:
        return None
    # Here, for a checkout without one need not wait for the import.
    from repro.cli.consent import ask_consent  # noqa: PLC0415
    from repro.core.rebuild import plan_environment  # noqa: PLC0415
    from repro.core.trust import is_own  # noqa: PLC0415

    if is_own(project, wish.record):
        return wish
    plan = plan_environment(project, wish.record)
    if plan.built is not None and (plan.is_built or wish.nearest):  # nothing is executed
        return wish
    ask_consent(project, wish.record, yes=wish.yes, what="build its environment")
    return replace(wish, yes=True)


def _build(project: Project, wish: _EnvWish | None, tree: Path) -> dict[str, object]:
    """Build the environment, and give it as part of what is printed as JSON."""
    if wish is None:
        return {}
    # Here, for a checkout without one need not wait for the import.
    from repro.cli.env import build, rebuilt_json, say_activation  # noqa: PLC0415

    rebuilt, imports = build(project, wish.record, tree, nearest=wish.nearest, yes=wish.yes)
    say_activation(rebuilt, imports)
    return {"env": rebuilt_json(rebuilt, imports)}


def _plan_restore(
    project: Project, record: Record | None, datasets: Sequence[str]
) -> list[DataMoves]:
    if record is None:
        return []
    with showing_progress("looking at the datasets") as report:
        return plan_restore(project, record, datasets, on_progress=report)


def _plan_beside(
    project: Project, record: Record | None, datasets: Sequence[str]
) -> list[DataBeside]:
    if record is None:
        return []
    with showing_progress("looking at the datasets") as report:
        return plan_beside(project, record, datasets, on_progress=report)


def _say_filled(plan: DataBeside) -> None:
    name, path = escape(plan.name), escape(plan.path)
    if plan.linked is not None:
        where = escape(str(plan.linked))
        render.note(f"dataset {name}: `{path}` links to {where}, where it is unchanged")
    else:
        render.note(f"dataset {name}: {count_of(len(plan.entries), 'entry')} in `{path}`")


def _say_strayed(project: Project, record: Record) -> None:
    """Say which datasets are not as the run had them; those that were just restored are."""
    if not record.data or not record.commit:
        return
    # Here, for a checkout without datasets need not wait for the import.
    from repro.core.strayed import describe_strayed, find_strayed_of  # noqa: PLC0415

    strayed = find_strayed_of(project, record)
    if strayed:
        render.note(describe_strayed(strayed, pinned_by="what the run read"))
        short = short_id(project, record.run.id)
        names = (*strayed.changed, *strayed.unread, *strayed.absent)
        pronoun = "them" if len(names) > 1 else "it"
        render.note(f"hint: `repro checkout --data {short}` brings {pronoun} back")


def _say_not_brought(record: Record, brought: Container[str], folder: Path) -> None:
    """Say which datasets of the run a new worktree has not."""
    places = ((name, decode_facts(record.data, name).path) for name in record.data)
    absent = [
        name
        for name, path in places
        if name not in brought and not path.startswith("/") and not (folder / path).exists()
    ]
    if absent:
        listed = ", ".join(f"`{escape(name)}`" for name in absent)
        is_many = len(absent) > 1
        which, verb, pronoun = ("datasets", "are", "them") if is_many else ("dataset", "is", "it")
        render.note(
            f"{which} {listed} {verb} not there: with `--data` a checkout brings {pronoun} along"
        )


def _what(project: Project, run: str | None, title: str) -> str:
    return f"run {short_id(project, run)}: {escape(title)}" if run else escape(title)


def _say_restored(project: Project, restored: Restored) -> None:
    what = _what(project, restored.run, restored.title)
    if restored.entry is None:
        render.note(f"HEAD is already at {restored.commit[:_SHORT]} {what}; nothing was changed")
        return
    render.note(f"HEAD is now at {restored.commit[:_SHORT]} {what}")
    if restored.n_files:
        render.note(f"{count_of(restored.n_files, 'file')} brought back")
    else:
        render.note("the code was that of the run already: no file of it was written")
    number = restored.entry.number
    _list(restored.kept, f"saved as refs/repro/undo/{number}, and nowhere else now")
    _list(restored.left, "not part of the run, left where they were")
    _say_trouble(restored.differing, restored.empty)
    back = ""
    if restored.entry.head_oid is not None:
        is_branch = restored.entry.head is not None
        detach = "" if is_branch else "--detach "
        place = escape(restored.came_from) if is_branch else restored.came_from[:_SHORT]
        less = ", without what was saved" if restored.kept else ""
        back = f"; `git switch {detach}-` goes back to {place}{less}"
    render.note(f"hint: `repro undo` takes it back{back}")


def _say_beside(project: Project, beside: Beside, data: Sequence[DataBeside]) -> None:
    what = _what(project, beside.run, beside.title)
    place = escape(str(beside.folder))
    render.note(
        f"{place} is at {beside.commit[:_SHORT]} {what}, {count_of(beside.n_files, 'file')}"
    )
    _list(beside.submodules, "filled from the record, as plain files")
    _say_trouble(beside.differing, beside.empty)
    # A line of .gitignore that means a folder does not mean a link.
    is_linked = any(plan.linked is not None for plan in data)
    force = "--force " if beside.submodules or beside.empty or is_linked else ""
    quoted = escape(shlex.quote(str(beside.folder)))
    render.note(f"hint: `git worktree remove {force}{quoted}` takes it away")


def _say_trouble(differing: Sequence[str], empty: Sequence[str]) -> None:
    _list(differing, "warning: not as recorded, after the filters of this repository")
    if empty:
        _list(empty, "submodules without files here")
        render.note("hint: `git submodule update --init` fetches them")


def _say_undone(project: Project, undone: Undone) -> None:
    name = undone.branch.removeprefix("refs/heads/") if undone.branch else None
    at = undone.commit[:_SHORT] if undone.commit else "no commit yet"
    where = f"on branch {escape(name)} ({at})" if name else f"detached at {at}"
    what = f"the checkout of run {short_id(project, undone.target)}" if undone.target else "it"
    render.note(f"took {what} back: HEAD is {where}, {count_of(undone.n_files, 'path')} as before")
    for line in undone.notes:
        render.note(f"warning: {escape(line)}")
    if undone.saved is not None:
        saved = f"refs/repro/undo/{undone.saved.number}"
        _list(undone.kept, f"saved as {saved}, and nowhere else now")
        render.note(f"hint: the state before is {saved}: `repro undo` brings it back")


def _list(paths: Sequence[str], what: str) -> None:
    if not paths:
        return
    render.note(f"{what}:")
    for path in paths[:_SHOWN]:
        render.note(f"    {escape(path)}")
    if len(paths) > _SHOWN:
        render.note(f"    … and {len(paths) - _SHOWN} more")


def _restored_json(restored: Restored) -> dict[str, object]:
    return {
        "run": restored.run,
        "commit": restored.commit,
        "title": restored.title,
        "came_from": restored.came_from,
        "files": restored.n_files,
        "undo": restored.entry.number if restored.entry else None,
        "saved": restored.kept,
        "left": restored.left,
        "differing": restored.differing,
        "empty_submodules": restored.empty,
    }


def _beside_json(beside: Beside) -> dict[str, object]:
    return {
        "run": beside.run,
        "commit": beside.commit,
        "title": beside.title,
        "dir": str(beside.folder),
        "files": beside.n_files,
        "submodules": beside.submodules,
        "empty_submodules": beside.empty,
        "differing": beside.differing,
    }


def _undone_json(undone: Undone) -> dict[str, object]:
    return {
        "run": undone.target,
        "branch": undone.branch,
        "commit": undone.commit,
        "came_from": undone.came_from,
        "files": undone.n_files,
        "undo": undone.saved.number if undone.saved else None,
        "saved": undone.kept,
        "notes": undone.notes,
    }

"""`repro data verify`, `push`, `pull`, `gc`: kept bytes checked, shared and reclaimed."""

import sys
from collections.abc import Iterable, Sequence

import click

from repro.cli import render
from repro.cli.context import RUN, open_here
from repro.cli.numbers import Number
from repro.cli.progress import showing_bytes, showing_progress
from repro.core.absent import Filled, fill_absent, find_absent, size_of
from repro.core.datachoice import Chosen, choose
from repro.core.dataverify import Check, Fault, State, Where, check_entries, check_files, plan_check
from repro.core.project import Project
from repro.core.reclaim import Freed, Plan, plan_reclaim, reclaim
from repro.core.transfer import MANIFEST, Failure, Load, Moved, open_store, plan_pull, plan_push
from repro.core.transfer import pull as fetch
from repro.core.transfer import push as send
from repro.errors import ConsentError
from repro.model.canonical import Json
from repro.model.readable import count_of, format_size
from repro.model.text import escape

_SHOWN = 20  # lines of any list; `--json` has all
_WHOLE = "(all of it)"  # in the place of a path

_names = click.argument("names", nargs=-1, metavar="[NAME]...")
_runs = click.option(
    "--run", "runs", multiple=True, type=RUN, metavar="RUN", help="As RUN recorded them."
)
_json = click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")


@click.command()
@_names
@_runs
@_json
def verify(names: tuple[str, ...], runs: tuple[str, ...], *, as_json: bool) -> int:
    r"""Read every byte of datasets again, and name what is wrong.

    \b
    repro data verify
    repro data verify train
    repro data verify --run baseline

    Kept bytes are hashed against the sha256 that repro.lock, or RUN, has of them; what is damaged
    is set aside, so that a sound copy can take its place. Without --run the files in the
    working tree are read as well, whatever is remembered of them. Exits with 1 if anything is
    wrong.
    """
    project = open_here()
    chosen = choose(project, names, runs)
    if not chosen:
        render.note("repro: there is no dataset to verify")
    check = plan_check(project, chosen)
    with showing_bytes("reading kept bytes", check.size) as report:
        faults = [*check.faults, *check_entries(project, check, report)]
    for one in chosen:
        if one.locked is not None:
            with showing_progress(f"reading {one.name}") as on_progress:
                faults += check_files(project, one, on_progress)
    if as_json:
        render.data_json(_check_json(check, faults))
    else:
        _say_checked(check, faults, has_store=project.settings.store is not None)
    return 1 if faults else 0


def _say_checked(check: Check, faults: Sequence[Fault], *, has_store: bool) -> None:
    rows = [_fault_row(fault) for fault in faults[:_SHOWN]]
    if rows:
        render.out(render.table(rows, ("WHERE", "STATE", "DATASET", "PATH", "REASON")))
    _say_more(faults)
    _say_left_out([one for one in check.datasets if one.run is not None and not one.kept])
    count, size = count_of(len(check.files), "kept file"), format_size(check.size)
    render.note(f"repro: read {count} ({size}): {count_of(len(faults), 'fault')}")
    hint = _hint(check, faults, has_store=has_store)
    if hint is not None:
        render.note(f"hint: {hint}")


def _hint(check: Check, faults: Sequence[Fault], *, has_store: bool) -> str | None:
    if not faults:
        return None
    if any(fault.where is Where.STORE for fault in faults):
        return _store_hint(check, faults, has_store=has_store)
    if any(not fault.path and fault.state is State.MISSING for fault in faults):
        if has_store:
            return "`repro data pull` writes a dataset that is not there"
        return "`repro checkout RUN --data` brings files back"
    return "`repro checkout RUN --data` brings files back, `repro data add` pins them as they are"


def _store_hint(check: Check, faults: Sequence[Fault], *, has_store: bool) -> str:
    """What brings sound copies: a store, or files in the working tree that are what is pinned."""
    broken = {fault.dataset for fault in faults if fault.where is Where.STORE}
    changed = {fault.dataset for fault in faults if fault.where is Where.FILES}
    sound = [one for one in check.datasets if one.name in broken - changed and one.locked]
    ways: list[str] = []
    if has_store:
        runs = "".join(dict.fromkeys(f" --run {one.run}" for one in check.datasets if one.run))
        ways.append(f"`repro data pull{runs}` brings sound copies")
    if sound:
        names = " ".join(escape(one.name) for one in sound)
        ways.append(f"`repro data add {names}` keeps the sound files of the working tree anew")
    return ", ".join(ways) or "`repro data pull` brings sound copies once `store:` names a store"


def _fault_row(fault: Fault) -> tuple[str, ...]:
    path = fault.path or _WHOLE
    return fault.where, fault.state, fault.dataset, path, fault.reason


def _check_json(check: Check, faults: Iterable[Fault]) -> dict[str, Json]:
    listed = list(faults)
    return {
        "ok": not listed,
        "datasets": [_dataset_json(one) for one in check.datasets],
        "objects": len(check.files),
        "bytes": check.size,
        "faults": [
            {
                "where": fault.where.value,
                "state": fault.state.value,
                "dataset": fault.dataset,
                "path": fault.path or None,
                "digest": fault.digest,
                "reason": fault.reason,
            }
            for fault in listed
        ],
    }


@click.command()
@_names
@_runs
@_json
def push(names: tuple[str, ...], runs: tuple[str, ...], *, as_json: bool) -> int:
    r"""Send the kept bytes of datasets to the store that `store:` in repro.yaml names.

    \b
    repro data push
    repro data push train
    repro data push --run baseline

    What repro.lock pins now is sent, or what RUN recorded. What is there already is not sent
    again, and nothing there is ever overwritten. Exits with 1 if anything could not be sent.
    """
    project = open_here()
    remote = open_store(project)
    load = plan_push(project, choose(project, names, runs))
    _say_left_out(load.left_out)
    what = f"{count_of(len(load.files), 'file')} ({format_size(load.size)})"
    render.note(f"repro: sending {what} of {_listed(load.datasets)} to {remote.label}")
    with showing_bytes("sending", load.size) as report:
        moved = send(project, remote, load, report)
    say_moved(load, moved, f"in {remote.label}", "sent")
    if as_json:
        render.data_json(moved_json(remote.label, load, moved))
    return 1 if moved.failed else 0


@click.command()
@_names
@_runs
@_json
def pull(names: tuple[str, ...], runs: tuple[str, ...], *, as_json: bool) -> int:
    r"""Fetch the kept bytes of datasets from the store that `store:` in repro.yaml names.

    \b
    repro data pull
    repro data pull train
    repro data pull --run baseline

    What repro.lock pins and is not here is fetched, or what RUN recorded. A dataset that the
    working tree has nothing of, as after `git clone`, is written there; what is there stays as
    it is. Exits with 1 if anything could not be fetched or written.
    """
    project = open_here()
    remote = open_store(project)
    render.note(f"repro: fetching from {remote.label}")
    load = plan_pull(project, remote, choose(project, names, runs))
    _say_left_out(load.left_out)
    with showing_bytes("fetching", load.size) as report:
        moved = fetch(project, remote, load, report)
    say_moved(load, moved, "fetched", "fetched")
    if lacking := [one.dataset for one in moved.failed if one.path == MANIFEST and one.digest]:
        which = " ".join(map(escape, dict.fromkeys(lacking)))
        render.note(f"hint: `repro data push {which}` in a clone that has them sends them")
    filled = [] if runs else _fill(project, load.datasets)
    if as_json:
        value = moved_json(remote.label, load, moved)
        render.data_json({**value, "written": [_filled_json(one) for one in filled]})
    return 1 if moved.failed or any(one.reason for one in filled) else 0


def _fill(project: Project, chosen: Iterable[Chosen]) -> list[Filled]:
    absent, present = find_absent(project, chosen)
    with showing_bytes("writing", size_of(absent)) as report:
        filled = fill_absent(project, absent, report)
    for one in filled:
        place = f"`{escape(one.path)}`"
        if one.files or one.reason is None:
            render.note(f"repro: wrote {place} ({count_of(one.files, 'file')})")
        if one.reason is not None:
            render.note(f"repro: {place} is not complete: {escape(one.reason)}")
    if present:
        render.note(f"repro: the files of {_listed(present)} stay as they are")
        render.note("hint: `repro checkout RUN --data` brings the files of a run back")
    return filled


def _filled_json(one: Filled) -> dict[str, Json]:
    return {"name": one.name, "path": one.path, "files": one.files, "reason": one.reason}


def say_moved(load: Load, moved: Moved, what: str, verb: str) -> None:
    """Tell on standard error what became of a load."""
    count = count_of(len(moved.done), "object")
    here = f"; {len(load.here):,} were here" if load.here else ""
    render.note(f"repro: {count} ({format_size(moved.size)}) {what}{here}")
    if moved.failed:
        render.note(f"repro: {count_of(len(moved.failed), 'object')} could not be {verb}:")
        for failure in moved.failed[:_SHOWN]:
            path = escape(failure.path or _WHOLE)
            render.note(f"    {escape(failure.dataset)}: {path}: {escape(failure.reason)}")
        _say_more(moved.failed)


def moved_json(store: str, load: Load, moved: Moved) -> dict[str, Json]:
    """What became of a load, for programs."""
    return {
        "store": store,
        "datasets": [_dataset_json(one) for one in load.datasets],
        "left_out": [one.name for one in load.left_out],
        "objects": len(moved.done),
        "bytes": moved.size,
        "here": len(load.here),
        "failed": [_failure_json(failure) for failure in moved.failed],
    }


def _failure_json(failure: Failure) -> dict[str, Json]:
    return {
        "dataset": failure.dataset,
        "path": failure.path or None,
        "digest": failure.digest or None,
        "reason": failure.reason,
    }


def _dataset_json(one: Chosen) -> dict[str, Json]:
    return {"name": one.name, "path": one.path, "run": one.run, "kept": one.kept}


def _say_left_out(left_out: Sequence[Chosen]) -> None:
    if left_out:
        names = _listed(left_out)
        render.note(f"repro: left out, for their bytes are not kept: {names}")
        render.note(f"hint: `repro data add --keep {escape(left_out[0].name)}` keeps them")


def _say_more(listed: Sequence[object]) -> None:
    if len(listed) > _SHOWN:
        render.note(f"    … and {len(listed) - _SHOWN:,} more")


def _listed(datasets: Iterable[Chosen]) -> str:
    return ", ".join(dict.fromkeys(escape(one.name) for one in datasets))


@click.command()
@click.option("-n", "--dry-run", is_flag=True, help="Only say what would be deleted.")
@click.option(
    "--grace",
    metavar="DAYS",
    type=Number(min=0),
    default=14,
    show_default=True,
    help="Keep entries that are younger.",
)
@click.option("-y", "--yes", is_flag=True, help="Delete without asking.")
@_json
def gc(*, dry_run: bool, grace: float, yes: bool, as_json: bool) -> None:
    """Delete entries of the content store of this repository that nothing names any more.

    Needed is what any run, undo entry or version of repro.lock names that git still has, on any
    branch and in any worktree. The shared store is not touched.
    """
    project = open_here()
    plan = plan_reclaim(project, grace_days=grace)
    if plan.unneeded and not dry_run and not yes:
        _ask(plan)
    freed = Freed(n_entries=0, size=0) if dry_run else reclaim(project, plan)
    if as_json:
        render.data_json(_plan_json(plan, freed, dry_run=dry_run))
    verb = "would free" if dry_run else "freed"
    number = len(plan.unneeded) if dry_run else freed.n_entries
    size = format_size(plan.unneeded_size if dry_run else freed.size)
    render.note(f"repro: {verb} {count_of(number, 'entry')} ({size}) of {plan.n_entries:,}")
    if plan.young:
        young = (
            f"{count_of(plan.young, 'entry')} that nothing names, but younger than {grace:g} days"
        )
        render.note(f"repro: kept for now: {young}")
    if plan.n_damaged:
        place = escape(str(project.store / "damaged"))
        render.note(
            f"repro: {count_of(plan.n_damaged, 'damaged file')} set aside in `{place}` stay"
        )


def _ask(plan: Plan) -> None:
    if sys.stdin is None or not sys.stdin.isatty():
        raise ConsentError(
            f"{count_of(len(plan.unneeded), 'entry')} would be deleted, and there is nobody to ask",
            hint="`--yes` deletes them, `--dry-run` only counts them",
        )
    what = f"{count_of(len(plan.unneeded), 'entry')} ({format_size(plan.unneeded_size)})"
    if not click.confirm(f"Delete {what} that nothing names?", err=True):
        raise ConsentError(
            "nothing was deleted", hint="`repro data gc --dry-run` counts what would be"
        )


def _plan_json(plan: Plan, freed: Freed, *, dry_run: bool) -> dict[str, Json]:
    return {
        "dry_run": dry_run,
        "entries": plan.n_entries,
        "bytes": plan.size,
        "unneeded": [digest for digest, _ in plan.unneeded],
        "unneeded_bytes": plan.unneeded_size,
        "young": plan.young,
        "damaged": plan.n_damaged,
        "freed": freed.n_entries,
        "freed_bytes": freed.size,
    }

"""`repro purge`: a run taken away for good, for a leak."""

import sys
from collections.abc import Collection, Iterator, Mapping

import click

from repro.cli import render
from repro.cli.completing import RUN
from repro.cli.context import open_here
from repro.cli.progress import showing_steps
from repro.core.project import Project
from repro.core.purge import (
    Begun,
    Purged,
    PurgePlan,
    find_begun,
    find_purgeable,
    finish_purge,
    plan_purge,
    purge,
)
from repro.core.purge_remote import RemotePurge, plan_remote, purge_remote
from repro.errors import ConsentError, UnknownRunError
from repro.model.canonical import Json
from repro.model.text import escape

_SHOWN = 10  # lines of any list


@click.command("purge")
@click.argument("name", metavar="RUN", type=RUN)
@click.option("--remote", metavar="REMOTE", help="Take it away from a git remote, too.")
@click.option("-y", "--yes", is_flag=True, help="Take it away without asking.")
@click.option("--json", "as_json", is_flag=True, help="Print what went as JSON.")
def purge_(name: str, *, remote: str | None, yes: bool, as_json: bool) -> int:
    r"""Take a run away for good, with every byte that only it has: for a leak.

    \b
    repro purge 3f9zq7
    repro purge 3f9zq7 --remote origin

    Change the secret first: whoever could read it may have copied it. What other runs, branches
    or states have, too, stays, and is named. Nobody can bring the run back. Exits with 1 if
    something of it is still there.
    """
    project = open_here()
    begun = find_begun(project, name)
    if begun is not None and remote is None:
        return _finish(project, begun, as_json=as_json)
    run_id, plan = _plan(project, name, remote)
    there = None if remote is None else plan_remote(project, remote, run_id)
    render.note("repro: change what leaked first: whoever could read it may have copied it")
    for line in (*_describe(plan), *_describe_remote(there)):
        render.note(line)
    if not yes:
        _ask(run_id)
    if there is not None:
        purge_remote(project, there)
        _say_remote(there)
    if plan is None:
        return 0
    with showing_steps("taking away") as (on_step, _):
        purged = purge(project, plan, on_step=on_step)
    return _report(plan.run, purged, plan.shared, plan.holders, as_json=as_json)


def _plan(project: Project, name: str, remote: str | None) -> tuple[str, PurgePlan | None]:
    """The run, and what is to go here; nothing where only the remote has it still."""
    try:
        run_id = find_purgeable(project, name)
        return run_id, plan_purge(project, run_id)
    except UnknownRunError:
        if remote is None:
            raise
        return name, None


def _finish(project: Project, begun: Begun, *, as_json: bool) -> int:
    render.note(f"repro: the purge of run {begun.run} was not finished, and goes on")
    with showing_steps("taking away") as (on_step, _):
        purged = finish_purge(project, begun, on_step=on_step)
    return _report(begun.run, purged, {}, (), as_json=as_json)


def _describe(plan: PurgePlan | None) -> Iterator[str]:
    if plan is None:
        return
    yield f"repro: of run {plan.run} go for ever"
    yield f"    refs      {_listed([*plan.refs, *plan.archives])}"
    yield f"    objects   {len(plan.doomed):,}: {_listed(_paths(plan.doomed))}"
    if plan.entries:
        yield f"    kept      {len(plan.entries):,} entries of the content store"
    if plan.undo:
        yield f"    undo      {_listed(plan.undo)}, which hold some of it: `repro undo` lacks them"
    if plan.shared:
        yield f"repro: others have {len(plan.shared):,} of its objects, too, and these stay"
        yield f"    objects   {_listed(_paths(plan.shared))}"
        yield f"    held by   {_listed(plan.holders) or 'the index of git, or a reflog'}"


def _describe_remote(there: RemotePurge | None) -> Iterator[str]:
    if there is not None:
        yield f"    at {there.label}   {_listed(there.refs) or 'nothing: it does not have the run'}"


def _paths(objects: Mapping[str, str]) -> list[str]:
    return sorted({path for path in objects.values() if path})


def _listed(names: Collection[str]) -> str:
    shown = ", ".join(escape(name) for name in list(names)[:_SHOWN])
    more = len(names) - _SHOWN
    return f"{shown} and {more:,} more" if more > 0 else shown


def _ask(run_id: str) -> None:
    if sys.stdin is None or not sys.stdin.isatty():
        raise ConsentError(
            f"run `{run_id}` would go for ever, and there is nobody to ask",
            hint="`--yes` takes it away; `repro rm` only puts it into the trash",
        )
    if not click.confirm("Take it away for ever?", err=True):
        raise ConsentError("nothing was taken away", hint="`repro rm` puts it into the trash")


def _say_remote(there: RemotePurge) -> None:
    if there.refs:
        render.note(f"repro: {there.label} names run {there.run} no longer")
        render.note(
            "repro: warning: its host may still give the commit to who knows its id, until it"
            " collects garbage, and others may have fetched it: tell them to `repro purge` it"
        )
    for name in there.archives:
        render.note(
            f"repro: warning: archive {name} of {there.label} has it among other runs, and stays:"
            " who runs the host can take it away"
        )


def _report(
    run_id: str,
    purged: Purged,
    shared: Mapping[str, str],
    holders: Collection[str],
    *,
    as_json: bool,
) -> int:
    if as_json:
        render.data_json(_purged_json(run_id, purged, shared, holders))
    done = f"{purged.n_objects:,} objects of git and {purged.n_entries:,} kept entries"
    proof = "" if purged.left else "; `git cat-file -e` fails for each"
    render.note(f"repro: run {run_id} is gone, with {done}{proof}")
    if purged.left:
        render.note(f"repro: warning: {len(purged.left):,} objects are still here:")
        for oid in purged.left[:_SHOWN]:
            render.note(f"    {oid}")
        for pack in purged.kept_packs:
            render.note(f"repro: warning: {pack}.pack has a `.keep`, which says to leave it alone")
        if purged.reached:
            render.note("repro: warning: reflogs name commits on top of its code, as may new refs:")
            render.note("hint: `git reflog expire --expire=now --all` forgets those, all of them")
        if purged.is_borrowing:
            render.note("repro: warning: git borrows objects of another repository, and has them")
        render.note(f"hint: `repro purge {run_id}` goes on once that is mended")
    if shared:
        render.note(
            f"repro: warning: {len(shared):,} objects that others have, too, are still here"
        )
    render.note("hint: clones of this repository, and backups, may still have it")
    return 1 if purged.left else 0


def _purged_json(
    run_id: str, purged: Purged, shared: Mapping[str, str], holders: Collection[str]
) -> dict[str, Json]:
    return {
        "run": run_id,
        "objects": purged.n_objects,
        "entries": purged.n_entries,
        "reflogs": purged.n_reflogs,
        "left": list(purged.left),
        "reached": list(purged.reached),
        "kept_packs": list(purged.kept_packs),
        "shared": dict(shared),
        "held_by": list(holders),
    }

"""`repro purge`: a run or a sweep taken away for good, for a leak."""

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
from repro.core.purge_staying import Staying, StayingSecret
from repro.errors import ConsentError, UnknownRunError
from repro.model.canonical import Json
from repro.model.readable import count_of
from repro.model.text import escape

_SHOWN = 10  # lines of any list


@click.command("purge")
@click.argument("name", metavar="RUN", type=RUN)
@click.option("--remote", metavar="REMOTE", help="Take it away from a git remote, too.")
@click.option("-y", "--yes", is_flag=True, help="Take it away without asking.")
@click.option("--json", "as_json", is_flag=True, help="Print what went as JSON.")
def purge_(name: str, *, remote: str | None, yes: bool, as_json: bool) -> int:
    r"""Take a run or a sweep away for good, with every byte that only it has: for a leak.

    \b
    repro purge 3f9zq7
    repro purge 3f9zq7 --remote origin

    Change the secret first: whoever could read it may have copied it. What other runs, branches
    or states have, too, stays, and is named. Nobody can bring the run back. Exits with 1 if what
    only it had, or what looks like a secret, is still there.

    The trials of a sweep have the code of what it starts from: purge both.
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
    return _report(plan.run, purged, plan, as_json=as_json)


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
    render.note(f"repro: the purge of {begun.run} was not finished, and goes on")
    with showing_steps("taking away") as (on_step, _):
        purged = finish_purge(project, begun, on_step=on_step)
    return _report(begun.run, purged, None, as_json=as_json)


def _describe(plan: PurgePlan | None) -> Iterator[str]:
    if plan is None:
        return
    yield f"repro: of {plan.run} go for ever"
    yield f"    refs      {_listed([*plan.refs, *plan.archives])}"
    yield f"    objects   {_counted(plan.kinds)}"
    if plan.files:
        yield f"    files     {_listed(plan.files)}"
    if plan.entries:
        yield f"    kept      {len(plan.entries):,} entries of the content store"
    if plan.undo:
        yield f"    undo      {_listed(plan.undo)}, which hold some of it: `repro undo` lacks them"
    yield from _describe_staying(plan.staying)


def _describe_staying(staying: Staying) -> Iterator[str]:
    if staying.secrets:
        yield "repro: what looks like a secret stays, as others have it, too"
        for secret in staying.secrets[:_SHOWN]:
            yield f"    {_place(secret)} ({secret.rule}), held by {_holders(secret.held_by)}"
        if len(staying.secrets) > _SHOWN:
            yield f"    and {len(staying.secrets) - _SHOWN:,} more"
    if staying.files:
        yield f"repro: {_stays(len(staying.files), 'of its code')}, as others have the same"
        yield f"    files     {_listed(staying.files)}"
        yield f"    held by   {_holders(staying.files_held_by)}"
    if staying.n_committed:
        where = _listed(staying.branches) or "no branch or tag"
        yield f"repro: {_stays(staying.n_committed, 'of its code')}, as committed: in {where}"
    if staying.n_common:
        yield f"repro: {_stays(staying.n_common, 'of its record')}, as in other runs"


def _stays(number: int, where: str) -> str:
    return f"{count_of(number, 'file')} {where} stay{'s' if number == 1 else ''}"


def _holders(names: Collection[str]) -> str:
    return _listed(names) or "what git has not collected yet: `git gc --prune=now`"


def _place(secret: StayingSecret) -> str:
    return escape(secret.path) + (f" line {secret.line}" if secret.line else "")


def _counted(kinds: Mapping[str, int]) -> str:
    words = {"commit": "commit", "tree": "folder", "blob": "file"}
    return ", ".join(count_of(kinds[kind], word) for kind, word in words.items() if kinds.get(kind))


def _describe_remote(there: RemotePurge | None) -> Iterator[str]:
    if there is not None:
        yield f"    at {there.label}   {_listed(there.refs) or 'nothing: it does not have it'}"


def _listed(names: Collection[str]) -> str:
    shown = ", ".join(escape(name) for name in list(names)[:_SHOWN])
    more = len(names) - _SHOWN
    return f"{shown} and {more:,} more" if more > 0 else shown


def _ask(run_id: str) -> None:
    if sys.stdin is None or not sys.stdin.isatty():
        raise ConsentError(
            f"`{run_id}` would go for ever, and there is nobody to ask",
            hint="`--yes` takes it away; `repro rm` only puts it into the trash",
        )
    if not click.confirm("Take it away for ever?", err=True):
        raise ConsentError("nothing was taken away", hint="`repro rm` puts it into the trash")


def _say_remote(there: RemotePurge) -> None:
    if there.refs:
        render.note(f"repro: {there.label} names {there.run} no longer")
        render.note(
            "repro: warning: its host may still give the commit to who knows its id, until it"
            " collects garbage, and others may have fetched it: tell them to `repro purge` it"
        )
    for name in there.archives:
        render.note(
            f"repro: warning: archive {name} of {there.label} has it among other runs, and stays:"
            " who runs the host can take it away"
        )


def _report(run_id: str, purged: Purged, plan: PurgePlan | None, *, as_json: bool) -> int:
    if as_json:
        render.data_json(_purged_json(run_id, purged, plan))
    done = f"{purged.n_objects:,} objects of git and {purged.n_entries:,} kept entries"
    proof = "" if purged.left else "; `git cat-file -e` fails for each"
    render.note(f"repro: {run_id} is gone, with {done}{proof}")
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
    if purged.secrets:
        known = {} if plan is None else {one.oid: _place(one) for one in plan.staying.secrets}
        places = _listed([known.get(oid, f"object {oid}") for oid in purged.secrets])
        render.note(f"repro: warning: what looks like a secret is still here: {places}")
        render.note("hint: purge the runs that have it; rewrite the branches and tags; then")
        render.note("hint: `git reflog expire --expire=now --all`, `git gc --prune=now`")
    render.note("hint: clones of this repository, and backups, may still have it")
    return 1 if purged.left or purged.secrets else 0


def _purged_json(run_id: str, purged: Purged, plan: PurgePlan | None) -> dict[str, Json]:
    secrets: list[Json] = []
    for one in plan.staying.secrets if plan is not None else ():
        held_by: list[Json] = [*one.held_by]
        secrets.append({"path": one.path, "line": one.line, "rule": one.rule, "held_by": held_by})
    return {
        "run": run_id,
        "objects": purged.n_objects,
        "entries": purged.n_entries,
        "reflogs": purged.n_reflogs,
        "left": list(purged.left),
        "reached": list(purged.reached),
        "kept_packs": list(purged.kept_packs),
        "shared": {} if plan is None else dict(plan.shared),
        "held_by": [] if plan is None else list(plan.staying.shared_by),
        "secrets": secrets,
    }

"""Runs brought from a git remote, and those of this clone brought up to date with them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from repro.core.arriving import (
    Arrivals,
    Report,
    TakenIn,
    branch_tips,
    builds_on,
    take_in,
)
from repro.core.joining import ApartError, join_run
from repro.core.project import Project
from repro.core.sweep_arrivals import SweepsTaken, fetch_sweeps
from repro.core.tracked import Here
from repro.errors import (
    DamagedRecordError,
    InvalidInputError,
    NewerFormatError,
    UnknownRunError,
)
from repro.model.ids import is_id, is_id_prefix
from repro.model.sharing import Overruled, Refusal
from repro.model.text import escape
from repro.store.incoming import Source, receive
from repro.store.objects import open_objects, reading
from repro.store.packs import consolidate
from repro.store.quarantine import open_quarantine
from repro.store.refs import ARCHIVE, REMOTES, RefUpdate, list_refs, update_refs
from repro.store.remoterefs import GitRemote, RemoteRefs, find_remote, list_names, list_remote

_AT_ONCE = 1000  # runs; what was brought before a connection is lost is there then
_ARCHIVES_AT_ONCE = 4  # a thousand runs each
_MOST_HAD = 256  # commits named to the other side: more are a longer question, not a better one
_UNFIT = ("/live", "/archive")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What a fetch brought.

    Attributes:
        remote: As messages call it.
        new: Ids of runs that this clone did not have.
        moved: Ids of runs that were amended there, or ran on.
        refused: Runs that are not shown, and why; refs that are no runs.
        gone: Ids of runs that the remote had when it was asked before; they are kept.
        asked: Ids of the runs that were asked for by name; empty where all were.
        sweeps: What became of sweeps; those that were refused are among the others.
    """

    remote: str
    new: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()
    refused: tuple[Refusal, ...] = ()
    gone: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    sweeps: SweepsTaken = field(default_factory=SweepsTaken)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """What a pull did after its fetch.

    Attributes:
        forwarded: Ids of own runs that are now as the remote has them.
        merged: Ids of own runs that now have what was said of them here and there.
        refused: Runs that stay as they are here, and why.
        overruled: Words that gave way to later ones.
    """

    fetched: Fetched
    forwarded: tuple[str, ...] = ()
    merged: tuple[str, ...] = ()
    refused: tuple[Refusal, ...] = ()
    overruled: tuple[Overruled, ...] = ()


def find_remotes(
    project: Project, name: str | None, *, cwd: Path, every: bool = False
) -> list[GitRemote]:
    """Give the remote that is meant, or all there are.

    Args:
        name: As `find_remote` takes it.
        cwd: What a path is relative to.
        every: Whether all of them are meant.

    Raises:
        RemoteError: There is none.
        InvalidInputError: The carrier that is set for one cannot be one.
    """
    git = project.repository.git
    names: list[str | None] = list(list_names(git)) if every else []
    return [find_remote(git, one, cwd=cwd) for one in names or [name]]


def fetch_runs(
    project: Project,
    remote: GitRemote,
    *,
    names: Sequence[str] = (),
    join_sweeps: bool = False,
    report: Report = lambda _: None,
) -> Fetched:
    """Bring the runs of a remote under `refs/repro/remotes/<remote>/`; own ones stay as they are.

    Sweeps are brought, too, and those of this clone moved forward.

    Args:
        names: Ids of the only runs and sweeps that are wanted, or beginnings of these; none is
            all.
        join_sweeps: Whether sweeps that went on apart get the results of both.
        report: Told in words how far it is.

    Raises:
        RemoteError: It is not there, refuses, or the connection was lost: what came before that
            is there, and another fetch goes on from it.
        UnknownRunError: It has no run of such a name.
        InvalidInputError: The name of the remote cannot be part of the names of runs.
        StorageError: The disk is full.

    Cost: one connection to list the refs of the remote and one for each thousand new runs;
        nothing is asked of runs that are known.
    """
    if remote.place.endswith(_UNFIT):
        raise InvalidInputError(
            f"runs of a remote called `{remote.label}` cannot be told from other things",
            hint=f"`git remote rename {remote.label} OTHER`",
        )
    there = list_remote(project.repository.git, remote)
    here = Here(project, remote.place)
    wanted = _choose(project, here, there)
    taken = TakenIn(refused=_odd(there) if not names else ())
    asked: tuple[str, ...] = ()
    if names:
        unknown = _unresolved(there, names)
        if unknown and wanted.archives:
            taken += _bring(project, remote, Arrivals(archives=wanted.archives), report)
            here = Here(project, remote.place)
        ids = {*there.runs, *there.live, *here.archived, *here.own, *there.sweeps}
        asked = _resolve(remote, ids, names)
        wanted = Arrivals(
            runs={run: oid for run, oid in wanted.runs.items() if run in asked},
            live={run: oid for run, oid in wanted.live.items() if run in asked},
        )
    taken += _bring(project, remote, wanted, report)
    wanted_sweeps = {one: oid for one, oid in there.sweeps.items() if not names or one in asked}
    sweeps = fetch_sweeps(project, remote, wanted_sweeps, merge=join_sweeps, report=report)
    here = Here(project, remote.place) if wanted.oids else here
    _drop_live(project, here, there)
    if len(taken.new) + len(taken.moved) > 1:
        consolidate(project.repository, now=project.clock())
    return Fetched(
        remote=remote.label,
        new=taken.new,
        moved=taken.moved,
        refused=(*taken.refused, *sweeps.refused),
        gone=_find_gone(here, there),
        asked=asked,
        sweeps=sweeps,
    )


def _odd(there: RemoteRefs) -> tuple[Refusal, ...]:
    if not there.odd:
        return ()
    first = escape(there.odd[0][:80])
    what = (
        f"`{first}` is" if len(there.odd) == 1 else f"{len(there.odd):,} refs such as `{first}` are"
    )
    return (Refusal("", f"{what} not named as a run is"),)


def _choose(project: Project, here: Here, there: RemoteRefs) -> Arrivals:
    """What the remote has and this clone lacks."""
    runs = {run_id: oid for run_id, oid in there.runs.items() if not here.has(run_id, oid)}
    doubtful = [run_id for run_id in runs if run_id in here.own]
    if doubtful:
        objects = open_objects(project.repository, many=len(doubtful) > 50)
        try:
            for run_id in doubtful:
                if builds_on(objects, here.own[run_id], runs[run_id]):
                    del runs[run_id]
        finally:
            objects.close()
    own = list_refs(project.repository.git, ARCHIVE).values()
    kept = {*here.archives.values(), *own}
    return Arrivals(
        runs=runs,
        archives={name: oid for name, oid in there.archives.items() if oid not in kept},
        live={
            run_id: oid
            for run_id, oid in there.live.items()
            if run_id not in there.runs
            and here.live.get(run_id) != oid
            and run_id not in here.own
            and run_id not in here.removed
        },
    )


def _bring(project: Project, remote: GitRemote, wanted: Arrivals, report: Report) -> TakenIn:
    """Fetch, vet and show, a part at a time."""
    taken = TakenIn()
    if not wanted.oids:
        return taken
    source = Source(remote.source(), remote.label, remote.host)
    have = branch_tips(project.repository)
    here = Here(project, remote.place)
    for part in _parts(wanted, here):
        moved = [oid for run_id in part.runs if (oid := here.known.get(run_id)) is not None]
        with open_quarantine(project.repository) as quarantine:
            tips = [*moved, *have][:_MOST_HAD]
            failed = receive(quarantine, source, part.oids, have=tips, report=report)
            came = replace(
                part,
                runs={run: oid for run, oid in part.runs.items() if oid not in failed},
                archives={name: oid for name, oid in part.archives.items() if oid not in failed},
                live={run: oid for run, oid in part.live.items() if oid not in failed},
            )
            lost = {**part.live, **part.archives, **part.runs}.items()
            taken += take_in(project, quarantine, remote.place, came, report=report)
            refused = (Refusal(name, failed[oid]) for name, oid in lost if oid in failed)
            taken += TakenIn(refused=tuple(refused))
    return taken


def _parts(wanted: Arrivals, here: Here) -> Iterator[Arrivals]:
    # A run may have gone from one archive to another: half of that would be two that disagree.
    at_once = len(wanted.archives) if here.archives else _ARCHIVES_AT_ONCE
    for archives in _slices(wanted.archives, at_once):
        yield Arrivals(archives=archives)
    for runs in _slices(wanted.runs, _AT_ONCE):
        yield Arrivals(runs=runs)
    for live in _slices(wanted.live, _AT_ONCE):
        yield Arrivals(live=live)


def _slices(items: Mapping[str, str], length: int) -> Iterator[dict[str, str]]:
    waiting = iter(sorted(items.items()))
    while part := dict(islice(waiting, length)):
        yield part


def _unresolved(there: RemoteRefs, names: Sequence[str]) -> bool:
    listed = [*there.runs, *there.live, *there.sweeps]
    return any(not any(run.startswith(name) for run in listed) for name in names)


def _resolve(remote: GitRemote, ids: set[str], names: Sequence[str]) -> tuple[str, ...]:
    found = []
    for name in names:
        fitting = sorted(run for run in ids if run.startswith(name)) if is_id_prefix(name) else []
        if len(fitting) != 1:
            what = "several runs" if fitting else "no run"
            raise UnknownRunError(
                f"`{remote.label}` has {what} whose id begins with `{escape(name)}`",
                hint="a remote knows runs by their ids, not by names; without it,"
                " `repro fetch` brings all runs",
            )
        found += fitting
    return tuple(dict.fromkeys(found))


def _drop_live(project: Project, here: Here, there: RemoteRefs) -> None:
    """Forget runs in progress that are over, or that the remote has no more."""
    over = [
        RefUpdate(f"{here.prefix}live/{run_id}", new=None, old=oid)
        for run_id, oid in here.live.items()
        if run_id not in there.live or here.before(run_id) or run_id in here.own
    ]
    if over:
        update_refs(project.repository.git, over)


def _find_gone(here: Here, there: RemoteRefs) -> tuple[str, ...]:
    archived = here.archived if there.archives else {}
    lacking = here.tracked.keys() - there.runs.keys() - archived.keys()
    return tuple(sorted(lacking - here.removed))


def pull_runs(
    project: Project,
    remote: GitRemote,
    *,
    names: Sequence[str] = (),
    report: Report = lambda _: None,
) -> Pulled:
    """Fetch, then give own runs what was said of them there: moved forward, or merged.

    Sweeps that went on here and there get the results of both.

    A run that two remotes have at different commits becomes one of this clone that has both.

    Raises:
        As `fetch_runs`.
        ConflictError: Others amended a run all the time.
    """
    fetched = fetch_runs(project, remote, names=names, join_sweeps=True, report=report)
    forwarded: list[str] = []
    merged: list[str] = []
    refused: list[Refusal] = []
    overruled: list[Overruled] = []
    told = {refusal.run for refusal in fetched.refused}
    for run_id, commits in _differing(project, remote).items():
        if run_id in told or (fetched.asked and run_id not in fetched.asked):
            continue
        try:
            joined = join_run(project, run_id, commits)
        except (DamagedRecordError, NewerFormatError) as error:
            refused.append(Refusal(run_id, error.message, error.hint or ""))
        except ApartError as error:
            refused.append(Refusal(run_id, error.reason.message, error.reason.hint or ""))
        else:
            (merged if joined.is_merged else forwarded).append(run_id)
            overruled += joined.overruled
    return Pulled(
        fetched=fetched,
        forwarded=tuple(forwarded),
        merged=tuple(merged),
        refused=tuple(refused),
        overruled=tuple(overruled),
    )


def _differing(project: Project, remote: GitRemote) -> dict[str, list[str]]:
    """Ids of runs to bring together, with what remotes have of them that is not in our own."""
    here = Here(project, remote.place)
    theirs: dict[str, list[str]] = {}
    for run_id, oid in {**here.archived, **here.tracked}.items():
        if here.own.get(run_id, oid) != oid:
            theirs[run_id] = [oid]
    for ref, oid in list_refs(project.repository.git, REMOTES).items():
        folder, _, run_id = ref.rpartition("/")
        if is_id(run_id) and not folder.endswith(_UNFIT) and run_id not in here.own:
            theirs.setdefault(run_id, []).append(oid)
    with reading(project.repository) as objects:
        return {
            run_id: list(dict.fromkeys(oids))
            for run_id, oids in theirs.items()
            if run_id not in here.removed
            and (
                not builds_on(objects, here.own[run_id], oids[0])
                if run_id in here.own
                else len(set(oids)) > 1
            )
        }

"""Sweeps that a remote or a bundle has, taken in once each was vetted: the ledger moves forward."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from repro.core.arriving import branch_tips
from repro.core.project import Project, who_am_i
from repro.core.vetted_sweep import vet_sweeps
from repro.errors import ConflictError, DamagedRecordError, NewerFormatError
from repro.model.sharing import Refusal
from repro.model.sweepmerge import find_lost, take_over
from repro.store.history import stands_on
from repro.store.incoming import Source, receive
from repro.store.newobjects import reading_new, seeing
from repro.store.objects import Objects
from repro.store.quarantine import CommitSpec, Quarantine, open_quarantine, publish, write_commits
from repro.store.refs import SWEEPS, TRASH, RefUpdate, list_refs
from repro.store.remoterefs import GitRemote
from repro.store.sweeps import StoredSweep, next_commit, read_sweep

_TRIES = 20  # the loop of a sweep appends meanwhile
_SHORT = 10

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepsTaken:
    """What became of sweeps, by their ids.

    Attributes:
        new: Those that this clone did not have.
        moved: Those of which the other side knew more.
        merged: Those that had gone on apart, and have the results of both now.
        apart: Those that went on apart, and were left as they are here.
        refused: Those that stay as they are, or are not shown, and why.
    """

    new: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()
    merged: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    refused: tuple[Refusal, ...] = ()


@dataclass(slots=True)
class _Placing:
    new: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    merged: list[str] = field(default_factory=list)
    apart: list[str] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    updates: list[RefUpdate] = field(default_factory=list)
    exclude: list[str] = field(default_factory=list)


def fetch_sweeps(
    project: Project,
    remote: GitRemote,
    there: Mapping[str, str],
    *,
    push: bool = False,
    merge: bool = False,
    report: Report = lambda _: None,
) -> SweepsTaken:
    """Bring sweeps, and move those of this clone forward to what a remote knows of them.

    One that the user removed is not brought again.

    Args:
        there: The commit that the remote has of each, by id.
        push: Whether it was asked where pushes go.
        merge: Whether those that went on apart get the results of both.
        report: Told in words how far it is.

    Raises:
        RemoteError: The remote is not there, refuses, or the connection was lost.
        ConflictError: Others append all the time.
        StorageError: The disk is full.

    Cost: one connection where anything is new; each ledger that is new is read whole.
    """
    wanted = _choose(project, there) if there else {}
    if not wanted:
        return SweepsTaken()
    host = remote.push_host if push else remote.host
    source = Source(remote.source(push=push), remote.label, host)
    have = branch_tips(project.repository)
    here = list_refs(project.repository.git, *(SWEEPS + one for one in wanted))
    with open_quarantine(project.repository) as quarantine:
        tips = [*here.values(), *have]
        failed = receive(quarantine, source, list(wanted.values()), have=tips, report=report)
        came = {one: oid for one, oid in wanted.items() if oid not in failed}
        taken = take_in_sweeps(project, quarantine, came, have=have, merge=merge)
    lost = tuple(
        Refusal(one, failed[oid], kind="sweep") for one, oid in wanted.items() if oid in failed
    )
    return replace(taken, refused=(*lost, *taken.refused))


def _choose(project: Project, there: Mapping[str, str]) -> dict[str, str]:
    """What the remote has and this clone lacks."""
    git = project.repository.git
    listed = list_refs(git, SWEEPS, TRASH)
    return {
        one: oid
        for one, oid in there.items()
        if TRASH + one not in listed
        and ((ours := listed.get(SWEEPS + one)) is None or not stands_on(git, ours, oid))
    }


def take_in_sweeps(
    project: Project,
    quarantine: Quarantine,
    arrivals: Mapping[str, str],
    *,
    have: Sequence[str] = (),
    merge: bool = False,
) -> SweepsTaken:
    """Vet the sweeps that came into a quarantine, and move the refs of those that are sound.

    Args:
        arrivals: The commit of each by its id.
        have: Commits that refs hold, and that their code is likely based on.
        merge: As `fetch_sweeps` takes it.

    Raises:
        ConflictError: Others append all the time.
        StorageError: The disk is full.
    """
    vetted = vet_sweeps(quarantine, arrivals)
    for attempt in range(_TRIES):
        placing = _Placing(refused=[*vetted.refused])
        with reading_new(quarantine, n_runs=1) as objects:
            for sweep_id, stored in vetted.accepted.items():
                _place(project, quarantine, objects, placing, sweep_id, stored, merge=merge)
        if not placing.updates:
            break
        try:
            tips = [one.new for one in placing.updates if one.new is not None]
            exclude = list(dict.fromkeys([*placing.exclude, *have]))
            publish(quarantine, tips=tips, exclude=exclude, refs=placing.updates)
            break
        except ConflictError:
            if attempt == _TRIES - 1:
                raise
    return SweepsTaken(
        new=tuple(placing.new),
        moved=tuple(placing.moved),
        merged=tuple(placing.merged),
        apart=tuple(placing.apart),
        refused=tuple(placing.refused),
    )


def _place(
    project: Project,
    quarantine: Quarantine,
    objects: Objects,
    placing: _Placing,
    sweep_id: str,
    theirs: StoredSweep,
    *,
    merge: bool,
) -> None:
    """Say what is to become of the ref of one sweep."""
    ref = SWEEPS + sweep_id
    ours_oid = list_refs(project.repository.git, ref).get(ref)
    if ours_oid is None:
        placing.new.append(sweep_id)
        placing.updates.append(RefUpdate(ref, new=theirs.at.commit))
        return
    git = seeing(quarantine)
    if stands_on(git, ours_oid, theirs.at.commit):
        return
    placing.exclude.append(ours_oid)
    try:
        ours = read_sweep(objects, ours_oid)
        _refuse_another(ours, theirs)
        if stands_on(git, theirs.at.commit, ours_oid):
            _refuse_losing(ours, theirs)
            placing.moved.append(sweep_id)
            placing.updates.append(RefUpdate(ref, new=theirs.at.commit, old=ours_oid))
        elif merge:
            [commit] = write_commits(quarantine, [_merged(project, ours, theirs)])
            placing.merged.append(sweep_id)
            placing.updates.append(RefUpdate(ref, new=commit, old=ours_oid))
        else:
            placing.apart.append(sweep_id)
    except (ConflictError, DamagedRecordError, NewerFormatError) as error:
        placing.refused.append(Refusal(sweep_id, error.message, error.hint or "", kind="sweep"))


def _refuse_another(ours: StoredSweep, theirs: StoredSweep) -> None:
    """Raise if two commits are not of one sweep: what it was made from never changes."""
    if ours.head != theirs.head or ours.at.sweep.base != theirs.at.sweep.base:
        raise ConflictError(
            f"the other side has another sweep under this id: `{theirs.at.commit[:_SHORT]}` there,"
            f" `{ours.at.commit[:_SHORT]}` here, which is kept"
        )


def _refuse_losing(ours: StoredSweep, theirs: StoredSweep) -> None:
    lost = find_lost(ours.at.progress, theirs.at.progress)
    if lost:
        raise ConflictError(
            f"the other side dropped the result of trial {lost[0]}; what is here is kept"
        )


def _merged(project: Project, ours: StoredSweep, theirs: StoredSweep) -> CommitSpec:
    """The commit that has their ledger, and behind it the results that only ours has."""
    method = theirs.at.sweep.spec.method
    entries = take_over(ours.at.ledger, theirs.at.ledger, method)
    spec = next_commit(theirs, entries, when=project.clock(), author=who_am_i(project))
    return replace(spec, parents=[*spec.parents, ours.at.commit])

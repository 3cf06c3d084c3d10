"""Sweeps given to a git remote: frozen record and ledger, behind the runs of their trials."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from repro.core.frozen_sweep import read_frozen
from repro.core.leaking import refuse_leaking
from repro.core.leaks import OnScan
from repro.core.project import Project
from repro.core.sweep_arrivals import fetch_sweeps
from repro.errors import DamagedRecordError, NewerFormatError
from repro.model.run import Record
from repro.model.sharing import Refusal
from repro.store.history import find_here, stands_on
from repro.store.objects import read_commit, reading
from repro.store.outgoing import Outgoing, send_refs
from repro.store.ownership import read_own
from repro.store.refs import SWEEPS, list_refs
from repro.store.remoterefs import GitRemote, RemoteRefs, list_remote
from repro.store.sweeps import read_sweep
from repro.store.transport_faults import RefFault

_TRIES = 8  # others append at the same time; each turn one of them gets through
_LOST = RefFault("the connection was lost before it", "run the command again")


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepPlan:
    """Which sweeps a push would give away, with their commits by id.

    Attributes:
        new: Those that the remote lacks.
        moved: Those that it has an earlier state of.
        astray: Those that went on here and there.
        same: Those of which it knows all that is known here.
        frozen: The records that the trials of the new ones start from.
        refused: Those that are not sent.
    """

    new: Mapping[str, str] = field(default_factory=dict)
    moved: Mapping[str, str] = field(default_factory=dict)
    astray: Mapping[str, str] = field(default_factory=dict)
    same: tuple[str, ...] = ()
    frozen: tuple[Record, ...] = ()
    refused: tuple[Refusal, ...] = ()

    @property
    def sending(self) -> dict[str, str]:
        """The commit of each sweep that would be sent, by id."""
        return {**self.new, **self.moved, **self.astray}


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepsPushed:
    """What became of the sweeps of a push, by their ids."""

    new: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()
    merged: tuple[str, ...] = ()
    refused: tuple[Refusal, ...] = ()


def _list_own(project: Project) -> dict[str, str]:
    """The commits of the sweeps that were made in this clone, by id."""
    private = project.repository.private
    found = {}
    refs = list_refs(project.repository.git, SWEEPS)
    with reading(project.repository) as objects:
        for ref, oid in refs.items():
            sweep_id = ref.removeprefix(SWEEPS)
            with suppress(DamagedRecordError):  # `repro fsck` tells
                if set(read_commit(objects, oid).parents[:1]) & read_own(private, sweep_id):
                    found[sweep_id] = oid
    return found


def choose_sweeps(project: Project, refs: RemoteRefs) -> dict[str, str]:
    """The sweeps that belong on a remote: those of this clone, and those that it has already."""
    listed = list_refs(project.repository.git, SWEEPS)
    if not listed:
        return {}
    shared = {
        one: oid for ref, oid in listed.items() if (one := ref.removeprefix(SWEEPS)) in refs.sweeps
    }
    return {**_list_own(project), **shared}


def plan_sweeps(
    project: Project,
    refs: RemoteRefs,
    commits: Mapping[str, str],
    *,
    on_scan: OnScan | None = None,
) -> SweepPlan:
    """Say what is to be pushed of some sweeps; nothing is changed anywhere.

    Args:
        refs: What the remote has.
        commits: Of the sweeps, by id.
        on_scan: Told how many objects of how many were searched for secrets.
    """
    git = project.repository.git
    different = {one: oid for one, oid in commits.items() if refs.sweeps.get(one) != oid}
    same = [one for one in commits if one not in different]
    if not different:
        return SweepPlan(same=tuple(same))
    records, refused = _read_frozen(project, different)
    sound = {one: oid for one, oid in different.items() if one in records}
    there = find_here(git, [*refs.others.values(), *refs.sweeps.values()])
    leaking = refuse_leaking(project, sound, there, on_scan=on_scan)
    refused += [replace(one, kind="sweep") for one in leaking]
    kept_back = {one.run for one in refused}
    new: dict[str, str] = {}
    moved: dict[str, str] = {}
    astray: dict[str, str] = {}
    for sweep_id, oid in sound.items():
        theirs = refs.sweeps.get(sweep_id)
        if sweep_id in kept_back:
            continue
        if theirs is None:
            new[sweep_id] = oid
        elif stands_on(git, oid, theirs):
            moved[sweep_id] = oid
        elif stands_on(git, theirs, oid):
            same.append(sweep_id)
        else:
            astray[sweep_id] = oid
    return SweepPlan(
        new=new,
        moved=moved,
        astray=astray,
        same=tuple(same),
        frozen=tuple(records[one] for one in new),
        refused=tuple(refused),
    )


def _read_frozen(
    project: Project, commits: Mapping[str, str]
) -> tuple[dict[str, Record], list[Refusal]]:
    """What the trials of sweeps start from, and those sweeps that nobody should be given."""
    records: dict[str, Record] = {}
    refused = []
    with reading(project.repository) as objects:
        for sweep_id, oid in commits.items():
            try:
                sweep = read_sweep(objects, oid).at.sweep
                record = read_frozen(objects, sweep)
                if sweep_id != sweep.id:
                    raise DamagedRecordError(f"it says that it is `{sweep.id}`")
                records[sweep_id] = record
            except NewerFormatError as error:
                refused.append(Refusal(sweep_id, error.message, "upgrade repro", kind="sweep"))
            except DamagedRecordError as error:
                reason = f"it is damaged: {error.message}"
                hint = error.hint or "`repro fsck` says more"
                refused.append(Refusal(sweep_id, reason, hint, kind="sweep"))
    return records, refused


def send_sweeps(
    project: Project, remote: GitRemote, plan: SweepPlan, *, without: Collection[str] = ()
) -> SweepsPushed:
    """Do what was planned; what somebody else appended meanwhile is joined, and sent again.

    Args:
        without: Ids of sweeps that are kept back after all.

    Raises:
        RemoteError: Nothing could be sent at all.
    """
    waiting = {one: oid for one, oid in plan.sending.items() if one not in without}
    astray = [one for one in waiting if one in plan.astray]
    taken: set[str] = set()
    refused: dict[str, Refusal] = {}
    merged: set[str] = set()
    for _ in range(_TRIES):
        if astray:
            joined, faults = _join(project, remote, astray)
            refused |= faults
            merged |= joined.keys()
            waiting = {one: oid for one, oid in waiting.items() if one not in astray} | joined
        if not waiting:
            break
        outgoing = [Outgoing(SWEEPS + one, oid) for one, oid in waiting.items()]
        answered = send_refs(project.repository.git, remote, outgoing)
        astray = []
        for sweep_id in waiting:
            fault = answered.get(SWEEPS + sweep_id, _LOST)
            if fault is None:
                taken.add(sweep_id)
                refused.pop(sweep_id, None)
                continue
            refused[sweep_id] = Refusal(sweep_id, fault.reason, fault.hint, kind="sweep")
            if fault.is_moved:
                astray.append(sweep_id)
        waiting = {}
        if not astray:
            break
    return SweepsPushed(
        new=tuple(one for one in plan.new if one in taken - merged),
        moved=tuple(one for one in plan.moved if one in taken - merged),
        merged=tuple(sorted(taken & merged)),
        refused=tuple(refused[one] for one in sorted(refused)),
    )


def _join(
    project: Project, remote: GitRemote, ids: Sequence[str]
) -> tuple[dict[str, str], dict[str, Refusal]]:
    """Take over what a remote has of sweeps; their commits then, and why some have none."""
    there = list_remote(project.repository.git, remote, push=True).sweeps
    wanted = {one: there[one] for one in ids if one in there}
    taken = fetch_sweeps(project, remote, wanted, push=True, merge=True)
    faults = {one.run: one for one in taken.refused}
    refs = list_refs(project.repository.git, *(SWEEPS + one for one in ids))
    commits = {ref.removeprefix(SWEEPS): oid for ref, oid in refs.items()}
    return {one: oid for one, oid in commits.items() if one not in faults}, faults

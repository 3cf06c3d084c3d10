"""What a push would give to a git remote, and what must be said before."""

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from repro.core.baggage import Baggage, find_baggage, leave_out_sent
from repro.core.choosing import Choice, choose_runs
from repro.core.largefiles import find_large
from repro.core.leaking import refuse_leaking
from repro.core.leaks import OnScan
from repro.core.project import Project
from repro.core.push_archives import Folding, plan_folding
from repro.core.push_sweeps import SweepPlan, choose_sweeps, plan_sweeps
from repro.errors import (
    DamagedRecordError,
    GitError,
    NewerFormatError,
    RemoteError,
    UnknownRunError,
)
from repro.model.ids import is_id
from repro.model.run import Record, Status
from repro.model.sharing import Refusal
from repro.store.archive import read_archives
from repro.store.arrival import Wanted
from repro.store.history import count_bytes, find_here, is_whole, list_earlier, list_paths
from repro.store.introduced import is_introduced
from repro.store.objects import open_objects
from repro.store.refs import SWEEPS, RunRefs, list_refs
from repro.store.remoterefs import GitRemote, RemoteRefs, list_remote
from repro.store.runs import read_record

_MANY = 100  # records; then importing a library pays off
_FEW = 100  # runs of the remote for each that is sent
_RUNNING = "it is in progress"


@dataclass(frozen=True, slots=True)
class Chosen:
    """Runs that somebody wants to push.

    Attributes:
        commits: The commit of each, by id.
        foreign: Those of them that this clone only fetched.
        refused: Those that cannot be pushed as they are.
        n_live: Runs in progress that nobody asked for.
        is_all: Whether these are all runs of the clone, and all its sweeps are meant, too.
        sweeps: The commit of each sweep that was asked for, by id.
    """

    commits: Mapping[str, str]
    foreign: frozenset[str] = frozenset()
    refused: tuple[Refusal, ...] = ()
    n_live: int = 0
    is_all: bool = False
    sweeps: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a push would do.

    Attributes:
        new: The commit of each run that the remote lacks, by id.
        moved: The same of runs that it has an older commit of.
        astray: Runs that it has a commit of that ours do not stand on, with ours.
        same: Runs that it has as they are, or that only it has something new of.
        refused: Runs that are not sent.
        n_live: Runs in progress that nobody asked for.
        there: Commits that the remote has and that are here.
        large: Large files of git-lfs that the code of the new runs names.
        baggage: Kept bytes that the store lacks, of the new runs, or of all that were chosen where
            bytes are to be sent.
        store: What messages call the store; None where `repro.yaml` names none.
        store_fault: Why the store could not be asked; None where it could.
        is_first: Whether nothing was ever pushed to this address from here.
        folding: Archives to be sent, and refs that are needless beside them.
        live: Where the remote has runs of this clone as in progress that are over, by id.
        sweeps: What is to be sent of sweeps.
    """

    remote: GitRemote
    new: Mapping[str, str]
    moved: Mapping[str, str]
    astray: Mapping[str, str]
    same: tuple[str, ...]
    refused: tuple[Refusal, ...]
    n_live: int = 0
    there: tuple[str, ...] = ()
    large: tuple[Wanted, ...] = ()
    baggage: Baggage = field(default_factory=Baggage)
    store: str | None = None
    store_fault: str | None = None
    is_first: bool = False
    folding: Folding = field(default_factory=Folding)
    live: Mapping[str, str] = field(default_factory=dict)
    sweeps: SweepPlan = field(default_factory=SweepPlan)

    @property
    def sending(self) -> dict[str, str]:
        """The commit of each run that would be sent, by id."""
        return {**self.new, **self.moved, **self.astray}


def choose_to_push(
    project: Project, names: Sequence[str] = (), choice: Choice | None = None
) -> Chosen:
    """Find the runs that somebody wants to push; those of this clone where nothing is said.

    Args:
        names: Runs, as `resolve_run` takes them; one that was only fetched is meant, too. And
            sweeps by their ids.
        choice: Only runs of this clone that fit.

    Raises:
        UnknownRunError: There is no such run.
        AmbiguousRunError: Several runs have that name.
        FilterError: The filter is wrong.
    """
    refs = RunRefs(project.repository)
    sweeps = _named_sweeps(project, names)
    if sweeps:
        names = [name for name in names if name not in sweeps]
        chosen = choose_to_push(project, names) if names else Chosen({})
        return replace(chosen, sweeps=sweeps)
    if choice is None and all(map(is_id, names)):
        return _named(project, refs, names) if names else _own(project, refs)
    # Here, for the index takes longer to import than a push of all runs takes.
    from repro.core.known import open_runs  # noqa: PLC0415
    from repro.core.naming import find_id  # noqa: PLC0415

    with open_runs(project) as runs:
        if choice is None:
            return _named(project, runs.sealed, [find_id(runs, name) for name in names])
        own = runs.sealed.own
        condition, sort = choose_runs(runs.index, choice, now=project.clock())
        fitting = runs.index.select_ids(condition, sort=sort)
        return Chosen({run_id: own[run_id] for run_id in fitting if run_id in own})


def _named_sweeps(project: Project, names: Sequence[str]) -> dict[str, str]:
    ids = [name for name in names if is_id(name)]
    refs = list_refs(project.repository.git, *(SWEEPS + name for name in ids)) if ids else {}
    return {ref.removeprefix(SWEEPS): oid for ref, oid in refs.items()}


def _own(project: Project, refs: RunRefs) -> Chosen:
    try:
        live = [name for name in os.listdir(project.live) if is_id(name)]
    except OSError:  # no run was ever started here
        live = []
    n_live = sum(run_id not in refs.own for run_id in live)
    return Chosen(refs.own, n_live=n_live, is_all=True)


def _named(project: Project, refs: RunRefs, ids: Iterable[str]) -> Chosen:
    asked = list(dict.fromkeys(ids))
    commits = refs.look_up(asked)
    refused = []
    for run_id in asked:
        if run_id not in commits:
            if not (project.live / run_id).is_dir():
                raise UnknownRunError(f"there is no run `{run_id}`", hint="`repro ls` lists them")
            refused.append(Refusal(run_id, _RUNNING, "push it when it has ended"))
    foreign = frozenset(commits) - set(refs.tips(asked))
    if foreign:  # one in an archive of ours is ours
        foreign -= set(refs.own)
    return Chosen(commits, foreign, tuple(refused))


def plan_push(
    project: Project,
    remote: GitRemote,
    chosen: Chosen,
    *,
    with_data: bool = False,
    on_scan: OnScan | None = None,
) -> Plan:
    """Say what is to be pushed; nothing is changed anywhere.

    Args:
        with_data: Whether kept bytes are to be sent: also of runs that the remote has already.
        on_scan: Told how many objects of how many were searched for secrets.

    Raises:
        RemoteError: The remote is not there, refuses, or gives no answer.

    Cost: one listing of the refs of the remote, reads the record of each run to be sent, and asks
        the store once for each entry that new runs need.
    """
    git = project.repository.git
    refs = list_remote(git, remote, push=True)
    archived = _archived(project, refs)
    found = _compare(project, chosen, {**archived, **refs.runs})
    records, damaged = _read_records(project, {**found.new, **found.moved, **found.astray})
    sweeps = _plan_sweeps(project, refs, chosen, on_scan)
    is_any = records or sweeps.sending
    there = tuple(find_here(git, _tell_there(refs, records))) if is_any else ()
    sound = {run: record.commit for run, record in records.items()}
    leaking = _search(project, sound, there, on_scan)
    kept_back = {refusal.run for refusal in (*damaged, *leaking)}
    new = {run: oid for run, oid in found.new.items() if run not in kept_back}
    folding = Folding()
    if chosen.is_all:
        refused = {refusal.run for refusal in (*chosen.refused, *found.refused)} | kept_back
        folding = plan_folding(project, refs, archived, chosen.commits.keys() - refused)
    with_bytes = [records[run] for run in new]
    if with_data:
        rest = {run: chosen.commits[run] for run in found.same}
        there_already = _read_records(project, rest)[0].values()
        with_bytes = [
            *(one for run, one in records.items() if run not in kept_back),
            *there_already,
        ]
    with_bytes += sweeps.frozen
    baggage, store, fault = _look_at_store(project, with_bytes)
    return Plan(
        remote=remote,
        new=new,
        moved={run: oid for run, oid in found.moved.items() if run not in kept_back},
        astray={run: oid for run, oid in found.astray.items() if run not in kept_back},
        same=tuple(found.same),
        refused=(*chosen.refused, *found.refused, *damaged, *leaking),
        n_live=chosen.n_live,
        there=there,
        large=find_large(project, [*new.values(), *(one.commit for one in sweeps.frozen)], there),
        baggage=baggage,
        store=store,
        store_fault=fault,
        is_first=not is_introduced(project.repository.private, remote.push_url),
        folding=folding,
        live={
            run: oid
            for run, oid in refs.live.items()
            if run in chosen.commits and run not in chosen.foreign and run not in kept_back
        },
        sweeps=sweeps,
    )


def _plan_sweeps(
    project: Project, refs: RemoteRefs, chosen: Chosen, on_scan: OnScan | None
) -> SweepPlan:
    commits = choose_sweeps(project, refs) if chosen.is_all else chosen.sweeps
    return plan_sweeps(project, refs, commits, on_scan=on_scan) if commits else SweepPlan()


def _tell_there(refs: RemoteRefs, records: Mapping[str, Record]) -> list[str]:
    """Commits of the remote that runs to be sent may share objects with.

    Its branches, and all its runs where these are few beside what is sent: git reads each of them,
    and of ten thousand that takes longer than to look twice at what one run has.
    """
    ids = refs.runs if len(refs.runs) < _FEW * len(records) else records.keys() & refs.runs.keys()
    return list(
        dict.fromkeys(
            [
                *refs.others.values(),
                *refs.sweeps.values(),
                *(refs.runs[run_id] for run_id in ids),
            ]
        )
    )


def measure_push(project: Project, plan: Plan) -> int:
    """Count the bytes of git objects that a push would send, as they lie here.

    Raises:
        GitError: An object is missing here.

    Cost: one walk through what is new.
    """
    tips = [*plan.sending.values(), *plan.sweeps.sending.values()]
    return count_bytes(project.repository.git, tips, plan.there)


def list_new_paths(project: Project, plan: Plan) -> list[str]:
    """Give the names of files in the code of runs that the remote does not have yet.

    Raises:
        GitError: An object is missing here.

    Cost: one walk through what is new.
    """
    snapshots = [f"{oid}^1" for oid in plan.sending.values()]
    snapshots += [f"{one.commit}^1" for one in plan.sweeps.frozen]
    return list_paths(project.repository.git, snapshots, plan.there)


@dataclass(slots=True)
class _Comparison:
    new: dict[str, str] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    astray: dict[str, str] = field(default_factory=dict)
    same: list[str] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)


def _compare(project: Project, chosen: Chosen, there: Mapping[str, str]) -> _Comparison:
    found = _Comparison()
    differing: dict[str, str] = {}
    for run_id, commit in chosen.commits.items():
        if run_id not in there:
            found.new[run_id] = commit
        elif there[run_id] == commit:
            found.same.append(run_id)
        else:
            differing[run_id] = commit
    earlier = list_earlier(project.repository.git, differing.values())
    for run_id, commit in differing.items():
        if there[run_id] in earlier[commit]:
            found.moved[run_id] = commit
        elif run_id in chosen.foreign:
            reason = "the remote has another version of it, and this clone nothing of its own"
            found.refused.append(Refusal(run_id, reason, "`repro fetch` brings what is new"))
        else:
            found.astray[run_id] = commit
    return found


def _archived(project: Project, refs: RemoteRefs) -> dict[str, str]:
    """The runs in those archives of a remote that are here, too: made here, or fetched."""
    here = find_here(project.repository.git, refs.archives.values())
    found: dict[str, str] = {}
    for archive in read_archives(project.repository, here)[0] if here else ():
        with suppress(DamagedRecordError):  # then its runs are sent as others are
            found.update(archive.items())
    return found


def _read_records(
    project: Project, commits: Mapping[str, str]
) -> tuple[dict[str, Record], list[Refusal]]:
    """The records of runs, and those runs that nobody should be given."""
    records: dict[str, Record] = {}
    refused: list[Refusal] = []
    objects = open_objects(project.repository, many=len(commits) >= _MANY)
    try:
        for run_id, commit in commits.items():
            try:
                record = read_record(objects, commit)
            except NewerFormatError as error:
                refused.append(Refusal(run_id, error.message, "upgrade repro"))
                continue
            except DamagedRecordError as error:
                hint = error.hint or "`repro fsck` says more"
                refused.append(Refusal(run_id, f"it is damaged: {error.message}", hint))
                continue
            if record.run.id != run_id:
                reason = f"it is damaged: its record says that it is `{record.run.id}`"
                refused.append(Refusal(run_id, reason, "`repro fsck` says more"))
            elif record.run.status is Status.RUNNING:
                refused.append(Refusal(run_id, _RUNNING, "push it when it has ended"))
            else:
                records[run_id] = record
    finally:
        objects.close()
    return records, refused


def _search(
    project: Project, commits: Mapping[str, str], there: Sequence[str], on_scan: OnScan | None
) -> list[Refusal]:
    """Those runs that lack objects or would carry a secret out."""
    try:
        return list(refuse_leaking(project, commits, there, on_scan=on_scan))
    except GitError:
        git = project.repository.git
        broken = [run for run, oid in commits.items() if not is_whole(git, oid, there)]
        if not broken:
            raise
    whole = {run: oid for run, oid in commits.items() if run not in broken}
    hint = "`repro fsck` says which"
    refused = [Refusal(run, "it is damaged: an object of it is missing", hint) for run in broken]
    return [*refused, *refuse_leaking(project, whole, there, on_scan=on_scan)]


def _look_at_store(
    project: Project, records: Sequence[Record]
) -> tuple[Baggage, str | None, str | None]:
    """What of new runs the store lacks, what the store is called, why it cannot be asked."""
    baggage = find_baggage(project, records)
    if project.settings.store is None or not baggage.runs:
        return baggage, None, None
    from repro.core.transfer import open_store  # noqa: PLC0415  # most runs need no store

    try:
        store = open_store(project)
        return leave_out_sent(store, baggage), store.label, None
    except RemoteError as error:
        return replace(baggage, unsure=True), "the store", error.message

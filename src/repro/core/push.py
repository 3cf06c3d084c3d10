"""Runs given to a git remote: their bytes first, their refs last."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from repro.core.baggage import Sent, send_baggage
from repro.core.largefiles import send_large
from repro.core.project import Project
from repro.core.push_archives import Folding, list_needless, send_archives
from repro.core.push_plan import Plan
from repro.core.push_sweeps import SweepsPushed, send_sweeps
from repro.errors import ConflictError, RemoteError, UnknownRunError
from repro.model.sharing import Overruled, Refusal
from repro.store.introduced import introduce
from repro.store.outgoing import Outgoing, send_refs
from repro.store.refs import LIVE, RUNS, RunRefs
from repro.store.remoterefs import GitRemote
from repro.store.transport_faults import RefFault

Report = Callable[[int], None]

_TRIES = 8  # others change the same runs at the same time; each turn one of them gets through
_MOVED = RefFault("the remote has another version of it", "`repro pull` brings it")
_LOST = RefFault("the connection was lost before it", "run the command again")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """What became of a push.

    Attributes:
        new: Runs that the remote lacked and has now.
        moved: Runs that it had an older commit of.
        merged: Runs of which both had something new, and both have all of it now.
        same: Runs that it had as they are.
        refused: Runs that it has not as they are here.
        lacking: Runs that it had before, some of whose bytes could not be sent to the store.
        n_objects: Kept files that the store lacked and has now.
        n_bytes: Their size.
        sweeps: What became of sweeps.
        overruled: Words here or there that gave way to later ones, of runs that were merged.
    """

    new: tuple[str, ...]
    moved: tuple[str, ...]
    merged: tuple[str, ...]
    same: tuple[str, ...]
    refused: tuple[Refusal, ...]
    lacking: tuple[Refusal, ...] = ()
    n_objects: int = 0
    n_bytes: int = 0
    sweeps: SweepsPushed = field(default_factory=SweepsPushed)
    overruled: tuple[Overruled, ...] = ()


def _nothing(count: int) -> None:
    pass


def push_runs(
    project: Project,
    plan: Plan,
    *,
    with_data: bool = False,
    on_bytes: Report = _nothing,
    on_sent: Report = _nothing,
) -> Pushed:
    """Do what was planned.

    What cannot be sent of a run keeps that run back, and no other one. Nothing on the remote is
    ever forced: a run that somebody else changed meanwhile is merged, and sent again.

    Args:
        with_data: Send the kept bytes that the store lacks, too, before any ref.
        on_bytes: Told of such bytes as they are there.
        on_sent: Told how many runs were answered for.

    Raises:
        RemoteError: Nothing could be sent at all.
        InvalidInputError: Bytes are to be sent, and `repro.yaml` names no store.
    """
    refused = list(plan.refused)
    bytes_sent = Sent()
    if with_data and (plan.baggage.runs or plan.baggage.faults):
        bytes_sent = _send_bytes(project, plan, on_bytes)
        hint = "`repro push` without --data sends the run alone"
        refused += [
            Refusal(run, f"its bytes: {reason}", hint)
            for run, reason in bytes_sent.failed.items()
            if run in plan.new
        ]
    frozen: dict[str, str] = {one.run.id: one.commit for one in plan.sweeps.frozen}
    codes: dict[str, str] = {**plan.new, **frozen}
    failed = send_large(project, plan.remote, codes, plan.there, plan.large, on_bytes)
    refused += [
        Refusal(
            run,
            f"a large file of its code: {reason}",
            kind="sweep" if run in frozen else "run",
        )
        for run, reason in failed.items()
    ]
    refused += plan.sweeps.refused
    kept_back = {refusal.run for refusal in refused}
    commits = {run: oid for run, oid in plan.sending.items() if run not in kept_back}
    folding = send_archives(project, plan.remote, plan.folding.without(kept_back))
    covered = folding.covered
    folded = {run for run, oid in commits.items() if covered.get(run) == oid and run in plan.new}
    on_sent(len(folded))
    rest = {run: oid for run, oid in commits.items() if run not in folded}
    sent, faults, overruled = _send(project, plan, rest, on_sent)
    sent |= folded
    _clear(project, plan, folding, sent)
    refused += [Refusal(run, fault.reason, fault.hint) for run, fault in faults.items()]
    # Behind the runs, which are its trials: who sees a result there finds its run there.
    sweeps = send_sweeps(project, plan.remote, plan.sweeps, without=kept_back)
    refused += sweeps.refused
    if sent or sweeps.new or sweeps.moved or sweeps.merged:
        introduce(project.repository.private, plan.remote.push_url)
    return Pushed(
        new=tuple(run for run in plan.new if run in sent),
        moved=tuple(run for run in plan.moved if run in sent),
        merged=tuple(run for run in plan.astray if run in sent),
        same=plan.same,
        refused=tuple(refused),
        lacking=tuple(
            Refusal(run, reason) for run, reason in bytes_sent.failed.items() if run not in plan.new
        ),
        n_objects=len(bytes_sent.done),
        n_bytes=sum(one.size for one in bytes_sent.done),
        sweeps=sweeps,
        overruled=overruled,
    )


def _clear(project: Project, plan: Plan, folding: Folding, sent: set[str]) -> None:
    """Delete refs on the remote that are needless now; where that fails, the next push does it."""
    over = {run: oid for run, oid in plan.live.items() if run in sent or run in plan.same}
    outgoing = [Outgoing(LIVE + run, None, lease=oid) for run, oid in over.items()]
    with suppress(RemoteError):
        send_refs(project.repository.git, plan.remote, [*outgoing, *list_needless(folding)])


def _send_bytes(project: Project, plan: Plan, report: Report) -> Sent:
    """Send kept bytes; where the store is not there, all that need it are told so."""
    from repro.core.transfer import open_store  # noqa: PLC0415  # most runs need no store

    store = open_store(project)
    try:
        return send_baggage(project, store, plan.baggage, report)
    except RemoteError as error:
        return Sent(failed=dict.fromkeys(plan.baggage.owners, error.message))


def _send(
    project: Project, plan: Plan, commits: Mapping[str, str], on_sent: Report
) -> tuple[set[str], dict[str, RefFault], tuple[Overruled, ...]]:
    """Send the refs of runs; those that were taken, why the others were not, what gave way."""
    waiting = {run: oid for run, oid in commits.items() if run not in plan.astray}
    astray = [run for run in commits if run in plan.astray]
    faults: dict[str, RefFault] = {}
    taken: set[str] = set()
    overruled: dict[Overruled, None] = {}
    for _ in range(_TRIES):
        tried = [*waiting, *astray]
        try:
            if astray:
                joined, apart, given_way = _join(project, plan.remote, astray)
                overruled |= dict.fromkeys(given_way)
                faults |= dict.fromkeys(astray, _MOVED) | apart
                faults = {run: fault for run, fault in faults.items() if run not in joined}
                waiting |= joined
            if not waiting:
                break
            answered = _send_whole(project, plan, waiting, on_sent)
        except RemoteError as error:
            if not taken:
                raise
            faults |= dict.fromkeys(tried, RefFault(error.message, error.hint or ""))
            break
        found = {run: fault for run, fault in answered.items() if fault is not None}
        taken |= answered.keys() - found.keys()
        faults |= found
        astray = [run for run, fault in found.items() if fault.is_moved]
        waiting = {}
    return set(commits) - set(faults), faults, tuple(overruled)


def _join(
    project: Project, remote: GitRemote, ids: Sequence[str]
) -> tuple[dict[str, str], dict[str, RefFault], tuple[Overruled, ...]]:
    """Take over what a remote has of runs that ours do not stand on.

    Returns:
        The commits that have all of it, and why of some runs there is none, by run; what gave way.
    """
    from repro.core.fetch import pull_runs  # noqa: PLC0415  # most pushes need not fetch

    source = remote
    if remote.push_url != remote.url:
        source = replace(remote, name=remote.push_url, url=remote.push_url, is_named=False)
    try:
        pulled = pull_runs(project, source, names=ids)
    except UnknownRunError:  # gone again: to send it is all that is to be done
        return RunRefs(project.repository).tips(ids), {}, ()
    except ConflictError as error:
        return {}, dict.fromkeys(ids, RefFault(error.message, error.hint or "")), ()
    refused = (*pulled.fetched.refused, *pulled.refused)
    apart = {one.run: RefFault(one.reason, one.hint) for one in refused if one.run in ids}
    tips = RunRefs(project.repository).tips(ids)
    sound = {run: oid for run, oid in tips.items() if run not in apart}
    return sound, apart, pulled.overruled


def _send_whole(
    project: Project, plan: Plan, commits: Mapping[str, str], on_sent: Report
) -> dict[str, RefFault | None]:
    outgoing = [Outgoing(RUNS + run, oid) for run, oid in commits.items()]
    answered = send_refs(project.repository.git, plan.remote, outgoing, on_sent)
    return {run: answered.get(RUNS + run, _LOST) for run in commits}

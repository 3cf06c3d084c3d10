"""The runs that pushed commits name, pushed to where the commits go."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from repro.core.leaks import Leak, find_leaks
from repro.core.project import Project
from repro.core.push import push_runs
from repro.core.push_plan import Chosen, Plan, plan_push
from repro.model.sharing import Refusal
from repro.store.refs import RunRefs
from repro.store.remoterefs import find_remote


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """What became of the runs that pushed commits name.

    Attributes:
        remote: What messages call the remote.
        sent: Runs that it has now, and had not.
        unasked: Runs that were not sent, as nothing was ever pushed there from here.
        unkept: Runs that were not sent, as bytes that they keep are not in the store.
        leaks: Secrets in the runs; then none was sent, and the push is to be refused.
        refused: Runs that were not sent for another reason.
    """

    remote: str
    sent: tuple[str, ...] = ()
    unasked: tuple[str, ...] = ()
    unkept: tuple[str, ...] = ()
    leaks: tuple[Leak, ...] = ()
    refused: tuple[Refusal, ...] = ()


def push_named_runs(project: Project, run_ids: Sequence[str], remote: str) -> Followed:
    """Push some runs of this clone to a remote, and nothing else; nothing is asked.

    A remote that nothing was ever pushed to gets nothing; the runs are searched all the same, as
    the commits that name them have their code. Neither does one get a run that needs bytes which
    nobody could fetch.

    Raises:
        RemoteError: It is not there, refuses, or gives no answer.
    """
    git = project.repository.git
    found = find_remote(git, remote, push=True, cwd=project.repository.root)
    own = RunRefs(project.repository).own
    commits = {run: own[run] for run in run_ids if run in own}
    plan = plan_push(project, found, Chosen(commits))
    kept_back = [commits[refusal.run] for refusal in plan.refused if refusal.run in commits]
    if kept_back and (leaks := find_leaks(project, kept_back, plan.there)):
        return Followed(remote=found.label, leaks=leaks)
    if plan.is_first:
        lacking = tuple(run for run in commits if run not in plan.same)
        return Followed(remote=found.label, unasked=lacking)
    needy = {*plan.baggage.owners, *plan.baggage.faults}
    unkept = tuple(run for run in plan.sending if run in needy)
    plan = _without(plan, unkept)
    if not plan.sending:
        return Followed(remote=found.label, unkept=unkept, refused=plan.refused)
    pushed = push_runs(project, plan)
    return Followed(
        remote=found.label,
        sent=(*pushed.new, *pushed.moved, *pushed.merged),
        unkept=unkept,
        refused=pushed.refused,
    )


def _without(plan: Plan, run_ids: Sequence[str]) -> Plan:
    return replace(
        plan,
        new={run: oid for run, oid in plan.new.items() if run not in run_ids},
        moved={run: oid for run, oid in plan.moved.items() if run not in run_ids},
        astray={run: oid for run, oid in plan.astray.items() if run not in run_ids},
    )

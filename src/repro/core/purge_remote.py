"""A run taken away from a git remote: its refs there, by lease."""

from collections.abc import Mapping
from dataclasses import dataclass

from repro.core.project import Project
from repro.errors import ConflictError, RemoteError
from repro.model.text import escape
from repro.store.refnames import LIVE, RUNS
from repro.store.refs import SWEEPS, RunRefs
from repro.store.remoterefs import ANY_CODE, GitRemote, find_remote, list_remote
from repro.store.transport_faults import explain_fault


@dataclass(frozen=True, slots=True, kw_only=True)
class RemotePurge:
    """What a remote has of a run.

    Attributes:
        label: What messages call the remote.
        run: The id.
        refs: Its refs there, as they are called there, each with what it names.
        archives: Names of archives there that have it; as they hold others, they stay.
    """

    remote: GitRemote
    label: str
    run: str
    refs: Mapping[str, str]
    archives: tuple[str, ...] = ()


def plan_remote(project: Project, name: str, run_id: str) -> RemotePurge:
    """Ask a remote what it has of a run.

    Raises:
        RemoteError: It is not there, refuses, or gives no answer.
    """
    git = project.repository.git
    remote = find_remote(git, name, push=True)
    there = list_remote(git, remote, push=True)
    refs = {}
    for prefix, found in ((RUNS, there.runs), (LIVE, there.live), (SWEEPS, there.sweeps)):
        if run_id in found:
            refs[remote.carried(prefix + run_id)] = found[run_id]
    known = _archives_with(project, run_id)
    archives = tuple(name for name, oid in there.archives.items() if oid in known)
    return RemotePurge(remote=remote, label=remote.label, run=run_id, refs=refs, archives=archives)


def _archives_with(project: Project, run_id: str) -> set[str]:
    """The commits of the archives here, also the fetched ones, that have the run."""
    found = RunRefs(project.repository).archives(of_remotes=True)
    return {one.commit for one in found.values() if run_id in dict(one.items())}


def purge_remote(project: Project, plan: RemotePurge) -> None:
    """Delete the refs of a run on a remote, where they still name what they named.

    Raises:
        ConflictError: Somebody moved one meanwhile; others may be gone.
        RemoteError: The remote refuses.
    """
    if not plan.refs:
        return
    leases = [f"--force-with-lease={ref}:{oid}" for ref, oid in plan.refs.items()]
    deletions = [f":{ref}" for ref in plan.refs]
    words = ("push", "--porcelain", "--no-verify", "--no-signed", *leases, "--")
    source = plan.remote.source(push=True)
    done = project.repository.git.run(*words, source, *deletions, ok=ANY_CODE)
    if done.code == 0:
        return
    said = done.out.decode(errors="replace")
    if "stale info" in said:
        raise ConflictError(
            f"somebody changed run `{plan.run}` at {plan.label} meanwhile",
            hint="run the command again",
        )
    if "[remote rejected]" in said:
        reason = said.partition("[remote rejected]")[2].partition("\n")[0].strip()
        raise RemoteError(
            f"{plan.label} does not let run `{plan.run}` be deleted: {escape(reason)}",
            hint="ask who runs the host to delete it, and to collect garbage",
        )
    raise explain_fault(
        done.err, name=plan.remote.label, host=plan.remote.push_host, doing="push to"
    )

"""Archives given to a git remote in the place of a ref for each run in them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from repro.core.project import Project
from repro.errors import DamagedRecordError
from repro.store.outgoing import Outgoing, send_refs
from repro.store.refs import ARCHIVE, RUNS, RunRefs
from repro.store.remoterefs import GitRemote, RemoteRefs


@dataclass(frozen=True, slots=True)
class Folding:
    """Archives to send, and refs that are needless beside them.

    Attributes:
        commits: The commit of each archive that the remote lacks, by name.
        runs: The commit of each run in each of these, by the name of the archive.
        needless: Where the remote has refs of runs that an archive there says the same of, by run.
        doubled: The same of runs in archives that are to be sent.
    """

    commits: Mapping[str, str] = field(default_factory=dict)
    runs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    needless: Mapping[str, str] = field(default_factory=dict)
    doubled: Mapping[str, str] = field(default_factory=dict)

    def without(self, ids: Collection[str]) -> "Folding":
        """The same without the archives that have any of some runs in them."""
        names = {name for name, runs in self.runs.items() if runs.keys().isdisjoint(ids)}
        return self.only(names)

    def only(self, names: Collection[str]) -> "Folding":
        """The same with some archives alone."""
        runs = {name: self.runs[name] for name in self.runs if name in names}
        left = {run for held in runs.values() for run in held}
        return replace(
            self,
            commits={name: self.commits[name] for name in runs},
            runs=runs,
            doubled={run: oid for run, oid in self.doubled.items() if run in left},
        )

    @property
    def covered(self) -> dict[str, str]:
        """The commit that each run in an archive to be sent has there, by id."""
        return {run: oid for runs in self.runs.values() for run, oid in runs.items()}


def plan_folding(
    project: Project, refs: RemoteRefs, archived: Mapping[str, str], sendable: Collection[str]
) -> Folding:
    """Say which archives of this clone a remote should have.

    One is left out if it has a run that is not to be sent, such as a removed one, or of which an
    archive of the remote says something else: two that disagree count for nothing.

    Args:
        archived: The runs in archives of the remote that are here, too.
        sendable: Ids of runs that the remote has, or may have.
    """
    commits: dict[str, str] = {}
    runs: dict[str, dict[str, str]] = {}
    needless: dict[str, str] = {}
    doubled: dict[str, str] = {}
    said = dict(archived)
    for ref, archive in RunRefs(project.repository).archives().items():
        name = ref.removeprefix(ARCHIVE)
        try:
            held = dict(archive.items())
        except DamagedRecordError:  # whoever lists runs is told
            continue
        same = {run: oid for run, oid in held.items() if refs.runs.get(run) == oid}
        if refs.archives.get(name) == archive.commit:
            needless |= same
        elif name not in refs.archives and all(
            run in sendable and said.get(run, oid) == oid for run, oid in held.items()
        ):
            commits[name], runs[name] = archive.commit, held
            doubled |= same
            said |= held
    return Folding(commits, runs, needless, doubled)


def send_archives(project: Project, remote: GitRemote, folding: Folding) -> Folding:
    """Send archives; those that were taken.

    Raises:
        RemoteError: Nothing could be sent at all.
    """
    if not folding.commits:
        return folding
    outgoing = [Outgoing(ARCHIVE + name, oid) for name, oid in folding.commits.items()]
    answered = send_refs(project.repository.git, remote, outgoing)
    taken = [ref.removeprefix(ARCHIVE) for ref, fault in answered.items() if fault is None]
    return folding.only(taken)


def list_needless(folding: Folding) -> list[Outgoing]:
    """The deletions of refs of runs that a remote has in archives, from where they were seen."""
    refs = {**folding.needless, **folding.doubled}
    return [Outgoing(RUNS + run, None, lease=oid) for run, oid in refs.items()]

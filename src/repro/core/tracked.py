"""What this clone has of the runs of a remote, as its refs say."""

from collections.abc import Mapping
from contextlib import suppress

from repro.core.project import Project
from repro.errors import DamagedRecordError
from repro.model.ids import is_id
from repro.store.archive import read_archives
from repro.store.refs import REMOTES, TRASH, RunRefs, list_refs


class Here:
    """What this clone has of the runs of a remote.

    Attributes:
        known: The commit that counts, of each run there is, wherever it is.
        own: The same of the runs of this clone.
        removed: Ids of runs that the user removed.
        tracked: What `refs/repro/remotes/<remote>/<id>` names, by id.
        live: What `…/live/<id>` names, by id.
        archives: What `…/archive/<name>` names, by name.
        archive_runs: The commits of the runs in each of these archives, by its name.
    """

    def __init__(self, project: Project, place: str) -> None:
        """Ask git.

        Args:
            place: What the runs of the remote are under, below `refs/repro/remotes/`.
        """
        repository = project.repository
        refs = RunRefs(repository)
        self.known = refs.commits
        self.own = refs.own
        self.prefix = f"{REMOTES}{place}/"
        listed = list_refs(repository.git, TRASH, self.prefix)
        self.removed = {ref.removeprefix(TRASH) for ref in listed if ref.startswith(TRASH)}
        self.tracked = _below(listed, self.prefix)
        self.live = _below(listed, f"{self.prefix}live/")
        self.archives = _below(listed, f"{self.prefix}archive/")
        read = {one.commit: one for one in read_archives(repository, self.archives.values())[0]}
        self.archive_runs: dict[str, dict[str, str]] = {}
        for name, oid in self.archives.items():
            # One that is damaged is told of wherever runs are listed.
            with suppress(KeyError, DamagedRecordError):
                self.archive_runs[name] = dict(read[oid].items())
        self.archived = joined(self.archive_runs)

    def has(self, run_id: str, commit: str) -> bool:
        """Whether nothing is to be done for a run that the remote has at `commit`."""
        there = (self.own.get(run_id), self.tracked.get(run_id), self.archived.get(run_id))
        return commit in there or run_id in self.removed

    def before(self, run_id: str) -> str | None:
        """What the remote said of a run when it was last asked."""
        return self.tracked.get(run_id) or self.archived.get(run_id)


def _below(refs: Mapping[str, str], prefix: str) -> dict[str, str]:
    names = ((ref.removeprefix(prefix), oid) for ref, oid in refs.items() if ref.startswith(prefix))
    return {name: oid for name, oid in names if is_id(name)}


def joined(archives: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The commits of the runs in some archives, by id."""
    return {run_id: oid for runs in archives.values() for run_id, oid in runs.items()}


def layered(archives: Mapping[str, Mapping[str, str]]) -> list[dict[str, str]]:
    """The commits of the runs in some archives, by id; all that differ from the first, behind."""
    layers: list[dict[str, str]] = [{}]
    for runs in archives.values():
        for run_id, commit in runs.items():
            for layer in layers:
                if layer.setdefault(run_id, commit) == commit:
                    break
            else:
                layers.append({run_id: commit})
    return layers

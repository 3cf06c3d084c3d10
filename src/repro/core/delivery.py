"""The bytes that runs of a remote need beside their commits, brought from the store."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from repro.core.datachoice import Chosen, datasets_of
from repro.core.fetch import Pulled
from repro.core.project import Project
from repro.core.stored import list_stored
from repro.core.tracked import Here
from repro.core.transfer import Load, plan_pull
from repro.errors import DamagedRecordError, NewerFormatError
from repro.model.run import Record
from repro.store.arrival import Wanted
from repro.store.content import ContentStore
from repro.store.datafacts import decode_facts
from repro.store.objects import Objects, open_objects, read_commit, reading
from repro.store.refs import SWEEPS, RunRefs, list_refs
from repro.store.remote import Remote
from repro.store.runs import read_record

_MANY = 100  # records; then importing a library pays off


class Delivery:
    """What runs keep outside of their commits: datasets, large artifacts, series and outputs.

    Attributes:
        datasets: Kept ones, each once however many of the runs have it.
        parts: All else, each with its run, as messages call it, and its path in the record.
    """

    def __init__(self, project: Project, place: str, pulled: Pulled) -> None:
        """Read what the runs that were asked for need, or all runs that came from a remote ever.

        What the trials of sweeps start from counts as a run.

        Args:
            place: What the runs of the remote are under, below `refs/repro/remotes/`.

        Cost: reads the record of each of these runs.
        """
        self.datasets: list[Chosen] = []
        self.parts: dict[Wanted, tuple[str, str]] = {}
        seen: set[str] = set()
        commits = _find(project, place, pulled)
        objects = open_objects(project.repository, many=len(commits) >= _MANY)
        try:
            for commit in commits.values():
                with suppress(DamagedRecordError, NewerFormatError):  # the fetch says so
                    self._add(objects, read_record(objects, commit), seen)
        finally:
            objects.close()

    def _add(self, objects: Objects, record: Record, seen: set[str]) -> None:
        for one in datasets_of(record):
            digest = decode_facts(record.data, one.name).digest
            if one.kept and digest not in seen:
                seen.add(digest)
                self.datasets.append(one)
        for part in list_stored(objects, record):
            wanted = Wanted(part.digest.removeprefix("sha256:"), part.size)
            self.parts.setdefault(wanted, (f"run {record.run.id}", part.path))

    def plan(self, project: Project, remote: Remote) -> Load:
        """Say what of it must be fetched.

        Raises:
            RemoteError: The store is not there, refuses, or gives no answer.
            StorageError: The disk here is full, read-only or forbidden.
        """
        content = ContentStore(project.store)
        load = Load(datasets=(), left_out=(), files={})
        if self.datasets:
            load = plan_pull(project, remote, self.datasets)
        # By name alone: an entry of another size than a record of somebody says may be sound.
        here = tuple(one for one in self.parts if content.has(one.digest))
        lacking = {one: what for one, what in self.parts.items() if one not in here}
        return replace(load, files={**lacking, **load.files}, here=(*load.here, *here))


def _find(project: Project, place: str, pulled: Pulled) -> Mapping[str, str]:
    fetched = pulled.fetched
    refs = RunRefs(project.repository)
    if fetched.asked:
        return {**refs.look_up(fetched.asked), **_frozen(project, fetched.asked)}
    here = Here(project, place)
    ids = {*here.tracked, *here.archived, *fetched.moved, *pulled.forwarded, *pulled.merged}
    runs = {run: here.known[run] for run in sorted(ids) if run in here.known}
    return {**runs, **_frozen(project)}


def _frozen(project: Project, ids: Sequence[str] | None = None) -> dict[str, str]:
    """The records that the trials of sweeps start from, by the ids of these."""
    wanted = [SWEEPS] if ids is None else [SWEEPS + one for one in ids]
    refs = list_refs(project.repository.git, *wanted)
    found: dict[str, str] = {}
    with reading(project.repository) as objects:
        for ref, oid in refs.items():
            with suppress(DamagedRecordError):  # `repro fsck` tells
                parents = read_commit(objects, oid).parents
                found |= {ref.removeprefix(SWEEPS): base for base in parents[:1]}
    return found

"""The kept bytes that runs need beside their commits, and which of them the store lacks."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from repro.core.project import Project
from repro.core.stored import list_stored
from repro.errors import DamagedRecordError, InvalidInputError
from repro.model.run import Record
from repro.store.arrival import Outcome, Wanted
from repro.store.content import ContentStore
from repro.store.datafacts import decode_facts
from repro.store.objects import Objects, open_objects

if TYPE_CHECKING:
    from repro.core.datachoice import Chosen
    from repro.store.remote import Remote

_MANY = 100  # runs; then importing a library pays off


@dataclass(frozen=True, slots=True)
class Baggage:
    """Entries of the content store that runs name.

    Attributes:
        runs: Ids of the runs that need each entry.
        unsure: Whether nobody can tell which of them the store has.
        faults: By run, what of it is not here and cannot be sent, in words.
        manifests: Those entries that are manifests of datasets as `repro.lock` pins them.
    """

    runs: Mapping[Wanted, frozenset[str]] = field(default_factory=dict)
    unsure: bool = False
    faults: Mapping[str, str] = field(default_factory=dict)
    manifests: frozenset[Wanted] = frozenset()

    @property
    def size(self) -> int:
        """Bytes of all of them."""
        return sum(one.size for one in self.runs)

    @property
    def owners(self) -> frozenset[str]:
        """The runs that need any of them."""
        return frozenset[str]().union(*self.runs.values())


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a baggage.

    Attributes:
        done: Entries that are in the store now.
        failed: By run, why some of what it needs is not, in words.
    """

    done: tuple[Wanted, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)


def find_baggage(project: Project, records: Sequence[Record]) -> Baggage:
    """Give what sealed runs need of the content store: kept datasets and all that is too large.

    Where `repro.lock` pins a dataset as a run recorded it, its manifest is one of the entries: a
    clone that reads that file has no other way to it.

    Cost: reads the manifest pages of each different kept dataset once.
    """
    found: dict[Wanted, set[str]] = {}
    faults: dict[str, str] = {}
    seen: dict[str, tuple[Wanted, ...]] = {}
    objects = open_objects(project.repository, many=len(records) >= _MANY)
    try:
        for record in records:
            try:
                for one in _wanted_of(project, objects, record, seen):
                    found.setdefault(one, set()).add(record.run.id)
            except DamagedRecordError as error:
                faults[record.run.id] = error.message
    finally:
        objects.close()
    manifests = _find_manifests(project, [one for one in records if one.run.id not in faults])
    for manifest, runs in manifests.items():
        found.setdefault(manifest, set()).update(runs)
    needed = {one: frozenset(runs) for one, runs in found.items()}
    return Baggage(needed, faults=faults, manifests=frozenset(manifests))


def leave_out_sent(remote: "Remote", baggage: Baggage) -> Baggage:
    """Give the part of a baggage that a store lacks, all of it where the store cannot tell.

    Raises:
        RemoteError: The store is not there, refuses, or gives no answer.

    Cost: one question for each entry.
    """
    from repro.store.remote import ObjectRemote  # noqa: PLC0415  # most runs need no store

    if not isinstance(remote, ObjectRemote):
        return replace(baggage, unsure=bool(baggage.runs))
    lacking = remote.find_lacking(list(baggage.runs))
    return replace(baggage, runs={one: baggage.runs[one] for one in lacking})


def send_baggage(
    project: Project, remote: "Remote", baggage: Baggage, report: Callable[[int], None]
) -> Sent:
    """Send entries to a store; what fails does not stop the rest.

    Args:
        report: Told of bytes as they are there.

    Raises:
        RemoteError: The store is not there, refuses, is read-only, or gives no answer.
    """
    content = ContentStore(project.store)
    # In this order: who finds a manifest there can count on its files.
    files = remote.send(
        content, [one for one in baggage.runs if one not in baggage.manifests], report
    )
    last = [one for one in baggage.runs if one in baggage.manifests]
    manifests = remote.send(content, last, report) if last else Outcome((), ())
    failed = dict(baggage.faults)
    for one, reason in (*files.failed, *manifests.failed):
        for run in baggage.runs[one]:
            failed.setdefault(run, reason)
    return Sent((*files.done, *manifests.done), failed)


def _find_manifests(project: Project, records: Iterable[Record]) -> dict[Wanted, set[str]]:
    """The manifests by which `repro.lock` pins kept datasets as runs have them, with these runs."""
    with_data = [record for record in records if record.data]
    if not with_data:
        return {}
    from repro.core.transfer import manifest_of  # noqa: PLC0415  # most runs need no store
    from repro.store.lockfile import read_lock  # noqa: PLC0415

    content = ContentStore(project.store)
    found: dict[Wanted, set[str]] = {}
    with suppress(InvalidInputError):  # of a merge; `repro data push` says it
        for one in read_lock(project.repository.root).values():
            runs = {record.run.id for record in with_data if _has_kept(record, one.digest)}
            if runs and one.kept and content.has(one.manifest):
                found.setdefault(manifest_of(one), set()).update(runs)
    return found


def _has_kept(record: Record, digest: str) -> bool:
    facts = (decode_facts(record.data, name) for name in record.data)
    return any(one.kept and one.digest == digest for one in facts)


def _wanted_of(
    project: Project, objects: Objects, record: Record, seen: dict[str, tuple[Wanted, ...]]
) -> Iterator[Wanted]:
    for part in list_stored(objects, record):
        yield Wanted(part.digest.removeprefix("sha256:"), part.size)
    if not record.data:
        return
    from repro.core.datachoice import datasets_of  # noqa: PLC0415  # what reads datasets is large

    for one in datasets_of(record):
        if one.kept:
            yield from _files_of(project, record, one, seen)


def _files_of(
    project: Project, record: Record, one: "Chosen", seen: dict[str, tuple[Wanted, ...]]
) -> Sequence[Wanted]:
    """The kept files of a dataset, which many runs share."""
    from repro.core.transfer import collect_files  # noqa: PLC0415  # as above

    digest = decode_facts(record.data, one.name).digest
    if digest not in seen:
        files: dict[Wanted, tuple[str, str]] = {}
        failures = collect_files(project, one, files)
        if failures:
            first = failures[0]
            raise DamagedRecordError(f"dataset `{first.dataset}`: {first.reason}")
        seen[digest] = tuple(files)
    return seen[digest]

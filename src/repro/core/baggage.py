"""The kept bytes that runs need beside their commits, and which of them the store lacks."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from repro.core.project import Project
from repro.core.stored import list_stored
from repro.errors import DamagedRecordError
from repro.model.run import Record
from repro.store.arrival import Wanted
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
    """

    runs: Mapping[Wanted, frozenset[str]] = field(default_factory=dict)
    unsure: bool = False
    faults: Mapping[str, str] = field(default_factory=dict)

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
    return Baggage({one: frozenset(runs) for one, runs in found.items()}, faults=faults)


def leave_out_sent(remote: "Remote", baggage: Baggage) -> Baggage:
    """Give the part of a baggage that a store lacks, all of it where the store cannot tell.

    Raises:
        RemoteError: The store is not there, refuses, or gives no answer.

    Cost: one question for each entry.
    """
    from repro.store.remote import ObjectRemote  # noqa: PLC0415  # most runs need no store

    if not isinstance(remote, ObjectRemote):
        return Baggage(baggage.runs, unsure=bool(baggage.runs), faults=baggage.faults)
    lacking = remote.find_lacking(list(baggage.runs))
    return Baggage({one: baggage.runs[one] for one in lacking}, faults=baggage.faults)


def send_baggage(
    project: Project, remote: "Remote", baggage: Baggage, report: Callable[[int], None]
) -> Sent:
    """Send entries to a store; what fails does not stop the rest.

    Args:
        report: Told of bytes as they are there.

    Raises:
        RemoteError: The store is not there, refuses, is read-only, or gives no answer.
    """
    done = remote.send(ContentStore(project.store), list(baggage.runs), report)
    failed = dict(baggage.faults)
    for one, reason in done.failed:
        for run in baggage.runs[one]:
            failed.setdefault(run, reason)
    return Sent(done.done, failed)


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

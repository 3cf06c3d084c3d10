"""Every byte of datasets read again: those that are kept, and those in the working tree."""

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from repro.core.datachoice import Chosen
from repro.core.datasets import Dataset, list_datasets, now_ns
from repro.core.entrydiff import EntryChange, iter_changes
from repro.core.locking import read_locked_pages
from repro.core.measure import measure
from repro.core.measured import Measured, OnProgress, Source
from repro.core.project import Project
from repro.core.transfer import MANIFEST, collect_files
from repro.errors import DamagedRecordError, InvalidInputError, StorageError
from repro.model.manifest import Entry, FileEntry, FolderEntry, LinkEntry
from repro.store.arrival import Report, Wanted, move_each
from repro.store.cloning import feed
from repro.store.content import ContentStore
from repro.store.lockfile import Locked
from repro.store.pages import CheckedPages
from repro.store.statcache import FILE as STAT_FILE
from repro.store.statcache import StatCache

_FRESH = "verify-"  # folders of .git/repro for what a check remembers while it goes on
_DAY_S = 86_400.0


class Where(StrEnum):
    """Whose bytes are wrong."""

    STORE = "store"
    FILES = "files"


class State(StrEnum):
    """What is wrong with a file."""

    DAMAGED = "damaged"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    CHANGED = "changed"
    EXTRA = "extra"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A file that is not what it should be.

    Attributes:
        path: In its dataset, `MANIFEST` for all of it.
        digest: What it should have; None for a file that should not be there.
        reason: In words.
    """

    dataset: str
    where: Where
    state: State
    path: str
    digest: str | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What is to be read in the content store.

    Attributes:
        datasets: Whose files; those that are not kept have a manifest only.
        files: Each with its dataset and a path in it.
        faults: What was found by reading the manifests.
    """

    datasets: tuple[Chosen, ...]
    files: Mapping[Wanted, tuple[str, str]]
    faults: tuple[Fault, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all of it."""
        return sum(one.size for one in self.files)


class _Counter:
    """A sha256 that tells of bytes as they are hashed."""

    def __init__(self, report: Report) -> None:
        self.sha256 = hashlib.sha256()
        self._report = report

    def update(self, data: bytes, /) -> None:
        self.sha256.update(data)
        self._report(len(data))


def plan_check(project: Project, chosen: Iterable[Chosen]) -> Check:
    """Say which entries of the content store datasets name; their manifests are read now.

    Damaged manifests are set aside.
    """
    listed = tuple(chosen)
    files: dict[Wanted, tuple[str, str]] = {}
    faults: list[Fault] = []
    for one in listed:
        fault = _check_manifest(project, one)
        if fault is not None:
            faults.append(fault)
        elif one.kept:
            faults += [
                Fault(
                    dataset=one.name,
                    where=Where.STORE,
                    state=State.DAMAGED if failure.path == MANIFEST else State.MISSING,
                    path=failure.path,
                    digest=failure.digest or None,
                    reason=failure.reason,
                )
                for failure in collect_files(project, one, files)
            ]
    return Check(datasets=listed, files=files, faults=tuple(faults))


def _check_manifest(project: Project, one: Chosen) -> Fault | None:
    if one.locked is None:
        return None
    content, digest = ContentStore(project.store), one.locked.manifest
    if not content.has(digest):
        return _fault(one.name, MANIFEST, digest, State.MISSING, "its manifest is not here")
    size = content.path_of(digest).stat().st_size
    found = _find_fault(content, Wanted(digest.removeprefix("sha256:"), size), _count_nothing)
    return _fault(one.name, MANIFEST, digest, *found) if found is not None else None


def _fault(dataset: str, path: str, digest: str, state: State, reason: str) -> Fault:
    return Fault(
        dataset=dataset, where=Where.STORE, state=state, path=path, digest=digest, reason=reason
    )


def check_entries(project: Project, check: Check, report: Report) -> list[Fault]:
    """Hash kept files again; damaged ones are set aside, so that a sound copy can come.

    Args:
        report: Told of bytes as they are read, by one thread at a time.

    Cost: reads all of them once, in a thread for each processor.
    """
    content = ContentStore(project.store)
    found: dict[Wanted, tuple[State, str]] = {}

    def look(one: Wanted, report: Report) -> None:
        fault = _find_fault(content, one, report)
        if fault is not None:
            found[one] = fault

    move_each(list(check.files), look, report, n_parallel=os.cpu_count() or 1)
    return [
        _fault(*check.files[one], one.digest, *found[one]) for one in check.files if one in found
    ]


def _find_fault(content: ContentStore, one: Wanted, report: Report) -> tuple[State, str] | None:
    """What is wrong with an entry; a damaged one is set aside."""
    counter = _Counter(report)
    try:
        with content.path_of(one.digest).open("rb") as file:
            size = feed(file.fileno(), sys.maxsize, [counter])
    except FileNotFoundError:
        return State.MISSING, "it is not in the content store"
    except (IsADirectoryError, PermissionError) as error:
        return State.UNREADABLE, f"it cannot be read: {error.strerror}"
    except OSError as error:
        return _set_aside(content, one, f"it cannot be read: {error.strerror}")
    digest = f"sha256:{counter.sha256.hexdigest()}"
    if digest != one.digest:
        return _set_aside(content, one, f"its bytes are those of `{digest}`")
    if size != one.size:
        return State.DAMAGED, f"it has {size} bytes, but its manifest says {one.size}"
    return None


def _set_aside(content: ContentStore, one: Wanted, reason: str) -> tuple[State, str] | None:
    try:
        place = content.set_aside(one.digest)
    except DamagedRecordError:
        return State.MISSING, "it is not in the content store"
    except StorageError as error:  # all that is wrong is told, on a read-only disk too
        return State.DAMAGED, f"{reason}; not set aside: {error.message}"
    if place == content.path_of(one.digest):
        return None  # another process has healed it meanwhile
    return State.DAMAGED, f"{reason}; set aside as `{place.relative_to(content.dir)}`"


def _count_nothing(n_bytes: int) -> None:
    pass


def check_files(
    project: Project, one: Chosen, on_progress: OnProgress | None = None
) -> list[Fault]:
    """Read a dataset in the working tree whole, and compare it with what `repro.lock` pins.

    What the stat cache remembers is not believed.

    Args:
        one: Of `repro.lock`.

    Cost: reads every file once.
    """
    if one.locked is None:
        return []
    dataset = _dataset_of(project, one)
    if dataset is None:
        reason = "it is outside of the repository, and repro.yaml has no such dataset"
        return [_file_fault(one, MANIFEST, State.UNREADABLE, reason)]
    top = dataset.place(project.repository.root)
    if not top.exists():
        return [_file_fault(one, MANIFEST, State.MISSING, f"there is nothing at `{one.path}`")]
    with _open_fresh_cache(project) as cache:
        source = Source(top=top, follow=dataset.follow)
        try:
            measured = measure(source, cache, now_ns=now_ns(project.clock), on_progress=on_progress)
            return list(_compare(project, one, one.locked, measured))
        except InvalidInputError as error:
            return [_file_fault(one, MANIFEST, State.UNREADABLE, error.message)]


@contextmanager
def _open_fresh_cache(project: Project) -> Iterator[StatCache]:
    """Give a stat cache that knows nothing; it is in memory where nothing can be written."""
    private = project.repository.private
    with ExitStack() as stack:
        place = Path(os.devnull)
        with suppress(OSError):
            private.mkdir(parents=True, exist_ok=True, mode=0o700)
            _remove_abandoned(private, now=project.clock())
            folder = tempfile.TemporaryDirectory(dir=private, prefix=_FRESH)
            place = Path(stack.enter_context(folder))
        cache = StatCache(place / STAT_FILE)
        stack.callback(cache.close)
        yield cache


def _remove_abandoned(private: Path, *, now: float) -> None:
    """Remove the caches of processes that were killed."""
    for path in private.glob(f"{_FRESH}*"):
        if now - path.lstat().st_mtime > _DAY_S:
            shutil.rmtree(path, ignore_errors=True)


def _dataset_of(project: Project, one: Chosen) -> Dataset | None:
    """The dataset as `repro.yaml` has it; None where only a record from elsewhere names it."""
    for dataset in list_datasets(project):
        if (dataset.name, dataset.path) == (one.name, one.path):
            return dataset
    return None if one.path.startswith("/") else Dataset(name=one.name, path=one.path)


def _compare(project: Project, one: Chosen, locked: Locked, measured: Measured) -> Iterator[Fault]:
    if f"xxh3:{measured.digest}" == locked.digest:
        return
    try:
        pages = read_locked_pages(project, one.name, locked)
        before = pages if not _is_one_file(pages) else None
        after = measured.page_of if not measured.is_file else None
        if before is None or after is None:
            reason = "it is not what is pinned: a file, or a folder, or other bytes"
            yield _file_fault(one, MANIFEST, State.CHANGED, reason)
            return
        for change in iter_changes(before, after):
            fault = _describe(one, change)
            if fault is not None:
                yield fault
    except DamagedRecordError as error:
        reason = f"it is not what is pinned; which files differ cannot be told: {error.message}"
        yield _file_fault(one, MANIFEST, State.CHANGED, reason)


def _is_one_file(pages: CheckedPages) -> bool:
    top = pages("")
    return len(top) == 1 and isinstance(top[0], FileEntry) and top[0].digest == pages.digest


def _describe(one: Chosen, change: EntryChange) -> Fault | None:
    path, old, new = change
    if old is None:
        # A folder without files is a thing of its own, any other one is the files in it.
        is_told = not isinstance(new, FolderEntry) or not new.files
        return _file_fault(one, path, State.EXTRA, "it is not in the manifest") if is_told else None
    if new is None:
        is_told = not isinstance(old, FolderEntry) or not old.files
        reason = "it is not there"
        return _file_fault(one, path, State.MISSING, reason, old) if is_told else None
    return _file_fault(one, path, State.CHANGED, _difference(old, new), old)


def _difference(old: Entry, new: Entry) -> str:
    kinds = {FileEntry: "a file", LinkEntry: "a link", FolderEntry: "a folder"}
    if type(old) is not type(new):
        return f"it is {kinds[type(new)]}, and was {kinds[type(old)]}"
    if isinstance(old, LinkEntry) and isinstance(new, LinkEntry):
        return f"it leads to `{new.target}`, and led to `{old.target}`"
    if isinstance(old, FileEntry) and isinstance(new, FileEntry) and old.digest == new.digest:
        return "it is executable" if new.is_executable else "it is not executable any more"
    return "its bytes are others"


def _file_fault(
    one: Chosen, path: str, state: State, reason: str, old: Entry | None = None
) -> Fault:
    digest = f"xxh3:{old.digest}" if isinstance(old, FileEntry) else None
    if path == MANIFEST and one.locked is not None:
        digest = one.locked.digest
    return Fault(
        dataset=one.name, where=Where.FILES, state=state, path=path, digest=digest, reason=reason
    )

"""A dataset at one moment: as a run recorded it, as `repro.lock` pins it, as it is on disk."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from repro.core.datapresent import measure_present
from repro.core.datasets import Dataset
from repro.core.locking import read_locked_pages
from repro.core.measured import OnProgress
from repro.core.pins import FOLDER
from repro.core.project import Project
from repro.errors import DamagedRecordError, InvalidInputError, ReproError
from repro.model.run import Record
from repro.store.datafacts import decode_facts
from repro.store.lockfile import FILE as LOCK
from repro.store.lockfile import Locked, parse_lock, read_lock
from repro.store.objects import Objects, read_file, read_tree
from repro.store.pages import CheckedPages, PageOf, RecordedPages, open_recorded_pages
from repro.store.refs import LIVE_DATA, RUNS, read_ref
from repro.store.statcache import StatCache


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A dataset at one moment.

    Attributes:
        digest: `xxh3:` and 32 hex digits; None where it cannot be told.
        files: Files and links in it; None as `digest`.
        size: Their bytes; None as `digest`.
        fault: Why it cannot be told, in words.
        open_pages: Gives its pages; whatever is wrong with them is a `ReproError`.
    """

    path: str
    digest: str | None = None
    files: int | None = None
    size: int | None = None
    fault: str | None = None
    open_pages: Callable[[], PageOf]

    @property
    def facts(self) -> tuple[str | None, int | None, int | None]:
        """What only the same dataset has: an empty file and an empty folder share a digest."""
        return self.digest, self.files, self.size


def faulty_version(path: str, fault: str) -> Version:
    """A dataset of which nothing can be told."""

    def open_pages() -> PageOf:
        raise DamagedRecordError(fault)

    return Version(path=path, fault=fault, open_pages=open_pages)


def explain(error: ReproError) -> str:
    """What is wrong, with what to do about it."""
    return f"{error.message} ({error.hint})" if error.hint else error.message


def locked_versions(project: Project, commit: str | None, objects: Objects) -> dict[str, Version]:
    """The datasets that `repro.lock` pins, by name.

    Args:
        commit: Whose `repro.lock` counts; None is the file as it is now.

    Raises:
        InvalidInputError: It is wrong, or a merge left conflicts in it.
    """
    root = project.repository.root
    locked = read_lock(root) if commit is None else _read_lock_of(commit, root, objects)
    return {name: locked_version(project, name, entry) for name, entry in locked.items()}


def _read_lock_of(commit: str, root: Path, objects: Objects) -> dict[str, Locked]:
    try:
        return parse_lock(read_file(objects, commit, LOCK) or b"", root)
    except InvalidInputError as error:
        raise InvalidInputError(
            f"in commit {commit[:10]}: {error.message}", hint="compare with another commit"
        ) from error


def locked_version(project: Project, name: str, locked: Locked) -> Version:
    """A dataset as `repro.lock` pins it."""
    return Version(
        path=locked.path,
        digest=locked.digest,
        files=locked.files,
        size=locked.size,
        open_pages=lambda: read_locked_pages(project, name, locked),
    )


def recorded_versions(project: Project, record: Record, objects: Objects) -> dict[str, Version]:
    """The datasets that a run recorded, by name; pages can be read as long as `objects` can."""
    return {name: _recorded(project, record, name, objects) for name in record.data}


def _recorded(project: Project, record: Record, name: str, objects: Objects) -> Version:
    try:
        facts = decode_facts(record.data, name)
    except DamagedRecordError as error:
        return faulty_version(name, explain(error))

    def open_pages() -> RecordedPages:
        folder = _find_folder(project, record, objects)
        return open_recorded_pages(objects, folder, name, facts)

    return Version(
        path=facts.path,
        digest=facts.digest,
        files=facts.files,
        size=facts.size,
        open_pages=open_pages,
    )


def _find_folder(project: Project, record: Record, objects: Objects) -> str | None:
    """The tree that a record has, or will have, as `data/`."""
    git, run_id = project.repository.git, record.run.id
    commit: str | None = record.commit
    if not commit:  # the run was in progress, and may have ended since
        pages = read_ref(git, LIVE_DATA + run_id)
        if pages is not None:
            return pages
        commit = read_ref(git, RUNS + run_id)
    folder = read_tree(objects, commit).get(FOLDER) if commit else None
    return folder.oid if folder else None


def present_version(
    project: Project,
    dataset: Dataset,
    cache: StatCache,
    *,
    on_progress: OnProgress | None = None,
) -> Version | None:
    """Give a dataset as it lies on disk; None where nothing is there. No byte of it is kept.

    Cost: as `repro.core.measure.measure`.
    """
    try:
        measured = measure_present(project, dataset, cache, on_progress=on_progress)
    except ReproError as error:
        return faulty_version(dataset.path, explain(error))
    if measured is None:
        return None
    return Version(
        path=dataset.path,
        digest=f"xxh3:{measured.digest}",
        files=measured.files,
        size=measured.size,
        # Checked: the cache may have lost some of it by now, which would look like removed files.
        open_pages=lambda: CheckedPages.of(
            measured.page_of, digest=measured.digest, is_file=measured.is_file
        ),
    )

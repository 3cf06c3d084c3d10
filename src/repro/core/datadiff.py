"""Datasets compared, file by file, reading only the manifest pages of folders that differ."""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack

from repro.core.datasets import Dataset, list_datasets, open_cache
from repro.core.dataversions import (
    Version,
    explain,
    faulty_version,
    locked_versions,
    present_version,
    recorded_versions,
)
from repro.core.entrydiff import EntryChange, iter_changes
from repro.core.measured import OnProgress
from repro.core.project import Project
from repro.errors import DamagedRecordError, InvalidInputError, ReproError
from repro.model.diff import DataChange
from repro.model.manifest import Entry, FileEntry, FolderEntry, Page
from repro.model.nearest import say_meant
from repro.model.paths import LONGEST_PATH
from repro.model.run import Record
from repro.model.text import escape
from repro.store.objects import Objects, reading
from repro.store.pages import PageOf
from repro.store.statcache import StatCache

_MOST = 2_000_000  # folders read, and paths listed; some small objects can claim far more


def diff_pages(before: PageOf | None, after: PageOf | None) -> DataChange:
    """Say which files differ between two manifests; None stands for no dataset.

    Raises:
        DamagedRecordError: A page is missing or not what it should be, or claims too much.

    Cost: reads the pages of folders whose digests differ, on both sides.
    """
    listed: dict[str, list[tuple[str, int, int]]] = {"added": [], "removed": [], "changed": []}
    for change in _iter_bounded(before, after):
        for kind, path, old, new in _entries_of(change):
            listed[kind].append((path, old, new))
    for entries in listed.values():
        entries.sort(key=lambda entry: os.fsencode(entry[0]))
    added, removed, changed = listed["added"], listed["removed"], listed["changed"]
    return DataChange(
        added=tuple(path for path, _, _ in added),
        removed=tuple(path for path, _, _ in removed),
        changed=tuple(path for path, _, _ in changed),
        size_added=sum(new for _, _, new in added),
        size_removed=sum(old for _, old, _ in removed),
        size_before=sum(old for _, old, _ in changed),
        size_after=sum(new for _, _, new in changed),
    )


def _iter_bounded(before: PageOf | None, after: PageOf | None) -> Iterator[EntryChange]:
    """The changes between two manifests, unless these claim more than anybody has."""
    claimed = 0
    alone = set()  # folders that one side lacks; what is in them is part of their claim
    for change in iter_changes(_bounded(before), _bounded(after)):
        path, old, new = change
        if path.rpartition("/")[0] not in alone:
            claimed += max(_claim(old), _claim(new))
        if claimed > _MOST:
            raise _too_much()
        if isinstance(old, FolderEntry) or isinstance(new, FolderEntry):
            alone.add(path)
        yield change


def _claim(entry: Entry | None) -> int:
    """How many files and folders an entry says that it is."""
    return entry.files + entry.folders + 1 if isinstance(entry, FolderEntry) else 1


def _bounded(page_of: PageOf | None) -> PageOf | None:
    """The same pages, as long as they are no more than a disk could hold."""
    if page_of is None:
        return None
    count = 0

    def read(path: str) -> Page:
        nonlocal count
        count += 1
        if count > _MOST:
            raise _too_much()
        if len(path) > LONGEST_PATH:
            raise DamagedRecordError("the manifest has paths that are longer than any disk allows")
        return page_of(path)

    return read


def _too_much() -> DamagedRecordError:
    return DamagedRecordError(f"more than {_MOST:,} files or folders differ")


def _entries_of(change: EntryChange) -> Iterator[tuple[str, str, int, int]]:
    """What a change is called, and where, with the bytes of both sides."""
    path, old, new = change
    before, after = _is_file(old), _is_file(new)
    if before and after:
        yield "changed", path, _size(old), _size(new)
    elif before:
        yield "removed", path, _size(old), 0
    elif after:
        yield "added", path, 0, _size(new)
    # What is in a folder comes as changes of its own; one with nothing in it would be lost.
    if isinstance(old, FolderEntry) and _is_empty(old):
        yield "removed", f"{path}/", 0, 0
    if isinstance(new, FolderEntry) and _is_empty(new):
        yield "added", f"{path}/", 0, 0


def _is_file(entry: Entry | None) -> bool:
    return entry is not None and not isinstance(entry, FolderEntry)


def _is_empty(folder: FolderEntry) -> bool:
    return folder.files == folder.folders == 0


def _size(entry: Entry | None) -> int:
    return entry.size if isinstance(entry, FileEntry) else 0


def diff_versions(before: Version | None, after: Version | None) -> DataChange | None:
    """Say what differs between two versions of a dataset, None standing for no dataset.

    Returns:
        None where they are equal, which their digests tell: no page is read then.
    """
    if before is None and after is None:
        return None
    if before and after and before.digest is not None and before.facts == after.facts:
        return None
    for version in (before, after):
        if version is not None and version.fault is not None:
            return DataChange(unlisted=version.fault)
    try:
        return diff_pages(
            before.open_pages() if before is not None else None,
            after.open_pages() if after is not None else None,
        )
    except ReproError as error:  # that of one dataset hides no other
        return DataChange(unlisted=explain(error))


def compare_data(
    project: Project,
    before: Record | str | None,
    after: Record | str | None,
    *,
    names: Collection[str] = (),
    on_progress: OnProgress | None = None,
) -> dict[str, DataChange]:
    """Say what differs in each dataset; equal ones are left out.

    Args:
        before: A run, or the commit whose `repro.lock` counts; None is `repro.lock` as it is now.
        after: Likewise, but None is what lies on disk now: at the path that the project gives
            that name today, else where `before` has it.
        names: Only these datasets; none is all of them.
        on_progress: Called several times a second while files are read.

    Raises:
        InvalidInputError: Neither side has a dataset of that name; or `repro.lock` is wrong.

    Cost: reads the pages of folders that differ; what is on disk is hashed where it is new.
    """
    with ExitStack() as stack:
        objects = stack.enter_context(reading(project.repository))
        olds = _versions(project, before, objects)
        if after is not None:
            news = _versions(project, after, objects)
            known = {*olds, *news}
        else:
            cache = stack.enter_context(open_cache(project))
            places = _places(project, olds)
            known = {*olds, *places}
            wanted = [place for name, place in places.items() if not names or name in names]
            news = _present(project, wanted, cache, on_progress)
        for name in names:
            _check_known(name, known)
        changes = {
            name: diff_versions(olds.get(name), news.get(name))
            for name in dict.fromkeys([*olds, *news])
            if not names or name in names
        }
    return {name: change for name, change in changes.items() if change is not None}


def _check_known(name: str, known: Collection[str]) -> None:
    if name in known:
        return
    raise InvalidInputError(
        f"neither side has a dataset `{escape(name)}`{say_meant(name, sorted(known))}",
        hint="`repro data ls` lists the datasets, `repro show RUN --data` those of a run",
    )


def _versions(project: Project, side: Record | str | None, objects: Objects) -> dict[str, Version]:
    if isinstance(side, Record):
        return recorded_versions(project, side, objects)
    return locked_versions(project, side, objects)


def _places(project: Project, olds: Mapping[str, Version]) -> dict[str, Dataset]:
    """Where each dataset is looked for: those of the other side first, in its order."""
    named = {dataset.name: dataset for dataset in list_datasets(project)}
    others = {
        name: Dataset(name=name, path=old.path) for name, old in olds.items() if old.fault is None
    }
    return {**others, **named}


def _present(
    project: Project,
    datasets: Iterable[Dataset],
    cache: StatCache,
    on_progress: OnProgress | None,
) -> dict[str, Version]:
    found = {}
    for dataset in datasets:
        if dataset.name not in project.settings.data and dataset.path.startswith("/"):
            # A record from elsewhere must not choose what is read on this machine.
            where = escape(dataset.path)
            fault = (
                f"it was at `{where}`, outside of the repository, and the project has it no more"
            )
            found[dataset.name] = faulty_version(where, fault)
            continue
        version = present_version(project, dataset, cache, on_progress=on_progress)
        if version is not None:
            found[dataset.name] = version
    return found

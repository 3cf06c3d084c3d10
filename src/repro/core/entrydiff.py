"""Two manifests of a dataset side by side, reading only folders that differ."""

from collections.abc import Iterator
from typing import NamedTuple

from repro.model.manifest import Entry, FileEntry, FolderEntry, by_name, join_path
from repro.store.pages import PageOf


class EntryChange(NamedTuple):
    """A path at which two manifests differ; None where one has nothing."""

    path: str
    old: Entry | None
    new: Entry | None


def iter_changes(before: PageOf | None, after: PageOf | None) -> Iterator[EntryChange]:
    """Give each path that differs, a folder before what is in it; None stands for no dataset.

    A folder that both have is never itself a change. Whether bytes are kept makes no difference.

    Cost: reads the pages of folders that differ, on both sides.
    """
    waiting: list[tuple[str, bool, bool]] = [("", before is not None, after is not None)]
    while waiting:
        path, has_old, has_new = waiting.pop()
        olds = by_name(before(path)) if before is not None and has_old else {}
        news = by_name(after(path)) if after is not None and has_new else {}
        for name in sorted({**olds, **news}):
            old, new = olds.get(name), news.get(name)
            if old is not None and new is not None and _is_equal(old, new):
                continue
            inside = join_path(path, name)
            was_folder, is_folder = isinstance(old, FolderEntry), isinstance(new, FolderEntry)
            if was_folder and is_folder:
                waiting.append((inside, True, True))
                continue
            yield EntryChange(inside, old, new)
            if was_folder or is_folder:
                waiting.append((inside, was_folder, is_folder))


def _is_equal(old: Entry, new: Entry) -> bool:
    if isinstance(old, FileEntry) and isinstance(new, FileEntry):
        return old[:4] == new[:4]
    return type(old) is type(new) and old == new

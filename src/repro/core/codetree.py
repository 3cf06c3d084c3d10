"""The code of a run as folders and files, looked up in git alone: no path touches a file system."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from repro.core.project import Project
from repro.core.query import code_of
from repro.model.run import Record
from repro.store.blobs import blob_sizes, stream_blob
from repro.store.objects import (
    FOLDER,
    SUBMODULE,
    Objects,
    TreeEntry,
    parse_tree,
    read_commit,
    reading,
)
from repro.store.treecheck import LARGEST_FOLDER, LINK

A_PAGE = 500  # entries of a folder
LARGEST_TEXT = 512 << 10  # bytes of a file that is shown
_DEEPEST = 256
_EXECUTABLE = 0o100
_NEVER = ("", ".", "..", ".git")  # names that no sound tree has


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeEntry:
    """One name in a folder.

    Attributes:
        kind: `folder`, `file`, `program`, `link` or `submodule`.
        oid: Its object; of a submodule the commit.
        size: Bytes; None of a folder, and where it is not here.
    """

    name: str
    kind: str
    oid: str
    size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeFolder:
    """A page of a folder: folders first, then files, each by name.

    Attributes:
        total: How many entries it has.
        page: Which page this is, from 1 on; `pages` is the last one.
    """

    entries: tuple[CodeEntry, ...]
    total: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeFile:
    """A file, or a link.

    Attributes:
        data: Its content, of a link where it leads to; None where it is larger than can be shown,
            or a submodule.
    """

    entry: CodeEntry
    data: bytes | None


def look_up_code(
    project: Project, record: Record, names: Sequence[str], *, page: int = 1
) -> CodeFolder | CodeFile | None:
    """Give what lies in the code of a run under `names`; None where there is no such thing.

    Args:
        names: Of each folder on the way, then the last one; none is the root. Bytes that are not
            UTF-8 are surrogates.
        page: Of a folder.

    Raises:
        DamagedRecordError: The code, or a folder on the way, is not here.

    Cost: reads the folders on the way; a page of sizes by one process of git.
    """
    if len(names) > _DEEPEST or any(name in _NEVER or "\0" in name for name in names):
        return None
    with reading(project.repository) as objects:
        tree = read_commit(objects, code_of(record.run)).tree
        found = TreeEntry(FOLDER, "", tree)
        for name in names:
            if found.mode != FOLDER:
                return None
            inner = next((one for one in _read(objects, found.oid) if one.name == name), None)
            if inner is None:
                return None
            found = inner
        if found.mode == FOLDER:
            return _folder(project, _read(objects, found.oid), page)
        [entry] = _entries(project, [found])
        is_shown = entry.size is not None and entry.size <= LARGEST_TEXT
        data = objects.read(found.oid)[1] if is_shown else None
        return CodeFile(entry=entry, data=data)


def open_code_file(project: Project, entry: CodeEntry) -> Iterator[bytes]:
    """Give the bytes of a file in blocks of at most 1 MiB.

    Raises:
        GitError: It is not here.
    """
    return stream_blob(project.repository.git, entry.oid)


def _read(objects: Objects, oid: str) -> list[TreeEntry]:
    return parse_tree(objects.read(oid, limit=LARGEST_FOLDER)[1], len(oid) // 2)


def _folder(project: Project, entries: list[TreeEntry], page: int) -> CodeFolder:
    entries.sort(key=lambda one: (one.mode != FOLDER, one.name.casefold(), one.name))
    pages = max(1, -(-len(entries) // A_PAGE))
    page = min(max(page, 1), pages)
    shown = entries[(page - 1) * A_PAGE : page * A_PAGE]
    return CodeFolder(
        entries=tuple(_entries(project, shown)), total=len(entries), page=page, pages=pages
    )


def _entries(project: Project, entries: Sequence[TreeEntry]) -> Iterable[CodeEntry]:
    sized = [one.oid for one in entries if one.mode not in (FOLDER, SUBMODULE)]
    sizes = blob_sizes(project.repository.git, sized)
    return [
        CodeEntry(name=one.name, kind=_kind(one.mode), oid=one.oid, size=sizes.get(one.oid))
        for one in entries
    ]


def _kind(mode: int) -> str:
    known = {FOLDER: "folder", SUBMODULE: "submodule", LINK: "link"}
    return known.get(mode, "program" if mode & _EXECUTABLE else "file")

"""The manifest pages of a dataset as a git tree of a record (FORMAT.md section "Manifests")."""

from collections.abc import Callable, Iterator
from typing import Self

from repro.errors import DamagedRecordError
from repro.model.manifest import (
    MOST,
    PAGE,
    VOUCHERS,
    DataFacts,
    FileEntry,
    FolderEntry,
    LinkEntry,
    Page,
    by_name,
    decode_name,
    depth_of,
    encode_name,
    format_page,
    format_vouchers,
    is_inner_link,
    join_path,
    parse_page,
    total_of,
)
from repro.model.text import escape
from repro.store.hashing import digest_bytes
from repro.store.objects import FOLDER, Objects, TreeEntry, read_tree
from repro.store.quarantine import Existing

PageOf = Callable[[str], Page]
"""Gives the page of a folder by its path relative to the top of its dataset, empty for the top."""

_TREE_MODE = "040000"
_LARGEST_PAGE = 2 << 30  # bytes; 64 MiB hold some 900,000 files


_EMPTY = digest_bytes(b"")  # of an empty folder, and of an empty file

ReadPage = Callable[[str], tuple[bytes, bytes]]
"""Gives the text of a page, and that of its sha256 lines, by the path of the folder."""


class CheckedPages:
    """The pages of a dataset from elsewhere, each checked against what its parent says of it.

    Attributes:
        digest: Of the top page, or of the one file; 32 hex digits.
        is_file: Whether the dataset is one file.
    """

    def __init__(self, read: ReadPage, *, digest: str, is_file: bool) -> None:
        self.digest = digest
        self._read = read
        self.is_file = is_file
        self._claims: dict[str, FolderEntry] = {}

    @classmethod
    def of(cls, page_of: PageOf, *, digest: str, is_file: bool) -> Self:
        """Check pages that are values already."""

        def read(path: str) -> tuple[bytes, bytes]:
            page = page_of(path)
            return format_page(page), format_vouchers(page)

        return cls(read, digest=digest, is_file=is_file)

    def __call__(self, path: str) -> Page:
        """The page of a folder, empty for the top; what holds it must have been read before.

        Raises:
            DamagedRecordError: It is missing, is not what its parent says, or would do harm.
        """
        raw, vouchers = self._read(path)
        page = parse_page(raw, vouchers, where=path or ".")
        self._check(path, raw, page)
        for entry in page:
            if isinstance(entry, FolderEntry):
                self._claims[join_path(path, entry.name)] = entry
            elif isinstance(entry, LinkEntry) and not is_inner_link(entry.target, depth_of(path)):
                raise _damaged(path, f"its link `{entry.name}` leads out of the dataset")
        return page

    def _check(self, path: str, raw: bytes, page: Page) -> None:
        total = total_of(page)
        if max(total.files, total.folders) > MOST:
            raise _damaged(path, f"it claims to hold more than {MOST:,} files")
        if path:
            claim = self._claims[path]
            if digest_bytes(raw) != claim.digest or total != claim[2:]:
                raise _damaged(path, "its page is not the one that the page above it names")
        elif not is_top(raw, page, self.digest, is_file=self.is_file):
            raise _damaged(path, "its page is not the one that the record names")


class RecordedPages(CheckedPages):
    """The pages of a dataset in a record, read on demand."""

    def __init__(self, objects: Objects, tree: str, *, digest: str, is_file: bool) -> None:
        """Read nothing yet.

        Args:
            tree: Object id of the tree `data/<name>` of the record.
        """
        super().__init__(self._read_tree, digest=digest, is_file=is_file)
        self._objects = objects
        self._trees: dict[str, str] = {"": tree}

    def tree_of(self, path: str) -> str:
        """Object id of the tree of a folder; what holds it must have been read before.

        Raises:
            DamagedRecordError: There is none.
        """
        if path not in self._trees:
            raise _damaged(path, "its page is missing")
        return self._trees[path]

    def _read_tree(self, path: str) -> tuple[bytes, bytes]:
        entries = read_tree(self._objects, self.tree_of(path))
        for entry in entries.values():
            if entry.mode == FOLDER:
                self._trees[join_path(path, decode_name(entry.name))] = entry.oid
        page, vouchers = (self._read_file(entries, name, path) for name in (PAGE, VOUCHERS))
        if page is None:
            raise _damaged(path, "its page is missing")
        return page, vouchers or b""

    def _read_file(self, entries: dict[str, TreeEntry], name: str, path: str) -> bytes | None:
        entry = entries.get(name)
        if entry is None:
            return None
        kind, data = self._objects.read(entry.oid, limit=_LARGEST_PAGE)
        if kind != "blob":
            raise _damaged(path, f"`{name}` is no file")
        return data


def open_recorded_pages(
    objects: Objects, folder: str | None, name: str, facts: DataFacts
) -> RecordedPages:
    """Give the pages of a dataset in a record.

    Args:
        folder: Object id of the record's tree `data/`, None where it has none.
        facts: What `data.json` says of the dataset.

    Raises:
        DamagedRecordError: They are missing.
    """
    tree = read_tree(objects, folder).get(encode_name(name)) if folder else None
    if tree is None:
        raise DamagedRecordError(f"the record has no manifest of the dataset `{escape(name)}`")
    digest = facts.digest.removeprefix("xxh3:")
    return RecordedPages(objects, tree.oid, digest=digest, is_file=facts.is_file)


def is_top(raw: bytes, page: Page, digest: str, *, is_file: bool) -> bool:
    """Whether a page, with its text, is the top of the dataset that has this digest."""
    if not is_file:
        return digest_bytes(raw) == digest
    return len(page) == 1 and isinstance(page[0], FileEntry) and page[0].digest == digest


def _damaged(path: str, reason: str) -> DamagedRecordError:
    return DamagedRecordError(
        f"the manifest of `{escape(path or '.')}` is damaged: {escape(reason)}",
        hint="`git fsck` says which objects are; another clone may have them",
    )


def iter_pages(page_of: PageOf) -> Iterator[tuple[str, Page]]:
    """Give all pages of a dataset with the paths of their folders, each before those inside."""
    waiting = [""]
    while waiting:
        path = waiting.pop()
        page = page_of(path)
        yield path, page
        inner = [entry.name for entry in page if isinstance(entry, FolderEntry)]
        waiting += [join_path(path, name) for name in reversed(inner)]


def pages_as_files(
    folder: str, digest: str, page_of: PageOf, held: RecordedPages | None, *, is_kept: bool = False
) -> dict[str, bytes | Existing]:
    """Give what a commit must hold under `folder` for the pages of a dataset.

    Args:
        digest: Of the top page; each page below is checked against what its parent says.
        is_kept: Whether each file must have its sha256.
        held: The same dataset in an earlier record: folders that are equal there are not
            written again.

    Raises:
        DamagedRecordError: A page is not the one that its parent names: it changed meanwhile.
    """
    # The digest of one file says neither its name nor whether it is executable.
    if held is not None and held.digest == digest and not held.is_file and digest != _EMPTY:
        return {folder: Existing(_TREE_MODE, held.tree_of(""))}
    files: dict[str, bytes | Existing] = {}
    waiting: list[tuple[str, str, bool]] = [("", digest, held is not None)]
    while waiting:
        path, expected, is_held = waiting.pop()
        page = page_of(path)
        raw = _own_text(page, path, expected, is_kept=is_kept)
        before = by_name(held(path)) if held is not None and is_held else {}
        place = "/".join([folder, *map(encode_name, path.split("/"))]) if path else folder
        files[f"{place}/{PAGE}"] = raw
        vouchers = format_vouchers(page)
        if vouchers:
            files[f"{place}/{VOUCHERS}"] = vouchers
        for entry in page:
            if isinstance(entry, FolderEntry):
                child = join_path(path, entry.name)
                if held is not None and before.get(entry.name) == entry:
                    oid = held.tree_of(child)
                    files[f"{place}/{encode_name(entry.name)}"] = Existing(_TREE_MODE, oid)
                else:
                    was_folder = isinstance(before.get(entry.name), FolderEntry)
                    waiting.append((child, entry.digest, was_folder))
    return files


def iter_texts(
    page_of: PageOf, digest: str, *, is_kept: bool
) -> Iterator[tuple[str, bytes, bytes]]:
    """Give the text of each page of our own, and that of its sha256 lines, by the folder's path.

    Args:
        digest: Of the top page, or of the one file.
        is_kept: Whether each file must have its sha256.

    Raises:
        DamagedRecordError: A page is not the one that its parent names: it changed meanwhile.
    """
    waiting = [("", digest)]
    while waiting:
        path, expected = waiting.pop()
        page = page_of(path)
        yield path, _own_text(page, path, expected, is_kept=is_kept), format_vouchers(page)
        inner = [entry for entry in page if isinstance(entry, FolderEntry)]
        waiting += [(join_path(path, entry.name), entry.digest) for entry in reversed(inner)]


def _own_text(page: Page, path: str, expected: str, *, is_kept: bool) -> bytes:
    # Another process that measures the same dataset without keeping it writes to the same cache.
    if is_kept and any(isinstance(one, FileEntry) and one.sha256 is None for one in page):
        raise _damaged(path, "not all of its files are kept")
    raw = format_page(page)
    if digest_bytes(raw) != expected and (path or not is_top(raw, page, expected, is_file=True)):
        raise _damaged(path, "it changed while it was being recorded")
    return raw

"""Whether the manifest of a dataset from elsewhere is sound: all its pages, each once."""

from collections.abc import Callable, Mapping

from repro.errors import DamagedRecordError
from repro.model.manifest import (
    MOST,
    PAGE,
    VOUCHERS,
    DataFacts,
    FolderEntry,
    LinkEntry,
    Page,
    Total,
    encode_name,
    is_inner_link,
    join_path,
    parse_page,
    total_of,
)
from repro.model.text import escape
from repro.store.hashing import digest_bytes
from repro.store.objects import FOLDER, Objects, TreeEntry, read_tree
from repro.store.pages import is_top

LARGEST_PAGE = 64 << 20  # bytes; some 900,000 files in one folder, which take 500 MB to look at
# A dozen small pages, each with ten times the one below it, are a billion folders; nobody who has
# a million files has each of them a hundred times.
_MANY = 1_000_000
_MOST_REPEATED = 100

_Claim = tuple[str, Total]  # digest, and how much is said to be in it


class PageCheck:
    """Looks at the pages of datasets, and at each one once, however many runs have it."""

    def __init__(self, objects: Objects, *, is_known: Callable[[str], bool]) -> None:
        """Look at nothing yet.

        Args:
            is_known: Whether a tree below the top of a dataset need not be looked at.
        """
        self._objects = objects
        self._is_known = is_known
        self._sound: set[tuple[str, DataFacts]] = set()

    def check(self, tree: str, name: str, facts: DataFacts) -> None:
        """Look at all pages of a dataset.

        Args:
            tree: Object id of `data/<name>` of the record.
            facts: What `data.json` says of it.

        Raises:
            DamagedRecordError: One is missing, is not what the page above it names, or would do
                harm.

        Cost: reading each page that was not seen before.
        """
        if (tree, facts) in self._sound:
            return
        digest = facts.digest.removeprefix("xxh3:")
        page, entries = self._read(tree, name)
        total = total_of(page)
        if not is_top(entries.text, page, digest, is_file=facts.is_file):
            raise _damaged(name, "its page is not the one that the record names")
        if (total.files, total.size) != (facts.files, facts.size):
            raise _damaged(name, "its page does not hold as much as the record says")
        n_lines = self._check_below(page, entries.trees, name)
        if n_lines is not None and total.files + total.folders > max(
            _MANY, n_lines * _MOST_REPEATED
        ):
            raise _damaged(
                name, f"it claims {total.files + total.folders:,} files in {n_lines:,} lines"
            )
        self._sound.add((tree, facts))

    def _check_below(self, top: Page, trees: Mapping[str, str], name: str) -> int | None:
        """How many lines the distinct pages have; None where some were known before."""
        n_lines: int | None = len(top)
        seen: set[tuple[str, _Claim, int]] = set()
        waiting = [(name, top, trees, 0)]
        while waiting:
            path, page, inner, depth = waiting.pop()
            _check_entries(page, path, depth)
            for entry in page:
                if not isinstance(entry, FolderEntry):
                    continue
                below = join_path(path, entry.name)
                tree = inner.get(encode_name(entry.name))
                if tree is None:
                    raise _damaged(below, "its page is missing")
                claim = (entry.digest, Total(*entry[2:]))
                if (tree, claim, depth) in seen:
                    continue
                seen.add((tree, claim, depth))
                if self._is_known(tree):
                    n_lines = None
                    continue
                found, parts = self._read(tree, below)
                if digest_bytes(parts.text) != claim[0] or total_of(found) != claim[1]:
                    raise _damaged(below, "its page is not the one that the page above it names")
                n_lines = None if n_lines is None else n_lines + len(found)
                waiting.append((below, found, parts.trees, depth + 1))
        return n_lines

    def _read(self, tree: str, path: str) -> "tuple[Page, _Parts]":
        entries = read_tree(self._objects, tree)
        page, vouchers = (self._read_file(entries, name, path) for name in (PAGE, VOUCHERS))
        if page is None:
            raise _damaged(path, "its page is missing")
        trees = {entry.name: entry.oid for entry in entries.values() if entry.mode == FOLDER}
        return parse_page(page, vouchers or b"", where=path), _Parts(page, trees)

    def _read_file(self, entries: Mapping[str, TreeEntry], name: str, path: str) -> bytes | None:
        entry = entries.get(name)
        if entry is None:
            return None
        kind, data = self._objects.read(entry.oid, limit=LARGEST_PAGE)
        if kind != "blob":
            raise _damaged(path, f"`{name}` is no file")
        return data


class _Parts:
    """The text of a page, and the trees of the folders in it by their encoded names."""

    __slots__ = ("text", "trees")

    def __init__(self, text: bytes, trees: Mapping[str, str]) -> None:
        self.text = text
        self.trees = trees


def _check_entries(page: Page, path: str, depth: int) -> None:
    total = total_of(page)
    if max(total.files, total.folders) > MOST:
        raise _damaged(path, f"it claims to hold more than {MOST:,} files")
    for entry in page:
        if isinstance(entry, LinkEntry) and not is_inner_link(entry.target, depth):
            raise _damaged(path, f"its link `{entry.name[:80]}` leads out of the dataset")


def _damaged(path: str, reason: str) -> DamagedRecordError:
    return DamagedRecordError(
        f"the manifest of `{escape(path)}` is damaged: {escape(reason)}",
        hint="the record was damaged or made to do harm; nothing of it was written",
    )

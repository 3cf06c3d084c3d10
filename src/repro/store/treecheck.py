"""Whether a tree from elsewhere can be laid out as files: its names, modes, links and extent.

What git itself refuses of a tree (names given twice, out of order, a `.gitmodules` that is a link)
is found by `repro.store.newobjects`. Names that only Windows or macOS mistake are no fault: a
repository may hold `aux.py`, or two files that differ in case. Neither is a link that leads
elsewhere, such as `data -> /mnt/data`: a checkout makes the link, and nobody writes through it.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from repro.errors import DamagedRecordError
from repro.model.paths import LONGEST_PATH, find_name_fault, show_path
from repro.store.git import Git
from repro.store.objects import FOLDER, SUBMODULE, Objects, TreeEntry, parse_tree

MOST_FILES = 2_000_000  # the largest repositories known have some 500,000
LARGEST_FILE = 1 << 30  # bytes; git holds a file whole to check it out, and hosts take 100 MB
LARGEST_TREE = 16 << 30  # bytes of all files; a few objects of zeros can claim any number
LARGEST_FOLDER = 16 << 20  # bytes of one tree object, some 400,000 names
DEEPEST = 256  # folders in folders; CPython, which reads them, allows 1,000, and paths 2,048

LINK = 0o120000
_FILES = {0o100644, 0o100755, 0o100664}  # the last is that of the first years of git
_MODES = {*_FILES, LINK, FOLDER, SUBMODULE}
# No rule of `find_name_fault` forbids such a name: nearly all are so, and this is ten times faster.
_PLAIN = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.+-]{0,200}(?<!\.)\Z")


@dataclass(frozen=True, slots=True)
class TreeFacts:
    """What laying out a tree would write.

    Attributes:
        files: Files, links and submodules in it and below.
        special: How many of them are links or submodules.
        size: Bytes of the files.
        depth: Folders above the deepest file, its own included.
        longest: Bytes of the longest path.
        fault: What forbids it, in words that follow its path; None where nothing does.
        place: Path of what has the fault, relative to the tree; empty for itself.
    """

    files: int = 0
    special: int = 0
    size: int = 0
    depth: int = 0
    longest: int = 0
    fault: str | None = None
    place: str = ""


_Frame = tuple[str, Iterator[TreeEntry], list[TreeEntry]]  # a tree, what is left to enter, all


class TreeCheck:
    """Looks at trees, and at each one once, however many runs have it."""

    def __init__(
        self,
        objects: Objects,
        *,
        size_of: Callable[[str], int | None],
        is_known: Callable[[str], bool] = lambda _: False,
        is_away: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """Look at nothing yet.

        Args:
            size_of: Bytes of a file by its object id; None where that is not known beforehand.
            is_known: Whether a tree need not be looked at, by its object id.
            is_away: Whether an object that cannot be read is only not here, which is no fault.
        """
        self._objects = objects
        self._size_of = size_of
        self._is_known = is_known
        self._is_away = is_away
        self._seen: dict[str, TreeFacts] = {}

    def check(self, oid: str, name: str) -> TreeFacts:
        """Look at the tree `oid` and all below it.

        Args:
            name: What to call it in an error.

        Raises:
            DamagedRecordError: It cannot be laid out; the message names path and reason.

        Cost: reading each tree that was not seen before, and each link in it.
        """
        facts = self._walk(oid)
        if facts.fault is not None:
            path = f"`{show_path(facts.place)}` in {name}" if facts.place else name
            raise DamagedRecordError(
                f"{path} {facts.fault}",
                hint="the run was damaged or made to do harm; nothing of it was written",
            )
        return facts

    def _walk(self, oid: str) -> TreeFacts:
        """The facts of a tree, those inside of it first; without recursion, for it may be deep."""
        stack: list[_Frame] = []
        self._enter(oid, stack)
        while stack:
            current, waiting, entries = stack[-1]
            inner = next((one for one in waiting if one.oid not in self._seen), None)
            if inner is None:
                stack.pop()
                self._seen[current] = self._sum_up(entries)
            else:
                self._enter(inner.oid, stack)
        return self._seen[oid]

    def _enter(self, oid: str, stack: list[_Frame]) -> None:
        if oid in self._seen:
            return
        if self._is_known(oid):
            self._seen[oid] = TreeFacts(files=1)
            return
        found = self._read(oid)
        if isinstance(found, str):
            self._seen[oid] = TreeFacts(fault=found)
            return
        folders = (entry for entry in found if entry.mode == FOLDER)
        # A folder inside of itself would need a broken hash; it must not hang us either.
        self._seen[oid] = TreeFacts(fault="holds itself")
        stack.append((oid, folders, found))

    def _read(self, oid: str) -> list[TreeEntry] | str:
        """The entries of a tree; or what is wrong with it."""
        limit = f"a folder with more than {LARGEST_FOLDER >> 20} MiB of names"
        if (self._size_of(oid) or 0) > LARGEST_FOLDER:
            return f"is {limit}"
        try:
            kind, payload = self._objects.read(oid, limit=LARGEST_FOLDER)
        except DamagedRecordError:
            return [] if self._is_away(oid) else f"is missing, or {limit}"
        if kind != "tree":
            return f"is no folder but a {kind}"
        try:
            return parse_tree(payload, len(oid) // 2)
        except DamagedRecordError:
            return "is a folder that git cannot read"

    def _sum_up(self, entries: Sequence[TreeEntry]) -> TreeFacts:
        files = special = size = depth = longest = 0
        for entry in entries:
            facts = self._seen[entry.oid] if entry.mode == FOLDER else self._look(entry)
            fault = _find_fault(entry)
            if fault is not None:
                return TreeFacts(fault=fault, place=entry.name)
            if facts.fault is not None:
                place = f"{entry.name}/{facts.place}" if facts.place else entry.name
                return TreeFacts(fault=facts.fault, place=place)
            n_bytes = len(entry.name.encode(errors="surrogateescape"))
            files += facts.files
            special += facts.special
            size += facts.size
            depth = max(depth, facts.depth + 1)
            longest = max(longest, n_bytes + 1 + facts.longest if facts.longest else n_bytes)
        fault = _find_excess(files, size, depth, longest)
        if fault is not None:
            return TreeFacts(fault=fault)
        if collision := _find_collision(entries):
            return TreeFacts(
                fault="is a link, and differs only in case from a folder", place=collision
            )
        return TreeFacts(files, special, size, depth, longest)

    def _look(self, entry: TreeEntry) -> TreeFacts:
        """The facts of what is no folder."""
        if entry.mode == LINK:
            return TreeFacts(files=1, special=1, fault=self._find_link_fault(entry.oid))
        if entry.mode == SUBMODULE:
            return TreeFacts(files=1, special=1)
        size = self._size_of(entry.oid)
        if size is not None and size > LARGEST_FILE:
            fault = f"has {size:,} bytes, more than the limit of {LARGEST_FILE:,}"
            return TreeFacts(files=1, fault=fault)
        return TreeFacts(files=1, size=size or 0)

    def _find_link_fault(self, oid: str) -> str | None:
        try:
            kind, target = self._objects.read(oid, limit=LONGEST_PATH)
        except DamagedRecordError:
            if self._is_away(oid):
                return None
            return f"is a link that is missing, or longer than {LONGEST_PATH:,} bytes"
        if kind != "blob" or not target or len(target) > LONGEST_PATH - 1 or b"\0" in target:
            return "is a link to what no path can be"
        return None


def _find_fault(entry: TreeEntry) -> str | None:
    if entry.mode not in _MODES:
        return f"has the mode {entry.mode:o}, which is none of a file, link or folder"
    if _PLAIN.match(entry.name):
        return None
    if "/" in entry.name:
        return "is one name with a slash in it"
    return find_name_fault(entry.name)


def _find_excess(files: int, size: int, depth: int, longest: int) -> str | None:
    if depth > DEEPEST:
        return f"has {depth:,} folders in each other, more than the limit of {DEEPEST}"
    if files > MOST_FILES:
        return f"holds {files:,} files, more than the limit of {MOST_FILES:,}"
    if size > LARGEST_TREE:
        return f"holds {size:,} bytes, more than the limit of {LARGEST_TREE:,}"
    if longest > LONGEST_PATH:
        return f"holds a path of {longest:,} bytes, more than the limit of {LONGEST_PATH:,}"
    return None


def _find_collision(entries: Sequence[TreeEntry]) -> str | None:
    """A link that a disk which knows no case takes for a folder: what is in it goes elsewhere."""
    links = {_folded(entry.name): entry.name for entry in entries if entry.mode == LINK}
    if not links:
        return None
    folders = (_folded(entry.name) for entry in entries if entry.mode == FOLDER)
    return next((links[name] for name in folders if name in links), None)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def find_large(git: Git, tree: str) -> str | None:
    """What of a tree whose files were counted is too large to lay out; None where nothing is.

    Args:
        tree: Object id; where a part of it is missing, nothing is found.
    """
    done = git.run("ls-tree", "-r", "-l", "-z", "--full-tree", tree, ok=(0, 1, 128))
    if done.code != 0:
        return None
    total = 0
    for line in done.out.split(b"\0")[:-1]:
        facts, _, path = line.partition(b"\t")
        size = facts.rsplit(b" ", 1)[-1]
        if not size.isdigit():
            continue
        total += int(size)
        if int(size) > LARGEST_FILE:
            shown = show_path(path.decode(errors="surrogateescape"))
            return f"`{shown}` has {int(size):,} bytes, more than the limit of {LARGEST_FILE:,}"
    if total > LARGEST_TREE:
        return f"it holds {total:,} bytes, more than the limit of {LARGEST_TREE:,}"
    return None

"""Which entries of the content store anything still names: rather too many than one too few."""

import mmap
import os
import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from repro.core.project import Project
from repro.errors import DamagedRecordError, InvalidInputError
from repro.model.text import escape
from repro.store.content import ContentStore
from repro.store.git import Repository, split_names
from repro.store.lfs import find_pointers, is_used
from repro.store.lockfile import FILE as LOCK
from repro.store.objects import FOLDER, SUBMODULE, Objects, TreeEntry, open_objects, parse_tree
from repro.store.settings import read_settings
from repro.store.statcache import FILE as STAT_FILE
from repro.store.statcache import StatCache

_WORD = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_RECORDS = "refs/repro"
_LARGEST = 2 << 30  # bytes of a blob that may name entries
# What only runs and undo entries have at their top, as it stands in a tree object.
_MARKS = tuple(f" {name}\0".encode() for name in ("run.json", "undo.json", "start.json"))
# Names, at the top of a record, of folders whose files were written by the user, not by repro.
_FOREIGN = ("artifacts", "editables", "environment", "media", "submodules", "raw", "worktree")
_TELLS_NOTHING = (".csv", ".page")  # how the names of files end that never name an entry
DAMAGED = "damaged"  # the folder of the content store for what was set aside

Words = set[bytes]
"""Digests of 64 hex digits, whether there is such an entry or not."""


def find_needed(project: Project, *, without: Collection[str] = ()) -> Words:
    """Give what anything names that could need it.

    That is: each word of 64 hex digits in what repro wrote into the commits that any ref below
    `refs/repro/` reaches; in each version of `repro.lock` that any ref, HEAD, reflog, index or
    working tree of any worktree has; and in the manifests these name. Besides, the large files
    of git-lfs in the snapshots, and what the stat cache says of datasets that are kept now.

    Args:
        without: Refs below `refs/repro/` that shall count as if they were gone already.

    Raises:
        DamagedRecordError: Something cannot be read that might name entries.
        InvalidInputError: The `repro.yaml` or `repro.lock` of a worktree cannot be read.
        GitError: git cannot list the history.

    Cost: one walk through the history; reads each record and manifest once.
    """
    roots = list_worktrees(project.repository)
    objects = open_objects(project.repository, many=True)
    try:
        found = _record_words(project, objects, without)
        pinned = _committed_words(project, objects) | _present_words(project, objects, roots)
    finally:
        objects.close()
    found |= pinned | _manifest_words(ContentStore(project.store), pinned)
    found |= _cached_words(project, roots)
    if is_used(project.repository):
        # What stands for a tree may be all that these refs reach.
        pointers = find_pointers(project.repository, f"--glob={_RECORDS}", ())
        found |= {pointer.oid.encode() for pointer in pointers}
    return found


def find_pinned_now(project: Project) -> Words:
    """Give what the working trees and indexes pin at this moment; a part of `find_needed`."""
    roots = list_worktrees(project.repository)
    objects = open_objects(project.repository, many=False)
    try:
        pinned = _present_words(project, objects, roots)
    finally:
        objects.close()
    return pinned | _manifest_words(ContentStore(project.store), pinned)


def list_worktrees(repository: Repository) -> list[Path]:
    """The tops of all working trees of a repository.

    Raises:
        DamagedRecordError: One is not there: its disk may not be mounted.
    """
    has_nul = repository.git.version >= (2, 36)
    listed = repository.git.text("worktree", "list", "--porcelain", *(["-z"] if has_nul else []))
    roots = {repository.root: None}
    for block in re.split("\0\0|\n\n", listed.strip("\0\n")):
        lines = re.split("[\0]" if has_nul else "\n", block)
        root = Path(lines[0].removeprefix("worktree "))
        # git takes the git folder of a submodule for its main worktree.
        if "bare" in lines or root.is_relative_to(repository.common_dir):
            continue
        if not (root / ".git").exists():
            raise DamagedRecordError(
                f"the worktree `{escape(str(root))}` is not there, and may pin kept bytes",
                hint="mount its disk, or let `git worktree prune` forget it",
            )
        roots[root] = None
    configured = repository.git.run("config", "--get", "core.worktree", ok=(0, 1)).out
    if configured:
        path = os.fsdecode(configured).removesuffix("\n")
        roots[(repository.common_dir / path).resolve()] = None
    return list(roots)


def _record_words(project: Project, objects: Objects, without: Collection[str]) -> Words:
    words: Words = set()
    for _, data in _read_all(objects, _record_blobs(project, objects, without)):
        words.update(_WORD.findall(data))
    return words


def _record_blobs(project: Project, objects: Objects, without: Collection[str]) -> list[str]:
    """Object ids of the files of records that may name entries, each once."""
    git = project.repository.git
    # Not the objects themselves, of which git tells one name each: a file of the user's may
    # have the very bytes, and so the object id, of one of a record.
    listed = git.text("for-each-ref", "--format=%(refname) %(objectname) %(tree)", f"{_RECORDS}/")
    refs = [line.split(" ") for line in listed.split("\n") if line]
    refs = [parts for parts in refs if parts[0] not in without]
    wanted = "".join(f"{parts[1]}\n" for parts in refs).encode()
    words = ("rev-list", "--no-commit-header", "--format=%T", "--stdin")
    commits = git.run(*words, stdin=wanted).out.decode() if wanted else ""
    tips = {parts[2] for parts in refs}
    found = _Found()
    for oid, data in _read_all(objects, dict.fromkeys(commits.split())):
        if oid in tips or any(mark in data for mark in _MARKS):
            for entry in parse_tree(data, len(oid) // 2):
                found.add_top(entry)
    for entry in _entries(objects, found.trees):
        if entry.name == LOCK:
            found.add(entry)
    while found.folders:
        level, found.folders = found.folders, []
        for entry in _entries(objects, level):
            found.add(entry)
    return found.blobs


def _entries(objects: Objects, trees: Iterable[str]) -> Iterator[TreeEntry]:
    for oid, data in _read_all(objects, trees):
        yield from parse_tree(data, len(oid) // 2)


class _Found:
    """What is still to be looked at.

    Attributes:
        trees: Whole working trees, of which only `repro.lock` counts.
    """

    def __init__(self) -> None:
        self.blobs: list[str] = []
        self.folders: list[str] = []
        self.trees: list[str] = []
        self._seen: set[str] = set()

    def add_top(self, entry: TreeEntry) -> None:
        """Take what stands at the top of a record."""
        if entry.name == "worktree" and entry.mode == FOLDER:
            self.trees.append(entry.oid)
        elif entry.name not in _FOREIGN:
            self.add(entry)

    def add(self, entry: TreeEntry) -> None:
        """Take what may name entries, or holds what may, if it was not seen before."""
        if entry.mode == SUBMODULE or entry.oid in self._seen:
            return
        if entry.mode == FOLDER:
            self.folders.append(entry.oid)
        elif not entry.name.endswith(_TELLS_NOTHING):
            self.blobs.append(entry.oid)
        else:
            return
        self._seen.add(entry.oid)


def _read_all(objects: Objects, oids: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Give each object with its content.

    Raises:
        DamagedRecordError: One cannot be read.
    """
    listed = list(oids)
    for oid, answer in zip(listed, objects.read_many(listed), strict=True):
        try:
            yield oid, (answer or objects.read(oid, limit=_LARGEST))[1]
        except DamagedRecordError as error:
            raise DamagedRecordError(
                f"what {error.message.removeprefix('what ')} would need is not known",
                hint="`git fsck` says which objects are wrong; another clone may have them",
            ) from error


def _committed_words(project: Project, objects: Objects) -> Words:
    """What any version of `repro.lock` in the history names."""
    # With the full history, for else git passes over branches that a merge took nothing from.
    words = ("rev-list", "--all", "--reflog", "--full-history", "--objects", "--", LOCK)
    listed = (line.partition(" ") for line in project.repository.git.text(*words).split("\n"))
    blobs = dict.fromkeys(oid for oid, _, path in listed if path == LOCK)
    return {word for _, data in _read_all(objects, blobs) for word in _WORD.findall(data)}


def _present_words(project: Project, objects: Objects, roots: Iterable[Path]) -> Words:
    """What `repro.lock` names in working trees and indexes, conflicts of a merge included."""
    found: Words = set()
    for root in roots:
        try:
            found.update(_WORD.findall((root / LOCK).read_bytes()))
        except FileNotFoundError:
            pass
        except OSError as error:
            raise InvalidInputError(
                f"cannot read `{escape(str(root / LOCK))}`: {error.strerror}",
                hint="mend its permissions",
            ) from error
        staged = project.repository.git.run("ls-files", "-s", "-z", "--", LOCK, cwd=root).out
        oids = [line.split(" ")[1] for line in split_names(staged)]
        for _, data in _read_all(objects, dict.fromkeys(oids)):
            found.update(_WORD.findall(data))
    return found


def _manifest_words(content: ContentStore, pinned: Iterable[bytes]) -> Words:
    """What manifests name that are here.

    Raises:
        DamagedRecordError: One is damaged, or was and has been set aside.
    """
    found: Words = set()
    aside = {path.name[:64] for path in _list(content.dir / DAMAGED)}
    for word in pinned:
        digest = f"sha256:{word.decode()}"
        if content.has(digest):
            with content.open(digest) as file:
                if os.fstat(file.fileno()).st_size:
                    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                        found.update(_WORD.findall(data))
        elif word.decode() in aside:
            raise DamagedRecordError(
                f"`{digest}`, which repro.lock names, was damaged and set aside",
                hint="`repro data pull` brings a sound copy, `repro data add` writes it anew",
            )
    return found


def _list(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _cached_words(project: Project, roots: Iterable[Path]) -> Words:
    """What the stat cache says of kept datasets: a run believes it without looking."""
    cache = StatCache(project.repository.private / STAT_FILE)
    try:
        return {
            file.sha256.encode()
            for root in roots
            for entry in read_settings(root).data.values()
            if entry.keep
            for top in [os.path.normpath(root / entry.path)]
            for folder in [top, *cache.folders(top)]
            for file in cache.files(folder)
            if file.sha256 is not None
        }
    finally:
        cache.close()

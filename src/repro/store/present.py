"""The present state of a working tree, beside HEAD and beside a tree that is to take its place."""

import os
import shutil
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from repro.errors import DamagedRecordError
from repro.model.paths import validate_path
from repro.store.git import Git, Repository, join_names
from repro.store.leftout import Limits
from repro.store.objects import open_objects
from repro.store.quarantine import Quarantine
from repro.store.snapshot import take_snapshot
from repro.store.status import WorkingTree

SUBMODULE = "160000"
_IGNORE_FILE = ".gitignore"
_FILE_MODES = {"100644", "100755"}


@dataclass(frozen=True, slots=True)
class Entry:
    """What a tree says of a path."""

    mode: str
    oid: str


@dataclass(frozen=True, slots=True)
class TreeChange:
    """A path at which two trees differ; None where one of them has nothing."""

    path: str
    old: Entry | None
    new: Entry | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """The working tree as a tree in the quarantine, compared with the tree that is to come.

    Attributes:
        working: What git said about the working tree.
        branch: Full name of the branch that HEAD names, None when it is detached.
        tree: Tracked and untracked files, with those of `taken`.
        index: A private index that matches `tree`; never a split one.
        is_indexed: Whether the user's own index matches `tree` as well.
        taken: Ignored and left-out files that stand where the tree to come needs room.
        blocked: What stands in its way but no tree can hold: repositories, devices, sockets.
        left: Untracked files that are in nobody's way; they are left where they are.
        changes: From `tree` to the tree that is to come.
        submodules: As in a snapshot.
    """

    working: WorkingTree
    branch: str | None
    tree: str
    index: Path
    is_indexed: bool
    taken: tuple[str, ...]
    blocked: tuple[str, ...]
    left: tuple[str, ...]
    changes: tuple[TreeChange, ...]
    submodules: Mapping[str, str]


def empty_tree(git: Git) -> str:
    """The object id of the tree without files, in the object format at hand."""
    return git.run("hash-object", "-t", "tree", "--stdin", stdin=b"").out.decode().strip()


def diff_trees(
    git: Git, old: str, new: str, *, env: Mapping[str, str] | None = None
) -> tuple[TreeChange, ...]:
    """Every file, link and submodule at which two trees differ, sorted by path.

    Cost: reads only the folders that differ.
    """
    if old == new:
        return ()
    words = ("diff-tree", "-r", "-z", "--no-renames", "--raw", "--no-abbrev")
    return tuple(_parse_raw(git.paths(*words, old, new, env=env)))


def _parse_raw(fields: Sequence[str]) -> Iterable[TreeChange]:
    for facts, path in zip(fields[::2], fields[1::2], strict=True):
        old_mode, new_mode, old_oid, new_oid, _ = facts.removeprefix(":").split(" ")
        yield TreeChange(path, _entry(old_mode, old_oid), _entry(new_mode, new_oid))


def _entry(mode: str, oid: str) -> Entry | None:
    return None if mode == "000000" else Entry(mode, oid)


def capture_present(
    repository: Repository,
    quarantine: Quarantine,
    target: str,
    *,
    limits: Limits,
    also: Iterable[str] = (),
) -> Present:
    """Write the working tree into the quarantine, with all that the tree `target` would replace.

    What `limits` leaves out, and what git ignores, is left where it is unless it is in the way.

    Args:
        also: Paths that belong to the state even where git ignores the files.
    """
    git = repository.git
    snapshot = take_snapshot(repository, quarantine, limits)
    index = snapshot.index or quarantine.dir / "present-index"
    if snapshot.index is None:
        copy_index(repository, index)
    ref = git.run("symbolic-ref", "--quiet", "HEAD", ok=(0, 1)).out
    present = Present(
        working=snapshot.working,
        branch=os.fsdecode(ref).strip() or None,
        tree=snapshot.tree,
        index=index,
        is_indexed=snapshot.index is None,
        taken=(),
        blocked=(),
        left=(),
        changes=diff_trees(git, snapshot.tree, target, env=quarantine.env),
        submodules=snapshot.submodules,
    )
    taken, blocked = _find_in_the_way(repository.root, present.changes)
    taken += [path for path in also if path not in taken and _is_plain_file(repository.root, path)]
    present = replace(present, blocked=tuple(blocked))
    if taken:
        present = _take(repository, quarantine, target, present, taken)
    if is_split(repository) and index.exists():
        _join_index(git, index)  # where the setting is on, each git process splits it again
    return replace(present, left=tuple(_left(git, quarantine, present)))


def _take(
    repository: Repository, quarantine: Quarantine, target: str, present: Present, taken: list[str]
) -> Present:
    git = repository.git
    env = {**quarantine.env, "GIT_INDEX_FILE": str(present.index)}
    quarantine.expect(sum(os.lstat(repository.root / path).st_size for path in taken))
    words = ("-c", "core.splitIndex=false", "update-index", "--add", "--replace", "-z", "--stdin")
    git.run(*words, stdin=join_names(taken), env=env)
    tree = git.text("write-tree", "--missing-ok", env=env)
    return replace(
        present,
        tree=tree,
        is_indexed=False,
        taken=tuple(sorted(taken)),
        changes=diff_trees(git, tree, target, env=quarantine.env),
    )


def _left(git: Git, quarantine: Quarantine, present: Present) -> Iterable[str]:
    """The untracked files that `present.tree` does not hold."""
    base = present.working.base_tree or empty_tree(git)
    held = {change.path for change in diff_trees(git, base, present.tree, env=quarantine.env)}
    held |= {change.path for change in present.working.changes}
    held |= set(present.taken)
    return (path for path in present.working.untracked if path not in held)


def _find_in_the_way(root: Path, changes: Sequence[TreeChange]) -> tuple[list[str], list[str]]:
    """Files that stand where a path is to appear, and what no tree can hold there."""
    known = {change.path for change in changes if change.old is not None}
    files: dict[str, None] = {}
    blocked: dict[str, None] = {}
    for change in changes:
        if change.new is None or change.old is not None:
            continue
        for path in _standing(root, change.path, is_submodule=change.new.mode == SUBMODULE):
            if path not in known:
                (files if _is_plain_file(root, path) else blocked)[path] = None
    return list(files), list(blocked)


def _standing(root: Path, path: str, *, is_submodule: bool) -> Iterable[str]:
    """What must go before `path` can be made: one of its parents, itself, or all inside it."""
    parts = path.split("/")
    for depth in range(1, len(parts) + 1):
        name = "/".join(parts[:depth])
        try:
            status = os.lstat(root / name)
        except (FileNotFoundError, NotADirectoryError):
            return
        if not stat.S_ISDIR(status.st_mode):
            yield name
            return
    if is_submodule:
        return
    for folder, folders, names in os.walk(root / path):
        inside = os.path.relpath(folder, root)
        if ".git" in folders or ".git" in names:
            yield inside
            folders.clear()
            continue
        links = [name for name in folders if (Path(folder) / name).is_symlink()]
        yield from (f"{inside}/{name}" for name in (*names, *links))


def _is_plain_file(root: Path, path: str) -> bool:
    """Whether git could hold what is at `path`: a readable file or a link, behind no link."""
    if not is_inside(root, path):
        return False
    try:
        mode = os.lstat(root / path).st_mode
    except OSError:
        return False
    return stat.S_ISLNK(mode) or (stat.S_ISREG(mode) and os.access(root / path, os.R_OK))


def is_inside(root: Path, path: str) -> bool:
    """Whether the way from `root` to `path` leads through no symlink."""
    parents = list(Path(path).parents)[:-1]
    return not any((root / parent).is_symlink() for parent in parents)


def copy_index(repository: Repository, target: Path) -> bool:
    """Copy the user's index, times included, and join a split one; whether there was any."""
    source = repository.git_dir / "index"
    try:
        shutil.copy2(source, target)
    except FileNotFoundError:
        return False
    if is_split(repository):
        _join_index(repository.git, target)
    return True


def _join_index(git: Git, index: Path) -> None:
    """Make one file of a split index."""
    words = ("-c", "core.splitIndex=false", "update-index", "--no-split-index")
    git.run(*words, "--force-write-index", env={"GIT_INDEX_FILE": str(index)})


def is_split(repository: Repository) -> bool:
    """Whether the user's index lies in two files."""
    if next(repository.git_dir.glob("sharedindex.*"), None) is None:
        return False
    return bool(repository.git.text("rev-parse", "--shared-index-path"))


def find_outside(repository: Repository, present: Present) -> tuple[str, ...]:
    """Files there are that a sparse checkout would not write, those in its cone among them."""
    if not (repository.git_dir / "info" / "sparse-checkout").exists():
        return ()
    # git shows the bit of a file that stands outside of the cone as cleared, unless told.
    told = ("-c", "sparse.expectFilesOutsideOfPatterns=true")
    shown = set(_skipped(repository.git, *told)) - set(_skipped(repository.git))
    saved = set(present.working.untracked) - set(present.left)
    return tuple(sorted({*shown, *saved, *present.working.skipped}))


def _skipped(git: Git, *config: str) -> Iterable[str]:
    lines = git.paths(*config, "ls-files", "-t", "-z")
    return (line[2:] for line in lines if line.startswith("S "))


@dataclass(frozen=True, slots=True)
class Staged:
    """What the user's index holds that HEAD's tree does not.

    Attributes:
        entries: Path and object of what is staged.
        conflicts: Paths with more than one stage.
        blobs: Every object that only the index names, those of resolved conflicts included.
    """

    entries: tuple[tuple[str, str], ...]
    conflicts: tuple[str, ...]
    blobs: tuple[str, ...]


def read_staged(repository: Repository, working: WorkingTree) -> Staged:
    """Ask the user's index for what only it names."""
    git = repository.git
    stages = git.paths("ls-files", "--unmerged", "-z")
    resolved = git.paths("ls-files", "--resolve-undo", "-z")
    entries: list[tuple[str, str]] = []
    if any(change.code[0] != "." for change in working.changes):
        base = working.base_tree or empty_tree(git)
        words = ("diff-index", "--cached", "-z", "--no-renames", "--raw", "--no-abbrev")
        for change in _parse_raw(git.paths(*words, base)):
            if change.new is not None and change.new.mode != SUBMODULE:
                entries.append((change.path, change.new.oid))
    named = [line.split("\t", 1)[0].split(" ") for line in (*stages, *resolved)]
    extra = [oid for mode, oid, _ in named if mode != SUBMODULE]
    blobs = dict.fromkeys([*(oid for _, oid in entries), *_existing(git, extra)])
    conflicts = dict.fromkeys(line.split("\t", 1)[1] for line in stages)
    return Staged(tuple(entries), tuple(conflicts), tuple(blobs))


def _existing(git: Git, oids: Sequence[str]) -> list[str]:
    """Those of the objects that are there: git prunes the blobs of resolved conflicts."""
    if not oids:
        return []
    asked = "".join(f"{oid}\n" for oid in oids).encode()
    lines = git.run("cat-file", "--batch-check", stdin=asked).out.decode().splitlines()
    return [line.split(" ")[0] for line in lines if not line.endswith(" missing")]


def find_lost(
    repository: Repository,
    quarantine: Quarantine,
    present: Present,
    staged: Staged,
    *,
    known: Sequence[str],
    known_blobs: Iterable[str] = (),
) -> list[str]:
    """Paths whose present bytes would go although no known tree has them there.

    Args:
        known: Trees that stay reachable: that of HEAD, the one to come.
        known_blobs: Objects that are kept otherwise.
    """
    git = repository.git
    trees = [present.working.base_tree or empty_tree(git), *known]
    diffs = [
        {change.path: change for change in diff_trees(git, tree, present.tree, env=quarantine.env)}
        for tree in trees
    ]
    going = {change.path for change in present.changes if change.old is not None}
    lost = {path for path in going if all(path in diff for diff in diffs)}
    kept = set(known_blobs)
    for path, oid in staged.entries:
        found = [diff[path] for diff in diffs if path in diff]
        there = {entry.oid for change in found for entry in (change.old, change.new) if entry}
        if oid not in there and oid not in kept:
            lost.add(path)
    if any(oid not in kept for oid in staged.blobs):
        lost.update(staged.conflicts)
    return sorted(lost)


def find_ignored(
    repository: Repository, quarantine: Quarantine, tree: str, paths: Sequence[str]
) -> set[str]:
    """Those of `paths` that git would ignore if `tree` were checked out."""
    if not paths:
        return set()
    root = quarantine.dir / f"ignore-{tree}"
    _write_ignore_files(repository, tree, root)
    env = {"GIT_DIR": str(repository.git_dir), "GIT_WORK_TREE": str(root)}
    words = ("check-ignore", "--no-index", "-z", "--stdin")
    done = repository.git.run(*words, stdin=join_names(paths), env=env, cwd=root, ok=(0, 1))
    return {os.fsdecode(name) for name in done.out.split(b"\0") if name}


def _write_ignore_files(repository: Repository, tree: str, root: Path) -> None:
    root.mkdir(exist_ok=True)
    objects = open_objects(repository, many=False)
    try:
        for line in repository.git.paths("ls-tree", "-r", "-z", tree):
            facts, path = line.split("\t", 1)
            mode, _, oid = facts.split(" ")
            if path.rpartition("/")[2] == _IGNORE_FILE and mode in _FILE_MODES:
                try:
                    validate_path(path)
                except DamagedRecordError:
                    continue  # git would not check it out either
                target = root / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(objects.read(oid)[1])
    finally:
        objects.close()

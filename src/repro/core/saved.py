"""The states that restores replaced, kept under `refs/repro/undo/` (FORMAT.md section "Undo")."""

import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from repro.core.capture import limits_of
from repro.core.project import Project, who_am_i
from repro.core.sieve import Sieve
from repro.errors import DamagedRecordError, NewerFormatError, WouldLoseWorkError
from repro.model.canonical import Json, format_json, parse_json
from repro.model.readable import count_of
from repro.model.times import format_time
from repro.store.content import ContentStore
from repro.store.leftout import Limits
from repro.store.lfs import keep_objects
from repro.store.objects import Objects, is_oid, list_files, read_file, read_tree, reading
from repro.store.present import (
    Present,
    Staged,
    copy_index,
    empty_tree,
    find_ignored,
    find_outside,
)
from repro.store.quarantine import CommitSpec, Existing, Quarantine, publish, write_commits
from repro.store.refs import UNDO, RefUpdate, list_refs
from repro.store.worktree import worktree_name

VERSION = 1
_USUAL_MODES = {0o644, 0o664, 0o755, 0o775}  # what git makes under the usual umasks
_FACTS, _INDEX = "undo.json", "index"
_FILES, _RAW, _STAGED = "worktree", "raw", "staged"


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoEntry:
    """A state of a working tree that a restore replaced.

    Attributes:
        ref: `refs/repro/undo/<n>`.
        commit: Holds all of it; its parent is what HEAD named.
        tree: The files.
        head: Full name of the branch that HEAD named, None when it was detached.
        head_oid: The commit HEAD named, None before the first one.
        created: As `format_time` writes it.
        target: Id of the run that was checked out, None for another code state.
        target_commit: The commit that was checked out.
        worktree: Name of the linked worktree, None for the main one.
        removed: Files that git ignored, or repro leaves out, and that were in the way.
        left: Untracked files that stayed where they were.
        outside: Files that stood outside the cone of a sparse checkout.
        index_mtime_ns: Time of the index file, None where there was none.
        modes: Permission bits of replaced files that git, which knows two, would not give back.
    """

    ref: str
    commit: str
    tree: str
    head: str | None
    head_oid: str | None
    created: str
    target: str | None
    target_commit: str | None
    worktree: str | None
    removed: tuple[str, ...]
    left: tuple[str, ...]
    outside: tuple[str, ...]
    index_mtime_ns: int | None
    modes: Mapping[str, int]

    @property
    def number(self) -> int:
        """The n of its ref; the newest is the largest."""
        return int(self.ref.removeprefix(UNDO))


class Target(NamedTuple):
    """What a restore brings: the id of a run, None for another code state, and its commit."""

    run: str | None
    commit: str | None


def save_present(
    project: Project,
    quarantine: Quarantine,
    present: Present,
    staged: Staged,
    raw: Mapping[str, str],
    *,
    target: Target,
    states: Sequence[str] = (),
    beside: Mapping[str, bytes] = MappingProxyType({}),
) -> tuple[UndoEntry, list[str]]:
    """Put the present state under the next `refs/repro/undo/<n>`.

    Args:
        raw: Blobs of the files that git would not give back.
        target: What takes its place.
        states: More trees to write a commit of, as `write_states` does.
        beside: More files of the entry: what changes in datasets.

    Returns:
        The entry, and the commit of each tree.

    Raises:
        ConflictError: Another worktree took the number; nothing is saved.
        StorageError: The disk is full or read-only; nothing is saved.
    """
    repository = project.repository
    base = present.working.base
    index, mtime_ns = _copy_index(project, quarantine)
    entry = UndoEntry(
        ref=f"{UNDO}{_next_number(project)}",
        commit="",
        tree=present.tree,
        head=present.branch,
        head_oid=base,
        created=format_time(project.clock()),
        target=target.run,
        target_commit=target.commit,
        worktree=worktree_name(repository),
        removed=_removed(present),
        left=present.left,
        outside=find_outside(repository, present),
        index_mtime_ns=mtime_ns,
        modes=_odd_modes(repository.root, present),
    )
    files: dict[str, bytes | Existing] = {_FACTS: format_json(_encode(entry)), **beside}
    if index is not None:
        files[_INDEX] = index
    if present.tree != empty_tree(repository.git):
        files[_FILES] = Existing("040000", present.tree)
    files.update({f"{_STAGED}/{oid}": Existing("100644", oid) for oid in staged.blobs})
    files.update({f"{_RAW}/{path}": Existing("100644", oid) for path, oid in raw.items()})
    spec = CommitSpec(
        message=f"before the checkout of {target.run or target.commit or 'another state'}\n",
        when=project.clock(),
        author=who_am_i(project),
        parents=[base] if base else [],
        files=files,
    )
    commit, *others = write_commits(quarantine, [spec, *_states(project, states)])
    update = RefUpdate(entry.ref, new=commit)
    publish(quarantine, tips=[commit], exclude=[base] if base else [], refs=[update])
    keep_objects(repository, present.tree, base, ContentStore(project.store))
    return replace(entry, commit=commit), others


def _next_number(project: Project) -> int:
    taken = set(_numbered(list_refs(project.repository.git, UNDO)))
    # A git that was killed leaves the lock of the ref that it was making.
    for lock in (project.repository.common_dir / UNDO).glob("*.lock"):
        taken |= set(_numbered({f"{UNDO}{lock.stem}": ""}))
    return max(taken, default=0) + 1


def _copy_index(project: Project, quarantine: Quarantine) -> tuple[bytes | None, int | None]:
    copy = quarantine.dir / "users-index"
    if not copy_index(project.repository, copy):
        return None, None
    return copy.read_bytes(), copy.stat().st_mtime_ns


def _removed(present: Present) -> tuple[str, ...]:
    going = {change.path for change in present.changes if change.old is not None}
    return tuple(path for path in present.taken if path in going)


def _odd_modes(root: Path, present: Present) -> dict[str, int]:
    found = {}
    for change in present.changes:
        if change.old is not None:
            try:
                status = (root / change.path).lstat()
            except OSError:
                continue
            bits = stat.S_IMODE(status.st_mode)
            if stat.S_ISREG(status.st_mode) and bits not in _USUAL_MODES:
                found[change.path] = bits
    return found


def write_modes(root: Path, entry: UndoEntry) -> None:
    """Give files that were brought back the permission bits they had."""
    for path, bits in entry.modes.items():
        try:
            fd = os.open(root / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            continue  # it is not there: then there is nothing to protect
        try:
            os.fchmod(fd, bits)
        finally:
            os.close(fd)


def write_states(project: Project, quarantine: Quarantine, *trees: str) -> list[str]:
    """Write a commit of each tree that nothing but the quarantine holds."""
    return write_commits(quarantine, _states(project, trees))


def _states(project: Project, trees: Sequence[str]) -> list[CommitSpec]:
    author, when = who_am_i(project), project.clock()
    return [CommitSpec(message="state\n", when=when, author=author, tree=tree) for tree in trees]


def _encode(entry: UndoEntry) -> dict[str, Json]:
    return {
        "version": VERSION,
        "head": entry.head,
        "head_oid": entry.head_oid,
        "created": entry.created,
        "target": entry.target,
        "target_commit": entry.target_commit,
        "worktree": entry.worktree,
        "removed": list(entry.removed),
        "left": list(entry.left),
        "outside": list(entry.outside),
        "index_mtime_ns": entry.index_mtime_ns,
        "modes": dict(entry.modes),
    }


def list_entries(project: Project) -> list[UndoEntry]:
    """The entries that were made in this worktree, newest first.

    Raises:
        DamagedRecordError: One of them is not what repro wrote.
        NewerFormatError: A newer repro wrote it.
    """
    numbered = _numbered(list_refs(project.repository.git, UNDO))
    here = worktree_name(project.repository)
    with reading(project.repository) as objects:
        entries = [
            _read_entry(objects, f"{UNDO}{number}", numbered[number], project)
            for number in sorted(numbered, reverse=True)
        ]
    return [entry for entry in entries if entry.worktree == here]


def _numbered(refs: Mapping[str, str]) -> dict[int, str]:
    named = {ref.removeprefix(UNDO): oid for ref, oid in refs.items()}
    numbers = {name for name in named if name.isascii() and name.isdecimal() and name[0] != "0"}
    return {int(name): named[name] for name in numbers}


def _read_entry(objects: Objects, ref: str, commit: str, project: Project) -> UndoEntry:
    try:
        facts = parse_json(read_file(objects, commit, _FACTS) or b"null", name=_FACTS)
    except DamagedRecordError:
        facts = None
    if isinstance(facts, dict) and isinstance(facts.get("version"), int):
        if facts["version"] != VERSION:
            raise NewerFormatError(
                f"`{ref}` was written by a newer repro", hint="upgrade repro to undo it"
            )
        tree = read_tree(objects, commit).get(_FILES)
        entry = UndoEntry(
            ref=ref,
            commit=commit,
            tree=tree.oid if tree else empty_tree(project.repository.git),
            head=_text(facts, "head"),
            head_oid=_text(facts, "head_oid"),
            created=_text(facts, "created") or "",
            target=_text(facts, "target"),
            target_commit=_text(facts, "target_commit"),
            worktree=_text(facts, "worktree"),
            removed=_texts(facts, "removed"),
            left=_texts(facts, "left"),
            outside=_texts(facts, "outside"),
            index_mtime_ns=_number(facts, "index_mtime_ns"),
            modes=_modes(facts),
        )
        if _is_sound(entry):
            return entry
    raise DamagedRecordError(
        f"`{ref}` is no undo entry", hint=f"`git update-ref -d {ref}` removes it"
    )


def _is_sound(entry: UndoEntry) -> bool:
    oids = [oid for oid in (entry.head_oid, entry.target_commit) if oid is not None]
    branch = entry.head is None or entry.head.startswith("refs/")
    return all(map(is_oid, oids)) and branch


def _text(facts: Mapping[str, Json], key: str) -> str | None:
    value = facts.get(key)
    return value if isinstance(value, str) else None


def _texts(facts: Mapping[str, Json], key: str) -> tuple[str, ...]:
    value = facts.get(key)
    return tuple(str(item) for item in value) if isinstance(value, list) else ()


def _number(facts: Mapping[str, Json], key: str) -> int | None:
    value = facts.get(key)
    return value if isinstance(value, int) else None


def _modes(facts: Mapping[str, Json]) -> dict[str, int]:
    value = facts.get("modes")
    named = value if isinstance(value, dict) else {}
    return {path: bits & 0o777 for path, bits in named.items() if isinstance(bits, int)}


@dataclass(frozen=True, slots=True)
class Kept:
    """What an entry holds beside the tree of its files.

    Attributes:
        index: The index file, None where there was none.
        staged: Objects that only the index named.
        raw: Blobs of the files that git would not give back, by path.
    """

    index: bytes | None
    staged: frozenset[str]
    raw: Mapping[str, str]


def read_kept(project: Project, entry: UndoEntry) -> Kept:
    """Read the index and what else an entry holds.

    Raises:
        DamagedRecordError: An object of it is missing.
    """
    with reading(project.repository) as objects:
        names = read_tree(objects, entry.commit)
        staged = read_tree(objects, names[_STAGED].oid) if _STAGED in names else {}
        raw = list_files(objects, names[_RAW].oid) if _RAW in names else {}
        return Kept(read_file(objects, entry.commit, _INDEX), frozenset(staged), raw)


def gentle_limits(
    project: Project,
    quarantine: Quarantine,
    tree: str,
    entry: UndoEntry | None,
    data: Sequence[str] = (),
) -> Limits:
    """What stays where it is when `tree` is checked out.

    That is all that a snapshot leaves out, and what git would ignore in that tree: a
    checkout of a run older than a line in `.gitignore` shows a dataset as untracked, which is
    nobody's new work.

    Args:
        entry: What was replaced to come to the present state, if that is known.
        data: Paths of datasets beside those of `repro.yaml`.
    """
    usual = limits_of(project.settings, data, Sieve(project))
    listed = project.repository.git.paths("ls-files", "--others", "--exclude-standard", "-z")
    files = [path for path in listed if not path.endswith("/")]
    left = find_ignored(project.repository, quarantine, tree, files)
    if entry is not None:
        left |= set(entry.left)
        left |= find_ignored(project.repository, quarantine, entry.tree, files)
    return replace(usual, is_produced=lambda path: path in left or usual.is_produced(path))


def came_from(present: Present) -> str:
    """What git's reflog calls the place that HEAD leaves: a branch, or a commit."""
    if present.branch is not None:
        return present.branch.removeprefix("refs/heads/")
    return present.working.base or ""


def refuse_blocked(present: Present) -> None:
    """Refuse where something is in the way that cannot be saved.

    Raises:
        WouldLoseWorkError: Such as a git repository, a device or an unreadable file.
    """
    if present.blocked:
        raise WouldLoseWorkError(
            f"in the way is what repro cannot save: {count_of(len(present.blocked), 'file')}",
            paths=present.blocked,
            hint="move it away, or restore beside with `repro checkout -w DIR RUN`",
        )


def target_tree(project: Project, entry: UndoEntry) -> str | None:
    """The tree that was checked out; None where it is not there any more."""
    if entry.target_commit is None:
        return None
    return project.repository.git.find(f"{entry.target_commit}^{{tree}}")

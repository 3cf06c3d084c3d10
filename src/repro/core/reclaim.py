"""Entries of the content store that nothing names any more, found and deleted."""

import hashlib
import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from repro.atomic import storage_errors
from repro.core.locking import guard_of
from repro.core.needed import DAMAGED, Words, find_needed, find_pinned_now
from repro.core.project import Project
from repro.errors import BusyRepositoryError
from repro.model.text import escape
from repro.store.content import ContentStore
from repro.store.entries import renew_epoch
from repro.store.lockfile import hold_guard
from repro.store.refs import list_refs

_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What may be deleted.

    Attributes:
        unneeded: Digests of entries that nothing names, with their bytes.
        young: How many more nothing names, but that are younger than the period of grace.
        n_entries: How many there are in all.
        size: Bytes of all of them.
        n_damaged: Files that `repro data verify` has set aside; they stay.
        grace_days: The period of grace.
        refs: What tells whether a run was recorded meanwhile.
    """

    unneeded: tuple[tuple[str, int], ...]
    young: int
    n_entries: int
    size: int
    n_damaged: int
    grace_days: float
    refs: str

    @property
    def unneeded_size(self) -> int:
        """Bytes of what may be deleted."""
        return sum(size for _, size in self.unneeded)


@dataclass(frozen=True, slots=True, kw_only=True)
class Freed:
    """What was deleted: entries, and their bytes."""

    n_entries: int
    size: int


def plan_reclaim(project: Project, *, grace_days: float, without: Collection[str] = ()) -> Plan:
    """Find the entries of the content store that nothing names; see `find_needed` for what does.

    Args:
        grace_days: Entries that came later than that stay: what will name them may be on its way.
        without: Refs that shall count as if they were gone; `reclaim` looks at what then is.

    Raises:
        BusyRepositoryError: A run is in progress.
        DamagedRecordError: Something cannot be read that might name entries.
        InvalidInputError: The `repro.yaml` or `repro.lock` of a worktree cannot be read.
    """
    refuse_recording(project)
    content = ContentStore(project.store)
    refs = _refs(project)
    needed = find_needed(project, without=without)
    now = project.clock()
    unneeded: list[tuple[str, int]] = []
    young = n_entries = size = 0
    for digest, status in content.entries():
        n_entries += 1
        size += status.st_size
        if _is_needed(digest, needed):
            continue
        if _is_young(status, now, grace_days):
            young += 1
        else:
            unneeded.append((digest, status.st_size))
    folder = content.dir / DAMAGED
    return Plan(
        unneeded=tuple(unneeded),
        young=young,
        n_entries=n_entries,
        size=size,
        n_damaged=len(os.listdir(folder)) if folder.is_dir() else 0,
        grace_days=grace_days,
        refs=refs,
    )


def refuse_recording(project: Project) -> None:
    """Refuse while a run is in progress: its live folder may name entries that no ref names.

    Raises:
        BusyRepositoryError: There is one.
    """
    try:
        live = sorted(os.listdir(project.live))
    except FileNotFoundError:
        return
    if live:
        raise BusyRepositoryError(
            f"run `{escape(live[0])}` is in progress, and may need any kept bytes",
            hint="wait for it to end; `repro ls` lists runs in progress",
        )


def reclaim(project: Project, plan: Plan) -> Freed:
    """Delete what a plan says, less what is named by now, and old unfinished files.

    A process that dies on the way leaves the store sound.

    Raises:
        BusyRepositoryError: A run was started meanwhile.
        DamagedRecordError: As `plan_reclaim`.
        StorageError: The store cannot be written.
    """
    content = ContentStore(project.store)
    content.clear_incoming(now=project.clock())
    n_entries = size = 0
    # Nobody writes repro.lock meanwhile.
    with hold_guard(guard_of(project)), storage_errors("the content store"):
        renew_epoch(project.store)
        for digest, n_bytes in _still_unneeded(project, plan):
            with suppress(FileNotFoundError):  # another process was a step ahead
                path = content.path_of(digest)
                if not _is_young(path.lstat(), project.clock(), plan.grace_days):
                    path.unlink()
                    n_entries += 1
                    size += n_bytes
    return Freed(n_entries=n_entries, size=size)


def remove_entries(project: Project, digests: Iterable[str]) -> int:
    """Delete entries at once, whatever their age, less what something names by now; how many.

    Raises:
        DamagedRecordError: As `plan_reclaim`.
        StorageError: The store cannot be written.
    """
    wanted = list(digests)
    if not wanted:
        return 0
    content = ContentStore(project.store)
    count = 0
    with hold_guard(guard_of(project)), storage_errors("the content store"):
        renew_epoch(project.store)
        needed = find_needed(project)
        for digest in wanted:
            if not _is_needed(digest, needed):
                with suppress(FileNotFoundError):
                    content.path_of(digest).unlink()
                    count += 1
    return count


def _still_unneeded(project: Project, plan: Plan) -> Iterator[tuple[str, int]]:
    refuse_recording(project)
    is_changed = _refs(project) != plan.refs
    needed = find_needed(project) if is_changed else find_pinned_now(project)
    for digest, size in plan.unneeded:
        if not _is_needed(digest, needed):
            yield digest, size


def _is_needed(digest: str, needed: Words) -> bool:
    return digest.removeprefix("sha256:").encode() in needed


def _is_young(status: os.stat_result, now: float, grace_days: float) -> bool:
    # Not mtime alone: an entry that is a second name of an old file has that of the file.
    return now - max(status.st_mtime, status.st_ctime) < grace_days * _DAY_S


def _refs(project: Project) -> str:
    """What is the same only while no ref moves."""
    refs = list_refs(project.repository.git)
    return hashlib.sha256(repr(sorted(refs.items())).encode()).hexdigest()

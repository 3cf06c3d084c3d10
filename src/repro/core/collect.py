"""What repro keeps and nothing needs any more: found with its bytes, and taken away."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from repro.core.builtenvs import RebuiltEnv, find_unused, remove_envs
from repro.core.fold import fold_runs
from repro.core.isolation import find_abandoned, remove_abandoned
from repro.core.oldundo import OldState, find_old_states
from repro.core.project import Project
from repro.core.reclaim import Plan, plan_reclaim, reclaim
from repro.core.trash import forget_removed, list_trash
from repro.errors import ReproError
from repro.store.freeable import measure_freeable
from repro.store.packs import consolidate, find_leftovers, remove_leftovers
from repro.store.refs import TRASH, RefUpdate, update_refs
from repro.store.trash import TrashEntry

GRACE_DAYS = 14.0  # of entries of the content store, as for `repro data gc`
_AT_ONCE = 1000  # refs of one transaction

OnStep = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Garbage:
    """What may go.

    Attributes:
        trash: Runs that were removed long enough ago.
        trash_size: Bytes of objects that git frees by itself once they are gone.
        n_trash: How many more are in the trash, and stay.
        undo: States that restores replaced, likewise.
        undo_size: Likewise.
        store: Of the content store; None where that could not be looked at.
        environments: Rebuilt ones that no run had, and half made ones.
        worktrees: Of isolated runs whose processes were killed; each with its bytes.
        leftovers: Files and folders that killed processes left; each with its bytes.
        problems: What could not be looked at, and why; it stays.
    """

    trash: tuple[TrashEntry, ...]
    trash_size: int
    n_trash: int
    undo: tuple[OldState, ...]
    undo_size: int
    store: Plan | None
    environments: tuple[RebuiltEnv, ...]
    worktrees: tuple[tuple[Path, int], ...]
    leftovers: tuple[tuple[Path, int], ...]
    problems: tuple[str, ...]

    @property
    def refs(self) -> frozenset[str]:
        """The refs that go."""
        return frozenset([TRASH + one.run for one in self.trash] + [one.ref for one in self.undo])

    @property
    def is_final(self) -> bool:
        """Whether anything of it cannot be made again."""
        return bool(self.trash or self.undo or (self.store and self.store.unneeded))


def find_garbage(
    project: Project,
    *,
    keep_trash_s: float,
    grace_days: float = GRACE_DAYS,
    on_step: OnStep = lambda _: None,
) -> Garbage:
    """Find what nothing needs any more; nothing is changed.

    What cannot be looked at, such as the content store while a run is in progress, stays.

    Args:
        keep_trash_s: Runs that were removed less than so many seconds ago stay.
        grace_days: Entries of the content store that came later than that stay.
        on_step: Told what is looked at.
    """
    problems: list[str] = []
    on_step("the trash")
    entries, faults = list_trash(project)
    problems += [fault.message for fault in faults]
    oldest = project.clock() - keep_trash_s
    trash = tuple(entry for entry in entries if entry.removed_s <= oldest)
    undo = tuple(find_old_states(project))
    git = project.repository.git
    sizes = [0, 0]
    trash_refs = {TRASH + entry.run for entry in trash}
    try:
        sizes[0] = measure_freeable(git, trash_refs)
        both = measure_freeable(git, trash_refs | {one.ref for one in undo})
        sizes[1] = both - sizes[0]
    except ReproError as error:
        problems.append(f"how much git will free is not known: {error.message}")
    on_step("the content store")
    store = None
    try:
        gone = trash_refs | {one.ref for one in undo}
        store = plan_reclaim(project, grace_days=grace_days, without=gone)
    except ReproError as error:
        problems.append(f"the content store was not looked at: {error.message}")
    on_step("environments")
    environments: list[RebuiltEnv] = []
    try:
        environments = find_unused(project)
    except ReproError as error:
        problems.append(f"environments were not looked at: {error.message}")
    now = project.clock()
    return Garbage(
        trash=trash,
        trash_size=sizes[0],
        n_trash=len(entries) - len(trash),
        undo=undo,
        undo_size=sizes[1],
        store=store,
        environments=tuple(environments),
        worktrees=tuple((place, _size(place)) for place in find_abandoned(project)),
        leftovers=tuple(
            (path, _size(path)) for path in find_leftovers(project.repository, now=now)
        ),
        problems=tuple(problems),
    )


def collect(
    project: Project, garbage: Garbage, *, on_step: OnStep = lambda _: None
) -> tuple[Garbage, tuple[str, ...]]:
    """Take away what was found, as far as nothing needs it by now.

    Refs first, by compare-and-swap: what somebody restored meanwhile stays. git's own `gc` frees
    the objects later; nothing of the user's is pruned here. Killed on the way, it leaves a sound
    repository, and goes on from there when it is called again.

    Returns:
        What was taken away, and what could not be.

    Raises:
        ConflictError: A run came back from the trash meanwhile; no ref of its thousand went.
        StorageError: The disk is read-only.
    """
    problems: list[str] = []
    on_step("the trash")
    forget_removed(project, garbage.trash)
    updates = [RefUpdate(one.ref, new=None, old=one.commit) for one in garbage.undo]
    for start in range(0, len(updates), _AT_ONCE):
        update_refs(project.repository.git, updates[start : start + _AT_ONCE])
    on_step("the content store")
    store = garbage.store
    if store is not None:
        try:
            freed = reclaim(project, store)
            if freed.n_entries != len(store.unneeded):
                problems.append(
                    f"only {freed.n_entries:,} of {len(store.unneeded):,} entries of the content"
                    " store went: the others are needed again"
                )
        except ReproError as error:
            problems.append(f"the content store stays as it is: {error.message}")
            store = None
    on_step("environments")
    environments = []
    for one in garbage.environments:
        try:
            remove_envs([one])
            environments.append(one)
        except ReproError as error:
            problems.append(error.message)
    remove_abandoned(project)
    remove_leftovers(path for path, _ in garbage.leftovers)
    on_step("refs and packs")
    try:
        fold_runs(project)
    except ReproError as error:
        problems.append(f"old runs have refs of their own still: {error.message}")
    consolidate(project.repository, now=project.clock())
    done = replace(garbage, store=store, environments=tuple(environments))
    return done, tuple(problems)


def _size(path: Path) -> int:
    """Bytes of a file, or of all files below a folder; 0 of what is gone."""
    try:
        if not path.is_dir():
            return path.lstat().st_size
    except OSError:
        return 0
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            try:
                total += os.lstat(os.path.join(folder, name)).st_size
            except OSError:  # it went this moment
                continue
    return total

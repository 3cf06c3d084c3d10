"""The last restore taken back: branch, index and files as they were."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from repro.core.moving import find_missing, find_replaced, keep_replaced, refuse_missing
from repro.core.project import Project
from repro.core.replacing import Prepared, prepare_all
from repro.core.saved import (
    Kept,
    Target,
    UndoEntry,
    came_from,
    gentle_limits,
    list_entries,
    read_kept,
    refuse_blocked,
    save_present,
    target_tree,
    write_modes,
    write_states,
)
from repro.core.saved_data import encode_moves, plan_undo, read_saved_data
from repro.errors import ReproError, WouldLoseWorkError
from repro.model.readable import count_of
from repro.store.busy import refuse_busy
from repro.store.content import ContentStore
from repro.store.lfs import restore_objects
from repro.store.present import (
    Present,
    Staged,
    capture_present,
    diff_trees,
    find_lost,
    read_staged,
)
from repro.store.quarantine import Quarantine, open_quarantine
from repro.store.rawfiles import keep_raw_files, write_raw_files
from repro.store.refs import RefUpdate, list_refs, update_refs
from repro.store.worktree import Scratch, open_scratch


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """What `undo` brought back.

    Attributes:
        branch: Full name of the branch that HEAD names again, None when it is detached.
        commit: What HEAD names, None before the first commit.
        came_from: Short name of the branch, or the commit, that was left.
        target: Id of the run whose checkout was taken back, None for another code state.
        n_files: How many files were written or removed.
        saved: The entry that holds the state before the undo, None where nothing was saved.
        kept: Files of that state that exist nowhere else.
        notes: What is not as it was, in words.
    """

    branch: str | None
    commit: str | None
    came_from: str
    target: str | None
    n_files: int
    saved: UndoEntry | None
    kept: tuple[str, ...]
    notes: tuple[str, ...]


def undo(project: Project, *, save: bool = False) -> Undone:
    """Bring branch, index and files back as they were before the last restore in this worktree.

    Args:
        save: Put the present state under `refs/repro/undo/` first.

    Raises:
        ReproError: There is nothing to undo.
        WouldLoseWorkError: Work done since the restore would be lost.
        BusyRepositoryError: git, or another repro, is in the middle of something.
    """
    repository = project.repository
    with (
        open_scratch(repository) as scratch,
        open_quarantine(repository) as quarantine,
    ):
        refuse_busy(repository)
        entry = _choose_entry(project, scratch)
        was_killed = scratch.interrupted == entry.ref
        kept = read_kept(project, entry)
        changed = read_saved_data(project, entry.commit)
        data = plan_undo(project, changed)
        content = ContentStore(project.store)
        hint = "`repro data pull` fetches what was kept and pushed"
        refuse_missing(find_missing(data, content), f"`{entry.ref}`", hint=hint)
        paths = [one.path for one in changed]
        present, staged = _look(project, quarantine, entry, paths, was_killed=was_killed)
        raw = keep_raw_files(repository, quarantine, present, also=kept.raw)
        replaced = find_replaced(data, content)
        lost = _find_lost(project, quarantine, entry, kept, present, staged, raw)
        # Half-written files of a killed restore are nobody's work, but who can tell: saved. Those
        # of datasets are never half-written.
        refused = replaced if was_killed else [*lost, *replaced]
        lost = (*lost, *replaced)
        if refused and not save:
            raise _losing(refused)
        saved = None
        trees = (present.tree, entry.tree)
        strays = _has_strays(project, entry, present)
        keep_replaced(data, content, replaced)
        with prepare_all(project, data, content) as prepared:
            if save or lost or strays:
                saved, states = save_present(
                    project,
                    quarantine,
                    present,
                    staged,
                    raw,
                    target=Target(None, entry.head_oid),
                    states=trees,
                    beside=encode_moves(data),
                )
            else:
                states = write_states(project, quarantine, *trees)
            try:
                scratch.begin(entry.ref, states[0], present.index, quarantine)
                branch, notes = _move(
                    project, scratch, entry, kept, present, states[1], raw, prepared
                )
            except ReproError:
                if saved is not None and not scratch.is_begun:  # everything is as it was
                    unused = RefUpdate(saved.ref, new=None, old=saved.commit)
                    update_refs(repository.git, [unused])
                raise
        tip = list_refs(repository.git, branch).get(branch) if branch else entry.head_oid
    return Undone(
        branch=branch,
        commit=tip,
        came_from=came_from(present),
        target=entry.target,
        n_files=len(present.changes) + sum(len(plan.moves) for plan in data),
        saved=saved,
        kept=lost,
        notes=notes,
    )


def _losing(refused: Sequence[str]) -> WouldLoseWorkError:
    return WouldLoseWorkError(
        f"undo would lose work done since the checkout in {count_of(len(refused), 'file')}",
        paths=refused,
        hint="`repro undo --save` keeps it: the next `repro undo` brings it back",
    )


def _move(
    project: Project,
    scratch: Scratch,
    entry: UndoEntry,
    kept: Kept,
    present: Present,
    state: str,
    raw: Mapping[str, str],
    data: Iterable[Prepared],
) -> tuple[str | None, tuple[str, ...]]:
    """Files, then index, then HEAD; the branch it names now, and what differs in words."""
    repository = project.repository
    restore_objects(repository, entry.tree, ContentStore(project.store))
    if present.changes:
        scratch.switch(state, present.changes, raw)
    scratch.write_skipped(entry.outside)
    write_raw_files(repository, kept.raw)
    for one in data:
        one.finish()
    write_modes(repository.root, entry)
    scratch.install_raw_index(kept.index, entry.index_mtime_ns or 0)
    branch, notes = _move_head_back(project, scratch, entry, present)
    update_refs(repository.git, [RefUpdate(entry.ref, new=None, old=entry.commit)])
    scratch.clear()
    return branch, notes


def _has_strays(project: Project, entry: UndoEntry, present: Present) -> bool:
    """Whether HEAD is at commits that were made since the restore, and that no ref reaches."""
    base = present.working.base
    if base is None or present.branch is not None or base in (entry.target_commit, entry.head_oid):
        return False
    words = ("rev-list", "--max-count=1", base, "--not", "--glob=refs/*")
    return bool(project.repository.git.text(*words))


def _choose_entry(project: Project, scratch: Scratch) -> UndoEntry:
    """The entry whose restore was killed, else the newest one of this worktree."""
    entries = list_entries(project)
    for entry in entries:
        if entry.ref == scratch.interrupted:
            return entry
    if not entries:
        raise ReproError(
            "nothing to undo: no restore replaced anything here",
            hint="`repro checkout RUN` restores a run",
        )
    return entries[0]


def _look(
    project: Project,
    quarantine: Quarantine,
    entry: UndoEntry,
    data: Sequence[str],
    *,
    was_killed: bool,
) -> tuple[Present, Staged]:
    repository = project.repository
    target = target_tree(project, entry)
    also: list[str] = []
    if was_killed and target is not None:
        changes = diff_trees(repository.git, entry.tree, target)
        also = [change.path for change in changes if change.old is None]
    present = capture_present(
        repository,
        quarantine,
        entry.tree,
        limits=gentle_limits(project, quarantine, entry.tree, entry, data),
        also=also,
    )
    refuse_blocked(present)
    return present, read_staged(repository, present.working)


def _find_lost(
    project: Project,
    quarantine: Quarantine,
    entry: UndoEntry,
    kept: Kept,
    present: Present,
    staged: Staged,
    raw: Mapping[str, str],
) -> tuple[str, ...]:
    """Paths with work done since the restore."""
    target = target_tree(project, entry)
    lost = find_lost(
        project.repository,
        quarantine,
        present,
        staged,
        known=[entry.tree, *([target] if target else [])],
        known_blobs=kept.staged,
    )
    # The restore wrote what git gives back: other bytes that git takes for the same are newer.
    unseen = [path for path, oid in raw.items() if kept.raw.get(path) != oid]
    return tuple(sorted({*lost, *unseen}))


def _move_head_back(
    project: Project, scratch: Scratch, entry: UndoEntry, present: Present
) -> tuple[str | None, tuple[str, ...]]:
    """Let HEAD name what it named; the branch it names now, and what differs in words."""
    notes = []
    if entry.head is not None:
        tip, place = _find_branch(project, entry.head)
        name = entry.head.removeprefix("refs/heads/")
        is_elsewhere = bool(place) and present.branch != entry.head
        if not is_elsewhere and (tip or entry.head_oid is None):
            if present.branch != entry.head:
                scratch.attach_head(entry.head, came_from(present))
            if tip and tip != entry.head_oid:
                notes.append(
                    f"branch `{name}` has moved since the checkout and stays where it is now; "
                    "files and index are as they were"
                )
            return entry.head, tuple(notes)
        why = f"is checked out at `{place}`" if is_elsewhere else "is gone"
        notes.append(f"branch `{name}` {why}: HEAD is detached where the branch was")
    if entry.head_oid is not None:
        scratch.detach_head(present.working.base, entry.head_oid, came_from(present))
    return None, tuple(notes)


def _find_branch(project: Project, ref: str) -> tuple[str, str]:
    """Its commit and the worktree that has it checked out, each empty where there is none."""
    words = ("for-each-ref", "--format=%(refname) %(objectname) %(worktreepath)", ref)
    # git lists those below it too: where `feature` is gone there may be a `feature/x`.
    for line in project.repository.git.text(*words).split("\n"):
        if line.startswith(f"{ref} "):
            tip, _, place = line.removeprefix(f"{ref} ").partition(" ")
            return tip, place
    return "", ""

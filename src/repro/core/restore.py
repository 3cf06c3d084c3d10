"""The code of a run brought back in place of the present state."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from repro.core.codetarget import (
    CodeTarget,
    differing_submodules,
    is_filled,
    read_code_target,
)
from repro.core.gone import naming_gone
from repro.core.moving import DataMoves, find_replaced, keep_replaced
from repro.core.project import Project
from repro.core.query import code_of, short_id
from repro.core.replacing import prepare_all
from repro.core.saved import (
    Target,
    UndoEntry,
    came_from,
    gentle_limits,
    list_entries,
    refuse_blocked,
    save_present,
)
from repro.core.saved_data import encode_moves
from repro.core.undo import undo
from repro.errors import (
    BusyRepositoryError,
    ReproError,
    UnsupportedRepositoryError,
    WouldLoseWorkError,
)
from repro.model.readable import count_of
from repro.model.run import Record
from repro.store.busy import refuse_busy
from repro.store.content import ContentStore
from repro.store.lfs import restore_objects
from repro.store.present import Present, capture_present, find_lost, read_staged
from repro.store.quarantine import Quarantine, open_quarantine
from repro.store.rawfiles import keep_raw_files
from repro.store.refs import RefUpdate, update_refs
from repro.store.worktree import Scratch, open_scratch


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What an in-place checkout did.

    Attributes:
        commit: The snapshot at which HEAD is detached now.
        run: Id of the run, None for another code state.
        title: Name of the run or its command, else the subject of the commit.
        came_from: Short name of the branch, or the commit, that was left.
        n_files: How many files were written or removed.
        entry: What brings the state before it back, None where nothing changed at all.
        kept: Files that exist nowhere but in `entry` now.
        left: Untracked files that were in nobody's way; they do not belong to the run.
        differing: Files that do not read back as they were recorded, such as by a filter.
        empty: Submodules without files here.
    """

    commit: str
    run: str | None
    title: str
    came_from: str
    n_files: int
    entry: UndoEntry | None
    kept: tuple[str, ...]
    left: tuple[str, ...]
    differing: tuple[str, ...]
    empty: tuple[str, ...]


def check_out(
    project: Project,
    target: Record | str,
    *,
    save: bool = False,
    data: Sequence[DataMoves] = (),
    report: Callable[[int], None] = lambda _: None,
) -> Restored:
    """Bring the code of `target` into the working tree, HEAD detached at its snapshot.

    The present state is put under `refs/repro/undo/` before anything changes. A checkout of the
    same that was killed half way is taken back first, and then done whole.

    Args:
        target: A run, or the commit of another code state.
        save: Go on although work that exists nowhere else is replaced; `undo` has it.
        data: What changes in datasets, planned after `take_back_interrupted`; moved when the code
            is in place.
        report: Told of bytes of datasets as they are written.

    Raises:
        WouldLoseWorkError: Such work is there, and `save` is not given; nothing was changed.
        BusyRepositoryError: git, or another repro, is in the middle of something.
        UnsupportedRepositoryError: The run needs another content of a submodule.
        DamagedRecordError: Objects of the code are gone; everything is as it was.
        GitError, StorageError: git failed; everything is as it was.
    """
    repository = project.repository
    content = ContentStore(project.store)
    with naming_gone(project, target):
        code = read_code_target(project, target)
    take_back_interrupted(project, target, save=save)
    with (
        naming_gone(project, target),
        open_scratch(repository) as scratch,
        open_quarantine(repository) as quarantine,
    ):
        refuse_busy(repository)
        entries = list_entries(project)
        _refuse_interrupted(scratch, entries)
        present = _look(project, quarantine, code, entries, _list_paths(target))
        staged = read_staged(repository, present.working)
        lost = [*find_lost(repository, quarantine, present, staged, known=[code.tree])]
        replaced = find_replaced(data, content)
        lost += replaced
        if lost and not save:
            raise _losing(project, target, lost)
        keep_replaced(data, content, replaced)
        is_there = present.branch is None and present.working.base == code.commit
        is_changing = bool(present.changes or not present.is_indexed or not is_there)
        entry = None
        differing: tuple[str, ...] = ()
        with prepare_all(project, data, content, report=report) as prepared:
            if is_changing or data:
                raw = keep_raw_files(repository, quarantine, present)
                entry, [here] = save_present(
                    project,
                    quarantine,
                    present,
                    staged,
                    raw,
                    target=Target(code.run, code.commit),
                    states=[present.tree],
                    beside=encode_moves(data),
                )
                try:
                    scratch.begin(entry.ref, here, present.index, quarantine)
                    if is_changing:
                        differing = _move(project, scratch, code, present, raw)
                except ReproError:
                    if not scratch.is_begun:  # everything is as it was
                        unused = RefUpdate(entry.ref, new=None, old=entry.commit)
                        update_refs(repository.git, [unused])
                    raise
                for one in prepared:
                    one.finish()
                scratch.clear()
    return Restored(
        commit=code.commit,
        run=code.run,
        title=code.title,
        came_from=came_from(present),
        n_files=len(present.changes),
        entry=entry,
        kept=tuple(lost),
        left=present.left,
        differing=differing,
        empty=tuple(path for path in code.links if not is_filled(repository.root / path)),
    )


def _losing(project: Project, target: Record | str, lost: Sequence[str]) -> WouldLoseWorkError:
    shown = target if isinstance(target, str) else short_id(project, target.run.id)
    return WouldLoseWorkError(
        f"checkout would lose work that exists nowhere else, in {count_of(len(lost), 'file')}",
        paths=lost,
        hint=f"`repro checkout {shown} --save` keeps it for `repro undo`; "
        f"`repro checkout -w DIR {shown}` restores beside",
    )


def take_back_interrupted(project: Project, target: Record | str, *, save: bool = False) -> None:
    """Take back a checkout of the same code that was killed half way here, if there was one.

    Args:
        save: As for `check_out`.

    Raises:
        WouldLoseWorkError: Work was done on a dataset since, and `save` is not given.
    """
    commit = target if isinstance(target, str) else code_of(target.run)
    with open_scratch(project.repository) as scratch:
        if scratch.interrupted is None:
            return
        entries = list_entries(project)
    if any(one.ref == scratch.interrupted and one.target_commit == commit for one in entries):
        undo(project, save=save)


def _list_paths(target: Record | str) -> Sequence[str]:
    """Where a run has its datasets: what lies there is no code."""
    if isinstance(target, str):
        return ()
    found = (facts.get("path") for facts in target.data.values() if isinstance(facts, dict))
    return [path for path in found if isinstance(path, str)]


def _refuse_interrupted(scratch: Scratch, entries: list[UndoEntry]) -> None:
    if scratch.interrupted in [entry.ref for entry in entries]:
        raise BusyRepositoryError(
            "a restore was interrupted half way here",
            hint="`repro undo` brings back what was before it",
        )


def _look(
    project: Project,
    quarantine: Quarantine,
    code: CodeTarget,
    entries: list[UndoEntry],
    data: Sequence[str],
) -> Present:
    """The present state, if it can be replaced at all."""
    git = project.repository.git
    head = git.run("rev-parse", "--verify", "--quiet", "HEAD", ok=(0, 1)).out.decode().strip()
    before = entries[0] if entries and entries[0].target_commit == head else None
    limits = gentle_limits(project, quarantine, code.tree, before, data)
    present = capture_present(project.repository, quarantine, code.tree, limits=limits)
    differing = differing_submodules(project, quarantine, code, present)
    if differing:
        raise UnsupportedRepositoryError(
            f"the submodule `{differing[0]}` is not as the run had it, and repro does not touch "
            "submodules in place",
            hint="`repro checkout -w DIR RUN` restores all of it beside",
        )
    refuse_blocked(present)
    return present


def _move(
    project: Project,
    scratch: Scratch,
    code: CodeTarget,
    present: Present,
    raw: Mapping[str, str],
) -> tuple[str, ...]:
    """Files, then index, then HEAD; the files that do not read back as recorded."""
    differing: tuple[str, ...] = ()
    if present.changes:
        restore_objects(project.repository, code.tree, ContentStore(project.store))
        differing = scratch.switch(code.commit, present.changes, raw)
    if present.changes or not present.is_indexed:
        gone = {change.path for change in present.changes if change.new is None}
        working = present.working
        scratch.flag("--assume-unchanged", [path for path in working.assumed if path not in gone])
        scratch.install_index()
    scratch.detach_head(present.working.base, code.commit, came_from(present))
    return differing

"""The code and data of a run in a fresh worktree that nobody else sees, taken away afterwards."""

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from repro.atomic import FileLock, storage_errors
from repro.core.beside import Beside, lay_out
from repro.core.beside_data import DataBeside, fill_worktree, plan_beside
from repro.core.measured import OnProgress
from repro.core.project import Project
from repro.errors import ReproError
from repro.model.run import Record
from repro.store.beside import drop_worktree, force_away
from repro.store.git import open_repository
from repro.store.settings import read_settings

_LOCK = ".lock"
_PACKAGES = ".packages"  # a folder beside a tree
_MARK = ".work"  # beside a tree in which the user works
_GUARD = "worktrees.lock"
# A command may write to its datasets, and these are the user's. Only what takes minutes to copy,
# where the file system cannot share blocks, is a link.
_LINK_FROM = 1 << 30
# What merely running a program leaves beside its code.
_DROPPINGS = ("__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".ipynb_checkpoints")

_IS_OTHER = "is not as recorded, after the filters of this repository"
_EMPTY = (
    "is empty there, for no repository here has its commit: "
    "`git submodule update --init --recursive` fetches it"
)

# Locks this process holds: to open one again and close it would give it back.
_held: set[Path] = set()


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolated:
    """A run's tree, laid out again.

    Attributes:
        project: The repository as seen from the worktree.
        folder: Top of the worktree.
        packages: Where the code of packages in place elsewhere belongs; it goes with the tree.
        cwd: Where the command of the run has its place in it.
        beside: What was written.
        linked: Datasets so large that they are links to where they lie now: writing to them
            changes these.
        data: What was put there of its datasets.
    """

    project: Project
    folder: Path
    packages: Path
    cwd: Path
    beside: Beside
    linked: tuple[str, ...]
    data: tuple[DataBeside, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What of it is not as a tree of its own, or not as the run had it."""
        is_link = "is a link to the present dataset: what writes to it changes that"
        return (
            *(f"`{path}` {is_link}" for path in self.linked),
            *(f"`{path}` {_IS_OTHER}" for path in self.beside.differing),
            *(f"the submodule `{path}` {_EMPTY}" for path in self.beside.empty),
        )


class Scratchpad:
    """Whether a worktree stays when the block it was made for ends.

    Attributes:
        is_kept: Set it to keep the worktree.
    """

    def __init__(self) -> None:
        self.is_kept = False


@contextmanager
def isolated(
    project: Project,
    record: Record,
    *,
    with_data: bool = True,
    is_for_work: bool = False,
    on_progress: OnProgress | None = None,
) -> Iterator[tuple[Isolated, Scratchpad]]:
    """Lay a run's code and datasets out in a new worktree below the private folder.

    It is taken away at the end of the block, unless the block says otherwise; that of a process
    that was killed goes when the next one is made, unless the user worked in it.

    Args:
        with_data: Whether its datasets are brought, too.
        is_for_work: Whether the user works in it: then a process that is killed leaves it.
        on_progress: Called several times a second while datasets are read.

    Raises:
        MissingDataError: Bytes of a dataset are neither kept nor there as they were.
        DamagedRecordError, GitError, StorageError: As for `check_out_beside`.
    """
    plans: list[DataBeside] = []
    if with_data:
        plans = plan_beside(project, record, link_from=_LINK_FROM, on_progress=on_progress)
    place, lock = _claim(project, record.run.id)
    pad = Scratchpad()
    try:
        if is_for_work:
            with storage_errors("the folder of worktrees"):
                _mark_of(place).touch()
        beside = lay_out(project, record, place, is_whole=True)
        fill_worktree(project, place, plans)
        inside = _open_inside(project, place)
        cwd = place / record.run.cwd
        with storage_errors("the folder of the command"):
            cwd.mkdir(parents=True, exist_ok=True)  # git keeps no folder without files
        yield (
            Isolated(
                project=inside,
                folder=place,
                packages=packages_of_tree(place),
                cwd=cwd,
                beside=beside,
                linked=tuple(plan.path for plan in plans if plan.linked is not None),
                data=tuple(plans),
            ),
            pad,
        )
    finally:
        if not pad.is_kept:
            _remove(project, place)
        _mark_of(place).unlink(missing_ok=True)
        # Under the guard: a sweep that has the lock open already would take it for a dead one's.
        with FileLock(folder_of_worktrees(project).parent / _GUARD):
            lock.path.unlink(missing_ok=True)
            lock.release()
            _held.discard(lock.path)


def _open_inside(project: Project, place: Path) -> Project:
    repository = open_repository(place, project.environ)
    return replace(project, repository=repository, settings=read_settings(repository.root))


@dataclass(frozen=True, slots=True)
class TreeState:
    """What is in an isolated tree that is not as the run had it.

    Attributes:
        head: The commit that its HEAD names.
        files: Each such path, ignored ones included, with what tells its content from another.
    """

    head: str
    files: Mapping[str, object]

    def changes_since(self, before: "TreeState") -> list[str]:
        """Paths that were made, changed or taken away since, sorted."""
        paths = self.files.keys() | before.files.keys()
        return sorted(p for p in paths if self.files.get(p) != before.files.get(p))


def look_at_tree(isolation: Isolated) -> TreeState:
    """How an isolated tree is now.

    What running a program leaves beside its code, such as `__pycache__`, is left out.
    """
    git, folder = isolation.project.repository.git, isolation.folder
    words = ("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--ignored")
    # Of a submodule without a repository of its own git says nothing.
    paths = [*(line[3:] for line in git.paths(*words)), *isolation.beside.submodules]
    files = {path: _seen(folder / path) for path in paths if not _is_dropping(path)}
    return TreeState(git.text("rev-parse", "HEAD"), files)


def _seen(path: Path) -> object:
    """What tells a file, or a folder with all in it, from what it was before."""
    try:
        status = path.lstat()
        if stat.S_ISDIR(status.st_mode):  # a submodule, or a repository of its own
            names = (name for name in os.listdir(path) if name not in _DROPPINGS)
            return {name: _seen(path / name) for name in names}
    except OSError:  # deleted
        return None
    return status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns


def _is_dropping(path: str) -> bool:
    return any(part in _DROPPINGS for part in path.split("/"))


def folder_of_worktrees(project: Project) -> Path:
    """Where isolated trees are."""
    return project.worktrees


def _claim(project: Project, run_id: str) -> tuple[Path, FileLock]:
    """A free name for a worktree, and the lock that says it is in use; dead ones are removed."""
    folder = folder_of_worktrees(project)
    with storage_errors("the folder of worktrees"):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileLock(folder.parent / _GUARD):
        _sweep(project, folder)
        for place in places_of_run(project, run_id):
            if os.path.lexists(place):
                continue
            lock = FileLock(Path(f"{place}{_LOCK}"))
            if lock.path not in _held and lock.try_acquire():
                _held.add(lock.path)
                return place, lock
    raise AssertionError("unreachable")


def packages_of_tree(place: Path) -> Path:
    """Where packages in place elsewhere are for an isolated tree."""
    return Path(f"{place}{_PACKAGES}")


def _mark_of(place: Path) -> Path:
    return Path(f"{place}{_MARK}")


def places_of_run(project: Project, run_id: str) -> Iterator[Path]:
    """Where isolated trees of a run may be, without end: of several at once each has its own."""
    folder = folder_of_worktrees(project)
    yield folder / run_id
    number = 2
    while True:
        yield folder / f"{run_id}-{number}"
        number += 1


def find_abandoned(project: Project) -> list[Path]:
    """The worktrees of processes that were killed, but for those with work of the user's in them.

    What the next isolated run takes away of itself.
    """
    folder = folder_of_worktrees(project)
    found = []
    if folder.is_dir():
        with FileLock(folder.parent / _GUARD):
            for entry in sorted(folder.glob(f"*{_LOCK}")):
                place = folder / entry.name.removesuffix(_LOCK)
                if entry in _held or _mark_of(place).exists():
                    continue
                lock = FileLock(entry)
                with suppress(OSError, ReproError):  # another user's, who alone can remove it
                    if lock.try_acquire():
                        found.append(place)
                        lock.release()
    return found


def remove_abandoned(project: Project) -> None:
    """Take away what `find_abandoned` gives."""
    folder = folder_of_worktrees(project)
    if folder.is_dir():
        with FileLock(folder.parent / _GUARD):
            _sweep(project, folder)


def _sweep(project: Project, folder: Path) -> None:
    """Remove the worktrees of processes that were killed, but for those with work in them."""
    for entry in sorted(folder.glob(f"*{_LOCK}")):
        if entry in _held:
            continue
        lock = FileLock(entry)
        with suppress(OSError, ReproError):  # another user's, who alone can remove it
            if lock.try_acquire():
                place = folder / entry.name.removesuffix(_LOCK)
                if _mark_of(place).exists():  # nobody knows what of it is the user's work
                    _mark_of(place).unlink()
                else:
                    _remove(project, place)
                entry.unlink(missing_ok=True)
                lock.release()


def _remove(project: Project, place: Path) -> None:
    """Take a worktree away with all in it, and its packages; links in it are not followed."""
    force_away(packages_of_tree(place))
    drop_worktree(project.repository.git, place)


def roots_of(project: Project) -> Sequence[str]:
    """The top of the working tree as programs may spell it: without links, and as it is named."""
    root = project.repository.root
    return tuple(dict.fromkeys([str(root.resolve()), str(root)]))

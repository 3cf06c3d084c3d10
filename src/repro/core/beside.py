"""The code of a run laid out in a worktree of its own, beside the present one."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from repro.core.codetarget import CodeTarget, inner_roots, list_tree, read_code_target
from repro.core.gone import naming_gone
from repro.core.inner import Absent, find_inner
from repro.core.project import Project
from repro.errors import DamagedRecordError, GitError, InvalidInputError
from repro.model.run import Record
from repro.store.beside import add_worktree, drop_worktree, write_files_of
from repro.store.content import ContentStore
from repro.store.lfs import restore_objects
from repro.store.present import is_inside
from repro.store.quarantine import open_quarantine


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What a checkout beside made.

    Attributes:
        folder: The new worktree.
        commit: The snapshot at which its HEAD is detached.
        run: Id of the run, None for another code state.
        title: Name of the run or its command, else the subject of the commit.
        n_files: Files in it, those of submodules included.
        recorded: Tree of each submodule, or inner repository, that is in the record, by path.
        submodules: Those that have their files, as plain ones.
        empty: Submodules without files: a remote has them.
        differing: Files that do not read back as they were recorded, such as by a filter.
    """

    folder: Path
    commit: str
    run: str | None
    title: str
    n_files: int
    recorded: Mapping[str, str]
    submodules: tuple[str, ...]
    empty: tuple[str, ...]
    differing: tuple[str, ...]


def check_out_beside(project: Project, target: Record | str, folder: Path) -> Beside:
    """Bring the code of `target` into a new worktree of git; the present one is not touched.

    Submodules whose content the record holds are written as plain files.

    Raises:
        InvalidInputError: `folder` is not empty, or no folder.
        DamagedRecordError: Objects of the code are gone; or the record names a submodule's path
            that leads elsewhere.
        GitError, StorageError: git failed.
    """
    folder = Path(os.path.abspath(folder))  # noqa: PTH100  a link in it is the user's business
    if folder.is_relative_to(project.repository.common_dir):
        raise InvalidInputError(
            f"`{folder}` is inside the git folder", hint="give a folder outside of it"
        )
    return lay_out(project, target, folder)


def lay_out(
    project: Project, target: Record | str, folder: Path, *, is_whole: bool = False
) -> Beside:
    """Make the worktree of `check_out_beside` at any place, an absolute path.

    Args:
        is_whole: Whether submodules of which the record holds nothing are filled as well, from
            the repositories of them that are on this machine.

    Raises:
        InvalidInputError, DamagedRecordError, GitError, StorageError: As there; then there is no
            worktree.
    """
    repository = project.repository
    with naming_gone(project, target):
        code = read_code_target(project, target)
        roots = inner_roots(project, code)
        restore_objects(repository, code.tree, ContentStore(project.store))
        inside = add_worktree(repository, folder, code.commit)
        try:
            filled, empty = _fill_all(project, code, roots, folder, is_whole=is_whole)
            words = ("diff", "--name-only", "-z", "--no-ext-diff", "--no-textconv")
            differing = inside.paths(*words, "--ignore-submodules=all", "HEAD", "--")
            listed = inside.run("ls-files", "-z").out.count(b"\0")
        except BaseException:
            drop_worktree(repository.git, folder)
            raise
    return Beside(
        folder=folder,
        commit=code.commit,
        run=code.run,
        title=code.title,
        n_files=listed - len(code.links) + sum(filled.values()),
        recorded=roots,
        submodules=tuple(filled),
        empty=empty,
        differing=tuple(differing),
    )


def _fill_all(
    project: Project, code: CodeTarget, roots: Mapping[str, str], folder: Path, *, is_whole: bool
) -> tuple[dict[str, int], tuple[str, ...]]:
    """Write the submodules of a new worktree.

    Returns:
        How many files each that was written has, by path; and those that are empty.
    """
    repository = project.repository
    git, git_dir = repository.git, repository.common_dir
    filled: dict[str, int] = {}
    empty: list[str] = []
    with open_quarantine(repository) as quarantine:
        for number, (path, tree) in enumerate(roots.items()):
            target = _place_inner(folder, path)
            write_files_of(git, git_dir, tree, target, quarantine.dir / f"inner-{number}")
            filled[path] = len(list_tree(git, tree))
        if not is_whole:
            return filled, tuple(path for path in code.links if path not in roots)
        for number, one in enumerate(find_inner(project, code, roots)):
            if isinstance(one, Absent):
                empty.append(one.path)
                continue
            target = _place_inner(folder, one.path)
            index = quarantine.dir / f"submodule-{number}"
            try:
                write_files_of(one.git, one.git_dir, one.commit, target, index)
            except GitError:  # better no part of it than some
                shutil.rmtree(target)
                target.mkdir()
                empty.append(one.path)
            else:
                filled[one.path] = len(list_tree(one.git, one.commit))
    return filled, tuple(empty)


def _place_inner(folder: Path, path: str) -> Path:
    """The folder of a submodule in a new worktree, made."""
    target = folder / path
    if not is_inside(folder, path) or target.is_symlink():
        raise DamagedRecordError(
            f"the record puts the submodule `{path}` behind a link",
            hint="the record was damaged or made to do harm",
        )
    target.mkdir(parents=True, exist_ok=True)
    return target

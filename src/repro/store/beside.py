"""A new worktree of git beside the present one, with all files of a commit."""

import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path

from repro.atomic import storage_errors
from repro.errors import GitError, InvalidInputError, StorageError
from repro.store.git import Git, Repository


def drop_worktree(git: Git, folder: Path) -> None:
    """Take a worktree away with all in it; links in it are not followed."""
    words = ("worktree", "remove", "--force", "--force", "--", str(folder))
    try:
        git.run(*words)
    except (GitError, StorageError):  # it holds submodules, was never whole, or may not be written
        force_away(folder)
        with suppress(GitError, StorageError):
            git.run(*words)
    force_away(folder)


def remove_folder(folder: Path) -> None:
    """Remove a folder with all in it, also what its owner may not write to; links stay unfollowed.

    Raises:
        OSError: It is another user's.
    """
    try:
        shutil.rmtree(folder)
    except PermissionError:
        folder.chmod(stat.S_IRWXU)
        for outer, names, _ in os.walk(folder):  # from above: else it cannot be looked into
            for inner in (Path(outer, name) for name in names):
                if not inner.is_symlink():
                    inner.chmod(stat.S_IRWXU)
        shutil.rmtree(folder)


def force_away(folder: Path) -> None:
    """Remove as much of a folder as can be."""
    with suppress(OSError):
        remove_folder(folder)
    shutil.rmtree(folder, ignore_errors=True)


def add_worktree(repository: Repository, folder: Path, commit: str) -> Git:
    """Make a linked worktree at `folder`, detached at `commit`, all files written.

    Returns:
        The git program in the new worktree.

    Raises:
        InvalidInputError: `folder` is there and not empty, or no folder.
    """
    _refuse_taken(folder)
    git = repository.git
    is_sparse = git.run("config", "--bool", "core.sparseCheckout", ok=(0, 1)).out == b"true\n"
    checkout = "--no-checkout" if is_sparse else "--checkout"
    try:
        git.run("worktree", "add", "--quiet", "--detach", checkout, str(folder), commit)
    except GitError as error:
        hint = "`git worktree prune` forgets worktrees whose folder is gone"
        raise GitError(
            error.message, hint=hint if "registered" in error.message else None
        ) from error
    inside = Git(folder, git.environ)
    if is_sparse:
        _write_unsparse(inside)
    return inside


def _write_unsparse(git: Git) -> None:
    """Write all files of a new worktree in a repository whose worktrees are sparse."""
    git_dir = Path(git.text("rev-parse", "--absolute-git-dir"))
    if (git_dir / "config.worktree").exists():
        git.run("config", "--worktree", "core.sparseCheckout", "false")
        git.run("config", "--worktree", "index.sparse", "false")
    # Where the setting is shared by all worktrees, a pattern for everything does the same.
    with storage_errors("the patterns of a sparse checkout"):
        (git_dir / "info").mkdir(exist_ok=True)
        (git_dir / "info" / "sparse-checkout").write_text("/*\n")
    git.run("reset", "--quiet", "--hard", "--no-recurse-submodules")


def _refuse_taken(folder: Path) -> None:
    hint = "give the name of a folder that is empty or not there"
    try:
        if os.listdir(folder):
            raise InvalidInputError(f"`{folder}` is not empty", hint=hint)
    except FileNotFoundError:
        if folder.is_symlink():
            raise InvalidInputError(f"`{folder}` is a broken link", hint=hint) from None
    except NotADirectoryError as error:
        raise InvalidInputError(f"`{folder}` is not a folder", hint=hint) from error


def write_tree_into(repository: Repository, tree: str, folder: Path, index: Path) -> None:
    """Write the files of a tree, as plain files, into an empty folder.

    Args:
        index: A file that may be written, and is of no use afterwards.
    """
    write_files_of(repository.git, repository.common_dir, tree, folder, index)


def write_files_of(git: Git, git_dir: Path, tree: str, folder: Path, index: Path) -> None:
    """Do what `write_tree_into` does, with a tree of any repository, such as a submodule's.

    Args:
        git_dir: Of that repository, whose filters are applied.
    """
    env = {"GIT_INDEX_FILE": str(index), "GIT_WORK_TREE": str(folder), "GIT_DIR": str(git_dir)}
    words = ("-c", "core.sparseCheckout=false", "-c", "core.splitIndex=false")
    git.run(*words, "read-tree", "-u", "--reset", tree, env=env, cwd=folder)

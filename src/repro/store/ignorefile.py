"""The `.gitignore` at the root: a dataset gets a line there, so that no commit takes its bytes."""

import os
import re

from repro.store.git import Repository
from repro.store.lockfile import write_tracked
from repro.store.settings import read_input
from repro.store.yamlfile import MAX_BYTES

FILE = ".gitignore"

_SPECIAL = re.compile(rb"[*?\[\\!#]")
_LAST_SPACES = re.compile(rb" +\Z")


def ignore_path(repository: Repository, path: str, *, is_folder: bool) -> bool:
    """Have git ignore a file or folder, by a line of its own in the `.gitignore` at the root.

    Args:
        path: Relative to the root, or absolute.

    Returns:
        Whether a line was written: none is for what git ignores already, for what it tracks or
        has any tracked file in, for what is outside of the repository or in a submodule, for a
        name that such a line cannot hold, and where `.gitignore` is a link, which git ignores.

    Raises:
        InvalidInputError: There is a `.gitignore` that is no readable file.
        StorageError: The disk is full, read-only or forbidden.
    """
    inner = os.path.relpath(repository.root / path, repository.root)
    file = repository.root / FILE
    if inner.split("/")[0] in (".", "..") or "\n" in inner or inner.endswith("\r"):
        return False
    # Git takes a link for a file, wherever it leads.
    is_folder = is_folder and not (repository.root / inner).is_symlink()
    if file.is_symlink():
        return False
    before = read_input(repository.root, FILE) or b""  # before git, which waits for a fifo
    if not _is_free(repository, inner):
        return False
    line = _pattern(inner, is_folder=is_folder)
    # What a deeper `.gitignore` takes back is not written a second time; a file beyond the limit
    # was not read to its end.
    if line in before.splitlines() or len(before) > MAX_BYTES:
        return False
    newline = b"\r\n" if b"\r\n" in before else b"\n"
    gap = b"" if not before or before.endswith(b"\n") else newline
    write_tracked(file, before + gap + line + newline)
    return True


def _is_free(repository: Repository, path: str) -> bool:
    """Whether git neither ignores a path nor tracks anything there."""
    git = repository.git
    tracked = git.run("--literal-pathspecs", "ls-files", "-z", "--", path)
    # `check-ignore` knows no `--literal-pathspecs`: `./` keeps a first `:` from being special.
    # 128: the path is in a submodule or behind a link, where a line of ours means nothing.
    ignored = git.run("check-ignore", "-q", "--", f"./{path}", ok=(0, 1, 128))
    return not tracked.out and ignored.code == 1


def _pattern(path: str, *, is_folder: bool) -> bytes:
    """The line that means just this path: anchored, nothing in it special."""
    line = b"/" + _SPECIAL.sub(rb"\\\g<0>", os.fsencode(path))
    if is_folder:
        return line + b"/"
    return _LAST_SPACES.sub(lambda spaces: spaces[0].replace(b" ", b"\\ "), line)


def is_ignored(repository: Repository, path: str) -> bool:
    """Whether git ignores a path; False for one outside of the repository."""
    if path.startswith("/"):
        return False
    words = ("check-ignore", "--quiet", "--", path)
    return repository.git.run(*words, ok=(0, 1, 128)).code == 0

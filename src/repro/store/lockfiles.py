"""The lock files of a project: which there are, and what they hold."""

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LARGEST = 4 << 20  # bytes of a lock file that is kept
_NAMES = re.compile(
    r"(?:uv|poetry|pdm|pixi)\.lock|Pipfile\.lock|requirements[^/]*\.txt"
    r"|environment\.ya?ml|pylock(?:\.[^/]+)?\.toml|conda-lock\.yml"
)


@dataclass(frozen=True, slots=True)
class LockFile:
    """A lock file.

    Attributes:
        path: Relative to the root, with `/`.
        size: Bytes.
        content: None where it has more than `LARGEST` bytes or cannot be read.
    """

    path: str
    size: int
    content: bytes | None

    @property
    def sha256(self) -> str | None:
        """The digest of its content, 64 hex digits."""
        return None if self.content is None else hashlib.sha256(self.content).hexdigest()


def find_lockfiles(root: Path, cwd: str) -> list[LockFile]:
    """Give the lock files at the root and in the folder where a command runs, by path.

    Args:
        cwd: Relative to the root, `.` for the root itself.
    """
    folders = ["", *([f"{cwd}/"] if cwd != "." else [])]
    found = [file for folder in folders for file in _in_folder(root, folder)]
    return sorted(found, key=lambda file: file.path)


def _in_folder(root: Path, folder: str) -> Iterator[LockFile]:
    try:
        names = os.listdir(root / folder)
    except OSError:
        return
    for name in names:
        if _NAMES.fullmatch(name):
            file = _read(root, folder + name)
            if file is not None:
                yield file


def _read(root: Path, path: str) -> LockFile | None:
    """None for what is no file; nothing but files is opened, for a pipe would never end."""
    try:
        status = (root / path).stat()
        if not stat.S_ISREG(status.st_mode):
            return None
        if status.st_size > LARGEST:
            return LockFile(path, status.st_size, None)
        with (root / path).open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError:
        return LockFile(path, 0, None)
    if len(content) > LARGEST:  # it grew
        return LockFile(path, len(content), None)
    return LockFile(path, len(content), content)

"""The bytes of a file under a second name: blocks shared, a hard link, or a copy, hashed."""

import errno
import fcntl
import hashlib
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

from repro.errors import InvalidInputError

BLOCK = 1 << 20
# Linux's FICLONE: the same blocks under a second name, copied when either is written to.
_FICLONE = 0x40049409
# What `link` says where two names for one file cannot be had, as across file systems.
NO_LINK = {errno.EXDEV, errno.EPERM, errno.EACCES, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOSYS}
_HOLE = 1 << 16  # bytes; smaller holes are filled
_ZEROS = bytes(_HOLE)
_SECTOR = 512  # bytes; what st_blocks counts in, on every file system


class Hasher(Protocol):
    """What is shown bytes in their order, as the hashers of `hashlib` and `xxhash` are."""

    def update(self, data: bytes, /) -> object:
        """Take the next bytes."""


def open_source(path: Path) -> IO[bytes]:
    """Open a regular file for reading.

    Raises:
        InvalidInputError: It is none, or cannot be read.
    """
    try:
        # Without O_NONBLOCK a named pipe would hold us for ever.
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise InvalidInputError(f"`{path}` cannot be read: {error.strerror}") from error
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise InvalidInputError(f"`{path}` is not a regular file")
    return os.fdopen(fd, "rb")


@contextmanager
def temporary(folder: Path, name: str) -> Iterator[IO[bytes]]:
    """Give a new file in `folder`; it is gone at the end, unless it was renamed."""
    import tempfile  # noqa: PLC0415  # as in `repro.atomic`

    with tempfile.NamedTemporaryFile(dir=folder, prefix=f".{name}.", delete=False) as file:
        try:
            yield file
        finally:
            Path(file.name).unlink(missing_ok=True)


def clone(source: int, target: int) -> bool:
    """Share the blocks of one open file with another; whether the file system can do that."""
    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError:
        return False
    return True


def link(source: Path, target: Path) -> bool:
    """Hard-link; False where that cannot be had, or there is no source."""
    try:
        os.link(source, target, follow_symlinks=True)
    except FileExistsError:
        return True  # another process was a step ahead
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno in NO_LINK:
            return False
        raise
    return True


def link_open(source: int, name: str, *, folder: int) -> bool:
    """Give an open file a new name in an open folder; False where that cannot be had."""
    try:
        # Only with a folder for the source does Python call linkat, which follows this link.
        os.link(f"/proc/self/fd/{source}", name, src_dir_fd=folder, dst_dir_fd=folder)
    except FileNotFoundError:
        return False  # a system without /proc, or the file has lost its last name
    except OSError as error:
        if error.errno in NO_LINK:
            return False
        raise
    status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if not os.path.samestat(os.fstat(source), status):
        os.unlink(name, dir_fd=folder)
        return False
    return True


def link_over(source: int, path: Path) -> bool:
    """Put a second name of an open file in the place of the file at `path`."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        name = f"{path.name}.link"
        if not link_open(source, name, folder=folder):
            return False
        os.replace(name, path.name, src_dir_fd=folder, dst_dir_fd=folder)
    finally:
        os.close(folder)
    return True


def is_frozen(status: os.stat_result) -> bool:
    """Whether a file is ours and nobody may write to it, so that two names for it are safe.

    Never for root, who writes to any file.
    """
    user = os.geteuid()
    mode = stat.S_IMODE(status.st_mode)
    is_read_only = mode & 0o400 != 0 and mode & ~0o555 == 0
    return is_read_only and stat.S_ISREG(status.st_mode) and status.st_uid == user != 0


def feed(source: int, size: int, hashers: Sequence[Hasher]) -> int:
    """Show hashers the bytes of an open file, from its start.

    Returns:
        How many there were; past `size` no more than one.

    Cost: Reads the file once, in blocks of 1 MiB.
    """
    place = 0
    while block := os.pread(source, min(BLOCK, size + 1 - place), place):
        for hasher in hashers:
            hasher.update(block)
        place += len(block)
    return place


def hash_file(source: int) -> str:
    """The sha256 of all bytes of an open file, 64 hex digits; its position stays.

    Cost: Reads the file once, in blocks of 1 MiB.
    """
    hasher = hashlib.sha256()
    feed(source, sys.maxsize, [hasher])
    return hasher.hexdigest()


def duplicate(source: int, target: int, size: int, hashers: Sequence[Hasher]) -> int:
    """Share the blocks of an open file with an empty one, else `copy`; returns as that does."""
    if clone(source, target):
        return feed(target, size, hashers)
    return copy(source, target, size, hashers)


def bring(source: int, target: IO[bytes], size: int, hashers: Sequence[Hasher]) -> tuple[int, bool]:
    """Give the empty file `target` the bytes of an open one by the cheapest safe means.

    Returns:
        As `copy`; and whether the name of `target` leads to the file of `source` itself now.
    """
    if clone(source, target.fileno()):
        return feed(target.fileno(), size, hashers), False
    if is_frozen(os.fstat(source)) and link_over(source, Path(target.name)):
        return feed(source, size, hashers), True
    return copy(source, target.fileno(), size, hashers), False


def copy(source: int, target: int, size: int, hashers: Sequence[Hasher]) -> int:
    """Copy an open file into another, empty one, from its start, and show hashers its bytes.

    Holes stay holes, but are read: more than one file system has told of holes where data was.
    The positions in both files stay.

    Returns:
        How many bytes were copied; past `size` no more than one: a file that grows has no end.

    Cost: Reads the file once, in blocks of 1 MiB.
    """
    status = os.fstat(source)
    is_sparse = status.st_blocks * _SECTOR < status.st_size
    step = _HOLE if is_sparse else BLOCK
    place = 0
    while block := os.pread(source, min(step, size + 1 - place), place):
        for hasher in hashers:
            hasher.update(block)
        if not is_sparse or block != _ZEROS[: len(block)]:
            _write(target, block, place)
        place += len(block)
    if is_sparse:
        os.ftruncate(target, place)
    return place


def _write(target: int, block: bytes, place: int) -> None:
    rest = memoryview(block)
    while rest:
        done = os.pwrite(target, rest, place)
        rest, place = rest[done:], place + done

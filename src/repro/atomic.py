"""A file is either old or new, never half; a lock is held or it is free."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from repro.errors import StorageError

_HIGH = 512
# What the user must mend before anything can be written.
_STORAGE_ERRNOS = {
    errno.ENOSPC: "no space left on the disk",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "permission denied",
    errno.EPERM: "operation not permitted",
    errno.EFBIG: "the file would pass the size limit of this process",
    errno.ENOTDIR: "a file stands where a folder belongs",
    errno.EEXIST: "something else stands in its place",
    errno.EIO: "the disk reports an input/output error",
}


@contextmanager
def storage_errors(what: str) -> Iterator[None]:
    """Turn the OSErrors of a full, read-only or forbidden disk into a StorageError about `what`."""
    try:
        yield
    except OSError as error:
        reason = _STORAGE_ERRNOS.get(error.errno or 0)
        if reason is None:
            raise
        place = f" (`{error.filename}`)" if error.filename else ""
        raise StorageError(
            f"cannot write {what}: {reason}{place}",
            hint="free space or mend the permissions, then run the command again",
        ) from error


def write_file(path: Path, data: bytes, *, mode: int = 0o600, is_durable: bool = True) -> None:
    """Put `data` at `path`; a reader sees the old file or the new one.

    Args:
        is_durable: Whether a power loss after the return leaves the new file; if not, it may
            leave one of any bytes.

    Raises:
        StorageError: The disk is full, read-only or forbidden.
    """
    # Here, for it takes 8 ms to load, which a hook that writes nothing need not spend.
    import tempfile  # noqa: PLC0415

    with storage_errors(f"`{path.name}`"):
        fd, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(fd, "wb") as file:
                os.fchmod(fd, mode)
                file.write(data)
                file.flush()
                if is_durable:
                    os.fsync(fd)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        if is_durable:
            fsync_dir(path.parent)


def fsync_file(path: Path) -> None:
    """Make the bytes of the file at `path` survive a power loss."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def fsync_dir(path: Path) -> None:
    """Make the names in the folder `path` survive a power loss."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def open_high(path: Path, flags: int) -> int:
    """Open a file, of mode 0600 if it is new, with a number that no file of the program gets.

    A program may close all descriptors and open files of its own. These get the lowest numbers,
    and what is then written to ours would stand in them.
    """
    fd = os.open(path, flags | os.O_CLOEXEC, 0o600)
    try:
        high = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _HIGH)
    except OSError:  # this process may not have so many
        return fd
    os.close(fd)
    return high


class FileLock:
    """An exclusive `fcntl` record lock that other processes see; gone when the holder dies.

    Never open a path twice in one process: closing any descriptor of a file drops the
    process's record locks on it. An orphaned forked child does not keep it, which is why
    it is not `flock` (measured: a DataLoader worker held a `flock` after its parent died).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd: int | None = None

    def try_acquire(self) -> bool:
        """Take the lock if it is free; whether it is ours now."""
        with storage_errors(f"the lock `{self.path.name}`"):
            fd = open_high(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW)
        try:
            fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(fd)
            return False
        self._fd = fd
        return True

    def acquire(self) -> None:
        """Take the lock, waiting until it is free."""
        with storage_errors(f"the lock `{self.path.name}`"):
            fd = open_high(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW)
        fcntl.lockf(fd, fcntl.LOCK_EX)
        self._fd = fd

    def is_in_place(self) -> bool:
        """Whether the file whose lock is held is the one at `path`.

        Whoever held it before may have taken its file away: then somebody else can have the lock
        of the one that is there now.
        """
        if self._fd is None:
            return False
        try:
            return os.path.samestat(os.fstat(self._fd), os.stat(self.path))  # noqa: PTH116
        except OSError:
            return False

    def release(self) -> None:
        """Give the lock back; nothing happens if it was not held."""
        if self._fd is not None:
            with suppress(OSError):  # the program closed all descriptors, and the lock is gone
                os.close(self._fd)
            self._fd = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

"""Digests of bytes and files: xxh3-128, which pins, with sha256 beside it where bytes are kept."""

import os
import stat
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import xxhash

from repro.errors import InvalidInputError
from repro.model.text import escape
from repro.store.cloning import is_frozen

BLOCK = 1 << 20
_SMALL = 1 << 18  # bytes; read by one call
_TRIES = 5
_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
    stat.S_IFLNK: "a symbolic link",
}

_buffers = threading.local()


class Hasher(Protocol):
    """What is given every byte of a file."""

    def update(self, data: bytes | bytearray | memoryview, /) -> None:
        """Take the next bytes."""


Keep = Callable[[int, int, Hasher], str]
"""Keeps an open file of that many bytes, shows them to the hasher, and gives its sha256 in hex."""


class HashedFile(NamedTuple):
    """A file as it was read.

    Attributes:
        status: Of the file, when it had been read.
        xxh3: 32 hex digits.
        sha256: 64 hex digits, None where the bytes were not kept.
    """

    status: os.stat_result
    xxh3: str
    sha256: str | None


@dataclass(slots=True)
class Tally:
    """What has been read so far, counted by all threads.

    Attributes:
        stop: Set to end all reading soon.
    """

    files: int = 0
    size: int = 0
    stop: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, files: int, size: int) -> None:
        """Count files and bytes."""
        with self._lock:
            self.files += files
            self.size += size


class StoppedError(Exception):
    """Reading was told to stop; never seen outside of it."""


def digest_bytes(data: bytes) -> str:
    """The xxh3-128 of `data`, 32 hex digits, as `xxhsum -H2` prints it."""
    return xxhash.xxh3_128_hexdigest(data)


def kind_of(mode: int) -> str:
    """What a thing with this mode is, in words."""
    return _KINDS.get(stat.S_IFMT(mode), "no regular file")


def hash_file(
    name: str, *, where: str, tally: Tally, dir_fd: int | None = None, keep: Keep | None = None
) -> HashedFile:
    """Hash a regular file, and keep it with `keep`; one that changes meanwhile is read again.

    Args:
        name: Relative to `dir_fd`; a link is not followed.
        where: What to call the file in an error.

    Raises:
        FileNotFoundError: It is gone.
        InvalidInputError: It cannot be read, is no regular file, or never stands still.
        StorageError: It could not be kept.
        StoppedError: `tally.stop` was set.

    Cost: reads it once, in blocks of 1 MiB.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    for _ in range(_TRIES):
        try:
            fd = os.open(name, flags, dir_fd=dir_fd)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise _unreadable(name, where, dir_fd, error) from error
        try:
            before = os.fstat(fd)
            if not stat.S_ISREG(before.st_mode):
                raise InvalidInputError(f"`{escape(where)}` is {kind_of(before.st_mode)}")
            try:
                size, xxh3, sha256 = _read(fd, before.st_size, tally, keep)
            except InvalidInputError:  # it changed under the hands of who keeps it
                continue
            after = os.fstat(fd)
        except OSError as error:
            raise InvalidInputError(
                f"`{escape(where)}` cannot be read: {error.strerror}"
            ) from error
        finally:
            os.close(fd)
        # A hard link that the content store made is a new ctime, and no change of the file.
        may_be_linked = keep is not None and is_frozen(before)
        changed = after.st_mtime_ns != before.st_mtime_ns or (
            not may_be_linked and after.st_ctime_ns != before.st_ctime_ns
        )
        is_counted = keep is not None or size >= _SMALL
        if size == before.st_size == after.st_size and not changed:
            tally.add(1, 0 if is_counted else size)
            return HashedFile(after, xxh3, sha256)
        tally.add(0, -size if is_counted else 0)
    raise InvalidInputError(
        f"`{escape(where)}` changes while it is read", hint="wait until nothing writes to it"
    )


def _unreadable(name: str, where: str, dir_fd: int | None, error: OSError) -> InvalidInputError:
    try:
        mode = os.stat(name, dir_fd=dir_fd, follow_symlinks=False).st_mode
    except OSError:
        mode = stat.S_IFREG
    if stat.S_ISREG(mode):
        return InvalidInputError(
            f"`{escape(where)}` cannot be read: {error.strerror}", hint="mend its permissions"
        )
    return InvalidInputError(f"`{escape(where)}` is {kind_of(mode)}, not a regular file")


def _read(fd: int, size: int, tally: Tally, keep: Keep | None) -> tuple[int, str, str | None]:
    """Bytes read, xxh3 and sha256."""
    if tally.stop.is_set():
        raise StoppedError
    if keep is not None:
        counted = _Counted(tally)
        sha256 = keep(fd, size, counted)
        return counted.size, counted.hasher.hexdigest(), sha256
    if size < _SMALL:
        data = os.read(fd, size + 1)
        if len(data) == size:
            return size, xxhash.xxh3_128_hexdigest(data), None
        return len(data), "", None
    return _read_blocks(fd, size, tally)


def _read_blocks(fd: int, size: int, tally: Tally) -> tuple[int, str, str | None]:
    hasher = xxhash.xxh3_128()
    buffer = getattr(_buffers, "block", None)
    if buffer is None:
        buffer = _buffers.block = memoryview(bytearray(BLOCK))
    total = 0
    # Past its size by a block is enough: a file that grows has no end.
    while total <= size and (count := os.readv(fd, [buffer])):
        hasher.update(buffer[:count])
        total += count
        tally.add(0, count)
        if tally.stop.is_set():
            raise StoppedError
    return total, hasher.hexdigest(), None


def digest_open(fd: int) -> str:
    """The xxh3-128 of an open file, from its start; 32 hex digits."""
    os.lseek(fd, 0, os.SEEK_SET)
    return _read_blocks(fd, os.fstat(fd).st_size, Tally())[1]


class _Counted:
    """An xxh3 that counts its bytes in a tally, and stops when that says so."""

    def __init__(self, tally: Tally) -> None:
        self.hasher = xxhash.xxh3_128()
        self.size = 0
        self._tally = tally

    def update(self, data: bytes | bytearray | memoryview, /) -> None:
        if self._tally.stop.is_set():
            raise StoppedError
        self.hasher.update(data)
        self.size += len(data)
        self._tally.add(0, len(data))

"""Bytes by digest, outside git: written once, and never believed without hashing them again."""

import errno
import fcntl
import hashlib
import os
import re
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from repro.atomic import fsync_dir, storage_errors
from repro.errors import DamagedRecordError, InvalidInputError

_PREFIX = "sha256:"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_BLOCK = 1 << 20
_INCOMING = "incoming"
# Linux's FICLONE: the same blocks under a second name, copied when either is written to.
_FICLONE = 0x40049409
# What `link` says where two names for one file cannot be had, as across file systems.
_NO_LINK = {errno.EXDEV, errno.EPERM, errno.EACCES, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOSYS}


class ContentStore:
    """Files named by the sha256 of their bytes, at `aa/bb/<64 hex>`.

    An entry appears whole or not at all, and is never written to afterwards. Its mode is
    0444 against accidents, but says nothing about its bytes: what is read is hashed first.
    Any number of processes may write at once.

    Attributes:
        dir: The folder; made when the first entry comes.
    """

    def __init__(self, dir: Path) -> None:
        self.dir = dir

    def path_of(self, digest: str) -> Path:
        """Where the bytes of `digest` are or would be.

        Raises:
            DamagedRecordError: `digest` is not `sha256:` with 64 hex digits in lower case.
        """
        if _DIGEST.fullmatch(digest) is None:
            raise DamagedRecordError(f"{digest!r} is not a digest of the content store")
        name = digest.removeprefix(_PREFIX)
        return self.dir / name[:2] / name[2:4] / name

    def has(self, digest: str) -> bool:
        """Whether there is an entry; its bytes are not looked at."""
        return self.path_of(digest).is_file()

    def put_file(self, path: Path) -> str:
        """Keep a copy of the bytes of a file, and give their digest.

        The file may be changed in place later, so the entry is never another name of it:
        its blocks are shared where the file system can do that, else copied.

        Raises:
            InvalidInputError: `path` is no readable file, or changed while it was read.
            StorageError: The disk is full, read-only or forbidden; nothing is left behind.

        Cost: Reads the file once, in blocks of 1 MiB.
        """
        with _open_source(path) as source, self._incoming(path.name) as target:
            before = _state(source)
            size = before[0]
            digest = _hash(target) if _clone(source, target) else _copy(source, target, size)
            if _state(source) != before or os.fstat(target.fileno()).st_size != size:
                raise InvalidInputError(
                    f"`{path}` changed while it was being copied",
                    hint="keep it when nothing writes to it any more",
                )
            self._commit(target, digest)
        return digest

    def put_bytes(self, data: bytes) -> str:
        """Keep `data`, and give its digest.

        Raises:
            StorageError: The disk is full, read-only or forbidden; nothing is left behind.
        """
        digest = _PREFIX + hashlib.sha256(data).hexdigest()
        if self._holds(digest, data):
            return digest
        with self._incoming(digest) as target:
            target.write(data)
            self._commit(target, digest)
        return digest

    def link_in(self, path: Path, name: str) -> bool:
        """Keep a file that its owner names by its sha256 and never writes to again.

        It gets a second name, which costs no space; where that cannot be had, its bytes are
        copied. Not made durable: who calls has the same bytes under the first name.

        Args:
            name: The sha256, 64 hex digits.

        Returns:
            Whether the store has the entry now; False if there is no such file, or a copied
            one has other bytes.

        Raises:
            StorageError: The disk is full, read-only or forbidden.
        """
        digest = _PREFIX + name
        target = self.path_of(digest)
        if target.is_file():
            return True
        with storage_errors("the content store"):
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # What a link leads to may be a file that its user edits in place.
            if not path.is_symlink() and _link(path, target):
                return True
        try:
            return self.put_file(path) == digest
        except InvalidInputError:
            return False

    def link_out(self, digest: str, path: Path) -> None:
        """Put an entry at `path`, in the place of what is there: a second name of it, or a copy.

        Only for a folder whose owner never writes to its files in place.

        Raises:
            DamagedRecordError: There is no such entry, or its bytes are not those of its name.
            StorageError: The disk is full, read-only or forbidden.

        Cost: Reads the entry once, for it is hashed first.
        """
        with self.open(digest) as source, storage_errors(f"`{path}`"):
            path.parent.mkdir(parents=True, exist_ok=True)
            with _temporary(path.parent, path.name) as target:
                linked = path.with_name(f"{Path(target.name).name}.link")
                if _link(self.path_of(digest), linked):
                    linked.replace(path)
                else:
                    _copy(source, target, os.fstat(source.fileno()).st_size)
                    Path(target.name).replace(path)

    def open(self, digest: str) -> IO[bytes]:
        """Give the entry, hashed, open for reading at its start.

        Raises:
            DamagedRecordError: There is no such entry, or its bytes are not those of its name.

        Cost: Reads the entry once more than the caller does.
        """
        path = self.path_of(digest)
        try:
            file = path.open("rb")
        except FileNotFoundError as error:
            raise DamagedRecordError(
                f"`{digest}` is not in the content store",
                hint=f"copy `{path.relative_to(self.dir)}` from the store of a clone that has it",
            ) from error
        try:
            found = _hash(file)
        except OSError as error:
            file.close()
            raise self._damaged(digest, f"it cannot be read: {error.strerror}") from error
        if found != digest:
            file.close()
            raise self._damaged(digest, f"its bytes are those of `{found}`")
        file.seek(0)
        return file

    def read(self, digest: str) -> bytes:
        """All bytes of an entry, hashed.

        Raises:
            DamagedRecordError: There is no such entry, or its bytes are not those of its name.
        """
        with self.open(digest) as file:
            return file.read()

    def verify(self, digest: str) -> None:
        """Hash an entry again, and return if it is what its name says.

        Raises:
            DamagedRecordError: There is no such entry, or its bytes are not those of its name.
        """
        self.open(digest).close()

    def _damaged(self, digest: str, reason: str) -> DamagedRecordError:
        place = self.path_of(digest)
        return DamagedRecordError(
            f"`{digest}` in the content store is damaged: {reason}",
            hint=f"replace `{place}` with a sound copy, or keep the file again",
        )

    def _holds(self, digest: str, data: bytes) -> bool:
        try:
            return self.path_of(digest).read_bytes() == data
        except OSError:
            return False

    @contextmanager
    def _incoming(self, name: str) -> Iterator[IO[bytes]]:
        """A file to write a new entry to, gone at the end unless it was committed."""
        folder = self.dir / _INCOMING
        with storage_errors(f"`{name}` to the content store"):
            if not folder.exists():
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                fsync_dir(self.dir.parent)
            with _temporary(folder, "new") as file:
                yield file

    def _commit(self, file: IO[bytes], digest: str) -> None:
        """Give the written file its name, durably; it also heals a damaged entry."""
        target = self.path_of(digest)
        file.flush()
        os.fchmod(file.fileno(), 0o444)
        os.fsync(file.fileno())
        new = [folder for folder in target.parents[:2] if not folder.exists()]
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        Path(file.name).replace(target)
        for folder in [target.parent, *(folder.parent for folder in new)]:
            fsync_dir(folder)


@contextmanager
def _temporary(folder: Path, name: str) -> Iterator[IO[bytes]]:
    with tempfile.NamedTemporaryFile(dir=folder, prefix=f".{name}.", delete=False) as file:
        try:
            yield file
        finally:
            Path(file.name).unlink(missing_ok=True)


def _open_source(path: Path) -> IO[bytes]:
    try:
        # Without O_NONBLOCK a named pipe would hold us for ever.
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise InvalidInputError(f"`{path}` cannot be read: {error.strerror}") from error
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise InvalidInputError(f"`{path}` is not a regular file")
    return os.fdopen(fd, "rb")


def _state(file: IO[bytes]) -> tuple[int, int]:
    status = os.fstat(file.fileno())
    return status.st_size, status.st_mtime_ns


def _clone(source: IO[bytes], target: IO[bytes]) -> bool:
    try:
        fcntl.ioctl(target.fileno(), _FICLONE, source.fileno())
    except OSError:
        return False
    return True


def _hash(file: IO[bytes]) -> str:
    hasher = hashlib.sha256()
    file.seek(0)
    while block := file.read(_BLOCK):
        hasher.update(block)
    return _PREFIX + hasher.hexdigest()


def _copy(source: IO[bytes], target: IO[bytes], size: int) -> str:
    """Copy until the end, or just past `size`: a file that grows has no end."""
    hasher = hashlib.sha256()
    left = size + 1
    while block := source.read(min(left, _BLOCK)):
        hasher.update(block)
        target.write(block)
        left -= len(block)
    target.flush()
    return _PREFIX + hasher.hexdigest()


def _link(source: Path, target: Path) -> bool:
    """Hard-link; False where that cannot be had, or there is no source."""
    try:
        os.link(source, target, follow_symlinks=True)
    except FileExistsError:
        return True  # another process was a step ahead
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno in _NO_LINK:
            return False
        raise
    return True

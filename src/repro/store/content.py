"""Bytes by digest, outside git: written once, and never believed without hashing them again."""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from repro.atomic import fsync_dir, storage_errors
from repro.errors import DamagedRecordError, InvalidInputError
from repro.store.batch import Batch, open_batch
from repro.store.cloning import (
    Hasher,
    bring,
    clone,
    copy,
    duplicate,
    feed,
    hash_file,
    link,
    open_source,
    temporary,
)
from repro.store.entries import (
    damaged_entry,
    is_whole,
    list_entries,
    remove_abandoned,
    renew_epoch,
    take_free_name,
)

_PREFIX = "sha256:"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_INCOMING, _DAMAGED = "incoming", "damaged"


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
        # One path and not three: it is made several times for each file of a dataset.
        return Path(f"{self.dir}/{name[:2]}/{name[2:4]}/{name}")

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
        hasher = hashlib.sha256()
        with open_source(path) as source, self.incoming(path.name) as target:
            before = _state(source)
            found = duplicate(source.fileno(), target.fileno(), before[0], [hasher])
            if _state(source) != before or found != before[0]:
                raise InvalidInputError(
                    f"`{path}` changed while it was being copied",
                    hint="keep it when nothing writes to it any more",
                )
            digest = _PREFIX + hasher.hexdigest()
            self.commit(target, digest)
        return digest

    def put_open(
        self, source: int, *, size: int, also: Hasher | None = None, batch: Batch | None = None
    ) -> str:
        """Keep the bytes of an open regular file by the cheapest safe means; give their digest.

        Its blocks are shared where the file system can do that. Else a file of ours that nobody
        may write to gets a second name, its mode left alone; any other one is copied. An entry
        that is there and sound stays as it is, a damaged one is replaced.

        The digest is always that of the bytes in the entry. Whether they are those of one moment
        only the caller can tell, by looking afterwards whether the file has changed.

        Args:
            source: Open for reading.
            size: How many bytes it should have.
            also: Is shown every byte too, so that the file is read once for both.
            batch: Of this store; the entry is there, durably, only when that is flushed.

        Raises:
            InvalidInputError: It has another size.
            StorageError: The disk is full, read-only or forbidden; nothing is left behind.

        Cost: Reads the file once, in blocks of 1 MiB, and an entry that is there already once.
        """
        hasher = hashlib.sha256()
        hashers: list[Hasher] = [hasher] if also is None else [hasher, also]
        with self.incoming("a new entry") as target:
            found, is_shared = bring(source, target, size, hashers)
            if found != size:
                raise InvalidInputError(
                    "a file changed while it was being kept",
                    hint="keep it when nothing writes to it any more",
                )
            digest = _PREFIX + hasher.hexdigest()
            if self._is_sound(digest, size):
                return digest
            if not is_shared:
                os.fchmod(target.fileno(), 0o444)
            if batch is not None:
                batch.add(Path(target.name), self.path_of(digest), size)
            else:
                self._name(source if is_shared else target.fileno(), Path(target.name), digest)
        return digest

    @contextmanager
    def batch(self) -> Iterator[Batch]:
        """For `put_open`: entries get their names together, which costs one sync for them all.

        Raises:
            StorageError: The disk is full, read-only or forbidden.
        """
        with storage_errors("to the content store"):
            folder = self._make_incoming()
        with open_batch(folder) as batch:
            yield batch

    def put_bytes(self, data: bytes) -> str:
        """Keep `data`, and give its digest.

        Raises:
            StorageError: The disk is full, read-only or forbidden; nothing is left behind.
        """
        digest = _PREFIX + hashlib.sha256(data).hexdigest()
        if self._is_sound(digest, len(data)):
            return digest
        with self.incoming(digest) as target:
            target.write(data)
            self.commit(target, digest)
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
            if not path.is_symlink() and link(path, target):
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
            with temporary(path.parent, path.name) as target:
                linked = path.with_name(f"{Path(target.name).name}.link")
                if link(self.path_of(digest), linked):
                    linked.replace(path)
                else:
                    copy(source.fileno(), target.fileno(), _state(source)[0], ())
                    Path(target.name).replace(path)

    def copy_out(self, digest: str, target: int, size: int, *, only_shared: bool = False) -> bool:
        """Write an entry into an open, empty file; what was written is hashed.

        Its blocks are shared where the file system can do that, else copied.

        Args:
            target: Open for reading and writing; holds anything after an error.
            only_shared: Never copy.

        Returns:
            Whether `target` has the bytes now; False only where they had to be copied.

        Raises:
            DamagedRecordError: There is no such entry, its bytes are not those of its name,
                or not `size`.

        Cost: Reads the entry once, in blocks of 1 MiB.
        """
        hasher = hashlib.sha256()
        with self._open(digest) as source:
            if _state(source)[0] != size:
                self.verify(digest)
                raise DamagedRecordError(
                    f"`{digest}` has {_state(source)[0]} bytes, but the record says {size}",
                    hint="the record was damaged or made to do harm; nothing of it was written",
                )
            if clone(source.fileno(), target):
                feed(target, size, [hasher])
            elif only_shared:
                return False
            else:
                copy(source.fileno(), target, size, [hasher])
        self._check(digest, _PREFIX + hasher.hexdigest())
        return True

    def open(self, digest: str) -> IO[bytes]:
        """Give the entry, hashed, open for reading at its start.

        Raises:
            DamagedRecordError: There is no such entry, or its bytes are not those of its name.

        Cost: Reads the entry once more than the caller does.
        """
        file = self._open(digest)
        try:
            self._check(digest, _PREFIX + hash_file(file.fileno()))
        except OSError as error:
            file.close()
            raise damaged_entry(digest, f"it cannot be read: {error.strerror}") from error
        except DamagedRecordError:
            file.close()
            raise
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

    def set_aside(self, digest: str) -> Path:
        """Move a damaged entry to `damaged/`, so that its name is free for a sound copy.

        Returns:
            Where it is now: its old place, should another process have healed it meanwhile.

        Raises:
            DamagedRecordError: There is no such entry.
            StorageError: The store cannot be written.

        Cost: Reads the entry once.
        """
        place, folder = self.path_of(digest), self.dir / _DAMAGED
        with storage_errors(f"`{_DAMAGED}` in the content store"):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            target = take_free_name(folder, place.name)
            renew_epoch(self.dir)
            try:
                place.replace(target)
            except FileNotFoundError as error:
                target.unlink()
                raise self._missing(digest) from error
            if is_whole(target, digest.removeprefix(_PREFIX)):
                target.replace(place)
                return place
            fsync_dir(folder)
        return target

    def entries(self) -> Iterator[tuple[str, os.stat_result]]:
        """Every entry by its digest, in the order of names; their bytes are not looked at.

        Cost: Lists every folder once, and looks at each file's facts.
        """
        for name, status in list_entries(self.dir):
            yield _PREFIX + name, status

    def clear_incoming(self, *, now: float) -> None:
        """Remove the unfinished files of processes that died.

        That is what nobody has touched for a day; for 14 days, if it is a download to go on with.

        Args:
            now: Seconds since 1970.

        Raises:
            StorageError: The store cannot be written.
        """
        with storage_errors(f"`{_INCOMING}` in the content store"):
            remove_abandoned(self.dir / _INCOMING, now=now)

    def _open(self, digest: str) -> IO[bytes]:
        try:
            return self.path_of(digest).open("rb")
        except FileNotFoundError as error:
            raise self._missing(digest) from error

    def _missing(self, digest: str) -> DamagedRecordError:
        place = self.path_of(digest).relative_to(self.dir)
        return DamagedRecordError(
            f"`{digest}` is not in the content store",
            hint=f"copy `{place}` from the store of a clone that has it",
        )

    def _check(self, digest: str, found: str) -> None:
        if found != digest:
            raise damaged_entry(digest, f"its bytes are those of `{found}`")

    def _is_sound(self, digest: str, size: int) -> bool:
        """Whether an entry need not be written again; then it is as young as if it had been."""
        path = self.path_of(digest)
        with suppress(OSError):
            status = path.lstat()
            if status.st_size == size and is_whole(path, digest.removeprefix(_PREFIX)):
                if status.st_nlink == 1:  # else it is a file of the user's, too
                    os.utime(path)  # so that a `data gc` beside us does not take it
                return True
        return False

    @contextmanager
    def incoming(self, name: str) -> Iterator[IO[bytes]]:
        """A file to write a new entry to, gone at the end unless it was committed."""
        with (
            storage_errors(f"`{name}` to the content store"),
            temporary(self._make_incoming(), "new") as file,
        ):
            yield file

    def _make_incoming(self) -> Path:
        folder = self.dir / _INCOMING
        if not folder.exists():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            fsync_dir(self.dir.parent)
        return folder

    def commit(self, file: IO[bytes], digest: str) -> None:
        """Give the written file its name, durably; it also heals a damaged entry."""
        file.flush()
        os.fchmod(file.fileno(), 0o444)
        self._name(file.fileno(), Path(file.name), digest)

    def _name(self, file: int, path: Path, digest: str) -> None:
        target = self.path_of(digest)
        os.fsync(file)
        new = [folder for folder in target.parents[:2] if not folder.exists()]
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.replace(target)
        for folder in [target.parent, *(folder.parent for folder in new)]:
            fsync_dir(folder)


def _state(file: IO[bytes]) -> tuple[int, int]:
    status = os.fstat(file.fileno())
    return status.st_size, status.st_mtime_ns

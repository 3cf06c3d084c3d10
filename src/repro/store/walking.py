"""Folders opened a name at a time: never through a link, never out of the one they are in."""

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from repro.atomic import storage_errors
from repro.errors import DamagedRecordError, StorageError, WouldLoseWorkError
from repro.model.paths import LONGEST_PATH, find_name_fault
from repro.model.text import escape

OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# What file systems say of a name that they cannot hold, such as one that is not UTF-8.
_NO_NAME = {errno.EINVAL, errno.EILSEQ, errno.ENAMETOOLONG}
NO_FOLDER = {errno.ENOTDIR, errno.ELOOP, errno.EMLINK}  # what is said of links and files
_ASKS_EFFECTIVE = os.access in os.supports_effective_ids


class Folders:
    """The folders below an open one, of which the last stays open; for one thread at a time."""

    def __init__(self, top: int) -> None:
        self._top = top
        self._last: tuple[list[str], int] | None = None
        self._known: dict[tuple[int, int], str] = {}

    def forget(self) -> None:
        """Close the last folder."""
        if self._last is not None:
            os.close(self._last[1])
            self._last = None

    def open(self, names: list[str], *, make: bool) -> int:
        """Give an open folder, which stays ours; it is not walked to twice in a row.

        Raises:
            DamagedRecordError: The file system takes it for a folder of another name.
            WouldLoseWorkError: A link or a file stands where a folder belongs.
        """
        if not names:
            return self._top
        if self._last is not None and self._last[0] == names and self._is_current(*self._last):
            return self._last[1]
        self.forget()
        folder = walk(self._top, names, make=make, known=self._known)
        self._last = names, folder
        return folder

    def _is_current(self, names: list[str], folder: int) -> bool:
        try:
            status = os.stat("/".join(names), dir_fd=self._top, follow_symlinks=False)
        except OSError:
            return False
        return os.path.samestat(status, os.fstat(folder))


def split_path(path: str) -> list[str]:
    """The names in a path, which unlike one in a record may hold line ends.

    Raises:
        DamagedRecordError: It leads out of its folder or into `.git`, or nothing can hold it.
    """
    names = path.split("/")
    try:
        faults = [fault for fault in map(find_name_fault, names) if fault is not None]
        if "\0" in path:
            faults.append("holds a NUL")
        if len(os.fsencode(path)) > LONGEST_PATH:
            faults.append(f"is longer than {LONGEST_PATH} bytes")
    except UnicodeEncodeError:
        faults = ["no file system can hold"]
    if faults:
        raise harmful(f"the path `{escape(path[:80])}`, which {faults[0]}")
    return names


def walk(
    base: int,
    names: Sequence[str],
    *,
    make: bool,
    known: dict[tuple[int, int], str] | None = None,
) -> int:
    """Open a folder below an open one, a name at a time and through no link.

    Args:
        make: Whether to make what is absent.
        known: Paths of folders that were opened before, by device and inode.

    Raises:
        FileNotFoundError: It is absent, and not to be made.
        DamagedRecordError: The file system takes it for a folder of another name.
        WouldLoseWorkError: A link or a file stands where a folder belongs.
    """
    folder = os.dup(base)
    for depth, name in enumerate(names, 1):
        path = "/".join(names[:depth])
        try:
            inner = _enter(folder, name, path, make=make)
        finally:
            os.close(folder)
        folder = inner
        if known is not None:
            try:
                _refuse_twin(base, folder, path, known)
            except BaseException:
                os.close(folder)
                raise
    return folder


def _enter(folder: int, name: str, path: str, *, make: bool) -> int:
    try:
        try:
            return os.open(name, OPEN_FOLDER, dir_fd=folder)
        except FileNotFoundError:
            if not make:
                raise
        with suppress(FileExistsError):
            os.mkdir(name, dir_fd=folder)
        return os.open(name, OPEN_FOLDER, dir_fd=folder)
    except OSError as error:
        if error.errno not in NO_FOLDER:
            raise
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        kind = "symbolic link" if stat.S_ISLNK(status.st_mode) else "file"
        message = f"a {kind} stands where the folder `{escape(path)}` belongs"
        raise in_the_way(message, path) from error


def _refuse_twin(base: int, folder: int, path: str, known: dict[tuple[int, int], str]) -> None:
    """Refuse a folder that was reached by another path before: it would hold the files of both."""
    status = os.fstat(folder)
    other = known.setdefault((status.st_dev, status.st_ino), path)
    if other == path:
        return
    with suppress(OSError):  # the other one is gone, and its number was given away again
        if os.path.samestat(status, os.stat(other, dir_fd=base, follow_symlinks=False)):
            raise twins(other, path)
    known[status.st_dev, status.st_ino] = path


class Top:
    """A folder below an open one, which may come and go while it is in use.

    Attributes:
        fd: Where it is open; stays the same number, and is that of the folder it would be made
            in for as long as it is absent.
        depth: How many names of its path are there.
    """

    def __init__(self, base: int, names: list[str], *, make: bool) -> None:
        self._base, self._names = base, names
        self.depth = len(names)
        if make:
            self.fd = walk(base, names, make=True)
        else:
            self.depth, self.fd = _walk_far(base, names)

    def close(self) -> None:
        """Close it."""
        os.close(self.fd)

    def reopen(self, *, make: bool) -> bool:
        """Go there again, for it may have been made, removed or replaced since.

        Returns:
            Whether it is there; True if it is to be made.

        Raises:
            WouldLoseWorkError: A link or a file stands where a folder belongs.
            StorageError: It cannot be made.
        """
        with place_errors("/".join(self._names)):
            try:
                fd = walk(self._base, self._names, make=make)
            except FileNotFoundError:
                return False
            try:
                os.dup2(fd, self.fd, inheritable=False)
            finally:
                os.close(fd)
        self.depth = len(self._names)
        return True

    def remove(self, count: int) -> None:
        """Remove so many folders of its path, itself first, as far as they are empty."""
        for depth in range(len(self._names), max(len(self._names) - count, 0), -1):
            with place_errors("/".join(self._names[:depth])):
                if not self._remove(depth):
                    return

    def _remove(self, depth: int) -> bool:
        try:
            folder = walk(self._base, self._names[: depth - 1], make=False)
        except FileNotFoundError:
            return False
        try:
            os.rmdir(self._names[depth - 1], dir_fd=folder)
        except OSError as error:
            if error.errno in {errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST, *NO_FOLDER}:
                return False
            raise
        finally:
            os.close(folder)
        return True

    def refuse_closed(self, path: str) -> None:
        """Refuse a folder in it, empty for itself, whose names nobody may change.

        Raises:
            StorageError: Neither there nor, where it is absent, in the one it is to be made in.
        """
        names = path.split("/") if path else []
        depth, fd = _walk_far(self.fd, names)
        try:
            if os.access(".", os.W_OK | os.X_OK, dir_fd=fd, effective_ids=_ASKS_EFFECTIVE):
                return
        finally:
            os.close(fd)
        shown = "/".join([*self._names[: self.depth], *names[:depth]]) or "."
        raise StorageError(
            f"cannot change the folder `{escape(shown)}`: permission denied",
            hint="mend its permissions, then run the command again",
        )


def _walk_far(base: int, names: Sequence[str]) -> tuple[int, int]:
    """How many of the folders are there, and the last one of these, open."""
    for depth in range(len(names), 0, -1):
        with suppress(FileNotFoundError):
            return depth, walk(base, names[:depth], make=False)
    return 0, os.dup(base)


def twins(one: str, other: str) -> DamagedRecordError:
    """The error for two names of which the file system makes one."""
    return DamagedRecordError(
        f"the file system cannot tell `{escape(one)}` and `{escape(other)}` apart",
        hint="bring the dataset to a file system that tells capitals from small letters",
    )


def in_the_way(message: str, path: str) -> WouldLoseWorkError:
    """The error for what the user has at `path`."""
    return WouldLoseWorkError(
        message, paths=[path], hint="move it away, then run the command again"
    )


def harmful(what: str) -> DamagedRecordError:
    """The error for a name that only a damaged or hostile record has."""
    return DamagedRecordError(
        f"the record names {what}",
        hint="the record was damaged or made to do harm; nothing of it was written",
    )


def taken(folder: int, name: str, path: str) -> DamagedRecordError | WouldLoseWorkError:
    """The error for a name that something has, or something whose name differs in case only."""
    names = os.listdir(folder)
    status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if name not in names:
        for other in names:
            if os.path.samestat(status, os.stat(other, dir_fd=folder, follow_symlinks=False)):
                return twins(path.removesuffix(name) + other, path)
    kind = "a folder" if stat.S_ISDIR(status.st_mode) else "something"
    return in_the_way(f"{kind} stands where the file `{escape(path)}` belongs", path)


@contextmanager
def place_errors(path: str) -> Iterator[None]:
    """As `storage_errors`, and for what only happens among a user's own files."""
    shown = f"`{escape(path)}`"
    try:
        with storage_errors(shown):
            yield
    except OSError as error:
        if error.errno in _NO_NAME:
            reason, hint = "the file system has no such names", "bring the dataset to another one"
        elif error.errno == errno.EXDEV:
            reason, hint = "a file system is mounted in its folder", "unmount it"
        elif error.errno == errno.ENOENT:
            reason, hint = "its folder vanished meanwhile", "run the command again"
        else:
            raise
        raise StorageError(f"cannot write {shown}: {reason}", hint=hint) from error

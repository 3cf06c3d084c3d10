"""The files of a dataset, written below one folder: each whole or not at all, through no link."""

import errno
import itertools
import os
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from enum import Enum
from pathlib import Path

from repro.model.manifest import is_inner_link
from repro.model.text import escape
from repro.store.cloning import NO_LINK, duplicate, is_frozen, link_open
from repro.store.content import ContentStore
from repro.store.drafts import open_drafts
from repro.store.hashing import digest_open
from repro.store.walking import (
    NO_FOLDER,
    Folders,
    Top,
    harmful,
    in_the_way,
    place_errors,
    split_path,
    taken,
)

_EXECUTABLE = 0o111
# Inode, size, mtime_ns, ctime_ns; the last is 0 where it says nothing.
Seen = tuple[int, int, int, int]


class Means(Enum):
    """How bytes of the content store come into a dataset.

    COPY makes files that the user may edit: blocks are shared where the file system can, else
    copied. LINK prefers, over a copy, a second name of the read-only entry: it takes no space.
    """

    COPY = "copy"
    LINK = "link"


def seen_of(status: os.stat_result) -> Seen:
    """What tells a file from what it was before, and from another one under its name."""
    # Whatever becomes of another name of a file, such as the draft of a killed process, shows here.
    ctime_ns = status.st_ctime_ns if status.st_nlink == 1 else 0
    return status.st_ino, status.st_size, status.st_mtime_ns, ctime_ns


def is_still(now: Seen | None, seen: Seen | None) -> bool:
    """Whether what is there now is what was seen."""
    if now is None or seen is None:
        return now is seen
    return now[:3] == seen[:3] and (now[3] == seen[3] or 0 in (now[3], seen[3]))


@contextmanager
def open_place(root: Path, path: str, staging: Path, *, make: bool = True) -> Iterator["Place"]:
    """Give the folder `path` below `root` to write a dataset's files into.

    Args:
        root: A folder; how it is reached is the caller's affair.
        path: Relative, `/` between names, `.` for the root itself; never followed through a link.
        staging: A private folder for unfinished files, made if absent. It is used if it is on the
            file system of the place; else there is a hidden folder `.repro-incoming-<16 hex>`
            beside the place (within, if the place is where a file system is mounted).
        make: Whether to make the folder if it is absent; else `top.reopen` has to, before
            anything is put there.

    Raises:
        DamagedRecordError: `path` leads out of the root or into `.git`.
        WouldLoseWorkError: A link or a file stands where a folder belongs.
        StorageError: The disk is full, read-only or forbidden.
    """
    names = [] if path == "." else split_path(path)
    with ExitStack() as stack:
        with place_errors(path):
            base = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            stack.callback(os.close, base)
            top = Top(base, names, make=make)
            stack.callback(top.close)
            drafts = stack.enter_context(open_drafts(staging, root, names[: top.depth], top.fd))
        place = Place(top, drafts)
        stack.callback(place.close)
        yield place


class Place:
    """A dataset's folder, open for writing; several threads may write at once.

    Every file is written elsewhere and renamed into its place, so a reader finds it old or new
    and never half. Nothing is synced: what a power loss takes has another size, and is written
    again by the next call.

    Attributes:
        top: The folder itself.

    Every path is relative to the folder, with `/` between names that may hold any byte but NUL.
    All methods raise:
        DamagedRecordError: The path leads out of the folder or into `.git`, or the file system
            cannot tell its name from another one that is there.
        WouldLoseWorkError: A link or file stands where a folder belongs, or a folder where a file
            does; or a file is not what the caller saw.
        StorageError: The disk is full, read-only or forbidden. What was there is as it was.
    """

    def __init__(self, top: Top, drafts: int) -> None:
        self.top = top
        self._folders, self._drafts = Folders(top.fd), drafts
        self._numbers = itertools.count()
        self._lock = threading.Lock()  # of all folders

    def put(
        self,
        path: str,
        content: ContentStore,
        digest: str,
        size: int,
        *,
        is_executable: bool,
        means: Means,
        seen: Seen | None = None,
    ) -> None:
        """Write an entry of the content store to `path`, its folders made if absent.

        Args:
            digest: `sha256:` and 64 hex digits; what is written is hashed.
            size: Bytes.
            is_executable: Mode 0755 instead of 0644, less the umask. An entry has one mode only:
                one with another is not linked but copied.
            seen: Of the file or link that may be replaced; None if nothing was there.

        Raises:
            DamagedRecordError: There is no such entry, or its bytes or size are others, too.

        Cost: Reads the entry once.
        """
        draft = self.prepare(path, content, digest, size, is_executable=is_executable, means=means)
        self.settle(draft, path, seen=seen)

    def prepare(
        self,
        path: str,
        content: ContentStore,
        digest: str,
        size: int,
        *,
        is_executable: bool,
        means: Means,
        bits: int | None = None,
    ) -> str:
        """Do all of `put` but its last step; give what `settle` finishes.

        Whatever is wrong with the bytes, or with the disk, shows before anything is replaced.

        Args:
            bits: The very permission bits, instead of the usual ones.
        """
        split_path(path)
        draft = str(next(self._numbers))
        with place_errors(path):
            try:
                fd = self._create(draft, is_executable=is_executable)
                try:
                    is_there = means is Means.LINK and (
                        content.copy_out(digest, fd, size, only_shared=True)
                        or self._link(draft, content, digest, size, is_executable)
                    )
                    if not is_there:
                        content.copy_out(digest, fd, size)
                    if bits is not None:
                        os.fchmod(fd, bits)
                finally:
                    os.close(fd)
            except BaseException:
                self._discard(draft)
                raise
        return draft

    def verify(self, draft: str, path: str, xxh3: str) -> None:
        """Refuse what was prepared if it is not what a record pins, whoever vouches for it.

        Cost: Reads it once.
        """
        with place_errors(path):
            fd = os.open(draft, os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._drafts)
        try:
            found = digest_open(fd)
        finally:
            os.close(fd)
        if found != xxh3:
            raise harmful(f"for `{escape(path)}` the sha256 of another file")

    def settle(self, draft: str, path: str, *, seen: Seen | None) -> None:
        """Give what was prepared its name; what it replaces must be what the caller saw."""
        with place_errors(path):
            try:
                self._settle(draft, path, seen)
            finally:
                self._discard(draft)

    def put_copy(
        self,
        path: str,
        source: Path,
        check: Callable[[int], bool],
        *,
        is_executable: bool,
        seen: Seen | None = None,
    ) -> bool:
        """Write the bytes of another file to `path` if, once copied, they pass `check`.

        Args:
            check: Is given the copy, open at its start.
            is_executable, seen: As for `put`.

        Returns:
            Whether it was written: `source` is a readable file, no link, and the check held.
        """
        split_path(path)
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        try:
            fd = os.open(source, flags)
        except OSError:
            return False
        with ExitStack() as stack:
            stack.callback(os.close, fd)
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                return False
            draft = stack.enter_context(self._draft(path))
            target = self._create(draft, is_executable=is_executable)
            stack.callback(os.close, target)
            duplicate(fd, target, status.st_size, ())
            if not check(target):
                return False
            self._settle(draft, path, seen)
        return True

    def link(
        self, path: str, target: str, *, seen: Seen | None = None, is_own: bool = False
    ) -> None:
        """Make a symbolic link at `path`; `seen` as for `put`.

        Args:
            is_own: Whether it was here before, wherever it leads.

        Raises:
            DamagedRecordError: The target is outside of the dataset, too.
        """
        names = split_path(path)
        is_fit = bool(target) and "\0" not in target
        if not (is_fit if is_own else is_inner_link(target, len(names) - 1)):
            raise harmful(f"the link `{escape(path)}`, which leads to `{escape(target)}`")
        with self._draft(path) as draft:
            os.symlink(target, draft, dir_fd=self._drafts)
            self._settle(draft, path, seen)

    def make_folder(self, path: str) -> None:
        """Make a folder, and those above it, if absent."""
        names = split_path(path)
        with place_errors(path), self._lock:
            self._folders.open(names, make=True)

    def look(self, path: str) -> Seen | None:
        """What is at `path`, for `seen`; None if nothing is."""
        status = self._status(path)
        return None if status is None else seen_of(status)

    def has_folder(self, path: str) -> bool:
        """Whether there is a folder at `path`, no link to one."""
        status = self._status(path)
        return status is not None and stat.S_ISDIR(status.st_mode)

    def _status(self, path: str) -> os.stat_result | None:
        *folders, name = split_path(path)
        with place_errors(path), self._lock, suppress(FileNotFoundError):
            folder = self._folders.open(folders, make=False)
            return os.stat(name, dir_fd=folder, follow_symlinks=False)
        return None

    def set_bits(self, path: str, bits: int) -> None:
        """Give a folder, empty for the top, its very permission bits, once all is in it."""
        names = split_path(path) if path else []
        with place_errors(path), self._lock:
            os.fchmod(self._folders.open(names, make=False), bits)

    def remove(self, path: str, *, seen: Seen) -> None:
        """Remove a file or link if it is what the caller saw; nothing happens if it is gone."""
        *folders, name = split_path(path)
        with place_errors(path), self._lock, suppress(FileNotFoundError):
            folder = self._folders.open(folders, make=False)
            if self._is_seen(folder, name, path, seen):
                os.unlink(name, dir_fd=folder)

    def remove_folder(self, path: str) -> bool:
        """Remove a folder if it is empty; whether it was there, and was."""
        *folders, name = split_path(path)
        with place_errors(path), self._lock:
            try:
                os.rmdir(name, dir_fd=self._folders.open(folders, make=False))
            except OSError as error:
                if error.errno in {errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST, *NO_FOLDER}:
                    return False
                raise
        return True

    def close(self) -> None:
        """Close the folder that was written to last."""
        self._folders.forget()

    @contextmanager
    def _draft(self, path: str) -> Iterator[str]:
        """A name among the drafts; what has it at the end is removed."""
        name = str(next(self._numbers))
        with place_errors(path):
            try:
                yield name
            finally:
                self._discard(name)

    def _discard(self, draft: str) -> None:
        with suppress(FileNotFoundError):
            os.unlink(draft, dir_fd=self._drafts)

    def _create(self, draft: str, *, is_executable: bool) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        return os.open(draft, flags, 0o755 if is_executable else 0o644, dir_fd=self._drafts)

    def _link(
        self, draft: str, content: ContentStore, digest: str, size: int, is_executable: bool
    ) -> bool:
        """Put a second name of an entry, hashed, in the place of a draft; whether that can be."""
        try:
            status = content.path_of(digest).lstat()
        except OSError:
            return False
        mode = _EXECUTABLE if is_executable else 0
        is_alike = status.st_size == size and stat.S_IMODE(status.st_mode) & _EXECUTABLE == mode
        is_near = status.st_dev == os.fstat(self._drafts).st_dev
        if not (is_alike and is_near and is_frozen(status)):
            return False
        with content.open(digest) as source:
            if not link_open(source.fileno(), f"{draft}.link", folder=self._drafts):
                return False
        os.replace(f"{draft}.link", draft, src_dir_fd=self._drafts, dst_dir_fd=self._drafts)
        return True

    def _settle(self, draft: str, path: str, seen: Seen | None) -> None:
        *folders, name = split_path(path)
        with self._lock:
            folder = self._folders.open(folders, make=True)
            if seen is not None and self._is_seen(folder, name, path, seen):
                os.replace(draft, name, src_dir_fd=self._drafts, dst_dir_fd=folder)
            else:
                self._add(draft, folder, name, path)

    def _add(self, draft: str, folder: int, name: str, path: str) -> None:
        """Give a draft its name, which nothing must have."""
        drafts = self._drafts
        try:
            os.link(draft, name, src_dir_fd=drafts, dst_dir_fd=folder, follow_symlinks=False)
        except FileExistsError as error:
            raise taken(folder, name, path) from error
        except OSError as error:
            if error.errno not in NO_LINK - {errno.EXDEV}:
                raise
            if _lexists(folder, name):
                raise taken(folder, name, path) from error
            os.replace(draft, name, src_dir_fd=drafts, dst_dir_fd=folder)

    def _is_seen(self, folder: int, name: str, path: str, seen: Seen) -> bool:
        """Whether a file is what the caller saw; False if it is gone.

        Raises:
            WouldLoseWorkError: It is something else.
        """
        try:
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return False
        if stat.S_ISDIR(status.st_mode):
            raise in_the_way(f"a folder stands where the file `{escape(path)}` belongs", path)
        if not is_still(seen_of(status), seen):
            raise in_the_way(f"`{escape(path)}` changed meanwhile", path)
        return True


def _lexists(folder: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True

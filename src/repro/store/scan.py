"""What lies in one folder of a dataset, as the file system says it without reading a file."""

import errno
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from repro.errors import InvalidInputError
from repro.model.manifest import is_inner_link
from repro.model.paths import find_name_fault
from repro.model.text import escape
from repro.store.drafts import HIDDEN
from repro.store.hashing import digest_bytes, kind_of

Raw = tuple[str, int, int, int, int, int, str | None]
"""A name in a folder: name, mode, bytes, mtime and ctime in ns, inode, target of a kept link.

A bare tuple, for there is one for each file of a dataset at each look.
"""

WORD = (1 << 64) - 1  # what a time, which may be before 1970, is cut to

_TYPE, _REGULAR, _LINK, _FOLDER = 0o170000, 0o100000, 0o120000, 0o040000

_SIGNS = ("\\", ".git", "git~", ".. ", HIDDEN)  # of ASCII names that may be unfit


_encode = msgspec.msgpack.Encoder().encode


@dataclass(frozen=True, slots=True)
class Listing:
    """A folder at one moment.

    Attributes:
        found: Regular files and kept links, sorted by name.
        folders: Names, sorted.
        left_out: Names that no record may hold, such as `.git`.
        signature: Another one as soon as a name, a size, a time, or an inode is another one.
    """

    found: list[Raw]
    folders: list[str]
    left_out: list[str]
    signature: str

    @property
    def size(self) -> int:
        """Bytes of the regular files."""
        return sum(raw[2] for raw in self.found if raw[6] is None)


def list_folder(
    fd: int, *, where: str, depth: int, follow: Callable[[str], None] | None = None
) -> Listing:
    """Look at all names of an open folder.

    Args:
        where: What to call the folder in an error, empty for the top.
        depth: How many folders it is below the top of the dataset.
        follow: Where links that leave the dataset are followed, is called with the path of each
            one; None refuses such links.

    Raises:
        InvalidInputError: There is a device, a socket, or such a link.

    Cost: one `stat` for each name; 3 µs.
    """
    names = os.listdir(fd)
    names.sort()
    left_out = _unfit(names)
    if left_out:
        names = [name for name in names if name not in left_out]
    look = os.stat
    found: list[Raw] = []
    folders: list[str] = []
    for name in names:
        target = None
        try:
            status = look(name, dir_fd=fd, follow_symlinks=False)
            if status.st_mode & _TYPE == _LINK:
                status, target = _read_link(fd, name, status)
        except FileNotFoundError:
            continue  # it went between the two looks; whoever reads it would say so
        mode = status.st_mode
        if mode & _TYPE != _REGULAR:
            path = f"{where}/{name}" if where else name
            if target is not None and not is_inner_link(target, depth):
                status, target = _follow(fd, name, path, target, follow), None
                mode = status.st_mode
            if mode & _TYPE == _FOLDER:
                folders.append(name)
                continue
            if target is None and mode & _TYPE != _REGULAR:
                raise InvalidInputError(
                    f"`{escape(path)}` is {kind_of(mode)}, which no dataset can hold",
                    hint="take it out of the dataset",
                )
        found.append(
            (
                name,
                mode,
                status.st_size,
                status.st_mtime_ns & WORD,
                status.st_ctime_ns & WORD,
                status.st_ino,
                target,
            )
        )
    return Listing(found, folders, left_out, sign(found, folders))


def _read_link(fd: int, name: str, status: os.stat_result) -> tuple[os.stat_result, str | None]:
    """What a link leads to; or None, and what is there now, if it is none any more."""
    try:
        return status, os.readlink(name, dir_fd=fd)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    status = os.stat(name, dir_fd=fd, follow_symlinks=False)
    return (status, None) if status.st_mode & _TYPE != _LINK else _read_link(fd, name, status)


def _unfit(names: list[str]) -> list[str]:
    """Those that no record may hold, and what a killed restore left behind.

    Nearly all folders have none, and one look at all names tells.
    """
    joined = "/".join(names)
    folded = joined.lower()
    if joined.isascii() and not any(sign in folded for sign in _SIGNS):
        return []
    return [name for name in names if name.startswith(HIDDEN) or find_name_fault(name)]


def _follow(
    fd: int, name: str, path: str, target: str, follow: Callable[[str], None] | None
) -> os.stat_result:
    if follow is None:
        raise InvalidInputError(
            f"`{escape(path)}` is a link to `{escape(target)}`, out of the dataset",
            hint="`repro data add --follow` records what such links lead to, else remove it",
        )
    follow(path)
    try:
        return os.stat(name, dir_fd=fd)
    except OSError as error:
        reason = "a loop" if error.errno == errno.ELOOP else error.strerror
        raise InvalidInputError(
            f"`{escape(path)}` is a link to `{escape(target)}`: {reason}", hint="mend the link"
        ) from error


def sign(found: Sequence[Raw], folders: Sequence[str]) -> str:
    """What only a folder with these very files, links and folders has; 32 hex digits.

    Args:
        found: Sorted by name.
        folders: Sorted.
    """
    try:
        return digest_bytes(_encode((found, folders)))
    except UnicodeEncodeError:
        # msgpack has no halves of surrogate pairs, which stand for bytes that are not UTF-8.
        plain = [tuple(map(_bytes, raw)) for raw in found]
        return digest_bytes(_encode((plain, [_bytes(name) for name in folders])))


def _bytes(part: object) -> object:
    return os.fsencode(part) if isinstance(part, str) else part

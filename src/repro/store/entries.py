"""The folders of a content store: which entries are in them, and what killed writers left."""

import itertools
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from repro.atomic import write_file
from repro.errors import DamagedRecordError, StorageError
from repro.store.cloning import hash_file

_HEX = frozenset("0123456789abcdef")
_DAY_S = 24 * 3600.0
_EPOCH, _EPOCH_LENGTH = "epoch", 32
PART = ".part"  # ends the name of a download that can go on later


def list_entries(store: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Every entry by its sha256, 64 hex digits, in order; what else is there is passed over.

    Cost: Lists every folder once, and looks at each file's facts.
    """
    for first in _names(store, 2):
        for second in _names(store / first, 2):
            folder = store / first / second
            for name in _names(folder, 64):
                if not name.startswith(first + second):
                    continue
                with suppress(FileNotFoundError):  # it was taken away this moment
                    status = os.lstat(folder / name)
                    if stat.S_ISREG(status.st_mode):
                        yield name, status


def _names(folder: Path, length: int) -> list[str]:
    """What in `folder` has a name of so many hex digits, in order."""
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(name for name in names if len(name) == length and set(name) <= _HEX)


def remove_abandoned(folder: Path, *, now: float) -> None:
    """Remove files that nobody has touched for a day, or for 14 days if they end in `.part`.

    Args:
        now: Seconds since 1970.
    """
    for name in os.listdir(folder) if folder.is_dir() else ():
        path, days = folder / name, 14 if name.endswith(PART) else 1
        with suppress(FileNotFoundError):  # its process came to an end
            status = path.lstat()
            # Not mtime: a second name of an old file has that of the file.
            if stat.S_ISREG(status.st_mode) and now - status.st_ctime > days * _DAY_S:
                path.unlink()


def take_free_name(folder: Path, name: str) -> Path:
    """Make an empty file in `folder`, with a number behind its name if that is taken."""
    for number in itertools.count():
        path = folder / (f"{name}.{number}" if number else name)
        with suppress(FileExistsError):
            path.touch(mode=0o600, exist_ok=False)
            return path
    raise AssertionError


def is_whole(path: Path, name: str) -> bool:
    """Whether the file at `path` has the sha256 `name`, 64 hex digits."""
    try:
        with path.open("rb") as file:
            return hash_file(file.fileno()) == name
    except OSError:
        return False


def read_epoch(store: Path) -> str:
    """What tells whether entries were taken away since; empty where that cannot be remembered.

    Another one as soon as entries went, by us or with the whole folder: then nobody believes any
    more that what was put in before is still there.
    """
    place = store / _EPOCH
    for _ in range(2):
        with suppress(OSError):
            found = place.read_text()
            if len(found) == _EPOCH_LENGTH:
                return found
        if not store.is_dir():
            return ""
        renew_epoch(store)
    return ""


def renew_epoch(store: Path) -> None:
    """Say that entries go; before the first one does."""
    with suppress(StorageError, OSError):
        write_file(store / _EPOCH, os.urandom(_EPOCH_LENGTH // 2).hex().encode())


def damaged_entry(digest: str, reason: str) -> DamagedRecordError:
    """The error for an entry whose bytes are not those of its name."""
    return DamagedRecordError(
        f"`{digest}` in the content store is damaged: {reason}",
        hint="`repro data verify` sets it aside; then `repro data pull`, or `repro data add` "
        "where the file is still right, brings a sound copy",
    )

"""Private folders for files that are being written, beside their place on one file system."""

import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from repro.atomic import FileLock
from repro.errors import StorageError, WouldLoseWorkError
from repro.model.text import escape
from repro.store.walking import OPEN_FOLDER

HIDDEN = ".repro-incoming-"  # how a folder begins that had to be made among the user's
_LIVE, _BORN = "place-", ".place-"
_LOCK = "lock"
_HOUR_S = 3600.0
_MOST_TRIES = 100
_MOUNT = re.compile(r"^mnt_id:\s*(\d+)", re.MULTILINE)

# Names of the folders of this process: opening one of their locks again would drop it.
_own: set[str] = set()


def _forget_own() -> None:
    _own.clear()  # a forked child inherits the set but none of the locks


os.register_at_fork(after_in_child=_forget_own)


@contextmanager
def open_drafts(staging: Path, root: Path, names: Sequence[str], top: int) -> Iterator[int]:
    """Give an open, empty folder from which files can be renamed into the folder `top`.

    It is in `staging`; where that is on another file system, in a hidden folder beside `top`, or
    within, if `top` is where one is mounted. It is gone at the end; those of processes that died
    are removed by the next call.

    Args:
        root: A folder that holds `top`.
        names: How `top` is reached from there, through no link; empty if it is the same.

    Raises:
        WouldLoseWorkError: Something else has the name of the hidden folder.
        StorageError: The file system is full, read-only or forbidden.
    """
    folder = _choose(staging, root, names, top)
    path, lock = _begin(folder)
    try:
        _remove_dead(folder, now=path.stat().st_mtime)
        fd = os.open(path, OPEN_FOLDER)
        try:
            yield fd
        finally:
            os.close(fd)
    finally:
        shutil.rmtree(path, ignore_errors=True)
        lock.release()
        _own.discard(path.name)
        if folder != staging:
            with suppress(OSError):  # another process is at work in it
                folder.rmdir()


def _choose(staging: Path, root: Path, names: Sequence[str], top: int) -> Path:
    staging.mkdir(parents=True, exist_ok=True, mode=0o700)
    mount = _mount_of(top)
    if _mount_at(staging) == mount:
        return staging
    place = root.joinpath(*names)
    name = HIDDEN + hashlib.sha256(os.fsencode("/".join(names))).hexdigest()[:16]
    is_beside = bool(names) and _mount_at(place.parent) == mount
    hidden = (place.parent if is_beside else place) / name
    if hidden.is_symlink() or (hidden.exists() and not hidden.is_dir()):
        raise WouldLoseWorkError(
            f"`{escape(str(hidden))}` stands where unfinished files belong",
            paths=[str(hidden)],
            hint="move it away, then run the command again",
        )
    return hidden


def _mount_at(folder: Path) -> tuple[int, str]:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return _mount_of(fd)
    finally:
        os.close(fd)


def _mount_of(folder: int) -> tuple[int, str]:
    """What two folders have in common if a file can be renamed from one into the other."""
    try:
        # A file system that is mounted twice is one device, and still nothing is renamed across.
        found = _MOUNT.search(Path(f"/proc/self/fdinfo/{folder}").read_text())
    except OSError:
        found = None
    return os.fstat(folder).st_dev, found[1] if found else ""


def _begin(folder: Path) -> tuple[Path, FileLock]:
    """Make a folder that gets its final name when it is locked, so that it is never unlocked."""
    for _ in range(_MOST_TRIES):
        token = os.urandom(8).hex()
        born, path = folder / f"{_BORN}{token}", folder / f"{_LIVE}{token}"
        try:
            folder.mkdir(exist_ok=True, mode=0o700)
            born.mkdir(mode=0o700)
            lock = FileLock(born / _LOCK)
            # Where there are no locks, as on some NFS, nobody gets one, and nothing is removed.
            lock.try_acquire()
            _own.add(path.name)
            born.rename(path)
        except FileNotFoundError:  # another process was done and removed `folder`
            continue
        return path, lock
    raise StorageError(
        f"`{escape(str(folder))}` vanishes whenever it is made",
        hint="end what removes it, then run the command again",
    )


def _remove_dead(folder: Path, *, now: float) -> None:
    for name in os.listdir(folder):
        path = folder / name
        with suppress(OSError, StorageError):  # another process is removing it too
            if name.startswith(_BORN):
                if now - path.lstat().st_mtime > _HOUR_S:
                    shutil.rmtree(path)
            elif name.startswith(_LIVE) and name not in _own and not path.is_symlink():
                lock = FileLock(path / _LOCK)
                if lock.try_acquire():
                    shutil.rmtree(path, ignore_errors=True)
                    lock.release()

"""The lock under which a run in progress is sealed, or something is said of it."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from repro.atomic import FileLock

_SEALING = "seal.lock"

# A record lock keeps other processes out, and not other threads of its own: one of them that
# opened and closed the file would even drop it. Hence a folder has one thread of this process.
_changed = threading.Condition()
_owners: dict[Path, int] = {}


def _forget_owners() -> None:
    global _changed  # a thread of the parent may have held it
    _changed = threading.Condition()
    _owners.clear()


os.register_at_fork(after_in_child=_forget_owners)


@contextmanager
def sealing(folder: Path, *, is_patient: bool = True) -> Iterator[bool]:
    """Be the only one who seals the run of a live folder, or says something of it.

    Args:
        is_patient: Whether to wait for others.

    Yields:
        Whether it is so: not where the folder is gone, for the run was sealed, nor where others
        are at it and there is no patience.

    Raises:
        StorageError: The folder is read-only or forbidden.
    """
    if _owners.get(folder) == threading.get_ident():  # in a signal handler
        yield True
        return
    if not _enter(folder, is_patient=is_patient):
        yield False
        return
    lock = FileLock(folder / _SEALING)
    try:
        yield _lock(lock, is_patient=is_patient)
    finally:
        lock.release()
        _leave(folder)


def _lock(lock: FileLock, *, is_patient: bool) -> bool:
    try:
        if not is_patient:
            return lock.try_acquire()
        lock.acquire()
    except FileNotFoundError:
        return False
    return True


def _enter(folder: Path, *, is_patient: bool) -> bool:
    with _changed:
        while folder in _owners:
            if not is_patient:
                return False
            _changed.wait()
        _owners[folder] = threading.get_ident()
    return True


def _leave(folder: Path) -> None:
    with _changed:
        _owners.pop(folder, None)
        _changed.notify_all()

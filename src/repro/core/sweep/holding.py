"""At most one process of a clone runs a sweep of its own at a time."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from repro.atomic import FileLock, storage_errors, write_file
from repro.core.project import Project
from repro.errors import ConflictError
from repro.model.canonical import format_json
from repro.model.text import escape
from repro.store.process import host_name, this_process

FOLDER = "sweeps"  # of .git/repro


@contextmanager
def hold(project: Project, sweep_id: str) -> Iterator[None]:
    """Be the one who runs a sweep in this clone, until the end of the block.

    The lock is gone as soon as this process is, however it ends.

    Raises:
        ConflictError: Another process is; the message names it.
        StorageError: Nothing can be written.
    """
    folder = project.repository.private / FOLDER
    with storage_errors("the lock of the sweep"):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = FileLock(folder / f"{sweep_id}.lock")
    holder = folder / f"{sweep_id}.json"
    if not _acquire(lock):
        raise ConflictError(
            f"sweep `{sweep_id}` is being run already{_describe(holder)}",
            hint=f"watch it by `repro sweep show {sweep_id}`, or end it by"
            f" `repro sweep stop {sweep_id}`",
        )
    try:
        write_file(holder, format_json({**this_process().as_json(), "host": host_name()}))
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.path.unlink(missing_ok=True)
        lock.release()


def _acquire(lock: FileLock) -> bool:
    """Take the lock of a file that goes with its holder, if nobody else has it."""
    while lock.try_acquire():
        if lock.is_in_place():
            return True
        lock.release()
    return False


def _describe(holder: Path) -> str:
    """Which process that is, as far as it said so."""
    try:
        said = json.loads(holder.read_bytes())
        pid, host = said["pid"], said["host"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return f", by process {pid} on host `{escape(host)}`" if isinstance(host, str) else ""

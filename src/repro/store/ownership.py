"""Which run commits this clone made itself, so that nobody else's counts as the user's own.

A line for each, in a file that no fetch, push, clone or bundle carries: whoever could write it
could write the hooks of the repository too, so the lines need no signature.
"""

import os
import re
import stat
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from repro.atomic import write_file
from repro.model.ids import is_id

FOLDER = "own"  # of .git/repro, with a file for each user of this machine


def note_own(private: Path, run_id: str, commit: str) -> None:
    """Remember that the user made `commit` for a run; a failure only means to be asked once more.

    Args:
        private: The folder `.git/repro`.

    Cost: One write of a line, which is not forced to the disk.
    """
    with suppress(OSError):
        place = _place(private)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            fd = os.open(place, flags, 0o600)
        except FileNotFoundError:
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            fd = os.open(place, flags, 0o600)
        try:
            # A newline in front as well: a line that was cut short spoils itself only.
            os.write(fd, f"\n{run_id} {commit}\n".encode())
        finally:
            os.close(fd)


def read_own(private: Path, run_id: str) -> frozenset[str]:
    """The commits that the user made for a run, one for each attempt; none if that is not known.

    A file that another user could have written says nothing.

    Args:
        private: The folder `.git/repro`.

    Cost: Reads the file whole: 60 bytes for each run.
    """
    if not is_id(run_id):
        return frozenset()
    found = re.findall(rb"^%b ([0-9a-f]{40,64})$" % run_id.encode(), _read(private), re.MULTILINE)
    return frozenset(commit.decode() for commit in found)


def list_own(private: Path) -> dict[str, list[str]]:
    """The commits that the user made for each run, in the order they were made in."""
    found: dict[str, list[str]] = {}
    lines = re.findall(
        r"^([0-9a-z]{12}) ([0-9a-f]{40,64})$", _read(private).decode(errors="replace"), re.MULTILINE
    )
    for run_id, commit in lines:
        if is_id(run_id):
            found.setdefault(run_id, []).append(commit)
    return found


def forget_own(private: Path, run_ids: Collection[str]) -> None:
    """Forget what the user made for some runs: of runs that are gone for good.

    Raises:
        StorageError: The disk is full, read-only or forbidden.
    """
    data = _read(private)
    lines = [
        line for line in data.split(b"\n") if line[:12].decode(errors="replace") not in run_ids
    ]
    kept = b"\n".join(lines)
    if kept != data:
        write_file(_place(private), kept)


def _read(private: Path) -> bytes:
    """All lines of the user's; none if another user could have written them."""
    try:
        fd = os.open(_place(private), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return b""
    with os.fdopen(fd, "rb") as file:
        status = os.fstat(fd)
        is_ours = stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid()
        if not is_ours or status.st_mode & 0o022:
            return b""
        return file.read()


def _place(private: Path) -> Path:
    return private / FOLDER / str(os.geteuid())

"""Datasets that a clone does not have yet, put where they belong once their bytes are here."""

import fcntl
import hashlib
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from repro.atomic import storage_errors, write_file
from repro.core.datachoice import Chosen
from repro.core.locking import read_locked_pages
from repro.core.moving import DataMoves, find_missing, plan_moves
from repro.core.project import Project
from repro.core.replacing import prepare_moves, staging_of
from repro.core.restore_data import state_of
from repro.errors import DamagedRecordError, InvalidInputError, WouldLoseWorkError
from repro.model.manifest import FileEntry, join_path
from repro.model.moves import FolderState, State
from repro.store.content import ContentStore
from repro.store.lockfile import Locked
from repro.store.pages import CheckedPages, iter_pages
from repro.store.placing import Means, open_place

_BEGUN = "pulls"  # folder of .git/repro with a file for each dataset that is being written
_GET_VERSION = 0x80087601  # FS_IOC_GETVERSION: what tells an inode from one that had its number


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What became of a dataset in the working tree.

    Attributes:
        files: How many files and links were written.
        reason: Why nothing was, or not all of it; None where it is complete now.
    """

    name: str
    path: str
    files: int = 0
    reason: str | None = None


def find_absent(project: Project, chosen: Iterable[Chosen]) -> tuple[list[Chosen], list[Chosen]]:
    """Those datasets of `repro.lock` that the working tree has nothing of, and the others.

    One that was being written when the process died counts as absent.
    """
    absent: list[Chosen] = []
    present: list[Chosen] = []
    for one in chosen:
        place = project.repository.root / one.path
        is_absent = not os.path.lexists(place) or _is_begun(project, one)
        (absent if is_absent else present).append(one)
    return absent, present


def fill_absent(
    project: Project, absent: Iterable[Chosen], report: Callable[[int], None] = lambda _: None
) -> list[Filled]:
    """Write datasets of `repro.lock` that the working tree has nothing of; never over anything.

    A process that was killed on the way is gone on from by the next call.

    Args:
        absent: As `find_absent` gives them.
        report: Told of bytes as they are written.

    Raises:
        StorageError: The disk is full, read-only or forbidden.
    """
    return [_fill(project, one, one.locked, report) for one in absent if one.locked is not None]


def _fill(project: Project, one: Chosen, locked: Locked, report: Callable[[int], None]) -> Filled:
    filled = Filled(name=one.name, path=one.path)
    if one.path.startswith("/"):
        return replace(filled, reason="it is outside of the repository, where repro writes nothing")
    content = ContentStore(project.store)
    try:
        plan, in_the_way = _plan(project, one, read_locked_pages(project, one.name, locked))
        missing = find_missing([plan], content)
        if missing:
            return replace(filled, reason=f"{len(missing):,} of its files are not here")
        staging = staging_of(project)
        with prepare_moves(
            plan, content, staging=staging, means=Means.COPY, report=report
        ) as prepared:
            if not plan.is_file:  # a file gets its name in one step
                _begin(project, one, locked)
            prepared.finish()
        _begun_file(project, one).unlink(missing_ok=True)
    except (DamagedRecordError, InvalidInputError, WouldLoseWorkError) as error:
        return replace(filled, reason=error.message)
    reason = f"{in_the_way:,} of its files were there, and stay as they are" if in_the_way else None
    n_files = sum(not isinstance(move.new, FolderState) for move in plan.moves)
    return replace(filled, files=n_files, reason=reason)


def _plan(project: Project, one: Chosen, pages: CheckedPages) -> tuple[DataMoves, int]:
    """What is to be written, and how many files stand in its way."""
    wanted, is_file = _wanted(pages)
    root = project.repository.root
    plan = plan_moves(one.name, root, one.path, wanted, is_file=is_file)
    free = tuple(move for move in plan.moves if move.old is None)
    return replace(plan, moves=free), len(plan.moves) - len(free)


def _wanted(pages: CheckedPages) -> tuple[Mapping[str, State], bool]:
    """What must be at each path, folders before what is in them; whether it is one file."""
    top = pages("")
    if len(top) == 1 and isinstance(top[0], FileEntry) and top[0].digest == pages.digest:
        return {"": state_of(top[0])}, True
    wanted: dict[str, State] = {"": FolderState()}
    for folder, page in iter_pages(pages):
        wanted.update((join_path(folder, entry.name), state_of(entry)) for entry in page)
    return wanted, False


def size_of(filled: Iterable[Chosen]) -> int:
    """How many bytes datasets have, by `repro.lock`."""
    return sum(one.locked.size for one in filled if one.locked is not None)


def _begun_file(project: Project, one: Chosen) -> Path:
    """The file that says that a dataset is being written here; each worktree has its own."""
    place = os.fsencode(project.repository.root / one.path)
    return project.repository.private / _BEGUN / hashlib.sha256(place).hexdigest()[:32]


def _begin(project: Project, one: Chosen, locked: Locked) -> None:
    """Make the dataset's folder, and remember which one it is; nothing is in it yet."""
    if _is_begun(project, one):
        return
    begun = _begun_file(project, one)
    with storage_errors("the private folder"):
        begun.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_file(begun, locked.digest.encode())
    with open_place(project.repository.root, one.path, staging_of(project)) as place:
        write_file(begun, f"{locked.digest} {_identity_of(place.top.fd)}".encode())


def _is_begun(project: Project, one: Chosen) -> bool:
    """Whether the folder that is there is the one that was being written."""
    try:
        digest, _, identity = _begun_file(project, one).read_text().partition(" ")
        place = project.repository.root / one.path
        folder = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        # Without an identity the process died as it made the folder, so it put nothing there.
        is_same = _identity_of(folder) == identity if identity else not os.listdir(folder)
    finally:
        os.close(folder)
    return is_same and one.locked is not None and digest == one.locked.digest


def _identity_of(folder: int) -> str:
    """What tells an open folder from any other, also from one that got its inode later."""
    status, version = os.fstat(folder), bytes(8)
    with suppress(OSError):  # not every file system counts how often it gave an inode away
        version = fcntl.ioctl(folder, _GET_VERSION, version)
    return f"{status.st_dev} {status.st_ino} {int.from_bytes(version, sys.byteorder)}"

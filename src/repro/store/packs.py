"""The small packs that runs leave are rolled up in time, so that thousands of runs do not slow git.

Each published run is a pack; past 50 of them git's own `gc --auto` would start in the user's
next command. Only packs that repro made are touched (their names are noted in `.git/repro/packs`):
the user's own packs, and the promisor packs of a partial clone, stay as they are.
"""

import os
import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from repro.atomic import FileLock, fsync_dir
from repro.errors import ReproError
from repro.store.git import Repository
from repro.store.process import find_process
from repro.store.quarantine import KEEP_NOTE, MEMORY, NOTES, PREFIX
from repro.store.refnames import ROOT

MAINTAIN_LOCK = "maintain.lock"  # of .git/repro
MOST_PACKS = 32  # below git's gc.autoPackLimit of 50, with room for the user's own
MOST_LOOSE_REFS = 256  # 10,000 loose refs cost a push 374 ms instead of 83
FACTOR = 2
# A larger pack is left to git's own gc: a run that ends would wait for it to be copied, 35 s for
# 100,000 runs. About 25,000 runs are that much.
LARGEST = 64 << 20
# Up to here all deltas are looked for: that is 90 to 95 % of the size for ten times the time.
_DENSE = 4 << 20
STALE_S = 24 * 3600.0  # no run takes so long to be written: its process died


def consolidate(repository: Repository, *, now: float) -> None:
    """Roll up small packs and loose refs if there are many; sweep what killed processes left.

    Args:
        now: Seconds since 1970.

    Never fails and never waits: another process that is at it, or a full disk, only means that
    a later run does it.
    """
    lock = FileLock(repository.private / MAINTAIN_LOCK)
    try:
        repository.private.mkdir(exist_ok=True)
        if not lock.try_acquire():
            return
    except (ReproError, OSError):
        return
    try:
        _roll_up(repository)
        _pack_refs(repository)
        remove_leftovers(find_leftovers(repository, now=now))
    except (ReproError, OSError):
        return
    finally:
        lock.release()


def _roll_up(repository: Repository) -> None:
    folder = repository.objects / "pack"
    notes = repository.private / NOTES
    ours = []
    for note in notes.iterdir() if notes.is_dir() else ():
        pack = folder / f"{note.name}.pack"
        if not pack.exists():  # a gc of the user's took it in
            note.unlink(missing_ok=True)
        elif not pack.with_suffix(".keep").exists() and (size := pack.stat().st_size) <= LARGEST:
            ours.append((size, pack))
    if len(ours) <= MOST_PACKS:
        return
    ours.sort()
    chosen = ours[: _how_many([size for size, _ in ours])]
    small = [pack for _, pack in chosen]
    listing = "".join(f"{pack.name}\n" for pack in small)
    window = [] if sum(size for size, _ in chosen) <= _DENSE else ["--window=0"]
    args = ("pack-objects", "--stdin-packs", "--quiet", "--non-empty", *window)
    made = repository.git.run(*args, str(folder / "pack"), stdin=listing.encode()).out.split()
    if not made:
        return
    fsync_dir(folder)
    new = f"pack-{made[0].decode()}"
    (notes / new).touch()
    for pack in small:
        if pack.stem != new and not pack.with_suffix(".keep").exists():
            for suffix in (".idx", ".rev", ".pack"):  # without its index a pack is not read
                pack.with_suffix(suffix).unlink(missing_ok=True)
            (notes / pack.stem).unlink(missing_ok=True)


def _how_many(sizes: Sequence[int]) -> int:
    """How many of the smallest packs to roll into one, so that sizes grow geometrically.

    Source: `git repack --geometric`, which does the same to all packs of a repository.
    """
    count = 1
    total = 0
    for position, size in enumerate(sizes):
        if size < FACTOR * total:
            count = position + 1
        total += size
    return max(count, 2)


def _pack_refs(repository: Repository) -> None:
    loose = sum(len(files) for _, _, files in os.walk(repository.common_dir / ROOT))
    if loose > MOST_LOOSE_REFS:
        repository.git.run("pack-refs", "--all")


def find_leftovers(repository: Repository, *, now: float) -> list[Path]:
    """Quarantines, then `.keep` files, that processes which died more than a day ago left.

    Args:
        now: Seconds since 1970.
    """
    limit = now - STALE_S
    found = []
    for left in [*(repository.private / "quarantine").glob("*"), *MEMORY.glob(f"{PREFIX}*")]:
        with suppress(FileNotFoundError):  # its process came to an end
            if left.stat().st_mtime < limit and not _is_in_use(left.name):
                found.append(left)
    for keep in (repository.objects / "pack").glob("*.keep"):
        with suppress(FileNotFoundError):
            if keep.stat().st_mtime < limit and keep.read_text().startswith(f"{KEEP_NOTE} "):
                found.append(keep)
    return found


def remove_leftovers(paths: Iterable[Path]) -> None:
    """Take away what `find_leftovers` gave."""
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _is_in_use(name: str) -> bool:
    """Whether the process that a quarantine is named after still runs."""
    pid = name.removeprefix(PREFIX).partition("-")[0]
    return pid.isdecimal() and find_process(int(pid)) is not None

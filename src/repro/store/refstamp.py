"""Whether the refs of runs are as they were, by the times of the files that git keeps them in.

A stamp says for each file what only the file as it is has: size, times, inode. One whose newest
time is not clearly older than the look at it proves nothing, as it could change once more within
a tick of the clock (`statcache.py` has the same rule).
"""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from repro.model.canonical import Json
from repro.store.mounts import is_network

_TICK_NS = 20_000_000  # the kernel's clock steps by up to 10 ms
_COARSE_NS = 2_000_000_000  # FAT counts in steps of two seconds
_ROOT = ("refs", "refs/repro")
_PLACES = ("runs", "archive", "remotes", "trash")  # below them
_ABSENT = ""

Stamp = str  # empty: there is no such file


@dataclass(frozen=True, slots=True)
class RefStamp:
    """The files that the refs of runs are in, at one moment.

    Attributes:
        packed: Stamp of `packed-refs`, None where it proves nothing.
        loose: Stamps of the files of refs that bear on runs, by ref, None likewise.
    """

    packed: Stamp | None
    loose: Mapping[str, Stamp | None]

    def differing(self, earlier: "RefStamp") -> set[str] | None:
        """The refs that may have changed since `earlier`; None where any may have."""
        if self.packed is None or self.packed != earlier.packed:
            return None
        if self.loose == earlier.loose and None not in self.loose.values():
            return set()
        return {
            name
            for name in self.loose.keys() | earlier.loose.keys()
            if self.loose.get(name, _ABSENT) != earlier.loose.get(name, _ABSENT)
            or (name in self.loose and self.loose[name] is None)
        }

    def to_json(self) -> dict[str, Json]:
        """As the run index keeps it."""
        return {"packed": self.packed, "loose": dict(self.loose)}


def take_stamp(common_dir: Path, now_ns: int) -> RefStamp | None:
    """Look at the files of a repository's refs; None where they are no plain files of this host.

    Args:
        now_ns: The time before the look, in nanoseconds since 1970.
    """
    if (common_dir / "reftable").exists() or is_network(common_dir):
        return None
    loose: dict[str, Stamp | None] = {}
    try:
        if all(_is_folder(common_dir / folder) for folder in _ROOT):
            for place in _PLACES:
                folder = f"{_ROOT[-1]}/{place}"
                if _is_folder(common_dir / folder):
                    _stamp_loose(common_dir, folder, now_ns, loose)
    except OSError:
        return None  # one is odd, or went away: git says what is there
    return RefStamp(_stamp_packed(common_dir, now_ns), loose)


def list_places(common_dir: Path) -> list[Path]:
    """The files and folders of which one changes whenever a ref that bears on runs does."""
    root = common_dir / _ROOT[-1]
    folders = [folder for place in _PLACES for folder, _, _ in os.walk(root / place)]
    files = (common_dir / "packed-refs", common_dir / "reftable" / "tables.list")
    return [*files, *map(Path, folders)]


def _is_folder(path: Path) -> bool:
    """Whether there is a folder.

    Raises:
        NotADirectoryError: There is something else.
    """
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return False
    if not stat.S_ISDIR(mode):
        raise NotADirectoryError(path)
    return True


def _stamp_loose(
    common_dir: Path, folder: str, now_ns: int, loose: dict[str, Stamp | None]
) -> None:
    with os.scandir(common_dir / folder) as entries:
        for entry in entries:
            if entry.name.endswith(".lock"):
                continue
            ref = f"{folder}/{entry.name}"
            found = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(found.st_mode):
                _stamp_loose(common_dir, ref, now_ns, loose)
            elif stat.S_ISREG(found.st_mode):
                loose[ref] = _stamp(found, now_ns)
            else:
                raise NotADirectoryError(ref)


def _stamp_packed(common_dir: Path, now_ns: int) -> Stamp | None:
    try:
        found = (common_dir / "packed-refs").lstat()
    except FileNotFoundError:
        return _ABSENT
    except OSError:
        return None
    return _stamp(found, now_ns) if stat.S_ISREG(found.st_mode) else None


def _stamp(found: os.stat_result, now_ns: int) -> Stamp | None:
    newest = max(found.st_mtime_ns, found.st_ctime_ns)
    is_coarse = newest % 1_000_000_000 == 0
    if newest > now_ns - (_COARSE_NS if is_coarse else _TICK_NS):
        return None
    return f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino}"

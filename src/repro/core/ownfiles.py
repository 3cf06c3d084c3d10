"""What a program left in the folder of its run that no record has: it outlives the folder."""

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from repro.atomic import fsync_dir, storage_errors
from repro.core.outputs import FILES, Signature, signature_of
from repro.model.run import Artifact
from repro.store.manyfiles import remove_folder

UNKEPT = "unkept"  # in the private folder


def find_unkept(
    folder: Path, artifacts: Mapping[str, Artifact], seen: Mapping[str, Signature]
) -> list[str]:
    """Name the files in a run's own folder whose bytes are not in its record.

    Links and what else has no bytes of its own are none of them.

    Args:
        artifacts: Of the record, by name.
        seen: What `signature_of` gave of files before their bytes were kept, by name.

    Cost: one walk; a file that is not in `seen` is read if an artifact has its name and size.
    """
    return [
        name
        for name in _list_files(folder)
        if not _is_kept(folder / name, artifacts.get(name), seen.get(name))
    ]


def set_aside(
    live_dir: Path,
    private: Path,
    artifacts: Mapping[str, Artifact],
    seen: Mapping[str, Signature],
) -> None:
    """Move what no record has out of the folder of a run, which is about to go.

    Args:
        live_dir: Of the run; what is in its own folder goes to `unkept/<id>`.
        private: The private folder.
        artifacts: As for `find_unkept`; `seen` likewise.

    Raises:
        StorageError: The disk is full, read-only or forbidden; nothing was moved.
    """
    folder = live_dir / FILES
    if not find_unkept(folder, artifacts, seen):
        return
    place = _free_name(private / UNKEPT / live_dir.name)
    with storage_errors("what no record has of the files of a run"):
        place.parent.mkdir(mode=0o700, exist_ok=True)
        folder.rename(place)
        fsync_dir(place.parent)
    # First, so that a file that comes into being from here on is not taken for one that is kept.
    there = set(_list_files(place))
    kept = there - set(find_unkept(place, artifacts, seen))
    for where, folders, names in os.walk(place, topdown=False):
        paths = [Path(where, name) for name in names]
        inner = [Path(where, name) for name in folders]
        with suppress(OSError):
            for path in paths:
                if path.is_symlink() or path.relative_to(place).as_posix() in kept:
                    path.unlink()
        for path in inner:
            with suppress(OSError):  # it has files that stay
                path.rmdir()


def forget_unkept(private: Path, run_id: str) -> None:
    """Delete what was set aside of a run."""
    for place in (private / UNKEPT).glob(f"{run_id}*"):
        remove_folder(place)


def _free_name(path: Path) -> Path:
    """The path itself, or with a number behind it: a run may have been continued."""
    number, free = 1, path
    while os.path.lexists(free):
        number += 1
        free = path.with_name(f"{path.name}-{number}")
    return free


def _list_files(folder: Path) -> Iterator[str]:
    for where, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(where, name)
            if stat.S_ISREG(os.lstat(path).st_mode):
                yield path.relative_to(folder).as_posix()


def _is_kept(path: Path, artifact: Artifact | None, seen: Signature | None) -> bool:
    now = signature_of(path)
    if now is None or (seen is not None and seen == now):
        return True
    if artifact is None or artifact.size != now[0]:
        return False
    with path.open("rb") as file:
        return artifact.digest == f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"

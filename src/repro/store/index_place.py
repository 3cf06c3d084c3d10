"""Where the file of the run index lies: in the repository, or on a disk of this host instead."""

import os
import stat
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from repro.store.mounts import is_network

FILE = "index.db"


def index_path(private: Path, environ: Mapping[str, str]) -> Path | None:
    """Where the index of a repository lies; None for in memory only.

    SQLite's locks do not hold on network file systems: there it is a file of this host, in a
    folder that only the user can enter.

    Args:
        private: The folder of repro in the repository, absolute; it need not be there.
    """
    if not is_network(private):
        return private / FILE
    name = f"repro-index-{sha256(os.fsencode(private)).hexdigest()[:32]}.db"
    for folder in _local_folders(environ):
        if _is_ours(folder) and not is_network(folder):
            return folder / name
    return None


def _local_folders(environ: Mapping[str, str]) -> list[Path]:
    folders = []
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    if runtime.startswith("/"):
        folders.append(Path(runtime))
    temporary = environ.get("TMPDIR", "")
    top = Path(temporary if temporary.startswith("/") else "/tmp")  # noqa: S108  # a folder in it
    own = top / f"repro-{os.getuid()}"
    try:
        own.mkdir(mode=0o700, exist_ok=True)
    except OSError:
        return folders
    return [*folders, own]


def _is_ours(folder: Path) -> bool:
    try:
        found = folder.lstat()
    except OSError:
        return False
    is_private = not found.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and is_private

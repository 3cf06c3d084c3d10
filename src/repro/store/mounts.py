"""What file system a path is on, as far as that says whether locks and times can be trusted."""

import os
import re
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")
_NETWORK = re.compile(
    r"(?:nfs\d?|cifs|smb\w*|lustre|gpfs|beegfs|ceph|9p|afs|coda|ncpfs|glusterfs|orangefs|pvfs2"
    r"|virtiofs|davfs|webdav|wekafs|fuse\.(?:sshfs|glusterfs|ceph.*|s3fs|gcsfuse|rclone|davfs\w*"
    r"|juicefs|goofys|blobfuse2?|mount-s3|beegfs\w*|lustre\w*))\Z"
)
_ESCAPED = re.compile(r"\\([0-7]{3})")


def is_network(path: Path) -> bool:
    """Whether `path`, absolute, is on a file system that other hosts write to.

    SQLite's locks do not hold there, and times of files come late. Where the system does not tell
    its mounts, every file system counts as local.
    """
    return bool(_NETWORK.match(_type_of(os.path.realpath(path), _read_mounts())))


def _read_mounts() -> str:
    try:
        return _MOUNTS.read_text(errors="surrogateescape")
    except OSError:
        return ""


def _type_of(path: str, mounts: str) -> str:
    """The type of the file system at `path`, by the text of a `mountinfo`; empty if unknown."""
    found, longest = "", -1
    for line in mounts.splitlines():
        head, _, tail = line.partition(" - ")
        words = head.split(" ")
        if len(words) < 5 or not tail:
            continue
        point = _ESCAPED.sub(lambda match: chr(int(match[1], 8)), words[4]).rstrip("/")
        # Of two mounts on one point the later one is seen.
        if len(point) >= longest and (path == point or path.startswith(f"{point}/")):
            found, longest = tail.split(" ")[0], len(point)
    return found

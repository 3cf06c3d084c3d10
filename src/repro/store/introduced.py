"""The remotes that runs were pushed to before, so that only the first push to each asks.

Addresses may hold passwords: what is remembered is a digest of each.
"""

import hashlib
from pathlib import Path

from repro.atomic import write_file

FILE = "pushed"  # in the private folder


def is_introduced(private: Path, url: str) -> bool:
    """Whether runs were pushed to an address before."""
    return _digest(url) in _read(private)


def introduce(private: Path, url: str) -> None:
    """Remember that runs were pushed to an address.

    Raises:
        StorageError: The private folder cannot be written.
    """
    known = _read(private)
    if _digest(url) not in known:
        private.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_file(private / FILE, "".join(f"{one}\n" for one in [*known, _digest(url)]).encode())


def _digest(url: str) -> str:
    return hashlib.sha256(url.encode(errors="surrogateescape")).hexdigest()


def _read(private: Path) -> list[str]:
    try:
        return (private / FILE).read_text(errors="replace").split()
    except OSError:  # asked once more, then
        return []

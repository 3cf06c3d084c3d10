"""The key by which this clone marks secrets; no fetch, push, clone or record carries it."""

import os
from contextlib import suppress
from pathlib import Path

from repro.model.marking import Marker

FILE = "key"  # of .git/repro
_BYTES = 32


def read_marker(private: Path) -> Marker:
    """Give what marks the secrets of this clone; its key is made when there is none.

    Where nothing can be written no key is made, and marks tell secrets not apart.

    Args:
        private: The folder `.git/repro`.

    Cost: reads 32 bytes.
    """
    key = _read(private)
    if key is None:
        with suppress(OSError):
            _make(private)
        key = _read(private)
    return Marker(key or b"")


def _read(private: Path) -> bytes | None:
    try:
        fd = os.open(private / FILE, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        key = os.read(fd, _BYTES)
    except OSError:  # a folder
        return None
    finally:
        os.close(fd)
    return key if len(key) == _BYTES else None


def _make(private: Path) -> None:
    """Put a key in its place, whole, unless another process was first."""
    private.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = private / f".{FILE}.{os.getpid()}.{os.urandom(4).hex()}"
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(os.urandom(_BYTES))
        place = private / FILE
        if place.exists() and _read(private) is None and place.is_file():  # cut short by a crash
            draft.replace(place)
        else:
            os.link(draft, place)
    finally:
        draft.unlink(missing_ok=True)

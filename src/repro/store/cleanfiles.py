"""Which files of the working tree were searched for secrets and hold none, by their status."""

import hashlib
import os
from contextlib import suppress
from pathlib import Path

FILE = "clean"  # of .git/repro
_BYTES = 16
_MOST = 1 << 20  # bytes of it; what is older is searched again
_TICK_S = 2.0  # an edit within the same tick of a file system's clock changes no time


class CleanFiles:
    """A file of digests, 16 bytes for each status of a file without a secret."""

    def __init__(self, private: Path, rules: int) -> None:
        """Read what is known.

        Args:
            private: The folder `.git/repro`.
            rules: The version of the rules; what others found says nothing.
        """
        self._place = private / FILE
        self._rules = rules
        try:
            data = self._place.read_bytes()
        except OSError:
            data = b""
        self._is_full = len(data) > _MOST or len(data) % _BYTES != 0
        self._known = {data[at : at + _BYTES] for at in range(0, len(data), _BYTES)}
        self._new: list[bytes] = []

    def has(self, status: os.stat_result, name: str) -> bool:
        """Whether a file is as it was when no secret was in it."""
        return self._digest(status, name) in self._known

    def add(self, status: os.stat_result, name: str, now: float) -> None:
        """Remember a file without a secret, unless it changed so lately that nobody could tell.

        Args:
            now: Seconds since 1970.
        """
        if now - max(status.st_mtime, status.st_ctime) > _TICK_S:
            self._new.append(self._digest(status, name))

    def save(self) -> None:
        """Write what is new; a failure means to search those files again."""
        if not self._new:
            return
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        flags |= os.O_TRUNC if self._is_full else os.O_APPEND
        with suppress(OSError):
            fd = os.open(self._place, flags, 0o600)
            with os.fdopen(fd, "wb") as file:
                file.write(b"".join(self._new))
        self._new.clear()

    def _digest(self, status: os.stat_result, name: str) -> bytes:
        """Of the name, too: what is a secret depends on what kind of file it is in."""
        facts = (
            self._rules, status.st_dev, status.st_ino, status.st_size,
            status.st_mtime_ns, status.st_ctime_ns, name,
        )  # fmt: skip
        text = repr(facts).encode(errors="surrogateescape")
        return hashlib.blake2b(text, digest_size=_BYTES).digest()

"""Which objects were searched for secrets and hold none, so that no push searches them twice."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

FILE = "scanned"  # of .git/repro
_MOST = 64 << 20  # bytes of it: 3,000,000 objects


class Scanned:
    """The objects without a secret, by the rules of one version.

    A file of `<rules> <bytes of an id>` and a newline, then the ids as bytes, each with one more:
    a file is read by other rules where values stand without quotes.
    """

    def __init__(self, private: Path, rules: int, oid_bytes: int) -> None:
        """Read what is known.

        Args:
            private: The folder `.git/repro`.
            rules: The version of the rules; what others found says nothing.
        """
        self._place = private / FILE
        self._head = f"{rules} {oid_bytes}\n".encode()
        self._size = oid_bytes + 1
        self._known = self._read()
        self._is_new = not self._known

    def _read(self) -> set[bytes]:
        try:
            data = self._place.read_bytes()
        except OSError:
            return set()
        if not data.startswith(self._head) or len(data) > _MOST:
            return set()
        size, start = self._size, len(self._head)
        return {data[place : place + size] for place in range(start, len(data) - size + 1, size)}

    def has(self, oid: str, *, plain: bool) -> bool:
        """Whether an object is known to hold no secret.

        Args:
            plain: Whether values stand without quotes in it.
        """
        return self._entry(oid, plain) in self._known

    def add(self, clean: Iterable[tuple[str, bool]]) -> None:
        """Remember objects without a secret; a failure means to search them again."""
        entries = {self._entry(oid, plain) for oid, plain in clean} - self._known
        if not entries:
            return
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        flags |= os.O_TRUNC if self._is_new else os.O_APPEND
        with suppress(OSError):
            fd = os.open(self._place, flags, 0o600)
            with os.fdopen(fd, "wb") as file:
                if self._is_new:
                    file.write(self._head)
                file.write(b"".join(entries))
        self._known |= entries
        self._is_new = False

    @staticmethod
    def _entry(oid: str, plain: bool) -> bytes:
        return bytes.fromhex(oid) + (b"p" if plain else b"c")

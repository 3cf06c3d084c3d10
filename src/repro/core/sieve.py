"""Files that no snapshot takes, for there is a secret in them."""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from repro.core.project import Project
from repro.model.secretrules import RULES
from repro.store.cleanfiles import CleanFiles

if TYPE_CHECKING:
    from repro.model.secretscan import Found

LONGEST = 4 << 20  # bytes of a file that a run waits for; a push searches more
_FIRST = 1 << 20


class Sieve:
    """Says which files hold a secret, and remembers those that do not.

    Attributes:
        found: What was found, by path, for people.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._clean: CleanFiles | None = None
        self._allowed: frozenset[str] | None = None
        self.found: dict[str, str] = {}

    def holds_secret(self, place: Path, path: str, before: Callable[[], bytes | None]) -> bool:
        """Whether there is a secret in a file that nobody allowed.

        Args:
            place: The file.
            path: Its place for people.
            before: Gives the bytes that git has of it already: secrets in them are no news. None
                where it has no such file.

        Cost: a `stat` where the file is as it was; else 1 ms for 30 kB, and the rules once.
        """
        if self._clean is None:
            self._clean = CleanFiles(self._project.repository.private, RULES)
        try:
            fd = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:  # whoever stores it says what is wrong with it
            return False
        with os.fdopen(fd, "rb") as file:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode) or self._clean.has(status, place.name):
                return False
            try:
                data = file.read(_FIRST)
                if b"\0" not in data:
                    data += file.read(LONGEST - _FIRST)
            except OSError:
                return False
        secrets = self._search(data, path, before)
        if secrets is None:
            self._clean.add(status, place.name, self._project.clock())
            return False
        if not secrets:
            return False
        first = secrets[0]
        more = f" and {len(secrets) - 1} more" if len(secrets) > 1 else ""
        what = "in the record as HEAD has it" if before() is not None else "not in the record"
        self.found[path] = (
            f"`{path}` is {what}: line {first.line} holds a secret "
            f"({first.rule}){more}; `git config --add repro.allowSecret {first.fingerprint}` "
            "lets it in"
        )
        return True

    def save(self) -> None:
        """Remember the files without a secret."""
        if self._clean is not None:
            self._clean.save()

    def _search(
        self, data: bytes, path: str, before: Callable[[], bytes | None]
    ) -> "list[Found] | None":
        """The secrets that are new; None where there are none at all."""
        # Here, for where no file is new the rules need not be loaded: they take 5 ms.
        from repro.model.secretscan import find_secrets  # noqa: PLC0415
        from repro.store.allowed import allowed_secrets  # noqa: PLC0415
        from repro.store.clonekey import read_marker  # noqa: PLC0415

        marker = read_marker(self._project.repository.private)
        secrets = find_secrets(data, path, marker)
        if not secrets:
            return None
        if self._allowed is None:
            self._allowed = allowed_secrets(self._project.repository.git)
        old = {one.fingerprint for one in find_secrets(before() or b"", path, marker)}
        return [one for one in secrets if one.fingerprint not in self._allowed | old]

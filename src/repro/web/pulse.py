"""One look after all runs at a time, for as many pages as are open."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from repro.core.project import Project
from repro.core.watch import look_after_runs
from repro.errors import ReproError

_EVERY_S = 0.5


class Pulse:
    """A stamp that differs whenever any run begins, logs, ends, is changed or removed.

    A thread looks twice a second while somebody listens, and seals runs whose processes died.

    Attributes:
        stamp: As `look` gave it last; empty before the first look since somebody listens.
    """

    def __init__(self, project: Project) -> None:
        """Look at nothing yet."""
        self._project = project
        self._lock = threading.Lock()
        self._listeners = 0
        self._stop = threading.Event()
        self.stamp = ""
        self.is_over = False

    def end(self) -> None:
        """Have whoever listens stop, for the server ends."""
        self.is_over = True

    def look(self) -> str:
        """The stamp of this moment; empty where it cannot be read, which pages tell of."""
        try:
            text = look_after_runs(self._project)
        except (ReproError, OSError):
            return ""
        return hashlib.blake2b(text.encode(errors="surrogateescape"), digest_size=8).hexdigest()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Keep looking for as long as this is open."""
        with self._lock:
            self._listeners += 1
            if self._listeners == 1:
                self.stamp = ""
                self._stop = threading.Event()
                threading.Thread(target=self._look_on, args=(self._stop,), daemon=True).start()
        try:
            yield
        finally:
            with self._lock:
                self._listeners -= 1
                if not self._listeners:
                    self._stop.set()

    def _look_on(self, stop: threading.Event) -> None:
        while not stop.is_set():
            self.stamp = self.look() or self.stamp  # what cannot be read now is looked at again
            stop.wait(_EVERY_S)

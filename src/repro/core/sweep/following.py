"""One trial in progress looked at again and again, at the cost of what it logged in between."""

from repro.core.growing import Look
from repro.core.live import InProgress
from repro.core.project import Project
from repro.core.started import read_start
from repro.store.livestate import LiveState


class Following:
    """Looks at a run in progress of this clone, from where the last look ended."""

    def __init__(self, project: Project, run_id: str) -> None:
        self._folder = project.live / run_id
        self._live: InProgress | None = None
        self._state: LiveState | None = None
        self._stamp = ""

    def look(self) -> tuple[InProgress, Look] | None:
        """The run, and what is seen of it; None where it has not begun, or nothing is new.

        Raises:
            DamagedRecordError, NewerFormatError: It cannot be read.

        Cost: while nothing was logged, a look at a few files; else proportional to what is new.
        """
        if self._live is None:
            started = read_start(self._folder)
            if started is None:
                return None
            self._live = InProgress(self._folder, started)
        stamp = self._live.stamp()
        if stamp == self._stamp:
            return None
        look = self._live.look(self._state)
        self._state, self._stamp = look.state, stamp
        return self._live, look

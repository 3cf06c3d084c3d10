"""A trial in progress looked at again and again, for the values of one metric."""

from math import isfinite

from repro.core.live import InProgress
from repro.core.project import Project
from repro.core.started import read_start
from repro.core.sweep.results import Steps, split_metric
from repro.errors import DamagedRecordError
from repro.store.livestate import LiveState


class TrialWatch:
    """Looks at what a run in progress of this clone logged of a metric."""

    def __init__(self, project: Project, run_id: str, metric: str) -> None:
        self._folder = project.live / run_id
        self._metric = metric
        self._live: InProgress | None = None
        self._state: LiveState | None = None
        self._values: dict[int, float] = {}
        self._stamp = ""

    def look(self) -> Steps | None:
        """The finite values so far, by their steps; None while none is new.

        Cost: while nothing was logged, a look at a few files; else proportional to what is new.
        """
        try:
            return self._look()
        except DamagedRecordError:
            return None  # it is being sealed; what cannot be read then is said there

    def _look(self) -> Steps | None:
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
        if look.is_whole:
            self._values = {}
        name, _ = split_metric(self._metric, look.metrics)
        new = look.points.get(name, [])
        self._values.update((point.step, point.value) for point in new if isfinite(point.value))
        return tuple(sorted(self._values.items())) if new else None

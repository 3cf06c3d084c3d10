"""The values of one metric that a trial in progress logs, as they come."""

from repro.core.project import Project
from repro.core.sweep.following import Following
from repro.core.sweep.results import Steps, split_metric
from repro.errors import DamagedRecordError


class TrialWatch:
    """Looks at what a run in progress of this clone logged of a metric."""

    def __init__(self, project: Project, run_id: str, metric: str) -> None:
        self._following = Following(project, run_id)
        self._metric = metric
        self._values: dict[int, float] = {}

    def look(self) -> Steps | None:
        """The values so far, by their steps, NaN and infinities included; None while none is new.

        Cost: as `Following.look`.
        """
        try:
            found = self._following.look()
        except DamagedRecordError:
            return None  # it is being sealed; what cannot be read then is said there
        if found is None:
            return None
        _, look = found
        if look.is_whole:
            self._values = {}
        name, _ = split_metric(self._metric, look.metrics)
        new = look.points.get(name, [])
        self._values.update((point.step, point.value) for point in new)
        return tuple(sorted(self._values.items())) if new else None

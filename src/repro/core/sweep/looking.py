"""How far the trials in progress of a clone are, for who looks on."""

from collections.abc import Collection
from dataclasses import dataclass

from repro.core.project import Project
from repro.core.sweep.following import Following
from repro.core.sweep.results import split_metric
from repro.errors import ReproError
from repro.model.progress import find_progress, last_step
from repro.model.run import Record


@dataclass(frozen=True, slots=True)
class TrialLook:
    """How far a trial in progress is.

    Attributes:
        step: The last step, and of how many where that is known; empty before the first one.
        value: The last value of the metric; None before the first one.
    """

    step: str
    value: float | None


class TrialLooks:
    """What is seen of the trials in progress of one clone."""

    def __init__(self, project: Project, metric: str | None) -> None:
        self._project = project
        self._metric = metric
        self._following: dict[str, Following] = {}
        self._seen: dict[str, TrialLook] = {}

    def look(self, runs: Collection[str]) -> dict[str, TrialLook]:
        """How far each of some runs is; one that cannot be read, or runs elsewhere, is left out.

        Cost: proportional to what they logged since the last look.
        """
        for gone in self._following.keys() - set(runs):
            del self._following[gone]
            self._seen.pop(gone, None)
        found = {}
        for run_id in runs:
            try:
                seen = self._look_at(run_id)
            except (ReproError, OSError):  # it ends in this moment: the next look knows
                seen = None
            if seen is not None:
                found[run_id] = seen
        return found

    def _look_at(self, run_id: str) -> TrialLook | None:
        following = self._following.setdefault(run_id, Following(self._project, run_id))
        found = following.look()
        if found is not None:
            live, look = found
            self._seen[run_id] = self._describe(live.brief_of(look))
        return self._seen.get(run_id)

    def _describe(self, record: Record) -> TrialLook:
        progress, step = find_progress(record), last_step(record)
        text = str(progress) if progress is not None else "" if step is None else str(step)
        return TrialLook(text, _last(record, self._metric))


def _last(record: Record, metric: str | None) -> float | None:
    """The last value of a metric, also where `.min` or the like stands behind its name."""
    if metric is None:
        return None
    name, _ = split_metric(metric, record.metrics)
    found = record.metrics.get(name)
    return None if found is None else found.last

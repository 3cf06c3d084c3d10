"""Trials in progress looked at again and again, at the cost of what they logged in between."""

from collections.abc import Collection
from dataclasses import dataclass

from repro.core.live import InProgress
from repro.core.project import Project
from repro.core.started import read_start
from repro.core.sweep.results import split_metric
from repro.errors import ReproError
from repro.model.progress import find_progress, last_step
from repro.model.run import Record
from repro.store.livestate import LiveState


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
        self._live: dict[str, InProgress] = {}
        self._states: dict[str, LiveState | None] = {}
        self._stamps: dict[str, str] = {}
        self._seen: dict[str, TrialLook] = {}

    def look(self, runs: Collection[str]) -> dict[str, TrialLook]:
        """How far each of some runs is; one that cannot be read, or runs elsewhere, is left out.

        Cost: proportional to what they logged since the last look.
        """
        for gone in self._live.keys() - set(runs):
            for known in (self._live, self._states, self._stamps, self._seen):
                known.pop(gone, None)
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
        if run_id not in self._live:
            folder = self._project.live / run_id
            started = read_start(folder)
            if started is None:
                return None
            self._live[run_id] = InProgress(folder, started)
        live = self._live[run_id]
        stamp = live.stamp()
        if self._stamps.get(run_id) != stamp:
            look = live.look(self._states.get(run_id))
            self._states[run_id] = look.state
            self._seen[run_id] = self._describe(live.brief_of(look))
            self._stamps[run_id] = stamp
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

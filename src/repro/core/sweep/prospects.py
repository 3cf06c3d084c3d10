"""Whether a sweep can come to anything, by the first results of its trials."""

from dataclasses import dataclass

from repro.core.sweep.events import NoMetric
from repro.core.sweep.options import Options, Reason
from repro.core.sweep.results import find_value
from repro.core.sweep.settle import Settled
from repro.core.sweep.troubles import all_failed, no_metric
from repro.errors import ReproError
from repro.model.run import Status
from repro.model.sweep import Dropped, Progress, Told, TrialState
from repro.model.sweepspec import SweepSpec
from repro.model.text import escape

_MOST_NAMES = 20  # of metrics that are told


@dataclass(frozen=True, slots=True)
class Hopeless:
    """Why a sweep is to be ended.

    Attributes:
        why: In a few words.
    """

    reason: Reason
    why: str
    error: ReproError


class Prospects:
    """Weighs each result, before another trial is claimed."""

    def __init__(self, spec: SweepSpec, options: Options) -> None:
        self._spec = spec
        self._options = options
        self._n_failed = 0  # before any other result
        self._has_result = False
        self._has_said_no_metric = False

    def weigh(self, one: Settled, progress: Progress) -> tuple[NoMetric | None, Hopeless | None]:
        """Say that the metric is not logged, once; and that the sweep is to be ended for a result.

        Args:
            progress: As the ledger was before that result.
        """
        told = one.entry
        if isinstance(told, Dropped):
            return None, None
        said, hopeless = self._check_metric(told, one, progress)
        if told.state is not TrialState.FAILED:
            self._has_result = True
        elif not self._has_result:
            self._n_failed += 1
            hopeless = hopeless or self._check_failures(one)
        return said, hopeless

    def _check_metric(
        self, told: Told, one: Settled, progress: Progress
    ) -> tuple[NoMetric | None, Hopeless | None]:
        """A strict sweep is ended by a crash, too."""
        metric, record = self._spec.metric, one.record
        is_finished = record is not None and record.run.status is Status.FINISHED
        if metric is None or self._has_said_no_metric or told.state is not TrialState.FAILED:
            return None, None
        if not (is_finished or self._options.is_strict):
            return None, None
        has_any = any(trial.value is not None for trial in progress.trials)
        if has_any or (record is not None and find_value(self._spec, record) is not None):
            return None, None
        self._has_said_no_metric = True
        names = [] if record is None else [*record.metrics, *record.summary]
        logged = tuple(escape(name) for name in names)[:_MOST_NAMES]
        said = NoMetric(progress.trials[told.number], escape(metric), logged)
        hopeless = None
        if self._options.is_strict:
            error = no_metric(told, metric, logged, is_finished=is_finished)
            hopeless = Hopeless(Reason.NO_METRIC, f"no `{metric}` was logged", error)
        return said if is_finished else None, hopeless

    def _check_failures(self, one: Settled) -> Hopeless | None:
        limit = self._options.max_failures
        if not limit or self._n_failed < limit:
            return None
        why = f"the first {limit} trials all failed"
        return Hopeless(Reason.FAILURES, why, all_failed(limit, one))

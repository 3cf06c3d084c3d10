"""What the trials of a sweep show together: figures as data, from its ledger alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from repro.model.canonical import Json
from repro.model.objective import sign_of
from repro.model.space import Beta, Categorical, Constant, Distribution, IntUniform, Normal, Uniform
from repro.model.sweep import SweepAt, Trial, TrialState
from repro.model.values import is_number


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One axis of parallel coordinates.

    Attributes:
        key: Dotted key of a param, or the metric.
        low: The smallest value that a trial has; None for categories, and where there is none.
        high: Likewise the largest.
        values: The categories, in the order of the space.
    """

    key: str
    kind: Literal["linear", "log", "category"]
    is_metric: bool = False
    low: float | None = None
    high: float | None = None
    values: tuple[Json, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One trial across all axes; None where it has no value."""

    trial: int
    run: str
    state: TrialState
    values: tuple[Json, ...]


@dataclass(frozen=True, slots=True)
class ParallelCoordinates:
    """The trials that are over, each as a line across the params that vary and the metric."""

    axes: tuple[Axis, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class BestSoFar:
    """The value of one trial, and the best one up to it."""

    trial: int
    value: float
    best: float


def varied_keys(at: SweepAt) -> list[str]:
    """The params that a sweep varies, in the order of its space."""
    return [key for key, one in at.sweep.spec.space.items() if not _is_fixed(one)]


def ranked_trials(at: SweepAt) -> list[Trial]:
    """The finished trials that have a value, the best first; of equal ones the earlier."""
    spec = at.sweep.spec
    sign = sign_of(spec.goal)
    valued = [(trial.value, trial) for trial in finished_trials(at) if trial.value is not None]
    valued.sort(key=lambda one: (sign * one[0], one[1].number))
    return [trial for _, trial in valued]


def ordered_trials(at: SweepAt) -> list[Trial]:
    """All trials: those in progress, then the best ones, then the others."""
    trials = at.progress.trials
    first = [trial for trial in trials if trial.state is TrialState.RUNNING]
    ranked = ranked_trials(at)
    seen = {trial.number for trial in (*first, *ranked)}
    return [*first, *ranked, *(trial for trial in trials if trial.number not in seen)]


def parallel_coordinates(at: SweepAt) -> ParallelCoordinates:
    """Give the trials that are over as lines across the params that vary, and the metric."""
    spec = at.sweep.spec
    keys = varied_keys(at)
    over = [trial for trial in at.progress.trials if trial.is_over]
    axes = [_axis(key, spec.space[key], [trial.params.get(key) for trial in over]) for key in keys]
    if spec.metric is not None:
        low, high = _ends([trial.value for trial in over])
        axes.append(Axis(key=spec.metric, kind="linear", is_metric=True, low=low, high=high))
    lines = []
    for trial in over:
        values: list[Json] = [trial.params.get(key) for key in keys]
        if spec.metric is not None:
            values.append(trial.value)
        line = Line(trial=trial.number, run=trial.run, state=trial.state, values=tuple(values))
        lines.append(line)
    return ParallelCoordinates(tuple(axes), tuple(lines))


def best_so_far(at: SweepAt) -> list[BestSoFar]:
    """How the best value got better from trial to trial."""
    better = max if at.sweep.spec.goal == "maximize" else min
    found: list[BestSoFar] = []
    for trial in finished_trials(at):
        if trial.value is not None:
            best = better(trial.value, found[-1].best) if found else trial.value
            found.append(BestSoFar(trial.number, trial.value, best))
    return found


def finished_trials(at: SweepAt) -> list[Trial]:
    """The finished trials, by number; some may have no value."""
    return [trial for trial in at.progress.trials if trial.state is TrialState.FINISHED]


def _is_fixed(distribution: Distribution) -> bool:
    if isinstance(distribution, Categorical):
        return len(distribution.values) == 1
    return isinstance(distribution, Constant)


def _axis(key: str, distribution: Distribution, values: list[Json]) -> Axis:
    match distribution:
        case Categorical(values=categories):
            return Axis(key=key, kind="category", values=categories)
        case IntUniform(is_log=True) | Uniform(is_log=True) | Normal(is_log=True):
            kind: Literal["linear", "log"] = "log"
        case IntUniform() | Uniform() | Normal() | Beta() | Constant():
            kind = "linear"
    low, high = _ends(values)
    return Axis(key=key, kind=kind, low=low, high=high)


def _ends(values: Sequence[Json]) -> tuple[float | None, float | None]:
    numbers = [float(value) for value in values if is_number(value)]
    return (min(numbers), max(numbers)) if numbers else (None, None)

"""Which trials in progress go so badly that they are not worth going on with, as Optuna judges.

Trials are compared by how often they have logged the metric, as W&B does, and only with those that
are over, so that the answer follows from the ledger.
"""

import warnings
from bisect import bisect_right
from collections.abc import Callable, Sequence
from math import isfinite, isnan, nan

from optuna.pruners import BasePruner, MedianPruner, PercentilePruner
from optuna.trial import TrialState as State

from repro.core.sweep.optuna_study import Frozen, freeze_trial, make_study
from repro.model.objective import Goal
from repro.model.sweep import MOST_STEPS, Ledger, Trial, TrialState
from repro.model.sweepspec import EarlyStop

Steps = Sequence[tuple[int, float]]

_FAR = 1e300  # stands for infinity, between which and a number there is no percentile


def make_judge(early: EarlyStop, goal: Goal) -> Callable[[Ledger, Steps], bool]:
    """Give what says whether a trial with some values so far is to be stopped.

    `hyperband` is what W&B calls so: at bands, each `eta` times as far as the one before, only the
    best of `eta` go on. A trial is judged at the last band that it reached, by its value there,
    among all that came so far, pruned ones too. The bands are `max_iter` divided by `eta`, again
    and again down to `min_iter`; without `max_iter`, `min_iter` times `eta` again and again.

    `median` stops, after `n_startup` trials have finished and from `min_iter` values on, each
    trial whose best value so far is worse than what half of the finished had at that place, and
    each that has logged nothing but NaN and infinities. Both are what Optuna does of NaN.

    Source: L. Li et al., "Hyperband: A novel bandit-based approach to hyperparameter optimization",
    JMLR 18, 2018, in W&B's form of one bracket; D. Golovin et al., "Google Vizier: A service for
    black-box optimization", KDD 2017 (median).
    """
    if early.kind == "hyperband":
        return _Judge(early, goal, PercentilePruner(100 / early.eta, n_startup_trials=0)).judge
    return _Judge(early, goal, MedianPruner(n_startup_trials=early.n_startup)).judge


class _Judge:
    def __init__(self, early: EarlyStop, goal: Goal, pruner: BasePruner) -> None:
        self._early = early
        self._goal = goal
        self._pruner = pruner
        self._is_at_bands = early.kind == "hyperband"
        self._compared = {TrialState.FINISHED} | (
            {TrialState.PRUNED} if self._is_at_bands else set()
        )

    def judge(self, ledger: Ledger, steps: Steps) -> bool:
        count = _last_band(self._early, len(steps)) if self._is_at_bands else len(steps)
        if count is None or count < self._early.min_iter:
            return False
        own = [(count, steps[count - 1][1])] if self._is_at_bands else _counted(steps)
        own = [(place, value if isfinite(value) else nan) for place, value in own]
        if self._is_at_bands and isnan(own[0][1]):
            return True
        others = [
            _seen(trial, count, steps[count - 1][0])
            for trial in ledger.progress.trials
            if trial.state in self._compared
        ]
        study = make_study(self._goal, others)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of values that are all NaN
            return bool(self._pruner.prune(study, freeze_trial(State.RUNNING, steps=dict(own))))


def _last_band(early: EarlyStop, count: int) -> int | None:
    """The last band at or before a count of values; None before the first."""
    if early.max_iter is None:
        band, last = early.min_iter, None
        while band <= count:
            band, last = band * early.eta, band
        return last
    part = early.eta
    while (band := early.max_iter // part) >= early.min_iter and band > 0:
        if band <= count:
            return band
        part *= early.eta
    return None


def _counted(steps: Steps) -> list[tuple[int, float]]:
    return [(number, value) for number, (_, value) in enumerate(steps, 1)]


def _seen(trial: Trial, count: int, step: int) -> Frozen:
    """A trial that is over, with its value where another one has logged so often."""
    value = _value_at(trial.steps, count, step)
    held = {} if value is None else {count: min(max(value, -_FAR), _FAR)}
    return freeze_trial(State.COMPLETE, value=0.0, steps=held)


def _value_at(steps: Steps, count: int, step: int) -> float | None:
    if len(steps) < MOST_STEPS:
        return steps[count - 1][1] if count <= len(steps) else None
    # Thinned out: how often it had been logged is not known any more, only at which step.
    if steps[-1][0] < step:
        return None
    place = bisect_right(steps, step, key=lambda one: one[0])
    return steps[place - 1][1] if place else None

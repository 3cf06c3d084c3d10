"""A study of Optuna made in memory from trials that are over, or run elsewhere."""

from collections.abc import Iterable, Mapping
from copy import copy
from datetime import UTC, datetime
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.storages import InMemoryStorage
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from repro.model.objective import Goal

_NAME = "sweep"
_SOME_DAY = datetime(2000, 1, 1, tzinfo=UTC)  # Optuna wants one, and no sampler looks at it

optuna.logging.set_verbosity(optuna.logging.ERROR)


class Frozen(FrozenTrial):
    """A trial that nobody changes: a copy of it need not copy all that it is made of."""

    def __deepcopy__(self, memo: dict[int, Any]) -> "Frozen":
        return copy(self)


def freeze_trial(
    state: TrialState,
    *,
    value: float | None = None,
    params: Mapping[str, Any] | None = None,
    distributions: Mapping[str, BaseDistribution] | None = None,
    steps: Mapping[int, float] | None = None,
) -> Frozen:
    """Give a trial for `make_study`, which numbers it.

    Args:
        params: Places on the scales of `distributions`, which has the same keys.
        steps: Values on the way.
    """
    return Frozen(
        number=-1,
        trial_id=-1,
        state=state,
        value=value,
        params=dict(params or {}),
        distributions=dict(distributions or {}),
        intermediate_values=dict(steps or {}),
        datetime_start=_SOME_DAY,
        datetime_complete=_SOME_DAY if state.is_finished() else None,
        user_attrs={},
        system_attrs={},
    )


def make_study(goal: Goal, trials: Iterable[Frozen], sampler: BaseSampler | None = None) -> Study:
    """Give a study with trials in that order; it takes 10 µs for each."""
    storage = InMemoryStorage()
    study_id = storage.create_new_study([StudyDirection[goal.upper()]], _NAME)
    for trial in trials:
        storage.create_new_trial(study_id, trial)
    return optuna.load_study(study_name=_NAME, storage=storage, sampler=sampler)

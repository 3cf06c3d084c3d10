"""Which params of a sweep matter, from its ledger alone."""

from repro.core.importance import Importance, rate_columns
from repro.core.sweep.figures import finished_trials, varied_keys
from repro.model.sweep import SweepAt
from repro.model.values import ABSENT, Value


def weigh_trials(at: SweepAt) -> Importance:
    """Say which of the varied params go with the metric, over the finished trials.

    Cost: a second or two where a forest grows.
    """
    trials = [trial for trial in finished_trials(at) if trial.value is not None]
    columns: dict[str, list[Value]] = {
        key: [trial.params.get(key, ABSENT) for trial in trials] for key in varied_keys(at)
    }
    return rate_columns(columns, [trial.value for trial in trials if trial.value is not None])

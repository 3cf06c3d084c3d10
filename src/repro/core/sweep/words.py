"""A sweep in words: how far it is, and how good."""

from repro.core.sweep.standing import count_wanted
from repro.model.cells import format_metric
from repro.model.sweep import OVER, SweepAt, Trial, TrialState
from repro.model.text import escape


def describe_done(at: SweepAt) -> str:
    """How many trials are over, and of how many where that is known: `12/50`."""
    done, wanted = at.progress.count(*OVER), count_wanted(at)
    return f"{done:,}" if wanted is None else f"{done:,}/{wanted:,}"


def describe_counts(at: SweepAt) -> list[str]:
    """How many trials did not finish, in words; empty where all did."""
    states = (TrialState.FAILED, TrialState.PRUNED, TrialState.WAITING)
    counts = ((at.progress.count(state), state.value) for state in states)
    return [f"{count:,} {name}" for count, name in counts if count]


def describe_best(at: SweepAt, trial: Trial) -> str:
    """The value of a trial in words, such as `val_loss 0.12`."""
    metric = at.sweep.spec.metric or ""
    return f"{escape(metric)} {format_metric(metric, trial.value)}"

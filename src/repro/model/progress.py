"""How far a run in progress has come, where its config says how far it will go."""

import math
from dataclasses import dataclass

from repro.model.config import flatten_config
from repro.model.run import Record, Run, Status
from repro.model.times import format_time, parse_time

_STEPS = {"max_steps", "total_steps", "num_steps", "steps", "iterations"}
_EPOCHS = {"epochs", "max_epochs", "num_epochs"}
_LONGEST_S = 1e9  # thirty years
_EPOCH = "epoch"  # a metric that programs log beside others, whatever their steps count


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come.

    Attributes:
        done: Steps, or epochs.
        total: As many as the config says.
        param: Dotted key of the param that says so.
    """

    done: int
    total: int
    param: str

    def __str__(self) -> str:
        return f"{self.done}/{self.total}"


def last_step(record: Record) -> int | None:
    """The highest step that any metric of a run has a point at, None before the first point."""
    return max((metric.last_step for metric in record.metrics.values()), default=None)


def last_heard(run: Run) -> str | None:
    """When a run that is in progress elsewhere was published; None for any other one."""
    if run.status is not Status.RUNNING or run.duration_s is None:
        return None
    if not 0 <= run.duration_s < _LONGEST_S:  # as somebody else says
        return None
    return format_time(parse_time(run.started) + run.duration_s)


def find_progress(record: Record) -> Progress | None:
    """Tell how far a run in progress has come, where that is beyond doubt.

    Exactly one param must have the name of a number of steps or epochs and be a positive integer,
    and the last step must not be past it. Where the param counts epochs and there is a metric
    `epoch`, that metric tells.

    Returns:
        None where it is not known, or the run is over.
    """
    if record.run.status is not Status.RUNNING:
        return None
    totals = {
        key: value
        for key, value in flatten_config(record.config).items()
        if key.rpartition(".")[2] in _STEPS | _EPOCHS and type(value) is int and value > 0
    }
    if len(totals) != 1:
        return None
    [(param, total)] = totals.items()
    done = _done(record, counts_epochs=param.rpartition(".")[2] in _EPOCHS)
    if done is None or not 0 <= done <= total:
        return None
    return Progress(done, total, param)


def _done(record: Record, *, counts_epochs: bool) -> int | None:
    epoch = record.metrics.get(_EPOCH)
    if counts_epochs and epoch is not None:
        return math.floor(epoch.last) if math.isfinite(epoch.last) else None
    last = last_step(record)
    if last is None:
        return None
    # As many points as that are only possible where the first step is 0, so one more is done.
    is_from_0 = any(metric.count == metric.last_step + 1 for metric in record.metrics.values())
    return last + 1 if is_from_0 else last

"""Metrics that only count: the step, or the epoch, that training code logs beside its results."""

from collections.abc import Iterable

from repro.model.run import MetricSummary, Record

_FEWEST = 3  # points: two of them are always a straight line
_STEADY = 0.05  # of its range: how far the mean of a count may be from the middle


def find_counters(records: Iterable[Record]) -> set[str]:
    """Give the names of metrics that in each run which has them only count upwards.

    That is by their values alone, for a name proves nothing: whole numbers that rise from the
    first to the last one, as fast at the end as at the beginning; one run at least must have
    enough of them to show it.
    """
    rises: dict[str, bool] = {}
    others: set[str] = set()
    for record in records:
        for name, summary in record.metrics.items():
            if name in others:
                continue
            if _may_count(summary):
                rises[name] = rises.get(name, False) or _rises(summary)
            else:
                others.add(name)
    return {name for name, has_risen in rises.items() if has_risen} - others


def _rises(one: MetricSummary) -> bool:
    return one.count >= _FEWEST and one.last > one.first


def _may_count(one: MetricSummary) -> bool:
    """Whether its values are those of a counter, as far as a summary tells."""
    if one.mean is None or one.goal is not None:
        return False
    if (one.min, one.max) != (one.first, one.last) or not float(one.first).is_integer():
        return False
    if not float(one.last).is_integer():
        return False
    middle = (one.first + one.last) / 2
    return abs(one.mean - middle) <= _STEADY * (one.last - one.first)

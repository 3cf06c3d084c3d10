"""Which of several runs is best in a metric, where somebody said what is better."""

import math
from collections.abc import Iterable, Sequence

from repro.model.condition import Key, Space
from repro.model.run import Record
from repro.model.values import Value

_COMPARABLE = ("last", "first", "min", "max", "mean")


def agreed_goal(records: Iterable[Record], key: Key) -> str | None:
    """Give `minimize` or `maximize`, as set for the metric `key`.

    None where nobody said, where runs disagree, and for what is no value of a metric, such as a
    step: nothing is guessed from a name.
    """
    if key.space is not Space.METRIC or key.statistic not in _COMPARABLE:
        return None
    summaries = [record.metrics.get(key.name) for record in records]
    goals = {None if summary is None else summary.goal for summary in summaries} - {None, ""}
    return goals.pop() if len(goals) == 1 else None


def best_places(values: Sequence[Value], goal: str | None) -> set[int]:
    """Give the places of the best numbers; of fewer than two none is best.

    Nor is ever what is not finite: a loss of minus infinity is one that broke.
    """
    if goal not in ("minimize", "maximize"):
        return set()
    numbers = {
        place: value
        for place, value in enumerate(values)
        if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
    }
    if len(numbers) < 2:
        return set()
    best = (min if goal == "minimize" else max)(numbers.values())
    return {place for place, number in numbers.items() if number == best}

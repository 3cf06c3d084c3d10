"""The summary of a metric that grows: brought up to date from its new points alone, exactly."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from repro.model.run import MetricSummary
from repro.model.series import Point

_LARGEST = 1e290  # sums of values beyond it could pass the range of a float


@dataclass(frozen=True, slots=True)
class Tally:
    """Points by increasing step, in a few numbers.

    Attributes:
        first: Value of the first one; meaningless while `count` is 0.
        numbers: How many are not NaN.
        low: The first of the smallest ones that are not NaN.
        high: The first of the largest ones that are not NaN.
        parts: Floats whose exact sum is that of the finite values, so that the mean of more
            points is rounded once, as `math.fsum` of all of them would be.
        beyond: Sum of the infinite values; 0 without any.
    """

    first: float = 0.0
    count: int = 0
    numbers: int = 0
    low: Point | None = None
    high: Point | None = None
    parts: tuple[float, ...] = ()
    beyond: float = 0.0


@dataclass(frozen=True, slots=True)
class Running:
    """A metric so far.

    Attributes:
        before: All points but the last one.
        last: The one of the highest step, apart because it may be logged again.
    """

    before: Tally
    last: Point


def extend_running(running: Running | None, points: Sequence[Point]) -> Running | None:
    """Add points to a metric.

    Args:
        running: None where there is no point yet.
        points: At least one, by increasing step, as `merge_rows` gives them.

    Returns:
        None where the old points are needed: a new one belongs before or at one of them, or
        values are so large that their sum depends on the order.
    """
    if running is None:
        before, last, new = Tally(), points[0], points[1:]
    elif points[0].step > running.last.step:
        before, last, new = running.before, running.last, points
    elif points[0].step == running.last.step and points[0].time != running.last.time:
        before, new = running.before, points[1:]
        last = max(points[0], running.last, key=lambda point: point.time)
    else:
        return None
    if new:
        tally = _add(before, [last, *new[:-1]])
        if tally is None:
            return None
        before, last = tally, new[-1]
    return Running(before, last) if _is_small(last.value) else None


def summarise_running(running: Running) -> MetricSummary | None:
    """The summary that `summarise` gives of all points; None where that needs them."""
    last = running.last
    tally = _add(running.before, [last])
    if tally is None:
        return None
    low, high = tally.low, tally.high
    return MetricSummary(
        last=last.value,
        last_step=last.step,
        first=tally.first,
        min=low.value if low else None,
        min_step=low.step if low else None,
        max=high.value if high else None,
        max_step=high.step if high else None,
        mean=_mean(tally),
        count=tally.count,
        goal=None,
    )


def _add(tally: Tally, points: Sequence[Point]) -> Tally | None:
    """The tally with more points behind its own, None where a value or sum is too large."""
    numbers, values = points, [point[1] for point in points]
    finite = values
    if not all(map(math.isfinite, values)):
        numbers = [point for point in points if not math.isnan(point.value)]
        values = [point.value for point in numbers]
        finite = [value for value in values if math.isfinite(value)]
    if finite and not (_is_small(min(finite)) and _is_small(max(finite))):
        return None
    parts = _exact_parts([*tally.parts, *finite])
    if parts is None:
        return None
    added = replace(
        tally,
        first=tally.first if tally.count else points[0].value,
        count=tally.count + len(points),
        numbers=tally.numbers + len(numbers),
        parts=parts,
        beyond=tally.beyond + sum(value for value in values if math.isinf(value)),
    )
    if not numbers:
        return added
    low = numbers[values.index(min(values))]  # the first of equal ones
    high = numbers[values.index(max(values))]
    return replace(
        added,
        low=low if tally.low is None or low.value < tally.low.value else tally.low,
        high=high if tally.high is None or high.value > tally.high.value else tally.high,
    )


def _is_small(value: float) -> bool:
    return not math.isfinite(value) or abs(value) <= _LARGEST


def _exact_parts(values: Sequence[float]) -> tuple[float, ...] | None:
    """A few floats with the exact sum of many: their rounded sum, that of what it lacks, and so on.

    Each is at most half a unit in the last place of the one before, so there are at most 40.
    """
    rest = list(values)
    parts: list[float] = []
    try:
        while total := math.fsum(rest):
            parts.append(total)
            rest.append(-total)
    except (OverflowError, ValueError):
        return None
    return tuple(parts)


def _mean(tally: Tally) -> float | None:
    if not tally.numbers:
        return None
    if tally.beyond != 0:  # infinite, or NaN where there are both infinities
        return tally.beyond
    return math.fsum(tally.parts) / tally.numbers

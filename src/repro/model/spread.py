"""How far the results of several reruns lie apart, so that noise can be told from change."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

_MANY = 1000  # values, from which on exact fractions take too long


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The last values of one metric in several reruns.

    Attributes:
        count: How many reruns have the metric.
        finite: How many of these values are finite; the numbers below are of them alone, and
            None where there are too few.
        std: Sample standard deviation; None below two values.
        original: None where the original lacks the metric.
        is_inside: Whether the original lies from `min` to `max`; NaN and the infinities where a
            rerun has the same.
    """

    count: int
    finite: int
    mean: float | None
    std: float | None
    min: float | None
    max: float | None
    original: float | None
    is_inside: bool


def measure_spread(
    original: Mapping[str, float], reruns: Sequence[Mapping[str, float]]
) -> dict[str, Spread]:
    """Give the spread of each metric that any rerun, or the original, has; sorted by name.

    Args:
        original: Last value by metric; so is each of `reruns`.
    """
    names = set(original).union(*reruns)
    return {
        name: _measure(original.get(name), [rerun[name] for rerun in reruns if name in rerun])
        for name in sorted(names)
    }


def _measure(original: float | None, values: Sequence[float]) -> Spread:
    finite = [value for value in values if math.isfinite(value)]
    low, high = min(finite, default=None), max(finite, default=None)
    return Spread(
        count=len(values),
        finite=len(finite),
        mean=find_mean(finite),
        std=find_deviation(finite),
        min=low,
        max=high,
        original=original,
        is_inside=original is not None and _is_inside(original, low, high, values),
    )


def find_mean(values: Sequence[float]) -> float | None:
    """The mean of finite values; None without any."""
    if not values:
        return None
    try:
        return fmean(values)
    except OverflowError:  # the sum is beyond a float
        share = 2.0 ** -len(values).bit_length()  # a power of two: nothing is rounded
        return fmean([value * share for value in values]) / share


def find_deviation(values: Sequence[float]) -> float | None:
    """The sample standard deviation of finite values; None below two."""
    if len(values) < 2:
        return None
    if len(values) > _MANY:
        return _deviation(values)
    try:
        return stdev(values)
    except OverflowError:  # so are the squares
        return math.inf


def _deviation(values: Sequence[float]) -> float:
    """As `stdev`, but for the last digits, in a tenth of the time."""
    mean = find_mean(values) or 0.0
    off = [value - mean for value in values]
    return math.sqrt(math.fsum([one * one for one in off]) / (len(values) - 1))


def _is_inside(
    original: float, low: float | None, high: float | None, values: Sequence[float]
) -> bool:
    if math.isnan(original):
        return any(map(math.isnan, values))
    if math.isinf(original) or low is None or high is None:
        return original in values
    return low <= original <= high

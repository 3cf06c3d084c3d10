"""The shape of a series in bounded memory, as it grows."""

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import NamedTuple

from repro.model.series import Point

MOST_PARTS = 256


class Part(NamedTuple):
    """The points of a few neighbouring steps.

    Attributes:
        mean: Of the finite values; 0 without any.
        finite: How many are.
        beyond: The last infinite value; 0 without any.
    """

    mean: float = 0.0
    finite: int = 0
    beyond: float = 0.0

    def joined(self, other: "Part") -> "Part":
        """The points of both."""
        finite = self.finite + other.finite
        if not finite:
            return Part(beyond=other.beyond or self.beyond)
        # Each divided first: the sum of two large values could be beyond a float.
        mean = self.mean * (self.finite / finite) + other.mean * (other.finite / finite)
        return Part(mean, finite, other.beyond or self.beyond)

    @property
    def value(self) -> float:
        """What to draw: infinite if any point is, NaN if there is nothing but NaN."""
        return self.beyond or (self.mean if self.finite else math.nan)


@dataclass(frozen=True, slots=True)
class Curve:
    """A series in at most 256 parts.

    Attributes:
        start: The first step.
        span: How many steps a part has, a power of two.
        parts: By their place from the start; the last point is in none of them, for its step may
            be logged again.
    """

    start: int
    span: int
    parts: Mapping[int, Part]
    last: Point


def extend_curve(curve: Curve | None, points: Sequence[Point]) -> Curve:
    """Add points behind those of a curve.

    Args:
        curve: None where there is no point yet.
        points: At least one, by increasing step; the first may be the last step again.

    Cost: O(n) for n new points, and for the parts.
    """
    if curve is None:
        curve = Curve(points[0].step, 1, MappingProxyType({}), points[0])
        points = points[1:]
    old = [] if points and points[0].step == curve.last.step else [curve.last]
    if not points:
        return curve
    settled, last = [*old, *points[:-1]], points[-1]
    span, parts = curve.span, curve.parts
    while (last.step - curve.start) // span >= MOST_PARTS:
        span *= 2
    if span != curve.span:
        parts = _joined((place * curve.span // span, part) for place, part in parts.items())
    return Curve(curve.start, span, _joined(_parts(settled, curve.start, span), parts), last)


def _parts(points: Sequence[Point], start: int, span: int) -> Iterator[tuple[int, Part]]:
    """Points by increasing step, each part of them at once: a first look can have millions."""
    steps = [point[0] for point in points]
    begin = 0
    while begin < len(points):
        place = (steps[begin] - start) // span
        end = bisect_left(steps, start + (place + 1) * span, begin)
        yield place, _part([point[1] for point in points[begin:end]])
        begin = end


def _part(values: Sequence[float]) -> Part:
    finite = [value for value in values if math.isfinite(value)]
    beyond = next((value for value in reversed(values) if math.isinf(value)), 0.0)
    if not finite:
        return Part(beyond=beyond)
    try:
        mean = math.fsum(finite) / len(finite)
    except OverflowError:
        mean = sum(value / len(finite) for value in finite)
    return Part(mean, len(finite), beyond)


def _joined(
    placed: Iterable[tuple[int, Part]], before: Mapping[int, Part] = MappingProxyType({})
) -> dict[int, Part]:
    parts = dict(before)
    for place, part in placed:
        parts[place] = parts[place].joined(part) if place in parts else part
    return parts


def sample_curve(curve: Curve, width: int) -> list[float]:
    """Give the values to draw in at most `width` columns, from the first step to the last.

    Returns:
        A column for each part where there is room for all of them, else for as many steps each;
        one in which nothing was logged has the value before it. Infinite values stay; NaN is where
        nothing but NaN was logged.
    """
    end = (curve.last.step - curve.start) // curve.span
    parts = _joined([*curve.parts.items(), (end, _part([curve.last.value]))])
    if len(parts) <= width:
        return [parts[place].value for place in sorted(parts)]
    columns = _joined((place * width // (end + 1), part) for place, part in parts.items())
    places = [*sorted(columns), width]
    return [columns[place].value for place, after in pairwise(places) for _ in range(place, after)]

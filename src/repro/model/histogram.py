"""How many of some numbers lie in each of several ranges of equal width."""

from bisect import bisect_right
from collections.abc import Sequence
from math import isfinite

from repro.model.medium import Bins


def count_bins(values: Sequence[float], n_bins: int) -> Bins:
    """Count values in `n_bins` ranges of equal width, from the least value to the greatest.

    A value on an edge counts in the range above it, the greatest in the last one. Where all
    values are equal the ranges are one unit wide together, and from 0 to 1 without a value, as
    NumPy has it. What is not finite is in `skipped`.

    Args:
        n_bins: At least 1.

    Cost: O(n log m) for n values and m ranges.
    """
    finite = [value for value in values if isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    if low == high:
        low, high = low - 0.5, high + 0.5
    step = high / n_bins - low / n_bins  # their difference may be beyond a float
    edges = [min(low + step * number, high) for number in range(n_bins)] + [high]
    counts = [0] * n_bins
    for value in finite:
        counts[min(bisect_right(edges, value), n_bins) - 1] += 1
    return Bins(tuple(edges), tuple(counts), len(values) - len(finite))

"""Values are counted as NumPy counts them."""

import math

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.model.histogram import count_bins


@given(
    st.lists(st.floats(-1e9, 1e9, width=32), min_size=1, max_size=40),
    st.integers(1, 20),
)
def test_every_value_is_in_the_range_whose_edges_hold_it(values: list[float], n: int) -> None:
    bins = count_bins(values, n)

    assert sum(bins.counts) == len(values)
    assert list(bins.edges) == sorted(bins.edges)
    for place, count in enumerate(bins.counts):
        low, high, is_last = bins.edges[place], bins.edges[place + 1], place == n - 1
        assert count >= sum(low < value < high for value in values)
        assert count <= sum(low <= value <= high for value in values)
        assert is_last or count <= sum(low <= value < high for value in values)


@pytest.mark.parametrize(
    "values", [[1, 2, 2, 3, 10], [4.0], [], [-1.5, 2.5, 0.0, 0.1], list(range(100))]
)
def test_counts_and_edges_are_those_of_numpy(values: list[float]) -> None:
    counts, edges = numpy.histogram(values, bins=7)

    bins = count_bins(values, 7)

    assert bins.counts == tuple(counts)
    assert bins.edges == pytest.approx(edges)


def test_what_is_not_finite_is_counted_apart() -> None:
    bins = count_bins([math.nan, 1.0, math.inf, 2.0, -math.inf], 2)

    assert (bins.counts, bins.edges, bins.skipped) == ((1, 1), (1.0, 1.5, 2.0), 3)


def test_a_range_beyond_a_float_is_counted() -> None:
    assert sum(count_bins([-1.7e308, 0.0, 1.7e308], 4).counts) == 3

"""The points that a chart needs: few, in order, and with all that stands out."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.model.downsample import FEWEST, downsample

VALUES = st.lists(
    st.one_of(
        st.floats(-1e3, 1e3), st.just(math.nan), st.just(math.inf), st.just(-math.inf), st.floats()
    ),
    max_size=400,
)
MOST = st.integers(FEWEST, 60)


def extremes(values):
    finite = [value for value in values if math.isfinite(value)]
    return (min(finite), max(finite)) if finite else None


@given(VALUES, MOST)
def test_at_most_so_many_points_stay_in_their_order_with_both_ends(values, most):
    kept = downsample(values, most)

    assert len(kept) <= most
    assert kept == sorted(set(kept))
    assert [kept[0], kept[-1]] == [0, len(values) - 1] if values else kept == []


@given(VALUES, MOST)
def test_the_lowest_and_the_highest_point_stay(values, most):
    assert extremes(values) == extremes([values[place] for place in downsample(values, most)])


@given(VALUES, MOST)
def test_what_is_not_finite_stays_visible(values, most):
    kept = [values[place] for place in downsample(values, most)]

    for is_such in (math.isnan, math.inf.__eq__, (-math.inf).__eq__):
        assert any(map(is_such, values)) == any(map(is_such, kept))


@given(st.lists(st.floats(-1e3, 1e3), min_size=40, max_size=400), MOST)
def test_a_spike_anywhere_stays(values, most):
    place = len(values) // 3
    values[place] = 1e6

    assert place in downsample(values, most)


def test_a_gap_in_a_long_curve_stays_a_gap():
    values = [float(number % 7) for number in range(100_000)]
    values[70_000] = math.nan

    assert 70_000 in downsample(values, 1000)


def test_few_points_all_stay():
    assert downsample([3.0, 1.0, 2.0], 8) == [0, 1, 2]
    assert downsample([], 8) == []


def test_sums_beyond_a_float_change_nothing():
    values = [1.7e308, 1.6e308] * 20 + [-1.7e308] * 20

    kept = downsample(values, 8)

    assert extremes(values) == extremes([values[place] for place in kept])


def test_fewer_points_than_all_that_can_stand_out_are_refused():
    with pytest.raises(ValueError, match="8"):
        downsample([1.0], 7)

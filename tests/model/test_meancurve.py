"""The mean of curves counts each where it is, and the band says how far they lie apart."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.model.meancurve import Band, MeanCurve, mean_curve

NAN, INF = math.nan, math.inf


def test_at_the_same_places_it_is_the_mean_of_the_values():
    found = mean_curve([([0, 1, 2], [1.0, 2.0, 3.0]), ([0, 1, 2], [3.0, 2.0, 5.0])], most=100)

    assert found == MeanCurve([0, 1, 2], [2.0, 2.0, 4.0], [1.0, 2.0, 3.0], [3.0, 2.0, 5.0])


def test_a_band_of_the_deviation_is_a_sample_deviation_to_both_sides():
    found = mean_curve([([0], [1.0]), ([0], [2.0]), ([0], [3.0])], most=9, band=Band.DEVIATION)

    assert found == MeanCurve([0], [2.0], [1.0], [3.0])


def test_one_curve_is_its_own_mean_without_a_band():
    for band in Band:
        found = mean_curve([([0, 2], [1.0, 5.0])], most=100, band=band)
        assert found == MeanCurve([0, 2], [1.0, 5.0], [1.0, 5.0], [1.0, 5.0])


def test_between_its_points_a_curve_counts_with_what_lies_on_the_line():
    found = mean_curve([([0, 10], [0.0, 10.0]), ([0, 5, 10], [0.0, 5.0, 30.0])], most=100)

    assert found.x == [0, 5, 10]
    assert found.mean == [0.0, 5.0, 20.0]


def test_a_curve_counts_only_from_its_first_point_to_its_last_one():
    found = mean_curve([([1, 2], [1.0, 1.0]), ([0, 1, 2, 3], [5.0, 3.0, 3.0, 5.0])], most=100)

    assert found.mean == [5.0, 2.0, 2.0, 5.0]


def test_what_is_not_finite_is_left_out():
    found = mean_curve([([0, 1, 2, 3], [NAN, INF, 4.0, -INF]), ([0, 1], [1.0, NAN])], most=100)

    assert found == MeanCurve([0, 2], [1.0, 4.0], [1.0, 4.0], [1.0, 4.0])


def test_more_places_than_wanted_are_put_together_and_each_curve_counts_once():
    steady = ([*range(10)], [0.0] * 10)
    twice = ([0, 0.5, 9], [4.0, 2.0, 6.0])
    found = mean_curve([steady, twice], most=2)

    assert len(found.x) == 2
    assert found.mean == [1.5, 3.0]
    assert found.high == [3.0, 6.0]


def test_points_in_any_order_are_sorted_and_those_at_one_place_are_one():
    found = mean_curve([([2, 0, 2], [1.0, 7.0, 3.0])], most=100)

    assert found == MeanCurve([0, 2], [7.0, 2.0], [7.0, 2.0], [7.0, 2.0])


def test_without_points_there_is_no_mean():
    assert mean_curve([], most=5) == mean_curve([([], []), ([1], [NAN])], most=5) == MeanCurve()


FINITE = st.floats(allow_nan=False, allow_infinity=False)
POINTS = st.lists(st.tuples(FINITE, st.floats()), max_size=30)


@pytest.mark.parametrize("band", Band)
@given(curves=st.lists(POINTS, max_size=5), most=st.integers(1, 40))
def test_any_curves_have_a_mean_within_their_band(band, curves, most):
    split = [([x for x, _ in points], [y for _, y in points]) for points in curves]
    found = mean_curve(split, most=most, band=band)

    assert len(found.x) == len(found.mean) == len(found.low) == len(found.high) <= most
    assert found.x == sorted(found.x)
    finite = [y for _, ys in split for y in ys if math.isfinite(y)]
    for low, mean, high in zip(found.low, found.mean, found.high, strict=True):
        slack = 1e-9 * max(abs(low), abs(high))
        assert low - slack <= mean <= high + slack or math.isinf(high - low)
        assert min(finite) <= mean + slack
        assert mean <= max(finite) + slack

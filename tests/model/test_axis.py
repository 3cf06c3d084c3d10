"""Axes: every value has its place, and ticks are numbers that people read."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.model.axis import Quantity, make_axis

DAY = 86_400.0
EVENING = 1_764_016_200.0  # 2025-11-24 20:30 UTC


def labels(*values, n_ticks=6, **wish):
    return [tick.label for tick in make_axis(values, n_ticks=n_ticks, **wish).ticks]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((0, 1), ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        ((0, 20_000), ["0", "5k", "10k", "15k", "20k"]),
        ((0, 3e6), ["0", "0.5M", "1.0M", "1.5M", "2.0M", "2.5M", "3.0M"]),
        ((1e-6, 9e-6), ["2e-6", "4e-6", "6e-6", "8e-6"]),
        ((-5, 5), ["-4", "-2", "0", "2", "4"]),
        ((1e12, 1e12 + 40), [f"10000000000{number:02d}" for number in range(0, 41, 10)]),
        ((3.0001, 3.0002), ["3.00010", "3.00012", "3.00014", "3.00016", "3.00018", "3.00020"]),
    ],
)
def test_ticks_are_round_numbers_that_differ(values, expected):
    assert labels(*values) == expected


@pytest.mark.parametrize("n_ticks", [2, 3])
@pytest.mark.parametrize("quantity", Quantity)
def test_one_tick_is_never_alone(n_ticks, quantity):
    for values in [(1, 399), (0.3, 0.34), (EVENING, EVENING + 3 * DAY), (7, 8.9)]:
        assert len(labels(*values, n_ticks=n_ticks, quantity=quantity)) > 1


def test_logarithmic_ticks_are_powers_of_ten_and_between_few_of_them_more():
    assert labels(1e-5, 1, is_log=True) == ["1e-5", "1e-4", "0.001", "0.01", "0.1", "1"]
    assert labels(1, 20, is_log=True) == ["1", "2", "5", "10", "20"]
    assert labels(0.3, 0.35, is_log=True) == ["0.30", "0.31", "0.32", "0.33", "0.34", "0.35"]
    assert labels(1e-300, 1e300, is_log=True)[::3] == ["1e-300", "1", "1e300"]


def test_seconds_are_told_as_people_tell_them():
    assert labels(0, 60, quantity=Quantity.DURATION)[:2] == ["0s", "10s"]
    assert labels(0, 5000, quantity=Quantity.DURATION)[-1] == "1h 15m"
    assert labels(0, 4 * DAY, quantity=Quantity.DURATION) == ["0s", "1d", "2d", "3d", "4d"]
    assert labels(0, 1, quantity=Quantity.DURATION)[1] == "0.2s"


def test_moments_are_clock_times_with_the_date_at_midnight():
    wish = {"quantity": Quantity.MOMENT}
    assert labels(EVENING, EVENING + 300, **wish)[:2] == ["20:30", "20:31"]
    assert labels(EVENING, EVENING + DAY, **wish)[:2] == ["11-25", "06:00"]
    assert labels(EVENING, EVENING + 90 * DAY, **wish)[0] == "2025-12-18"
    assert labels(0, 1e300, **wish)  # beyond the calendar


def test_without_values_there_is_an_axis_all_the_same():
    assert labels()[0] == "0"
    assert make_axis([-1.0, 0.0, math.nan], n_ticks=5, is_log=True).low > 0


@given(
    st.lists(st.floats(), max_size=5),
    st.booleans(),
    st.sampled_from(list(Quantity)),
    st.sampled_from([0.0, 0.04]),
)
def test_any_values_have_a_place(values, is_log, quantity, margin):
    axis = make_axis(values, n_ticks=6, is_log=is_log, quantity=quantity, margin=margin)

    assert axis.low < axis.high
    assert math.isfinite(axis.low)
    assert math.isfinite(axis.high)
    assert len(axis.ticks) < 40
    for tick in axis.ticks:
        assert -1e-6 <= axis.share(tick.value) <= 1.000001
    for value in values:
        if abs(value) < 1e308 and (value > 0 or not is_log):
            assert -1e-6 <= axis.share(value) <= 1.000001


def test_a_logarithmic_axis_has_no_place_for_zero():
    axis = make_axis([0.0, 1.0, 10.0], n_ticks=5, is_log=True)

    assert math.isnan(axis.share(0.0))
    assert math.isnan(axis.share(-1.0))


@pytest.mark.parametrize("high", [1.0, 1.9, 3.3, 7.0, 49.0, 99.0])
@pytest.mark.parametrize("low", [0.9, 0.11, -0.3, 0.0])
def test_there_are_two_ticks_however_little_room_there_is(low, high):
    assert len(make_axis([low, high], n_ticks=1).ticks) >= 2

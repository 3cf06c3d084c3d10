"""The running summary of a metric is the one that all of its points have, at every moment."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.model.run import MetricSummary
from repro.model.running import Running, extend_running, summarise_running
from repro.model.series import Point, Row, merge_rows, summarise

NAN = math.nan
values = st.one_of(
    st.floats(-1e6, 1e6),
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([0.0, -0.0, 0.1, NAN, math.inf, -math.inf, 1e308, -1e308, 5e-324, 1e290]),
)


def text(summary: MetricSummary | None) -> str:
    return repr(summary)  # NaN is not equal to itself


def told(points: list[Point]) -> str:
    return text(summarise({"m": points})["m"])


def grown(points: list[Point], cuts: list[int]) -> Running | None:
    """The points added in batches."""
    running: Running | None = None
    for start, end in pairwise(sorted({0, *cuts, len(points)})):
        running = extend_running(running, points[start:end])
        if running is None:
            return None
    return running


@given(st.lists(values, min_size=1, max_size=40), st.lists(st.integers(0, 39), max_size=6))
def test_points_in_batches_have_the_summary_of_all_of_them(numbers, cuts):
    points = [Point(3 * step - 50, value, float(step)) for step, value in enumerate(numbers)]

    running = grown(points, [min(cut, len(points)) for cut in cuts])

    if running is None:
        assert any(abs(value) > 1e290 for value in numbers if math.isfinite(value))
    else:
        assert text(summarise_running(running)) == told(points)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9), values), min_size=2, max_size=12))
def test_a_step_logged_again_counts_as_it_would_in_all_of_them(calls):
    rows = [
        Row(step, float(time), {"m": value}, (0, 0, number))
        for number, (step, time, value) in enumerate(calls)
    ]
    running: Running | None = None
    for number, row in enumerate(rows):
        running = extend_running(running, merge_rows([row])["m"])
        if running is None:
            return  # the old points are needed, and then they are read
        assert text(summarise_running(running)) == told(merge_rows(rows[: number + 1])["m"])


def test_a_later_value_for_the_last_step_replaces_it():
    running = extend_running(None, [Point(1, 9.0, 1.0), Point(2, 7.0, 2.0)])

    again = extend_running(running, [Point(2, 3.0, 3.0)])

    assert again is not None
    assert text(summarise_running(again)) == told([Point(1, 9.0, 1.0), Point(2, 3.0, 3.0)])


def test_an_earlier_value_for_the_last_step_changes_nothing():
    running = extend_running(None, [Point(2, 7.0, 2.0)])

    assert extend_running(running, [Point(2, 3.0, 1.0)]) == running


@pytest.mark.parametrize("point", [Point(1, 3.0, 9.0), Point(2, 3.0, 2.0), Point(3, 1e300, 9.0)])
def test_what_needs_the_old_points_says_so(point):
    running = extend_running(None, [Point(1, 9.0, 1.0), Point(2, 7.0, 2.0)])

    assert extend_running(running, [point]) is None


def test_a_mean_is_rounded_once_however_many_batches_there_were():
    points = [Point(step, 0.1 if step % 2 else 1e16, 0.0) for step in range(1001)]
    running = grown(points, list(range(1001)))

    assert running is not None
    assert text(summarise_running(running)) == told(points)


def test_a_spoilt_sum_is_no_summary():
    running = extend_running(None, [Point(1, 9.0, 1.0), Point(2, 7.0, 2.0)])
    assert running is not None
    before = running.before.__class__(count=1, numbers=1, parts=(math.inf, -math.inf))

    assert summarise_running(Running(before, running.last)) is None

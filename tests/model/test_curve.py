"""A curve keeps the shape of a series, however long it is and however it came."""

import math

from hypothesis import given
from hypothesis import strategies as st

from repro.model.curve import MOST_PARTS, Curve, extend_curve, sample_curve
from repro.model.series import Point


def curve_of(*batches: list[tuple[int, float]]) -> Curve:
    curve: Curve | None = None
    for batch in batches:
        curve = extend_curve(curve, [Point(step, value, 0.0) for step, value in batch])
    assert curve is not None
    return curve


def test_few_points_have_a_column_each():
    curve = curve_of([(3, 1.0), (1000, 2.0)], [(1001, 3.0)])

    assert sample_curve(curve, 10) == [1.0, 2.5]
    assert sample_curve(curve_of([(0, 1.0), (1, 2.0), (2, 3.0)]), 3) == [1.0, 2.0, 3.0]


def test_many_points_share_columns_by_their_steps():
    curve = curve_of([(step, float(step // 50)) for step in range(100)])

    assert sample_curve(curve, 2) == [0.0, 1.0]


def test_a_column_without_points_goes_on_with_the_value_before():
    curve = curve_of([(0, 5.0), (1, 7.0), (9, 1.0)])

    assert sample_curve(curve, 2) == [6.0, 1.0]
    assert sample_curve(curve_of([(0, 5.0), *[(n, 1.0) for n in range(90, 100)]]), 10) == [
        *[5.0] * 9,
        1.0,
    ]


def test_the_last_step_logged_again_is_replaced():
    curve = curve_of([(0, 1.0), (1, 9.0)], [(1, 2.0)], [(1, 3.0), (2, 4.0)])

    assert sample_curve(curve, 5) == [1.0, 3.0, 4.0]


def test_a_long_series_takes_no_more_room_than_256_parts():
    curve = curve_of([(step, float(step)) for step in range(100_000)], [(10**9, 0.0)])

    assert len(curve.parts) <= MOST_PARTS
    assert len(sample_curve(curve, 40)) <= 40


def test_values_that_are_no_numbers_are_kept_apart():
    curve = curve_of([(0, math.nan), (1, math.inf), (2, 1.0), (3, -math.inf), (4, 1e308)])

    assert [repr(v) for v in sample_curve(curve, 9)] == ["nan", "inf", "1.0", "-inf", "1e+308"]


@given(
    st.lists(st.floats(), min_size=1, max_size=700),
    st.integers(1, 300),
    st.integers(1, 40),
    st.integers(1, 10**6),
)
def test_no_value_and_no_width_breaks_a_curve(values, cut, width, stride):
    points = [(step * stride, value) for step, value in enumerate(values)]
    batches = [batch for batch in (points[:cut], points[cut:]) if batch]

    columns = sample_curve(curve_of(*batches), width)

    assert 1 <= len(columns) <= width


@given(st.lists(st.floats(-10, 10), min_size=2, max_size=300), st.integers(1, 299))
def test_batches_do_not_change_the_shape(values, cut):
    points = list(enumerate(values))
    whole = sample_curve(curve_of(points), 20)

    parts = sample_curve(curve_of(*[batch for batch in (points[:cut], points[cut:]) if batch]), 20)

    assert all(math.isclose(a, b, abs_tol=1e-9) for a, b in zip(whole, parts, strict=True))

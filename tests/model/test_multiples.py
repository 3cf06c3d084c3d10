"""Multiples have no digits that nobody wrote."""

from math import ulp

from hypothesis import example, given
from hypothesis import strategies as st

from repro.model.multiples import multiple_of, multiples_within, nearest_multiple

steps = st.integers(1, 10**6) | st.floats(1e-6, 1e6)


def test_a_multiple_is_the_decimal_that_a_person_would_write():
    assert [multiple_of(0.1, k) for k in range(4)] == [0.0, 0.1, 0.2, 0.3]
    assert multiple_of(1e-5, 7) == 7e-5


def test_a_whole_step_gives_whole_numbers():
    assert repr(multiple_of(32, 3)) == "96"
    assert repr(multiple_of(32.0, 3)) == "96.0"


def test_both_ends_belong_to_it_where_they_are_multiples():
    assert [multiple_of(0.1, k) for k in multiples_within(0.1, 0.3, 0.1)] == [0.1, 0.2, 0.3]
    assert list(multiples_within(1, 7, 4)) == [1]
    assert list(multiples_within(1, 3, 4)) == []


@example(value=67108864.5390625, q=1e-06)
@given(value=st.floats(-1e9, 1e9), q=steps)
def test_the_nearest_multiple_is_at_most_half_a_step_away(value, q):
    assert abs(nearest_multiple(value, q) - value) <= q * 0.5 + ulp(value)


@given(low=st.floats(-1e6, 1e6), high=st.floats(-1e6, 1e6), q=steps, value=st.floats(-1e9, 1e9))
def test_a_multiple_within_a_range_never_leaves_it(low, high, q, value):
    factors = multiples_within(low, high, q)
    if factors:
        assert low <= nearest_multiple(value, q, factors) <= high

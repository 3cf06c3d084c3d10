"""Which values are numbers."""

from math import inf, nan

import pytest

from repro.model.values import ABSENT, is_number


@pytest.mark.parametrize("value", [0, -1, 0.0, 1e308, 2**1000])
def test_a_finite_number_is_one(value):
    assert is_number(value)


@pytest.mark.parametrize("value", [True, nan, inf, -inf, 2**1024, "1", None, [1], {}, ABSENT])
def test_what_no_float_comes_near_and_what_is_no_number_is_none(value):
    assert not is_number(value)

"""Values as heights."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.model.sparkline import ASCII, BLOCKS, draw_sparkline


@pytest.mark.parametrize(
    ("values", "drawn"),
    [
        ([], ""),
        ([5.0], "▄"),
        ([2.0, 2.0, 2.0], "▄▄▄"),
        ([0, 1, 2, 3, 4, 5, 6, 7], BLOCKS),
        ([1.0, math.nan, 0.0], "█ ▁"),
        ([math.inf, 1.0, 2.0, -math.inf], "█▁█▁"),
        ([math.nan], " "),
        ([math.inf], "█"),
        ([-1e308, 0.0, 1e308], "▁▅█"),
        ([0.0, 5e-324], "▁█"),
    ],
)
def test_the_lowest_value_is_at_the_bottom_and_the_highest_at_the_top(values, drawn):
    assert draw_sparkline(values) == drawn


def test_other_characters_can_be_given():
    assert draw_sparkline([0, 1, 2, 3], ASCII) == "_.-'"


@given(st.lists(st.floats(), max_size=50))
def test_every_value_is_one_character(values):
    assert len(draw_sparkline(values)) == len(values)

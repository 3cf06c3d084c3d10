"""Smooth curves are those that TensorBoard draws."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.model.smoothing import smooth


def as_tensorboard(values, weight):
    """`resmoothDataset` of TensorBoard, word for word."""
    last = 0.0 if values else math.nan
    number = 0
    smoothed = []
    for value in values:
        if not math.isfinite(value):
            smoothed.append(value)
            continue
        last = last * weight + (1 - weight) * value
        number += 1
        debias = 1.0 if weight == 1 else 1.0 - weight**number
        smoothed.append(last / debias)
    return smoothed


@given(st.lists(st.floats(-1e6, 1e6) | st.just(math.inf), max_size=60), st.floats(0, 0.99))
def test_it_is_the_average_that_tensorboard_draws(values, weight):
    assert smooth(values, weight) == pytest.approx(as_tensorboard(values, weight), rel=1e-9)


def test_the_first_value_is_not_pulled_to_zero():
    assert smooth([5.0, 5.0, 5.0], 0.9) == pytest.approx([5.0, 5.0, 5.0])


def test_without_weight_nothing_changes():
    assert smooth([1.0, -2.0, 3.5], 0) == [1.0, -2.0, 3.5]


def test_what_is_not_finite_stays_and_harms_nothing_behind_it():
    smoothed = smooth([1.0, math.nan, math.inf, 1.0], 0.5)

    assert math.isnan(smoothed[1])
    assert smoothed[2] == math.inf
    assert smoothed[3] == pytest.approx(1.0)


@pytest.mark.parametrize("weight", [-0.1, 1, math.nan])
def test_a_weight_out_of_its_range_is_refused(weight):
    with pytest.raises(ValueError, match="weight"):
        smooth([1.0], weight)

import math
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.model.spread import find_mean, measure_spread


def test_each_metric_has_its_spread():
    reruns = [{"loss": 1.0, "acc": 0.5}, {"loss": 2.0}, {"loss": 3.0}]

    spread = measure_spread({"loss": 2.5, "gone": 1.0}, reruns)

    assert list(spread) == ["acc", "gone", "loss"]
    loss = spread["loss"]
    assert (loss.count, loss.mean, loss.std, loss.min, loss.max) == (3, 2.0, 1.0, 1.0, 3.0)
    assert (loss.original, loss.is_inside) == (2.5, True)
    assert (spread["acc"].std, spread["acc"].original, spread["acc"].is_inside) == (
        None, None, False,
    )  # fmt: skip
    assert (spread["gone"].count, spread["gone"].mean) == (0, None)


@pytest.mark.parametrize(
    ("original", "values", "is_inside"),
    [
        (1.0, [1.0, 1.0], True),
        (0.9, [1.0, 2.0], False),
        (math.nan, [1.0, math.nan], True),
        (math.nan, [1.0], False),
        (math.inf, [1.0, math.inf], True),
        (math.inf, [1.0, 2.0], False),
        (1.0, [math.nan], False),
    ],
)
def test_an_original_is_inside_only_among_its_like(original, values, is_inside):
    spread = measure_spread({"m": original}, [{"m": value} for value in values])

    assert spread["m"].is_inside is is_inside


@given(st.lists(st.floats(allow_nan=True), min_size=1))
def test_any_values_have_a_spread(values):
    spread = measure_spread({"m": values[0]}, [{"m": value} for value in values])["m"]

    assert spread.is_inside
    assert spread.count == len(values)
    assert spread.finite == sum(map(math.isfinite, values))


@pytest.mark.parametrize("count", [1, 2, 3, 7, 1000])
def test_the_mean_of_the_largest_floats_is_the_largest_float(count):
    assert find_mean([sys.float_info.max] * count) == sys.float_info.max
    assert find_mean([-sys.float_info.max] * count) == -sys.float_info.max

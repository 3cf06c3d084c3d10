"""Values of runs as an axis."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.model.condition import Key, Space
from repro.model.coordinates import MOST_CATEGORIES, make_axis
from repro.model.values import ABSENT

KEY = Key(Space.CONFIG, "lr")
ANY = st.one_of(
    st.just(ABSENT), st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3),
    st.lists(st.integers(), max_size=2),
)  # fmt: skip


def axis(values, **more):
    return make_axis(KEY, values, title="lr", word="config.lr", **more)


@pytest.mark.parametrize(
    ("values", "scale", "kind"),
    [
        ([1e-5, 1e-2, 0.1], "auto", "log"),
        ([0.001, 0.1], "auto", "log"),
        ([n / 100 for n in range(1, 100)], "auto", "linear"),  # as drawn evenly
        ([0.01, 0.02], "auto", "linear"),
        ([0, 1e-5, 0.1], "auto", "linear"),
        ([1e-5, 0.1], "linear", "linear"),
        ([0.01, 0.02], "log", "log"),
        ([0, 0.02], "log", "linear"),
    ],
)
def test_numbers_over_orders_of_magnitude_make_an_axis_of_logarithms(values, scale, kind):
    assert axis(values, scale=scale).kind == kind


def test_what_is_missing_or_not_finite_has_no_place_on_an_axis_of_numbers():
    found = axis([1, ABSENT, math.nan, None, math.inf, 10**400, 3.5])

    assert found.values == (1.0, None, None, None, None, None, 3.5)
    assert (found.low, found.high) == (1.0, 3.5)
    assert found.without == "config.lr is null or config.lr is nan or config.lr = inf"
    assert axis([1, -(10**400)]).without == "config.lr = -inf"
    assert axis([True, "a", None]).without == "config.lr is null"
    assert axis([1, 2]).without == axis([True, "a"]).without == ""


def test_other_values_are_categories_numbers_first_and_true_is_not_1():
    found = axis(["sgd", 1, True, "adam", 1, ABSENT])

    assert found.kind == "category"
    assert found.categories == (1, True, "adam", "sgd")
    assert found.values == (3.0, 0.0, 1.0, 2.0, 0.0, None)
    assert found.labels == ["1", "true", "adam", "sgd"]


@pytest.mark.parametrize(
    "values", [[], [ABSENT, None], [math.nan], list("ab") * 30 + [str(n) for n in range(99)]]
)
def test_there_is_no_axis_of_nothing_nor_of_too_many_categories(values):
    assert axis(values) is None


@given(st.lists(ANY, max_size=30))
def test_each_run_has_a_finite_place_or_none(values):
    found = axis(values, scale="auto")

    if found is not None:
        assert len(found.values) == len(values)
        there = [one for one in found.values if one is not None]
        assert all(map(math.isfinite, there))
        assert len(found.categories) <= MOST_CATEGORIES
        if found.kind == "category":
            assert all(0 <= one < len(found.categories) for one in there)
        else:
            assert (found.low, found.high) == (min(there), max(there))

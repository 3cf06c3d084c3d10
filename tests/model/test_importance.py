"""Which params go with a metric."""

import math

import pytest

from repro.model.importance import as_numbers, by_strength, rate_param
from repro.model.values import ABSENT, Value

YS = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]


def test_numbers_are_rated_by_rank():
    found = rate_param("lr", [1, 2.5, 30, 400, 5e3, 6e4], YS)

    assert found is not None
    assert (found.measure, found.strength, found.n_runs) == ("rank correlation", 1.0, 6)
    assert found.chance == pytest.approx(2 / 720)


def test_words_truths_and_lists_are_rated_by_group():
    pairs: list[tuple[Value, Value]] = [
        ("adam", "sgd"), (True, False), ([1], [2]), ("1", 1), (True, 1), (None, "a"),
    ]  # fmt: skip
    for a, b in pairs:
        found = rate_param("x", [a, a, a, b, b, b], YS)

        assert found is not None
        assert (found.measure, found.n_values) == ("correlation ratio", 2)
        assert found.strength == pytest.approx(math.sqrt(13.5 / 17.5))


def test_missing_values_are_left_out_and_counted():
    values: list[Value] = [1, ABSENT, 3, math.nan, None, 6]
    found = rate_param("depth", values, YS)

    assert found is not None
    assert (found.measure, found.n_runs, found.chance) == ("rank correlation", 3, None)


def test_a_param_that_does_not_vary_is_left_out():
    same: Value
    for same in (1, "a", None, ABSENT, math.nan, [1], True):
        assert rate_param("x", [same] * 6, YS) is None
    assert rate_param("x", [1, 1, ABSENT, 1.0, None, math.nan], YS) is None


def test_a_huge_number_is_one():
    found = rate_param("x", [10**400, 1, 2, 3, 4, -(10**400)], YS)

    assert found is not None
    assert found.strength is not None
    assert -1 < found.strength < 0


def test_the_least_likely_luck_comes_first_and_the_unknown_last():
    strong = rate_param("b", [1, 2, 3, 4, 5, 6], YS)
    weak = rate_param("a", [2, 1, 4, 3, 6, 1], YS)
    unknown = rate_param("c", [1, 2, ABSENT, ABSENT, ABSENT, ABSENT], YS)
    assert strong
    assert weak
    assert unknown

    assert [one.key for one in by_strength([unknown, weak, strong])] == ["b", "a", "c"]


def test_columns_for_a_model_are_finite_numbers():
    assert as_numbers([1, ABSENT, 3, 5, math.nan]) == [1, 3, 3, 5, 3]
    assert as_numbers(["b", "a", ABSENT, "b"]) == [1, 0, -1, 1]
    assert as_numbers([math.inf, 10**400, -math.inf]) == [3e38, 3e38, -3e38]
    assert as_numbers([None, True, False]) == [1, 2, 0]
    assert as_numbers([ABSENT]) == [-1]

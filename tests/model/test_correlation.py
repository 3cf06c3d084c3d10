"""Rank correlation, correlation ratio, and how often chance alone gives as much."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.model.correlation import (
    chance_of_groups,
    chance_of_ranks,
    correlate_groups,
    correlate_ranks,
    rank,
)

NUMBERS = st.floats(allow_nan=False)
PAIRS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=2, max_size=30)


def test_equal_values_share_the_mean_of_their_ranks():
    assert rank([10.0, 5.0, 10.0, math.inf, -math.inf]) == [3.5, 2.0, 3.5, 5.0, 1.0]
    assert rank([]) == []


@given(st.lists(NUMBERS, max_size=50))
def test_ranks_always_have_the_same_sum_and_keep_the_order(values):
    ranks = rank(values)

    assert sum(ranks) == len(values) * (len(values) + 1) / 2
    for a, x in zip(ranks, values, strict=True):
        for b, y in zip(ranks, values, strict=True):
            assert (a < b) == (x < y)


def test_spearmans_correlation_is_that_of_the_textbook():
    # Hours of television and IQ of ten people, as everywhere: rho = -29/165.
    iq = [106, 100, 86, 101, 99, 103, 97, 113, 112, 110]
    hours = [7, 27, 2, 50, 28, 29, 20, 12, 6, 17]

    assert correlate_ranks(iq, hours) == pytest.approx(-29 / 165)


def test_a_correlation_with_ties_is_that_of_the_shared_ranks():
    # By hand: ranks 1.5 1.5 3 4 and 1 3 3 3; 4.5 / sqrt(4.5 * 3).
    found = correlate_ranks([1, 1, 2, 3], [0, 5, 5, 5])

    assert found == pytest.approx((1.5 * 1 + 0.5 * 0 + 1.5) / math.sqrt(4.5 * 3), abs=1)
    assert found == pytest.approx(0.5443310539518174)


@given(PAIRS)
def test_a_correlation_is_symmetric_and_turns_with_its_sign(pairs):
    xs, ys = [x for x, _ in pairs], [y for _, y in pairs]
    found = correlate_ranks(xs, ys)

    if len(set(xs)) == 1 or len(set(ys)) == 1:
        assert found is None
    else:
        assert found is not None
        assert -1 <= found <= 1
        assert correlate_ranks(ys, xs) == pytest.approx(found)
        assert correlate_ranks([-x for x in xs], ys) == pytest.approx(-found)


@given(st.lists(st.tuples(st.booleans(), NUMBERS), min_size=2, max_size=30))
def test_the_ratio_of_two_groups_is_the_size_of_the_correlation(pairs):
    groups, ys = [group for group, _ in pairs], [y for _, y in pairs]
    found, expected = correlate_groups(groups, ys), correlate_ranks(groups, ys)

    assert (found is None) == (expected is None)
    if found is not None and expected is not None:
        assert found == pytest.approx(abs(expected), abs=1e-7)


def test_the_ratio_is_1_where_groups_tell_all_and_0_where_they_tell_nothing():
    assert correlate_groups(["a", "a", "b", "b"], [1, 1, 5, 5]) == 1
    assert correlate_groups(["a", "b", "b", "a"], [1, 2, 3, 4]) == pytest.approx(0)
    assert correlate_groups(["a", "a"], [1, 2]) is None
    assert correlate_groups(["a", "b"], [1, 1]) is None


def test_the_ratio_gives_the_h_of_kruskal_and_wallis():
    # Three groups of five without ties; H by the formula of the paper.
    groups = ["a"] * 5 + ["b"] * 5 + ["c"] * 5
    ys = [1, 2, 3, 7, 11, 4, 5, 8, 12, 13, 6, 9, 10, 14, 15]
    sums = {name: sum(y for g, y in zip(groups, ys, strict=True) if g == name) for name in "abc"}
    h = 12 / (15 * 16) * sum(total**2 / 5 for total in sums.values()) - 3 * 16

    assert 14 * (correlate_groups(groups, ys) or 0) ** 2 == pytest.approx(h)


def test_the_chance_in_a_few_runs_is_that_of_all_orders():
    xs = [1, 2, 3, 4, 5]

    assert chance_of_ranks(xs, xs) == pytest.approx(2 / 120)  # itself, and the reverse
    assert chance_of_groups(["a", "a", "b", "b", "b"], xs) == pytest.approx(2 / 10)


def test_no_chance_is_told_of_fewer_than_five():
    assert chance_of_ranks([1, 2, 3, 4], [1, 2, 3, 4]) is None
    assert chance_of_groups("aabb", [1, 2, 3, 4]) is None
    assert chance_of_ranks([1] * 9, list(range(9))) is None


def test_the_chance_is_the_same_every_time_and_never_0():
    drawing = random.Random(1)
    xs = [drawing.random() for _ in range(40)]
    ys = [x + drawing.gauss(0, 0.01) for x in xs]

    assert chance_of_ranks(xs, ys) == chance_of_ranks(xs, ys) == 1 / 1000
    assert chance_of_groups([x > 0.5 for x in xs], ys) == 1 / 1000


@pytest.mark.parametrize("n", [8, 40, 150, 400])
def test_chances_of_unrelated_values_are_spread_evenly(n):
    drawing = random.Random(n)
    ranks, groups = [], []
    for _ in range(30):
        ys = [drawing.random() for _ in range(n)]
        ranks.append(chance_of_ranks([drawing.random() for _ in range(n)], ys) or 0)
        groups.append(chance_of_groups([drawing.randrange(3) for _ in range(n)], ys) or 0)

    for found in (ranks, groups):
        assert 0.35 < sum(found) / len(found) < 0.65
        assert sum(one < 0.2 for one in found) < 13


def test_drawn_orders_and_the_limit_agree_where_one_passes_into_the_other():
    drawing = random.Random(7)
    xs = [drawing.random() for _ in range(201)]
    ys = [x + drawing.gauss(0, 2.0) for x in xs]
    groups = [int(3 * x) for x in xs]

    drawn, limit = chance_of_ranks(xs[:200], ys[:200]), chance_of_ranks(xs, ys)
    assert drawn == pytest.approx(limit, abs=0.05)
    drawn, limit = chance_of_groups(groups[:200], ys[:200]), chance_of_groups(groups, ys)
    assert drawn == pytest.approx(limit, abs=0.05)


def test_many_runs_in_many_groups_have_a_chance_too():
    ys = [float(n * 7919 % 5003) for n in range(5003)]

    assert 0 <= (chance_of_groups([n % 2000 for n in range(5003)], ys) or 0) <= 1
    assert chance_of_groups([y > 2500 for y in ys], ys) == pytest.approx(0, abs=1e-300)

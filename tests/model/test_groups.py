"""Runs put together by values that they share, and their metrics in a few numbers."""

import math
from statistics import fmean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.records import a_summary, make_record

from repro.errors import UsageError
from repro.model.canonical import Json
from repro.model.condition import Key, Space
from repro.model.groups import (
    GroupOrder,
    Statistics,
    group_runs,
    rank_value,
    sort_groups,
    summarise_values,
)
from repro.model.run import Record
from repro.model.values import ABSENT

LR, WIDTH = Key(Space.CONFIG, "lr"), Key(Space.CONFIG, "width")
NOTHING = Statistics(count=0, mean=None, std=None, min=None, max=None)


def a_run(config: dict[str, Json], **metrics: float) -> Record:
    return make_record(config=config, metrics={n: a_summary(v) for n, v in metrics.items()})


def test_runs_of_equal_values_are_one_group_in_the_order_of_the_values() -> None:
    runs = [a_run({"lr": lr, "width": w}) for lr, w in [(0.2, 1), (0.1, 2), (0.2, 1), (0.1, 1)]]
    groups = group_runs(runs, [LR, WIDTH]).groups
    assert [group.values for group in groups] == [(0.1, 1), (0.1, 2), (0.2, 1)]
    assert groups[2].runs == (runs[0].run.id, runs[2].run.id)


def test_missing_null_and_nan_are_groups_of_their_own() -> None:
    nan = float("nan")
    runs = [a_run({}), a_run({"lr": None}), a_run({"lr": nan}), a_run({"lr": nan}), a_run({})]
    assert [len(group.runs) for group in group_runs(runs, [LR]).groups] == [2, 1, 2]
    assert group_runs(runs, [LR]).groups[2].values == (ABSENT,)


def test_one_is_1_0_but_neither_true_nor_a_text() -> None:
    runs = [a_run({"lr": value}) for value in (1, 1.0, True, "1", [1], {"a": 1})]
    assert sorted(len(group.runs) for group in group_runs(runs, [LR]).groups) == [1, 1, 1, 1, 2]


def test_a_metric_is_measured_over_the_runs_that_have_it() -> None:
    runs = [a_run({}, loss=1.0), a_run({}, loss=3.0), a_run({}), a_run({}, loss=math.nan, f1=0.5)]
    [group] = group_runs(runs, [LR]).groups
    assert group.metrics == {
        "loss": Statistics(count=2, mean=2.0, std=math.sqrt(2), min=1.0, max=3.0),
        "f1": Statistics(count=1, mean=0.5, std=None, min=0.5, max=0.5),
    }


def test_values_that_are_all_nan_have_no_numbers() -> None:
    assert summarise_values([math.nan]) == NOTHING
    assert summarise_values([]) == NOTHING


def test_infinities_make_the_mean_infinite_and_the_deviation_unknown() -> None:
    one_side = Statistics(count=2, mean=math.inf, std=None, min=1.0, max=math.inf)
    assert summarise_values([math.inf, 1.0]) == one_side
    assert summarise_values([math.inf, -math.inf]).mean is None


def test_values_at_the_edge_of_a_float_have_a_mean() -> None:
    assert summarise_values([1.7e308, 1.7e308]).mean == 1.7e308


@given(st.lists(st.floats(-1e6, 1e6), min_size=2))
def test_mean_and_deviation_are_those_of_the_standard_library(values: list[float]) -> None:
    found = summarise_values(values)
    assert (found.mean, found.std) == (fmean(values), stdev(values))


def test_kinds_of_values_have_an_order() -> None:
    values = [-1, 10**400, "a", "b", False, True, [1], math.nan, None, ABSENT]
    ranks = [rank_value(value) for value in values]
    assert ranks == sorted(ranks)


def test_groups_are_sorted_by_their_keys_by_means_and_by_how_many_runs_they_have() -> None:
    runs = [a_run({"lr": 1}, loss=3.0), a_run({"lr": 2}, loss=1.0), a_run({"lr": 2}), a_run({})]
    groups = group_runs(runs, [LR]).groups

    def order(by: Key | None, *, descending: bool) -> list[object]:
        found = sort_groups(groups, [LR], [GroupOrder(by, descending)])
        return [group.values[0] for group in found]

    assert order(LR, descending=True) == [2, 1, ABSENT]
    assert order(Key(Space.METRIC, "loss"), descending=False) == [2, 1, ABSENT]
    assert order(Key(Space.METRIC, "loss"), descending=True) == [1, 2, ABSENT]
    assert order(None, descending=True) == [2, 1, ABSENT]


def test_the_first_order_decides_first() -> None:
    runs = [a_run({"lr": a, "width": b}) for a, b in [(1, 1), (1, 2), (2, 1)]]
    groups = group_runs(runs, [LR, WIDTH]).groups
    orders = [GroupOrder(WIDTH, descending=False), GroupOrder(LR, descending=True)]
    assert [g.values for g in sort_groups(groups, [LR, WIDTH], orders)] == [(2, 1), (1, 1), (1, 2)]


def test_groups_are_not_sorted_by_what_they_have_no_value_of() -> None:
    with pytest.raises(UsageError, match="groups cannot be sorted by `width`"):
        sort_groups([], [LR], [GroupOrder(WIDTH, descending=False)])


def test_metrics_whose_goal_the_runs_agree_on_come_first() -> None:
    metrics = [
        {
            "loss": a_summary(1.0),
            "f1": a_summary(1.0, goal="maximize"),
            "x": a_summary(1.0, goal="a"),
        },
        {"f1": a_summary(1.0), "x": a_summary(1.0, goal="b")},
    ]
    runs = [make_record(metrics=one) for one in metrics]
    assert list(group_runs(runs, []).goals.items()) == [
        ("f1", "maximize"), ("x", None), ("loss", None),
    ]  # fmt: skip

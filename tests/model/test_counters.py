"""Counters: metrics that say how far a run is, and nothing of how good."""

import math
from typing import Any

import pytest
from tests.support.records import a_summary, make_record

from repro.model.counters import find_counters
from repro.model.run import MetricSummary


def a_metric(first: float, last: float, **changes: Any) -> MetricSummary:
    values = {"first": first, "min": first, "mean": (first + last) / 2, "count": 10}
    return a_summary(last, **{**values, **changes})


def is_counter(*summaries: MetricSummary) -> bool:
    return bool(find_counters([make_record(metrics={"m": one}) for one in summaries]))


def test_whole_numbers_that_rise_steadily_are_a_counter() -> None:
    assert is_counter(a_metric(0.0, 9.0))


def test_a_run_that_ended_early_counted_too() -> None:
    assert is_counter(a_metric(0.0, 9.0), a_metric(0.0, 1.0, count=2), a_metric(0.0, 0.0, count=1))


@pytest.mark.parametrize(
    "one",
    [
        a_metric(0.25, 0.75),
        a_metric(9.0, 0.0, min=0.0, max=9.0),
        a_metric(0.0, 9.0, mean=8.0),
        a_metric(0.0, 9.0, max=12.0),
        a_metric(0.0, 9.0, count=2),
        a_metric(5.0, 5.0),
        a_metric(0.0, 9.0, goal="maximize"),
        a_metric(math.nan, math.nan, min=None, max=None, mean=None),
        a_metric(0.0, math.inf, mean=math.inf),
    ],
    ids=[
        "fractions", "falls", "slows down", "was higher", "two points", "stays", "has a goal",
        "NaN", "infinite",
    ],
)  # fmt: skip
def test_anything_else_is_a_result(one: MetricSummary) -> None:
    assert not is_counter(one)


def test_what_is_a_result_in_one_run_is_none_that_counts() -> None:
    assert not is_counter(a_metric(0.0, 9.0), a_metric(0.5, 0.75))

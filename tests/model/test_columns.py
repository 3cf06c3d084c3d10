"""Columns: which values a table of runs shows, and how they read."""

import pytest

from repro.errors import UsageError
from repro.model.canonical import Json
from repro.model.columns import (
    choose_columns,
    find_column,
    format_age,
    format_duration,
    format_number,
    format_value,
    sort_records,
)
from repro.model.ids import RunId
from repro.model.run import MetricSummary, Record, Run, Status
from repro.model.times import format_time
from repro.model.values import ABSENT, Value

NOW = 1_764_000_000.0


def record(config: dict[str, Json], goal: str | None = None, **metrics: float) -> Record:
    run = Run(
        id=RunId("a" * 12), name=None, status=Status.FINISHED, created=format_time(NOW),
        started=format_time(NOW), ended=None, duration_s=1.0, command=("x",), cwd=".",
        user="ada", host="h",
    )  # fmt: skip
    summaries = {
        name: MetricSummary(value, 1, value, value, 1, value, 1, value, 1, goal)
        for name, value in metrics.items()
    }
    return Record(run=run, config=config, metrics=summaries)


def test_only_params_that_differ_are_worth_a_column() -> None:
    records = [record({"lr": 0.1, "depth": 3}, loss=1.0), record({"lr": 0.2, "depth": 3}, loss=2.0)]
    assert [column.title for column in choose_columns(records)] == ["lr", "loss"]


def test_a_param_that_one_run_lacks_differs() -> None:
    records = [record({"lr": 0.1}), record({})]
    assert [column.title for column in choose_columns(records)] == ["lr"]


def test_metrics_with_a_goal_come_first() -> None:
    records = [record({}, a=1.0), record({}, "minimize", z=1.0)]
    assert [column.title for column in choose_columns(records)] == ["z", "a"]


def test_runs_without_a_value_and_nan_are_last_in_both_directions() -> None:
    first, second = record({}, loss=1.0), record({}, loss=2.0)
    nan, without = record({}, loss=float("nan")), record({})
    records = [without, nan, second, first]
    column = find_column(records, "loss")
    assert [first, second, without, nan] == sort_records(records, column, descending=False)
    assert [second, first, without, nan] == sort_records(records, column, descending=True)


def test_a_column_of_numbers_and_texts_has_an_order() -> None:
    text, number = record({"x": "a"}), record({"x": 3})
    column = find_column([text, number], "x")
    assert [number, text] == sort_records([text, number], column, descending=False)


def test_a_bare_name_that_is_param_and_metric_is_refused_with_both_spellings() -> None:
    records = [record({"loss": "mse"}, loss=1.0)]
    with pytest.raises(UsageError) as caught:
        find_column(records, "loss")
    assert caught.value.hint == "write `config.loss` or `metrics.loss`"
    assert find_column(records, "config.loss").value(records[0]) == "mse"
    assert find_column(records, "metrics.loss").value(records[0]) == 1.0


def test_statistics_of_a_metric_have_names() -> None:
    records = [record({}, loss=1.5)]
    assert find_column(records, "loss.min").value(records[0]) == 1.5
    assert find_column(records, "metrics.loss.count").value(records[0]) == 1


def test_a_name_that_no_run_has_is_refused_with_near_ones() -> None:
    with pytest.raises(UsageError, match=r"did you mean `learning_rate`"):
        find_column([record({"learning_rate": 1})], "learning_rat")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (ABSENT, "-"),
        (None, "null"),
        (True, "true"),
        (3, "3"),
        (0.1, "0.1"),
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ([1, 0.5, "x"], "[1, 0.5, x]"),
        ({"a": None}, "{a: null}"),
        ("x" * 50, "x" * 39 + "…"),
    ],
)
def test_values_read_plainly(value: Value, expected: str) -> None:
    assert expected == format_value(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.123456789, "0.12346"),
        (1e-5, "1e-05"),
        (2.0, "2"),
        (-0.0, "0"),
        (123456.7, "123457"),
        (1e300, "1e+300"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
    ],
)
def test_numbers_keep_what_matters(value: float, expected: str) -> None:
    assert expected == format_number(value)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (None, "-"),
        (0.44, "0.4s"),
        (9.96, "10s"),
        (59.6, "1m 00s"),
        (185, "3m 05s"),
        (7620, "2h 07m"),
        (90000, "1d 01h"),
    ],
)
def test_durations(seconds: float | None, expected: str) -> None:
    assert expected == format_duration(seconds)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (-5.0, "just now"),
        (59.0, "just now"),
        (60.0, "1 minute ago"),
        (7300.0, "2 hours ago"),
        (86400.0 * 3, "3 days ago"),
        (86400.0 * 8, "1 week ago"),
        (86400.0 * 800, "2 years ago"),
    ],
)
def test_ages(seconds: float, expected: str) -> None:
    assert expected == format_age(format_time(NOW), NOW + seconds)

"""Columns: which values a table of runs shows."""

import pytest

from repro.errors import UsageError
from repro.model.canonical import Json
from repro.model.columns import (
    choose_columns,
    find_column,
    sort_records,
)
from repro.model.ids import RunId
from repro.model.run import MetricSummary, Record, Run, Status
from repro.model.times import format_time

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

"""Columns: which values a table of runs shows unasked."""

from typing import Any

from tests.support.records import a_summary, make_record

from repro.model.canonical import Json
from repro.model.columns import choose_keys, default_columns, keep_room, name_params, title_keys
from repro.model.condition import Key, Space
from repro.model.run import MetricSummary, Record
from repro.model.values import ABSENT


def a_run(config: dict[str, Json], goal: str | None = None, **metrics: float) -> Record:
    summaries = {name: a_summary(value, goal=goal) for name, value in metrics.items()}
    return make_record(config=config, metrics=summaries)


def shown(*records: Record) -> list[str]:
    return [column.title for column in default_columns(records, choose_keys(records))]


def test_only_params_that_differ_are_worth_a_column() -> None:
    records = [a_run({"lr": 0.1, "depth": 3}, loss=1.0), a_run({"lr": 0.2, "depth": 3}, loss=2.0)]
    assert shown(*records) == ["id", "status", "created", "duration", "lr", "loss"]
    assert choose_keys(records).constant == ((Key(Space.CONFIG, "depth"), 3),)


def test_a_param_that_one_run_lacks_differs() -> None:
    assert "lr" in shown(a_run({"lr": 0.1}), a_run({}))


def test_nan_is_as_nan_but_one_is_not_true() -> None:
    choice = choose_keys(
        [a_run({"a": float("nan"), "b": 1}), a_run({"a": float("nan"), "b": True})]
    )
    assert choice.params == (Key(Space.CONFIG, "b"),)


def test_metrics_with_a_goal_come_first() -> None:
    assert shown(a_run({}, a=1.0), a_run({}, "minimize", z=1.0))[-2:] == ["z", "a"]


def test_what_was_asked_for_comes_first_but_for_what_is_the_same_in_all() -> None:
    records = [
        a_run({"lr": 0.1, "depth": 3, "seed": 1}, loss=1.0, f1=0.1),
        a_run({"lr": 0.2, "depth": 3, "seed": 2}, loss=2.0, f1=0.1),
    ]
    asked = [
        Key(Space.METRIC, "f1"), Key(Space.METRIC, "loss", "min"), Key(Space.CONFIG, "seed"),
        Key(Space.CONFIG, "depth"), Key(Space.FIELD, "status"), Key(Space.ENV, "gpu"),
    ]  # fmt: skip
    titles = [one.title for one in default_columns(records, choose_keys(records), asked)]

    assert titles[4:] == ["f1", "loss.min", "seed", "lr", "loss"]


def test_names_are_shown_where_a_run_has_one() -> None:
    assert shown(make_record(), make_record(name="x"))[:3] == ["id", "name", "status"]


def test_the_last_step_is_shown_where_a_run_is_in_progress() -> None:
    live = make_record(
        status="running", duration_s=None, metrics={"loss": a_summary(1.0, last_step=7)}
    )
    [column] = [c for c in default_columns([live], choose_keys([live])) if c.title == "step"]
    assert [column.value(record) for record in (live, make_record())] == [7, ABSENT]


def test_no_runs_have_no_params() -> None:
    assert shown() == ["id", "status", "created", "duration"]


def test_a_name_that_several_things_have_is_titled_with_its_space() -> None:
    keys = [
        Key(Space.CONFIG, "loss"), Key(Space.METRIC, "loss"), Key(Space.METRIC, "f1", "max"),
        Key(Space.CONFIG, "status"), Key(Space.SUMMARY, "note"), Key(Space.TAG, ""),
    ]  # fmt: skip
    titles = [column.title for column in title_keys(keys)]
    assert titles == [
        "config.loss", "metrics.loss", "f1.max", "config.status", "summary.note", "tags",
    ]  # fmt: skip


def test_the_names_of_all_params_and_metrics_are_listed_in_their_order() -> None:
    records = [a_run({"b": 1}, x=1.0), a_run({"a": {"c": 1}, "b": 2}, w=1.0, x=2.0)]
    assert name_params(records) == (["b", "a.c"], ["x", "w"])


def test_params_leave_half_of_the_room_to_the_rest_and_take_what_it_leaves() -> None:
    params = [Key(Space.CONFIG, str(n)) for n in range(6)]
    metrics = [Key(Space.METRIC, str(n)) for n in range(6)]
    assert keep_room([*params, *metrics], 4) == [0, 1, 6, 7]
    assert keep_room([*params, metrics[0], None], 6) == [0, 1, 2, 3, 6, 7]
    assert keep_room([params[0], *metrics], 4) == [0, 1, 2, 3]
    assert keep_room(params, 9) == [0, 1, 2, 3, 4, 5]


def counting(to: float, **changes: Any) -> MetricSummary:
    return a_summary(to, first=1.0, min=1.0, mean=(1.0 + to) / 2, count=int(to), **changes)


def test_params_of_few_runs_stand_behind_the_metrics() -> None:
    records = [a_run({"x": 1, "lr": 0.1}, loss=1.0)]
    records += [a_run({"lr": n / 10}, loss=1.0) for n in range(2, 7)]
    assert shown(*records)[-3:] == ["lr", "loss", "x"]
    assert choose_keys(records).minor == {Key(Space.CONFIG, "x")}


def test_metrics_that_only_count_come_last() -> None:
    records = [
        make_record(config={"lr": lr}, metrics={"epoch": counting(12.0), "acc": a_summary(lr)})
        for lr in (0.1, 0.2)
    ]
    assert shown(*records)[-3:] == ["lr", "acc", "epoch"]


def test_a_counter_with_a_goal_keeps_its_place() -> None:
    record = make_record(metrics={"acc": a_summary(0.1), "solved": counting(5.0, goal="maximize")})
    assert shown(record)[-2:] == ["solved", "acc"]


def test_what_few_runs_have_comes_first_where_it_is_asked_for() -> None:
    records = [a_run({"x": 1, "lr": 0.1}, loss=1.0)]
    records += [a_run({"lr": n / 10}, loss=1.0) for n in range(2, 7)]
    columns = default_columns(records, choose_keys(records), [Key(Space.CONFIG, "x")])
    assert [(one.title, one.is_minor) for one in columns[-3:]] == [
        ("x", False), ("lr", False), ("loss", False)
    ]  # fmt: skip

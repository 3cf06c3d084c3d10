import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repro.model.metricfile import MetricFile, MetricRow, parse_metrics


def test_nested_numbers_of_json_get_names_joined_by_slashes():
    data = b'{"val": {"loss": 0.5, "acc": {"top1": 1}}, "lr": 1e-3}'

    parsed = parse_metrics(data, name="metrics.json")

    assert (
        MetricFile((MetricRow(None, {"val/loss": 0.5, "val/acc/top1": 1.0, "lr": 0.001}),))
        == parsed
    )


def test_values_of_json_that_are_no_numbers_are_left_out():
    data = b'{"name": "resnet", "ok": true, "none": null, "mixed": [[1], [2]], "loss": 2}'

    parsed = parse_metrics(data, name="metrics.json")

    assert (MetricRow(None, {"loss": 2.0}),) == parsed.rows
    assert parsed.problems == ()


def test_a_list_of_numbers_in_json_is_a_series_from_step_0():
    parsed = parse_metrics(b'{"loss": [3, 2], "acc": [0.1, 0.2, 0.3]}', name="history.json")

    assert (
        MetricRow(0, {"loss": 3.0, "acc": 0.1}),
        MetricRow(1, {"loss": 2.0, "acc": 0.2}),
        MetricRow(2, {"acc": 0.3}),
    ) == parsed.rows


def test_json_may_hold_nan_and_infinity_as_python_writes_them():
    [row] = parse_metrics(b'{"a": NaN, "b": -Infinity}', name="metrics.json").rows

    assert math.isnan(row.values["a"])
    assert -math.inf == row.values["b"]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b'{"a": 1,\n oops}', "`m.json` line 2: not JSON"),
        (b"", "`m.json` line 1: not JSON"),
        (b"[1, 2]", "`m.json` line 1: not an object of metrics"),
        (b'{"a": "\xff"}', "`m.json` line 1: not UTF-8"),
        (b'{"a": 1}\n\xff', "`m.json` line 2: not UTF-8"),
        (b'{"a":' * 100_000, "`m.json` line 1: numbers too long or nesting too deep"),
        (b'{"a": 1' + b"0" * 400 + b"}", "`m.json`: `a` is not kept"),
        (b'{"a": 1' + b"0" * 5000 + b"}", "`m.json` line 1: numbers too long or nesting too deep"),
    ],
)
def test_malformed_json_is_one_problem_that_names_file_and_line(data, problem):
    parsed = parse_metrics(data, name="m.json")

    assert parsed.rows == ()
    assert len(parsed.problems) == 1
    assert parsed.problems[0].startswith(problem)


@pytest.mark.parametrize("column", ["step", "epoch", "iteration", "global_step", "Epoch"])
def test_a_column_of_steps_gives_the_step(column):
    data = f"{column},loss\n10,0.5\n20,0.25\n".encode()

    assert (MetricRow(10, {"loss": 0.5}), MetricRow(20, {"loss": 0.25})) == parse_metrics(
        data, name="log.csv"
    ).rows


def test_of_two_columns_of_steps_the_finer_one_counts():
    parsed = parse_metrics(b"epoch,step,loss\n0,49,0.5\n0,99,0.4\n", name="log.csv")

    assert (
        MetricRow(49, {"epoch": 0.0, "loss": 0.5}),
        MetricRow(99, {"epoch": 0.0, "loss": 0.4}),
    ) == parsed.rows


def test_without_a_column_of_steps_the_row_number_is_the_step():
    parsed = parse_metrics(b"loss\tacc\n1\t2\n\n3\t4\n", name="log.tsv")

    assert (
        MetricRow(0, {"loss": 1.0, "acc": 2.0}),
        MetricRow(1, {"loss": 3.0, "acc": 4.0}),
    ) == parsed.rows


def test_columns_without_numbers_and_empty_cells_are_left_out_without_a_word():
    data = "\ufeffstep,split,loss,val\n1,train,0.5,\n2,test,,0.7\n".encode()

    parsed = parse_metrics(data, name="log.csv")

    assert MetricFile((MetricRow(1, {"loss": 0.5}), MetricRow(2, {"val": 0.7}))) == parsed


@pytest.mark.parametrize(
    ("data", "problem", "kept"),
    [
        (b"step,a\n1,2,3\n4,5\n", "`t.csv` line 2: 3 cells under a header of 2", 1),
        (b"step,a\nx,2\n4,5\n", "`t.csv` line 2: no whole number as step", 1),
        (b"step,a\n1.5,2\n4.0,5\n", "`t.csv` line 2: no whole number as step", 1),
        (b"step,a\ninf,2\nnan,2\n1e300,3\n", "`t.csv` line 2: no whole number as step", 0),
        (b"step,a\n1,2\n2,oops\n", "`t.csv` line 3: `oops` in column `a` is no number", 1),
        (b"step,a\n1,1_000\n2,3\n", "`t.csv` line 2: `1_000` in column `a` is no number", 1),
        (b"a,a\n1,2\n", "`t.csv` line 1: two columns are named `a`", 0),
        (b'step,a\n1,2\n2,"open\n', "`t.csv` line 3: unexpected end of data", 1),
        (b"step,a\n1,2\n\xff,1\n", "`t.csv` line 3: not UTF-8", 0),
    ],
)
def test_a_malformed_line_is_a_problem_and_costs_no_other_line(data, problem, kept):
    parsed = parse_metrics(data, name="t.csv")

    assert kept == len(parsed.rows)
    assert parsed.problems[0].startswith(problem)


def test_steps_beyond_a_float_are_exact():
    [row] = parse_metrics(b"step,a\n9007199254740993,1\n", name="t.csv").rows

    assert row.step == 9007199254740993


def test_an_empty_table_has_no_rows_and_no_problems():
    assert MetricFile() == parse_metrics(b"", name="t.csv")


@settings(deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["m.json", "m.csv", "m.tsv"]))
def test_any_bytes_are_read_without_an_exception(data, name):
    for row in parse_metrics(data, name=name).rows:
        assert row.values


@settings(deadline=None)
@given(st.text(alphabet='ab1,.-\t\n\r" step', max_size=80), st.sampled_from(["m.csv", "m.tsv"]))
def test_any_table_is_read_without_an_exception(text, name):
    for row in parse_metrics(text.encode(), name=name).rows:
        assert isinstance(row.step, int)

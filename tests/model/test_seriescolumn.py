"""Columns of tables are read as the whole tables are."""

import math
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.errors import DamagedRecordError
from repro.model.series import LONG, Point, format_series
from repro.model.seriescolumn import (
    EMPTY,
    extend_column,
    is_rising,
    make_column,
    parse_columns,
    parse_long_columns,
)

NAMES = st.text(min_size=1, max_size=5) | st.sampled_from(["loss", "a,b", 'c"d', "é", "x\ny"])
POINTS = st.lists(
    st.tuples(st.integers(-(1 << 63), (1 << 63) - 1), st.floats(), st.floats(0, 2e9)),
    min_size=1,
    max_size=8,
    unique_by=lambda point: point[0],
).map(lambda points: [Point(*point) for point in sorted(points)])


def same(column, points):
    values = zip(column.values, [point.value for point in points], strict=True)
    return (
        list(column.steps) == [point.step for point in points]
        and list(column.times) == [point.time for point in points]
        and all(a == b or (math.isnan(a) and math.isnan(b)) for a, b in values)
    )


@given(st.dictionaries(NAMES, POINTS, min_size=1, max_size=4))
def test_a_column_has_all_points_of_its_metric(series):
    files = format_series(series)

    for path, data in files.items():
        found = parse_columns(data, list(series), path=path)
        assert all(same(column, series[name]) for name, column in found.items())


def test_a_table_is_taken_apart_in_pieces_and_none_of_it_is_lost():
    points = [Point(step, step / 3, 1.7e9 + step) for step in range(40_000)]
    [(path, data)] = format_series({"loss": points}).items()
    assert len(data) > 1 << 20

    column = parse_columns(data, ["loss"], path=path)["loss"]
    cut = parse_columns(data.removesuffix(b"\n"), ["loss"], path=path)["loss"]

    assert same(column, points)
    assert same(cut, points)
    tracemalloc.start()
    parse_columns(data, ["loss"], path=path)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 5 << 20  # 8 MB, were all cells there at once


def test_metrics_past_the_tables_are_found_in_the_long_one():
    series = {f"m,{n}": [Point(n, n / 7, 1.0), Point(n + 5, math.inf, 2.0)] for n in range(70)}

    found = parse_long_columns(format_series(series)[LONG], [*series, "other"])

    assert len(found) == 70 - 64
    assert all(same(column, series[name]) for name, column in found.items())


def test_only_what_is_asked_for_is_read():
    data = b"step,time,loss,acc\n0,1.0,0.5,oops\n"

    assert list(parse_columns(data, ["loss"], path="metrics/0.csv")) == ["loss"]
    assert parse_columns(data, ["other"], path="metrics/0.csv") == {}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"when,time,loss\n0,1.0,0.5\n",
        b"step,time,loss\n0,1.0\n1,2.0,0.5,0.7\n",  # as many cells as there should be, in all
        b"step,time,loss\n0,1.0,x\n",
        b"step,time,loss\n1,1.0,0.5\n1,2.0,0.5\n",
        b"step,time,loss\n9223372036854775808,1.0,0.5\n",
        b"step,time,loss,loss\n0,1.0,0.5,0.5\n",
        b"step,time,loss\n0,1.0,0.5\n\n1,2.0,0.5\n",
        b"\xff\xfe",
    ],
)
def test_what_is_no_table_is_said(data):
    with pytest.raises(DamagedRecordError, match=r"metrics/0\.csv"):
        parse_columns(data, ["loss"], path="metrics/0.csv")


def test_empty_cells_are_no_points():
    column = parse_columns(b"step,time,cpu\n0,1.0,\n1,2.0,5.0\n", ["cpu"], path="p")["cpu"]

    assert list(column.steps) == [1]


def test_a_table_without_rows_has_no_points():
    assert len(parse_columns(b"step,time,loss\n", ["loss"], path="p")["loss"]) == 0


def test_a_column_grows_and_an_old_step_again_is_replaced():
    column = make_column([Point(0, 1.0, 5.0), Point(1, 2.0, 6.0)])

    grown = extend_column(column, [Point(1, 9.0, 7.0), Point(2, 3.0, 8.0)])

    assert list(grown.values) == [1.0, 9.0, 3.0]
    assert list(column.values) == [1.0, 2.0]  # whoever has the old one sees no change
    assert extend_column(None, []) == EMPTY
    assert extend_column(column, []) == column


def test_what_goes_back_or_is_no_number_does_not_rise():
    assert is_rising([1.0, 1.0, 2.0])
    assert is_rising([])
    assert not is_rising([2.0, 1.0])
    assert not is_rising([math.nan])
    assert not is_rising([1.0, math.nan, 2.0])

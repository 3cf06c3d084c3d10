"""Points are merged, summarised and written as tables without losing a bit."""

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.errors import DamagedRecordError
from repro.model.series import (
    LONG,
    MAX_TABLES,
    Point,
    Row,
    format_series,
    format_system,
    merge_rows,
    parse_series,
    parse_table,
    summarise,
)

NAMES = st.text(
    st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30
) | st.sampled_from(
    ["step", "time", "a,b", 'say "x"', "line\nbreak", "\r", " lead", "=1+1", "\x00", "é", "'", '"']
)
FLOATS = st.floats() | st.sampled_from([5e-324, 1.7976931348623157e308, -0.0, 0.1 + 0.2])
STEPS = st.integers(-(2**63), 2**63 - 1)
POINTS = st.dictionaries(STEPS, st.tuples(FLOATS, st.floats(allow_nan=False)), min_size=1).map(
    lambda found: [Point(step, *found[step]) for step in sorted(found)]
)


def bits(series: dict[str, list[Point]]) -> dict[str, list[tuple[int, bytes, bytes]]]:
    """A form in which NaN equals itself and -0.0 is not 0.0."""
    return {
        name: [
            (
                p.step,
                b"nan" if math.isnan(p.value) else struct.pack("d", p.value),
                struct.pack("d", p.time),
            )
            for p in points
        ]
        for name, points in series.items()
    }


@given(st.dictionaries(NAMES, POINTS, max_size=8))
def test_what_is_written_reads_back_exactly(series: dict[str, list[Point]]) -> None:
    assert bits(parse_series(format_series(series))) == bits(series)


@given(st.lists(FLOATS, min_size=MAX_TABLES + 1, max_size=MAX_TABLES + 9), NAMES)
def test_more_sets_than_tables_go_into_the_long_one(values: list[float], name: str) -> None:
    series = {f"{name}{step}": [Point(step, value, 0.5)] for step, value in enumerate(values)}

    files = format_series(series)

    assert len(files) == MAX_TABLES + 1
    assert bits(parse_series(files)) == bits(series)


def test_metrics_logged_together_share_a_table() -> None:
    rows = [Row(step, 10.0 + step, {"loss": 0.5, "acc": 1.0}, (0, 0, step)) for step in range(3)]
    rows += [Row(2, 12.0, {"val": 0.25}, (0, 0, 9))]

    files = format_series(merge_rows(rows))

    assert files == {
        "metrics/0.csv": b"step,time,acc,loss\n0,10.0,1.0,0.5\n1,11.0,1.0,0.5\n2,12.0,1.0,0.5\n",
        "metrics/1.csv": b"step,time,val\n2,12.0,0.25\n",
    }


def test_65_sets_leave_one_line_per_point_in_the_long_table() -> None:
    series = {f"m{n:02d}": [Point(n, 1.5, 0.0)] for n in range(MAX_TABLES + 1)}

    assert format_series(series)[LONG] == b"step,time,metric,value\n64,0.0,m64,1.5\n"


def test_a_later_point_for_a_step_wins_whatever_order_it_comes_in() -> None:
    early = Row(5, 1.0, {"loss": 1.0}, (0, 1, 7))
    late = Row(5, 2.0, {"loss": 2.0}, (0, 0, 0))

    assert merge_rows([late, early]) == {"loss": [Point(5, 2.0, 2.0)]}


def test_at_equal_times_the_order_of_writing_decides() -> None:
    first = Row(5, 1.0, {"loss": 1.0}, (0, 0, 0))
    second = Row(5, 1.0, {"loss": 2.0}, (0, 0, 1))

    assert merge_rows([second, first])["loss"] == [Point(5, 2.0, 1.0)]


def merge_one_by_one(rows: list[Row]) -> dict[str, list[Point]]:
    latest: dict[str, dict[int, Point]] = {}
    for row in sorted(rows, key=lambda row: (row.time, row.order)):
        for name, value in row.values.items():
            full = f"rank{row.order[0]}/{name}" if row.order[0] else name
            latest.setdefault(full, {})[row.step] = Point(row.step, value, row.time)
    return {name: [found[step] for step in sorted(found)] for name, found in sorted(latest.items())}


ROWS = st.lists(
    st.builds(
        Row,
        step=st.integers(0, 4),
        time=st.sampled_from([1.0, 2.0, 3.0]),
        values=st.dictionaries(st.sampled_from(["a", "b", "rank1/a"]), FLOATS),
        order=st.tuples(st.integers(0, 2), st.integers(0, 1), st.integers(0, 1000)),
    ),
    unique_by=lambda row: row.order,
)


@given(ROWS)
def test_rows_of_any_mixture_of_metrics_merge_as_point_by_point(rows: list[Row]) -> None:
    assert bits(merge_one_by_one(rows)) == bits(merge_rows(rows))


def test_steps_come_out_sorted_and_negative_ones_first() -> None:
    rows = [
        Row(step, 0.0, {"x": float(step)}, (0, 0, n)) for n, step in enumerate([3, -2, 10**12, 0])
    ]

    assert [point.step for point in merge_rows(rows)["x"]] == [-2, 0, 3, 10**12]


def test_points_of_other_ranks_are_kept_apart() -> None:
    rows = [Row(0, 0.0, {"loss": float(rank)}, (rank, rank, 0)) for rank in (1, 0, 10)]

    assert sorted(merge_rows(rows)) == ["loss", "rank1/loss", "rank10/loss"]


def test_a_summary_has_last_by_step_and_leaves_nan_out_of_the_rest() -> None:
    series = {
        "loss": [
            Point(0, 3.0, 0.0),
            Point(1, math.nan, 1.0),
            Point(2, 1.0, 2.0),
            Point(9, 2.0, 3.0),
        ]
    }

    found = summarise(series)["loss"]

    assert (found.last, found.last_step, found.first, found.count) == (2.0, 9, 3.0, 4)
    assert (found.min, found.min_step, found.max, found.max_step, found.mean) == (
        1.0,
        2,
        3.0,
        0,
        2.0,
    )


def test_a_summary_of_nothing_but_nan_has_no_extremes() -> None:
    found = summarise({"loss": [Point(0, math.nan, 0.0)]})["loss"]

    assert math.isnan(found.last)
    assert (found.min, found.max, found.mean, found.count) == (None, None, None, 1)


@pytest.mark.parametrize(
    ("values", "mean"),
    [([1.7e308, 1.7e308], 1.7e308), ([math.inf, 1.0], math.inf), ([0.1] * 10, 0.1)],
)
def test_a_mean_survives_large_sums(values: list[float], mean: float) -> None:
    points = [Point(step, value, 0.0) for step, value in enumerate(values)]

    assert summarise({"x": points})["x"].mean == mean


def test_the_mean_of_both_infinities_is_no_number() -> None:
    mean = summarise({"x": [Point(0, math.inf, 0.0), Point(1, -math.inf, 0.0)]})["x"].mean

    assert mean is not None
    assert math.isnan(mean)


def test_metrics_without_points_leave_nothing() -> None:
    assert format_series({"x": []}) == {}
    assert summarise({"x": []}) == {}


def test_samples_of_the_machine_share_one_table_with_empty_cells() -> None:
    series = {"cpu": [Point(0, 1.0, 5.0), Point(1, 2.0, 6.0)], "gpu0": [Point(1, 9.0, 6.0)]}

    table = format_system(series)

    assert table == b"step,time,cpu,gpu0\n0,5.0,1.0,\n1,6.0,2.0,9.0\n"
    assert parse_table(table, path="metrics/system.csv") == series


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"time,step,x\n",
        b"step,time,x,x\n",
        b"step,time,x\n1,2\n",
        b"step,time,x\n1.5,2,3\n",
        b"step,time,x\n1,2,abc\n",
        b"step,time,\xff\n",
        b'step,time,"x\n',
        b"step,time,x\n" + b"9" * 5000 + b",1,1\n",
    ],
)
def test_a_damaged_table_is_named(data: bytes) -> None:
    with pytest.raises(DamagedRecordError, match=r"metrics/3\.csv"):
        parse_series({"metrics/3.csv": data})


@pytest.mark.parametrize(
    "data",
    [b"step,time\n", b"step,time,metric,value\n1,2,x\n", b"step,time,metric,value\n1,2,x,y\n"],
)
def test_a_damaged_long_table_is_named(data: bytes) -> None:
    with pytest.raises(DamagedRecordError, match="long"):
        parse_series({LONG: data})


def test_a_metric_in_two_tables_is_damage() -> None:
    table = b"step,time,x\n0,0.0,1.0\n"

    with pytest.raises(DamagedRecordError, match="second time"):
        parse_series({"metrics/0.csv": table, "metrics/1.csv": table})


def test_other_files_are_left_alone() -> None:
    assert (
        parse_series({"metrics/system.csv": b"x", "metrics/00.csv": b"x", "run.json": b"x"}) == {}
    )

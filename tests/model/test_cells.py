"""How the values of one column read, one below the other."""

import math

import pytest

from repro.model.cells import format_cells, format_change, format_metric, format_spread
from repro.model.condition import Key, Space
from repro.model.times import format_time
from repro.model.values import ABSENT, Value

NOW = 1_764_000_000.0


@pytest.mark.parametrize(
    ("key", "values", "texts"),
    [
        (Key(Space.FIELD, "duration"), [65.0, ABSENT, 7620.0], ["1m 05s", "-", "2h 07m"]),
        (Key(Space.METRIC, "loss"), [0.5, 0.123456, ABSENT], ["0.50000", "0.12346", "-"]),
        (Key(Space.METRIC, "loss", "count"), [5, 12_000], ["5", "12,000"]),
        (Key(Space.METRIC, "peak_bytes"), [1536.0, math.nan], ["1.5 KiB", "nan"]),
        (Key(Space.METRIC, "peak_bytes", "min_step"), [1536, 1], ["1536", "1"]),
        (Key(Space.CONFIG, "lr"), [0.1, 0.0001, 1], ["0.1", "0.0001", "1"]),
        (Key(Space.CONFIG, "cache_bytes"), [10**30, -5], ["1e+30", "-5"]),
        (Key(Space.DATA, "train.bytes"), [2**20], ["1.0 MiB"]),
        (Key(Space.DATA, "train.files"), [20_000], ["20,000"]),
        (None, [340, ABSENT], ["340", "-"]),
    ],
)
def test_numbers_are_aligned_to_the_right(
    key: Key | None, values: list[Value], texts: list[str]
) -> None:
    cells = format_cells(values, key, NOW)
    assert (cells.texts, cells.is_right) == (texts, True)


@pytest.mark.parametrize(
    ("key", "values", "texts"),
    [
        (Key(Space.FIELD, "ended"), [format_time(NOW - 120), ABSENT], ["2 minutes ago", "-"]),
        (Key(Space.FIELD, "snapshot"), ["a" * 40], ["a" * 10]),
        (
            Key(Space.CONFIG, "x"),
            [1, "a\x1b", True, None, [1]],
            ["1", "a\\x1b", "true", "null", "[1]"],
        ),
    ],
)
def test_all_else_is_aligned_to_the_left(key: Key, values: list[Value], texts: list[str]) -> None:
    cells = format_cells(values, key, NOW)
    assert (cells.texts, cells.is_right) == (texts, False)


def test_a_metric_reads_alone_as_in_a_column_and_so_does_what_it_changed_by() -> None:
    assert format_metric("loss", 0.123456) == "0.12346"
    assert format_metric("peak_bytes", 1536.0) == "1.5 KiB"
    assert format_metric("loss", None) == "-"
    assert (format_change("loss", -0.0123456), format_change("f1", 2.0)) == ("-0.0123", "+2")
    assert format_change("peak_bytes", -1536.0) == "-1.5 KiB"


def test_a_mean_of_sizes_is_a_size() -> None:
    assert format_spread("loss", 0.2134, 0.014) == "0.213 ± 0.014"
    assert format_spread("peak_bytes", 2048.0, 1024.0) == "2.0 KiB ± 1.0 KiB"
    assert format_spread("peak_bytes", 2048.0, None) == "2.0 KiB"


def test_a_seed_can_be_copied_from_a_table() -> None:
    assert format_cells([1922918602], Key(Space.CONFIG, "seed"), NOW).texts == ["1922918602"]

"""Values as a person reads them."""

import math

import pytest

from repro.model.readable import (
    count_of,
    format_age,
    format_duration,
    format_integer,
    format_mean,
    format_measured,
    format_number,
    format_size,
    format_value,
    plain_text,
    shorten,
)
from repro.model.times import format_time
from repro.model.values import ABSENT, Value

NOW = 1_764_000_000.0


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
        ("data/" + "x" * 50 + ".csv", "data/" + "x" * 15 + "…" + "x" * 15 + ".csv"),
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


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.098999, 0.272911], ["0.09900", "0.27291"]),
        ([0.98, 0.9733], ["0.9800", "0.9733"]),
        ([0.5, 0.25, -0.0], ["0.50", "0.25", "0.00"]),
        ([3.0, 2.0, math.nan], ["3", "2", "nan"]),
        ([math.inf, 1.5, 0.001], ["inf", "1.500", "0.001"]),
        ([1e-7, 3.0], ["1e-07", "3"]),
        ([123456.7, 1.5], ["123457", "1.5"]),
        ([1e300, -1e-300], ["1e+300", "-1e-300"]),
        ([0.0], ["0"]),
        ([], []),
    ],
)
def test_measured_numbers_of_a_column_have_the_same_decimals_where_that_loses_nothing(
    values: list[float], expected: list[str]
) -> None:
    assert expected == format_measured(values)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2026, "2026"),
        (65536, "65,536"),
        (-1_000_000, "-1,000,000"),
        (10**18, "1e+18"),
        (10**400, "1" + "0" * 19 + "…" + "0" * 19),
    ],
)
def test_long_integers_are_grouped(value: int, expected: str) -> None:
    assert expected == format_integer(value)


@pytest.mark.parametrize(
    ("size", "expected"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1536, "1.5 KiB"), (5e12, "4.5 TiB")],
)
def test_sizes(size: float, expected: str) -> None:
    assert expected == format_size(size)


def test_a_text_is_cut_in_the_middle_to_the_length_asked_for() -> None:
    assert [shorten("abcdefghij", n) for n in (10, 5, 1)] == ["abcdefghij", "ab…ij", "…"]


@pytest.mark.parametrize(
    ("mean", "std", "expected"),
    [
        (0.21345, 0.01423, "0.213 ± 0.014"),
        (123.4, 20.6, "123 ± 21"),
        (0.5, None, "0.5"),
        (0.5, 0.0, "0.5 ± 0"),
        (1e-9, 2.5e-12, "1e-09 ± 2.5e-12"),
        (1e300, math.inf, "1e+300"),
        (12345.6, 123456.0, "12346 ± 120000"),
    ],
)
def test_a_mean_has_as_many_digits_as_its_deviation_tells(
    mean: float, std: float | None, expected: str
) -> None:
    assert expected == format_mean(mean, std)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (ABSENT, ""), (None, "null"), (True, "true"), (0.1 + 0.2, "0.30000000000000004"),
        (math.nan, "nan"), (10**20, "1" + "0" * 20), ("a\nb", "a\nb"), ([1, "é"], '[1, "é"]'),
    ],
)  # fmt: skip
def test_values_for_programs_are_exact(value: Value, expected: str) -> None:
    assert expected == plain_text(value)


def test_a_number_has_its_noun_in_the_right_form() -> None:
    counts = [(1, "file"), (2000, "file"), (0, "run"), (1, "entry"), (2, "unneeded entry")]

    assert [count_of(*one) for one in counts] == [
        "1 file", "2,000 files", "0 runs", "1 entry", "2 unneeded entries",
    ]  # fmt: skip

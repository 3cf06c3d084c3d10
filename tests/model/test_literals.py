"""Numbers, durations and sizes of a filter are read, and nothing else is."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.model.literals import parse_duration, parse_number, parse_size


@pytest.mark.parametrize(
    ("word", "number"),
    [
        ("0", 0), ("007", 7), ("+5", 5), ("-5", -5), ("1_000", 1000), (".5", 0.5), ("5.", 5.0),
        ("1e-4", 1e-4), ("-1.5E+3", -1500.0), ("1_0.2_5", 10.25), ("inf", math.inf),
        ("-Inf", -math.inf), ("+infinity", math.inf), ("1e400", math.inf), ("-1e400", -math.inf),
        ("12345678901234567890", 12345678901234567890), ("9" * 5000, math.inf),
    ],
)  # fmt: skip
def test_numbers_are_read_as_python_writes_them(word, number):
    found = parse_number(word)

    assert found == number
    assert type(found) is type(number)


@pytest.mark.parametrize(
    "word",
    [
        "", "a", "1a", "_1", "1_", "1__0", "1e", ".", "+", "-", "--1", "1.2.3", "0x1f", "nan", "١",
        "1,000", "1e5.5", "infinit", "true", "4h", "10MB", "2026-11-01",
    ],
)  # fmt: skip
def test_what_is_no_number_is_none(word):
    assert parse_number(word) is None


@pytest.mark.parametrize(
    ("word", "seconds"),
    [
        ("90s", 90), ("4h", 14_400), ("1h30m", 5400), ("2d", 172_800), ("1w", 604_800),
        ("500ms", 0.5), ("1.5h", 5400), ("-5m", -300), ("+5m", 300), ("1w1d1h1m1s1ms", 694_861.001),
        ("0s", 0), ("1m500ms", 60.5),
    ],
)  # fmt: skip
def test_durations_are_seconds(word, seconds):
    assert parse_duration(word) == pytest.approx(seconds)


@pytest.mark.parametrize("word", ["", "h", "4H", "30m1h", "1h1h", "4 h", "4hs", "1y", "-", "4"])
def test_what_is_no_duration_is_none(word):
    assert parse_duration(word) is None


@pytest.mark.parametrize(
    ("word", "size"),
    [
        ("512B", 512), ("10MB", 10_000_000), ("10MiB", 10_485_760), ("1.5GiB", 1_610_612_736),
        ("1kB", 1000), ("1KB", 1000), ("1KiB", 1024), ("2TiB", 2 * 1024**4), ("1PB", 10**15),
        ("-1kB", -1000),
    ],
)  # fmt: skip
def test_sizes_are_bytes(word, size):
    assert parse_size(word) == size


@pytest.mark.parametrize("word", ["", "B", "10", "10M", "10iB", "10mb", "10 MB", "1e3B", "kB"])
def test_what_is_no_size_is_none(word):
    assert parse_size(word) is None


@given(st.integers() | st.floats(allow_nan=False))
def test_every_number_that_python_writes_is_read_back(number):
    assert parse_number(repr(number)) == number


@given(st.text() | st.text("0123456789_.eE+-hmsdwMiB"))
def test_any_text_is_read_or_not(text):
    for parse in (parse_number, parse_duration, parse_size):
        found = parse(text)
        assert found is None or not math.isnan(found)


@pytest.mark.parametrize("digit", ["1", "1_", "1.", "1h", "1e"])
@pytest.mark.parametrize("end", ["", "x"])
def test_a_long_word_is_no_trouble(digit, end):
    word = digit * 500_000 + end

    for parse in (parse_number, parse_duration, parse_size):
        parse(word)

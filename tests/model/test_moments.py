"""A date stands for all moments that it names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.model.moments import EARLIEST, LATEST, parse_span
from repro.model.times import format_time, parse_time

NOW = parse_time("2026-11-26T22:05:00.250000Z")


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026-11-01", "2026-11-01T00:00:00.000000Z", "2026-11-02T00:00:00.000000Z"),
        ("2024-02-29", "2024-02-29T00:00:00.000000Z", "2024-03-01T00:00:00.000000Z"),
        ("2026-11-01T12:30", "2026-11-01T12:30:00.000000Z", "2026-11-01T12:31:00.000000Z"),
        ("2026-11-01 12:30", "2026-11-01T12:30:00.000000Z", "2026-11-01T12:31:00.000000Z"),
        ("2026-11-01T12:30Z", "2026-11-01T12:30:00.000000Z", "2026-11-01T12:31:00.000000Z"),
        ("2026-11-01T12:30:05", "2026-11-01T12:30:05.000000Z", "2026-11-01T12:30:06.000000Z"),
        ("2026-11-01T12:30:05.2", "2026-11-01T12:30:05.200000Z", "2026-11-01T12:30:05.300000Z"),
        (
            "2026-11-01T12:30:05.123456Z",
            "2026-11-01T12:30:05.123456Z",
            "2026-11-01T12:30:05.123457Z",
        ),
        (
            "2026-11-01T12:30:05.1234567891Z",
            "2026-11-01T12:30:05.123456Z",
            "2026-11-01T12:30:05.123457Z",
        ),
        ("2026-11-01T00:30+01:00", "2026-10-31T23:30:00.000000Z", "2026-10-31T23:31:00.000000Z"),
        ("2026-11-01T00:30-0530", "2026-11-01T06:00:00.000000Z", "2026-11-01T06:01:00.000000Z"),
        ("2026-11", "2026-11-01T00:00:00.000000Z", "2026-12-01T00:00:00.000000Z"),
        ("2024-02", "2024-02-01T00:00:00.000000Z", "2024-03-01T00:00:00.000000Z"),
        ("2026-12", "2026-12-01T00:00:00.000000Z", "2027-01-01T00:00:00.000000Z"),
        ("9999-12", "9999-12-01T00:00:00.000000Z", LATEST),
        ("today", "2026-11-26T00:00:00.000000Z", "2026-11-27T00:00:00.000000Z"),
        ("Yesterday", "2026-11-25T00:00:00.000000Z", "2026-11-26T00:00:00.000000Z"),
        ("now", "2026-11-26T22:05:00.250000Z", "2026-11-26T22:05:00.250001Z"),
        ("0001-01-01", "0001-01-01T00:00:00.000000Z", "0001-01-02T00:00:00.000000Z"),
        ("0001-01-01T00:00+01:00", EARLIEST, EARLIEST),
        ("9999-12-31", "9999-12-31T00:00:00.000000Z", LATEST),
        ("9999-12-31T23:59-01:00", LATEST, LATEST),
    ],
)
def test_a_date_is_a_span_in_utc(text, start, end):
    assert parse_span(text, NOW) == (start, end)


@pytest.mark.parametrize(
    "text", ["", "2026", "2026-1", "2026-11-1", "12:30", "7d", "2026-11-01T12", "٢٠٢٦-11-01", "x"]
)
def test_what_has_no_form_of_a_date_is_none(text):
    assert parse_span(text, NOW) is None


@pytest.mark.parametrize(
    "text",
    ["2026-02-29", "2026-13", "0000-01", "2026-13-01", "0000-01-01", "2026-11-01T24:30",
     "2026-11-01T12:30:61", "2026-11-01T12:30+24:00", "2026-11-01T12:30-99:99"],
)  # fmt: skip
def test_what_the_calendar_lacks_is_refused(text):
    with pytest.raises(ValueError):
        parse_span(text, NOW)


@given(st.datetimes().map(lambda moment: moment.timestamp()).filter(lambda s: s > -3e10))
def test_a_time_of_a_record_names_itself(seconds):
    text = format_time(seconds)

    start, end = parse_span(text, NOW)

    assert start == text < end


def test_every_moment_is_between_the_ends_of_time():
    assert EARLIEST < format_time(-30_610_224_000) < format_time(253_402_300_799) < LATEST

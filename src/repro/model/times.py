"""Points in time as text: UTC, RFC 3339, always six decimals, so that text order is time order."""

import re
from datetime import UTC, datetime

# The years 1000 to 9999, which have four digits.
_EARLIEST, _LATEST = -30_610_224_000, 253_402_300_800
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z\Z")


def format_time(seconds: float) -> str:
    """Write seconds since 1970 as `2026-11-24T20:05:01.250000Z`."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond:06d}Z"


def parse_time(text: str) -> float:
    """Read what `format_time` wrote, as seconds since 1970.

    Raises:
        ValueError: `text` has another form, or is no moment of the calendar.
    """
    if not _TIME.match(text):
        raise ValueError(f"not a time: {text!r}")
    return datetime.fromisoformat(text).timestamp()


def is_moment(value: object) -> bool:
    """Whether `value` is a number of seconds since 1970 that `format_time` can write."""
    return isinstance(value, (int, float)) and _EARLIEST <= value < _LATEST

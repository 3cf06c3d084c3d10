"""Dates as a filter writes them: each stands for all moments that it names."""

import re
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple

_DATE = (
    r"(\d{4}-\d\d-\d\d)"
    r"(?:[T ](\d\d:\d\d)(?::(\d\d)(?:[.,](\d+))?)?(?:([Zz])|([+-]\d\d):?(\d\d))?)?"
)
_MONTH = r"(\d{4})-(\d\d)"
_DAYS = {"today": 0, "yesterday": -1}
# Smaller than each moment as text, and greater.
EARLIEST, LATEST = "", ":"


class Span(NamedTuple):
    """The moments from `start` to before `end`, as `format_time` writes them.

    What the calendar does not reach is `EARLIEST` or `LATEST`.
    """

    start: str
    end: str


def is_date(text: str) -> bool:
    """Whether a text has the form of a date, of the calendar or not."""
    return any(_pattern(form).fullmatch(text) for form in (_DATE, _MONTH))


def parse_span(text: str, now: float) -> Span | None:
    """Read a month, a day, a minute, a second or a part of one, UTC unless it says otherwise.

    Args:
        text: `2026-11`, `2026-11-01`, `2026-11-01T12:30`, `2026-11-01T12:30:05Z`, `…05.25+01:00`;
            a space may stand for the `T`. Or `today`, `yesterday`, `now`.
        now: Seconds since 1970.

    Returns:
        None where it has no such form.

    Raises:
        ValueError: It has, but the calendar lacks that day or the clock that time.
    """
    word = text.lower()
    if word == "now":
        return _span(datetime.fromtimestamp(now, UTC), timedelta(microseconds=1))
    if word in _DAYS:
        moment = datetime.fromtimestamp(now, UTC)
        midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        return _span(midnight + timedelta(days=_DAYS[word]), timedelta(days=1))
    if match := _pattern(_MONTH).fullmatch(text):
        first = datetime(int(match[1]), int(match[2]), 1, tzinfo=UTC)
        is_last = first.month == 12
        length = timedelta(31) if is_last else first.replace(month=first.month + 1) - first
        return _span(first, length)
    match = _pattern(_DATE).fullmatch(text)
    if match is None:
        return None
    day, minute, second, fraction, _, hours, minutes = match.groups()
    digits = (fraction or "")[:6]
    start = datetime.fromisoformat(f"{day}T{minute or '00:00'}:{second or '00'}").replace(
        microsecond=int(digits.ljust(6, "0")), tzinfo=UTC
    )
    if not minute:
        return _span(start, timedelta(days=1))
    offset = timedelta(hours=int(hours or 0), minutes=int(f"{(hours or '+')[0]}{minutes or 0}"))
    if abs(offset) >= timedelta(days=1):
        raise ValueError("an offset from UTC is less than a day")
    if second is None:
        return _span(start, timedelta(minutes=1), offset)
    return _span(start, timedelta(microseconds=10 ** (6 - len(digits))), offset)


def _span(start: datetime, length: timedelta, offset: timedelta = timedelta(0)) -> Span:
    return Span(_format(start, -offset), _format(start, length - offset))


def _format(moment: datetime, later: timedelta) -> str:
    try:
        # Not `format_time`: a filter may name years that no run can have.
        moment += later
    except OverflowError:
        return LATEST if later > timedelta(0) else EARLIEST
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


@cache
def _pattern(source: str) -> re.Pattern[str]:
    return re.compile(source, re.ASCII)

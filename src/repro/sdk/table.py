"""Values of many runs as columns, and what type each column has: what data frames are made of."""

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from repro.model.canonical import carriable_text
from repro.model.values import ABSENT, Value

_SMALLEST, _LARGEST = -(1 << 63), (1 << 63) - 1


class Type(StrEnum):
    """What all values of a column are, those apart that are missing."""

    BOOL = "bool"
    INTEGER = "integer"  # of 64 bits
    FLOAT = "float"
    MEASURE = "measure"  # a float of which nobody asks whether it is missing or NaN
    TEXT = "text"
    STATUS = "status"
    MOMENT = "moment"
    TEXTS = "texts"  # lists of texts, of which none is missing
    LIST = "list"  # lists of anything
    MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table, a value for each row.

    Attributes:
        values: None where there is none; moments are aware datetimes in UTC.
    """

    title: str
    type: Type
    values: Sequence[object]


def plain_column(title: str, values: Iterable[Value], *, empty: Type = Type.TEXT) -> Column:
    """A column of params or the like: of one type where all values are, `mixed` otherwise.

    Integers and floats together are floats, as are integers beyond 64 bits; null is missing.

    Args:
        empty: The type of a column without any value.
    """
    plain: list[object] = [None if value is ABSENT else value for value in values]
    kind = _find_type(plain, empty)
    if kind is Type.FLOAT:
        plain = [None if value is None else _as_float(value) for value in plain]
    elif kind in (Type.TEXT, Type.MIXED):
        plain = _carriable(plain)
    return Column(title, kind, plain)


def measure_column(title: str, values: Iterable[Value]) -> Column:
    """A column of floats; what is no number counts as missing."""
    found = [
        _as_float(value) if type(value) is float or type(value) is int else None for value in values
    ]
    return Column(title, Type.MEASURE, found)


def moment_column(title: str, values: Iterable[Value]) -> Column:
    """A column of moments, from texts as `format_time` writes them."""
    found = [datetime.fromisoformat(value) if isinstance(value, str) else None for value in values]
    return Column(title, Type.MOMENT, found)


def seconds_column(title: str, values: Iterable[float]) -> Column:
    """A column of moments, from seconds since 1970; what the calendar lacks is missing."""
    return Column(title, Type.MOMENT, list(map(_from_seconds, values)))


def texts_column(title: str, values: Iterable[Sequence[str]]) -> Column:
    """A column of lists of texts, such as tags."""
    return Column(title, Type.TEXTS, [_carriable(texts) for texts in values])


def status_column(title: str, values: Iterable[Value]) -> Column:
    """A column of statuses."""
    return Column(title, Type.STATUS, [None if value is ABSENT else value for value in values])


def as_json(value: object) -> str:
    """The JSON that stands for a value where a column of texts has to hold it."""
    return carriable_text(json.dumps(value, ensure_ascii=False))


def _find_type(values: Sequence[object], empty: Type) -> Type:
    types = set(map(type, values)) - {type(None)}
    if not types:
        return empty
    if types == {bool}:
        return Type.BOOL
    if types == {int}:
        held = [value for value in values if isinstance(value, int)]
        return Type.INTEGER if min(held) >= _SMALLEST and max(held) <= _LARGEST else Type.FLOAT
    if types <= {int, float}:
        return Type.FLOAT
    if types == {str}:
        return Type.TEXT
    return Type.LIST if types == {list} else Type.MIXED


def _carriable(values: Sequence[object]) -> list[object]:
    with suppress(UnicodeEncodeError):
        "".join([value for value in values if isinstance(value, str)]).encode()
        return list(values)
    return [carriable_text(value) if isinstance(value, str) else value for value in values]


def _as_float(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]  # a number, says the caller
    except OverflowError:  # an integer beyond all floats
        return float("inf") if value > 0 else float("-inf")  # type: ignore[operator]  # as above


def _from_seconds(seconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):  # NaN, or beyond the years of the calendar
        return None

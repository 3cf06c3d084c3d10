"""How the values of one column of a table of runs read, one below the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from repro.model.condition import Key, Space
from repro.model.fields import FIELDS
from repro.model.readable import (
    format_age,
    format_duration,
    format_integer,
    format_mean,
    format_measured,
    format_number,
    format_size,
    format_value,
)
from repro.model.values import ABSENT, Value

if TYPE_CHECKING:
    from repro.model.groups import Statistics

_COMMITS = ("base", "snapshot")
_SHORT_COMMIT = 10
_LARGEST_SIZE = 1 << 63
_OF_NUMBERS = {int, float, type(ABSENT)}
_MEASURED = (Space.METRIC, Space.SUMMARY)  # the others are as somebody wrote them


@dataclass(frozen=True, slots=True)
class Cells:
    """The texts of one column, for eyes only, and whether they are aligned to the right."""

    texts: list[str]
    is_right: bool


def format_cells(values: Sequence[Value], key: Key | None, now: float) -> Cells:
    """Lay out the values that runs have under `key`; None is a number of steps.

    Times are ages, durations and sizes have units, numbers line up.

    Args:
        now: Seconds since 1970.
    """
    if key is not None and key.space is Space.FIELD and FIELDS[key.name].is_moment:
        return Cells([_age(value, now) for value in values], is_right=False)
    if key is not None and key.space is Space.FIELD and key.name in _COMMITS:
        return Cells([format_value(_cut(value)) for value in values], is_right=False)
    if not set(map(type, values)) <= _OF_NUMBERS:
        return Cells([format_value(value) for value in values], is_right=False)
    numbers = [value for value in values if isinstance(value, (int, float))]
    texts = iter(_numbers(numbers, key))
    return Cells(["-" if value is ABSENT else next(texts) for value in values], is_right=True)


def format_cell(value: Value, key: Key, now: float = 0.0) -> str:
    """One value that a run has under `key`, as it would read in a column of its own.

    Args:
        now: Seconds since 1970; for times alone.
    """
    [text] = format_cells([value], key, now).texts
    return text


def format_metric(name: str, value: float | None) -> str:
    """The value of a metric, a dash where there is none: the same wherever a person sees it."""
    return "-" if value is None else format_cell(value, Key(Space.METRIC, name))


def format_spread(name: str, mean: float, std: float | None) -> str:
    """The mean of a metric over several runs, with its standard deviation."""
    if _is_size(Key(Space.METRIC, name)):
        return format_metric(name, mean) + ("" if std is None else f" ± {format_metric(name, std)}")
    return format_mean(mean, std)


def format_statistics(name: str, found: "Statistics | None", n_runs: int) -> str:
    """Mean and deviation of a metric in a group, with the number of values where runs lack one."""
    if found is None or found.mean is None:
        return "-"
    few = f" ({found.count:,})" if found.count < n_runs else ""
    return format_spread(name, found.mean, found.std) + few


def format_change(name: str, change: float) -> str:
    """By how much a metric grew or fell, in three digits: `+0.041`, `-1.5 MiB`."""
    size = abs(change)
    if not _is_size(Key(Space.METRIC, name)):
        size = float(f"{size:.3g}")
    return ("-" if change < 0 else "+") + format_metric(name, size)


def _numbers(numbers: list[int | float], key: Key | None) -> list[str]:
    if _is_duration(key):
        return [format_duration(number) for number in numbers]
    if _is_size(key):
        return [_size(number) for number in numbers]
    floats = [number for number in numbers if isinstance(number, float)]
    if key is not None and key.space in _MEASURED and len(floats) == len(numbers):
        return format_measured(floats)
    if key is not None and key.space is Space.CONFIG:
        # A seed is copied from here to a command: its thousands are not grouped.
        return [_plain(number) for number in numbers]
    return [_number(number) for number in numbers]


def _plain(number: float) -> str:
    is_short = isinstance(number, int) and abs(number) < _LARGEST_SIZE
    return str(number) if is_short else _number(number)


def _number(number: float) -> str:
    return format_integer(number) if isinstance(number, int) else format_number(number)


def _size(number: float) -> str:
    fits = 0 <= number < _LARGEST_SIZE  # which NaN does not
    return format_size(number) if fits else _number(number)


def _is_duration(key: Key | None) -> bool:
    return key is not None and key.space is Space.FIELD and FIELDS[key.name].unit == "s"


def _is_size(key: Key | None) -> bool:
    if key is None or (key.space is Space.METRIC and _counts(key)):
        return False
    return key.name.endswith("_bytes") or (key.space is Space.DATA and key.name.endswith(".bytes"))


def _counts(key: Key) -> bool:
    return key.statistic == "count" or key.statistic.endswith("_step")


def _age(value: Value, now: float) -> str:
    return format_age(value, now) if isinstance(value, str) else format_value(value)


def _cut(value: Value) -> Value:
    return value[:_SHORT_COMMIT] if isinstance(value, str) else value

"""Runs as points among axes: what parallel coordinates draw, and a scatter plot."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from repro.model.condition import Key
from repro.model.readable import format_value
from repro.model.values import ABSENT, Value, is_nan, is_number

Kind = Literal["linear", "log", "category"]
Scale = Literal["linear", "log", "auto"]

MOST_CATEGORIES = 40  # of one axis: more of them are hardly ever the same
_WIDE = 50.0  # times the smallest that the largest is where values spread over magnitudes
_SMALL = 0.2  # of the largest that the median is there: of evenly drawn values it is a half


@dataclass(frozen=True, slots=True, kw_only=True)
class CoordinateAxis:
    """One axis.

    Attributes:
        key: What its values are.
        title: Its name for a person.
        word: Its name as a filter takes it.
        kind: Of `category` the values are places in `categories`.
        low: The smallest value; None where there is none, and for categories.
        high: Likewise the largest.
        categories: The values themselves, as the filter language has them.
        goal: `minimize` or `maximize`; None of what has none.
        values: Of each run; None where it has none that is finite.
        without: The filter that finds those; empty where all have one.
    """

    key: Key
    title: str
    word: str
    kind: Kind
    low: float | None = None
    high: float | None = None
    categories: tuple[Value, ...] = ()
    goal: str | None = None
    values: tuple[float | None, ...]
    without: str = ""

    @property
    def labels(self) -> list[str]:
        """The categories in words."""
        return [format_value(one) for one in self.categories]


def make_axis(  # each is a fact of the axis
    key: Key,
    values: Sequence[Value],
    *,
    title: str,
    word: str,
    goal: str | None = None,
    scale: Scale = "linear",
) -> CoordinateAxis | None:
    """Give the axis of what some runs have under one key.

    Numbers alone make a linear one, or one of logarithms; anything else makes categories, numbers
    first.

    Args:
        values: Of each run; `ABSENT` where it has none.
        scale: Of numbers; `log` holds where all are above 0, `auto` takes it where they spread
            over orders of magnitude.

    Returns:
        None where no run has a value, or there are too many categories.
    """
    there = [value for value in values if value is not ABSENT and value is not None]
    if not there:
        return None
    if all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in there):
        numbers = tuple(float(one) if is_number(one) else None for one in values)
        finite = [one for one in numbers if one is not None]
        if not finite:
            return None
        low, high = min(finite), max(finite)
        is_log = low > 0 and (scale == "log" or (scale == "auto" and _spreads(finite)))
        return CoordinateAxis(
            key=key, title=title, word=word, kind="log" if is_log else "linear",
            low=low, high=high, goal=goal, values=numbers, without=_without(word, values),
        )  # fmt: skip
    categories, places = _sort_into(there)
    if len(categories) > MOST_CATEGORIES:
        return None
    return CoordinateAxis(
        key=key, title=title, word=word, kind="category", categories=categories, goal=goal,
        values=tuple(_place(one, places) for one in values), without=_without(word, values),
    )  # fmt: skip


def _without(word: str, values: Sequence[Value]) -> str:
    tests = {
        f"{word} is null": lambda one: one is ABSENT or one is None,
        f"{word} is nan": is_nan,
        f"{word} = inf": lambda one: _infinity_of(one) == math.inf,
        f"{word} = -inf": lambda one: _infinity_of(one) == -math.inf,
    }
    return " or ".join(said for said, holds in tests.items() if any(map(holds, values)))


def _infinity_of(value: Value) -> float | None:
    """An infinity, also of an integer beyond a float; None of all else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if is_number(value) or is_nan(value):
        return None
    return math.inf if value > 0 else -math.inf


def _spreads(numbers: Sequence[float]) -> bool:
    """Whether numbers above 0 are drawn over orders of magnitude."""
    ordered = sorted(numbers)
    median, largest = ordered[(len(ordered) - 1) // 2], ordered[-1]
    return largest / ordered[0] >= _WIDE and median <= _SMALL * largest


def _sort_into(values: Sequence[Value]) -> tuple[tuple[Value, ...], Mapping[str, int]]:
    named = {_name(one): one for one in values}
    order = sorted(named, key=lambda name: _rank(named[name], name))
    return tuple(named[name] for name in order), {name: place for place, name in enumerate(order)}


def _place(value: Value, places: Mapping[str, int]) -> float | None:
    return None if value is ABSENT or value is None else float(places[_name(value)])


def _name(value: Value) -> str:
    """What tells a value from others: the text "1" is no number."""
    return f"{type(value).__name__}:{value!r}"


def _rank(value: Value, name: str) -> tuple[bool, float, str]:
    return (False, float(value), name) if is_number(value) else (True, 0.0, name)

"""Runs put together by values that they share, and their metrics as means with deviations."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from repro.errors import UsageError
from repro.model.condition import Key, Space
from repro.model.lookup import look_up
from repro.model.run import Record
from repro.model.spread import find_deviation, find_mean
from repro.model.text import escape
from repro.model.values import ABSENT, Value, is_nan

_LACKING = 4  # from this rank on there is no value to sort by
_Mark = tuple[str, object]  # what makes two values one: their type and what it holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """The last values of one metric in some runs; NaN and runs without it are left out.

    Attributes:
        count: How many values there are; none of the numbers is known where that is 0.
        std: Sample standard deviation; None below two values, and among infinities.
    """

    count: int
    mean: float | None
    std: float | None
    min: float | None
    max: float | None


@dataclass(frozen=True, slots=True)
class Group:
    """Runs that have the same values under some keys.

    Attributes:
        values: One for each key, `ABSENT` where the runs have none.
        metrics: Only those that any of the runs has.
    """

    values: tuple[Value, ...]
    runs: tuple[str, ...]
    metrics: Mapping[str, Statistics]

    @property
    def n_runs(self) -> int:
        """How many there are."""
        return len(self.runs)


class Sortable(Protocol):
    """Anything that says of a group what `Group` does, but for its runs."""

    @property
    def values(self) -> tuple[Value, ...]:
        """One for each key."""

    @property
    def n_runs(self) -> int:
        """How many runs it has."""

    @property
    def metrics(self) -> Mapping[str, Statistics]:
        """By name."""


_G = TypeVar("_G", bound=Sortable)


@dataclass(frozen=True, slots=True)
class Grouping:
    """Some runs in groups.

    Attributes:
        goals: What the runs agree on for each metric that any of them has, None where they do
            not; metrics with a goal first.
    """

    groups: list[Group]
    goals: Mapping[str, str | None]


def group_runs(records: Iterable[Record], keys: Sequence[Key]) -> Grouping:
    """Give the groups in the order of their values: numbers, texts, the rest, missing ones last.

    Values are the same as in a filter: 1 is 1.0, but true is not 1. Missing ones, null, and NaN
    are each a group of their own.

    Cost: O(n log n) for n runs; it keeps their last values, and no record.
    """
    found: dict[tuple[_Mark, ...], tuple[tuple[Value, ...], list[str], dict[str, list[float]]]] = {}
    goals: dict[str, set[str]] = {}
    for record in records:
        values = tuple(look_up(record, key) for key in keys)
        _, runs, metrics = found.setdefault(tuple(map(_mark, values)), (values, [], {}))
        runs.append(record.run.id)
        for name, summary in record.metrics.items():
            metrics.setdefault(name, []).append(summary.last)
            goals.setdefault(name, set()).update([summary.goal] if summary.goal else [])
    groups = [
        Group(values, tuple(runs), {name: summarise_values(last) for name, last in metrics.items()})
        for values, runs, metrics in found.values()
    ]
    groups.sort(key=lambda group: tuple(map(rank_value, group.values)))
    names = sorted(goals, key=lambda name: not goals[name])
    return Grouping(
        groups,
        {name: goals[name].copy().pop() if len(goals[name]) == 1 else None for name in names},
    )


@dataclass(frozen=True, slots=True)
class GroupOrder:
    """What groups are sorted by.

    Attributes:
        by: One of the keys of the groups; a metric, for its mean; None for the number of runs.
    """

    by: Key | None
    descending: bool


def sort_groups(
    groups: Sequence[_G], keys: Sequence[Key], orders: Sequence[GroupOrder]
) -> list[_G]:
    """Give groups in another order; those without a value, and with NaN, are last either way.

    Raises:
        UsageError: A key is neither one of `keys` nor a metric.
    """
    ordered = list(groups)
    for order in reversed(orders):
        ordered = _sort_once(ordered, _value_of(order.by, keys), descending=order.descending)
    return ordered


def _sort_once(
    groups: Sequence[_G], value: Callable[[Sortable], Value], *, descending: bool
) -> list[_G]:
    ranked = [(rank_value(value(group)), group) for group in groups]
    having = [entry for entry in ranked if entry[0][0] < _LACKING]
    having.sort(key=lambda entry: entry[0], reverse=descending)
    lacking = [group for rank, group in ranked if rank[0] >= _LACKING]
    return [*(group for _, group in having), *lacking]


def _value_of(key: Key | None, keys: Sequence[Key]) -> Callable[[Sortable], Value]:
    if key is None:
        return lambda group: group.n_runs
    if key in keys:
        place = keys.index(key)
        return lambda group: group.values[place]
    if key.space is not Space.METRIC or key.statistic != "last":
        raise UsageError(
            f"groups cannot be sorted by `{escape(key.name)}`",
            hint="sort by what they are grouped by, by a metric for its mean, or by `runs`",
        )
    return lambda group: _mean_of(group, key.name)


def _mean_of(group: Sortable, metric: str) -> Value:
    found = group.metrics.get(metric)
    return ABSENT if found is None or found.mean is None else found.mean


def summarise_values(values: Sequence[float]) -> Statistics:
    """Give mean, sample standard deviation and extremes of the values that are no NaN."""
    if len(values) == 1 and math.isfinite(values[0]):  # as of each group of a param drawn at random
        [one] = values
        return Statistics(count=1, mean=float(one), std=None, min=one, max=one)
    if _is_all_finite(values):
        numbers, is_finite = values, True
    else:
        numbers = [value for value in values if not math.isnan(value)]
        is_finite = all(map(math.isfinite, numbers))
    return Statistics(
        count=len(numbers),
        mean=find_mean(numbers) if is_finite else _sum_infinite(numbers),
        std=find_deviation(numbers) if is_finite else None,
        min=min(numbers, default=None),
        max=max(numbers, default=None),
    )


def _is_all_finite(values: Sequence[float]) -> bool:
    """Whether that is sure at a glance: a sum with NaN or an infinity in it is no finite one."""
    try:
        return math.isfinite(math.fsum(values))
    except (OverflowError, ValueError):
        return False


def _sum_infinite(numbers: Sequence[float]) -> float | None:
    total = sum(set(numbers) & {math.inf, -math.inf})
    return None if math.isnan(total) else total


def rank_value(value: Value) -> tuple[int, float, str]:
    """Where a value stands: numbers, texts, true and false, lists, NaN, null, missing ones."""
    if type(value) is float and value == value:  # a group each, where there are many groups
        return 0, value, ""
    if isinstance(value, bool):
        return 2, float(value), ""
    if isinstance(value, (int, float)):
        return (4, 0.0, "") if is_nan(value) else (0, value, "")
    if isinstance(value, str):
        return 1, 0.0, value
    if value is None:
        return 5, 0.0, ""
    return (6, 0.0, "") if value is ABSENT else (3, 0.0, repr(value))


def _mark(value: Value) -> _Mark:
    if isinstance(value, bool):
        return "bool", value
    if isinstance(value, (int, float)):
        return ("nan", None) if is_nan(value) else ("number", value)
    if isinstance(value, str):
        return "text", value
    return type(value).__name__, repr(value)

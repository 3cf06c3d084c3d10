"""Which params of runs go with a metric of theirs."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from repro.model.correlation import (
    chance_of_groups,
    chance_of_ranks,
    correlate_groups,
    correlate_ranks,
)
from repro.model.values import ABSENT, Value, is_nan

Measure = Literal["rank correlation", "correlation ratio"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Influence:
    """How one param goes with a metric.

    Attributes:
        measure: Spearman's rank correlation where all values are numbers, else the correlation
            ratio of the ranks of the metric.
        strength: From -1 to 1, or from 0 to 1; None where it cannot be told.
        chance: How often chance alone gives as much, from 0 to 1; None where there are too few
            runs to say.
        n_runs: How many runs have both.
        n_values: How many different values they have.
        forest: By how much the guesses of a random forest get worse when the param is shuffled, as
            a share of the variance (R²); None where there is no forest.
    """

    key: str
    measure: Measure
    strength: float | None
    chance: float | None
    n_runs: int
    n_values: int
    forest: float | None = None


def rate_param(key: str, values: Sequence[Value], ys: Sequence[float]) -> Influence | None:
    """Say how a param goes with a metric; None where all runs that have it have the same value.

    A null among numbers counts as missing; among words it is one of them. So is a list.

    Args:
        values: Of the param, shape (n,); `ABSENT` and NaN are missing.
        ys: Of the metric, shape (n,), none of them NaN.
    """
    there = [(value, y) for value, y in zip(values, ys, strict=True) if not _is_missing(value)]
    numbers = [(value, y) for value, y in there if value is not None]
    if all(_is_number(value) for value, _ in numbers):
        xs = [_as_float(value) for value, _ in numbers]
        if len(set(xs)) < 2:
            return None
        ranked = [y for _, y in numbers]
        return Influence(
            key=key,
            measure="rank correlation",
            strength=correlate_ranks(xs, ranked),
            chance=chance_of_ranks(xs, ranked),
            n_runs=len(xs),
            n_values=len(set(xs)),
        )
    names = [name_group(value) for value, _ in there]
    if len(set(names)) < 2:
        return None
    ranked = [y for _, y in there]
    return Influence(
        key=key,
        measure="correlation ratio",
        strength=correlate_groups(names, ranked),
        chance=chance_of_groups(names, ranked),
        n_runs=len(names),
        n_values=len(set(names)),
    )


def by_strength(influences: Sequence[Influence]) -> list[Influence]:
    """The least likely to be luck first; equal ones by strength."""

    def order(one: Influence) -> tuple[float, float, str]:
        chance = 2.0 if one.chance is None else one.chance
        return chance, -abs(one.strength or 0.0), one.key

    return sorted(influences, key=order)


def say_strength(one: Influence) -> str:
    """How strongly a param goes with the metric: signed where it is a rank correlation."""
    if one.strength is None:
        return "-"
    if one.measure == "rank correlation":
        return f"{one.strength:+.2f}"
    return f"{one.strength:.2f} ({one.n_values} groups)"


def say_chance(chance: float | None) -> str:
    """How often chance alone gives as much."""
    if chance is None:
        return "n too small"
    return "< 0.001" if chance < 0.001 else f"{chance:.3f}"


def as_numbers(values: Sequence[Value]) -> list[float]:
    """A column of a param for a model that knows numbers only.

    Missing numbers get the median of the others; words get their place in the order of them, and
    a missing word one before.
    """
    there = [value for value in values if not _is_missing(value) and value is not None]
    if there and all(_is_number(value) for value in there):
        known = sorted(_clip(_as_float(value)) for value in there)
        middle = known[len(known) // 2]
        return [
            middle if _is_missing(value) or value is None else _clip(_as_float(value))
            for value in values
        ]
    names = sorted({name_group(value) for value in values if not _is_missing(value)})
    places = {name: float(place) for place, name in enumerate(names)}
    return [-1.0 if _is_missing(value) else places[name_group(value)] for value in values]


def name_group(value: Value) -> str:
    """The text that stands for a value among words: `true` is not the word "true"."""
    return "" if value is ABSENT else json.dumps(value, sort_keys=True)


def _is_missing(value: Value) -> bool:
    return value is ABSENT or (is_nan(value))


def _is_number(value: Value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _as_float(value: Value) -> float:
    assert isinstance(value, (int, float))
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _clip(value: float) -> float:
    """A number that fits into the 32 bits that a forest of scikit-learn computes with."""
    return max(-3e38, min(3e38, value))

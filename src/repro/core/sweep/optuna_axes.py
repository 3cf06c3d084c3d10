"""The values of each param as places on a scale that Optuna knows, and back."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any, Protocol

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from repro.model.canonical import Json
from repro.model.multiples import multiple_of, multiples_within
from repro.model.scales import Numeric, from_unit, to_unit
from repro.model.space import Beta, Categorical, Constant, IntUniform, Space, Uniform
from repro.model.spacecheck import value_key

_MOST = 10**6  # steps that are counted; of more, a search sees no difference to a number

Place = int | float


class Axis(Protocol):
    """One param."""

    @property
    def size(self) -> int | None:
        """How many places there are; None is more than are counted."""

    @property
    def scale(self) -> BaseDistribution:
        """Where Optuna shall search."""

    def place(self, value: Json) -> Place | None:
        """Where a value lies; None where it is none of this param."""

    def value(self, place: Place) -> Json:
        """The value that lies there."""


def make_axes(space: Space) -> dict[str, Axis]:
    """Give an axis for each param that has more than one value, in the order of the space.

    The space has no `Beta`, for which there is no such scale.
    """
    axes: dict[str, Axis] = {}
    for key, distribution in space.items():
        match distribution:
            case Constant():
                pass
            case Categorical(values):
                axes[key] = _Choices(values)
            case IntUniform(low, high) if high - low < _MOST:
                axes[key] = _Steps(distribution, 1, range(low, high + 1))
            case Uniform(low, high, q, False) if q is not None and (high - low) / q < _MOST:
                axes[key] = _Steps(distribution, q, multiples_within(low, high, q))
            case Beta():
                raise AssertionError("a space with a beta distribution is refused before")
            case _:
                axes[key] = _Edge(distribution)
    return axes


def size_of(axes: Iterable[Axis]) -> int | None:
    """How many points there are; None where a search sees no end of them."""
    sizes = [axis.size for axis in axes]
    return None if None in sizes else prod(size for size in sizes if size is not None)


@dataclass(frozen=True)
class _Choices:
    values: tuple[Json, ...]

    @property
    def size(self) -> int:
        return len(self.values)

    @property
    def scale(self) -> BaseDistribution:
        return _Numbers(range(len(self.values)))

    @cached_property
    def _places(self) -> dict[str, int]:
        return {value_key(value): number for number, value in enumerate(self.values)}

    def place(self, value: Json) -> Place | None:
        return self._places.get(value_key(value))

    def value(self, place: Place) -> Json:
        return self.values[int(place)]


class _Numbers(CategoricalDistribution):
    """Numbers from 0 on: as many are the same, and need no copy.

    Optuna compares those of each trial one by one, and copies them, which takes seconds for a
    thousand trials with a thousand choices.
    """

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Numbers) and len(self.choices) == len(other.choices)

    def __hash__(self) -> int:
        return hash(len(self.choices))

    def __deepcopy__(self, memo: dict[int, Any]) -> "_Numbers":
        return self


@dataclass(frozen=True)
class _Steps:
    """Some multiples of a number, by what it is multiplied with."""

    distribution: IntUniform | Uniform
    step: int | float
    factors: range

    @property
    def size(self) -> int:
        return len(self.factors)

    @property
    def scale(self) -> BaseDistribution:
        return IntDistribution(self.factors[0], self.factors[-1], log=self.distribution.is_log)

    def place(self, value: Json) -> Place | None:
        if to_unit(self.distribution, value) is None:
            return None
        assert isinstance(value, int | float)
        return min(max(round(value / self.step), self.factors[0]), self.factors[-1])

    def value(self, place: Place) -> Json:
        return multiple_of(self.step, int(place))


@dataclass(frozen=True)
class _Edge:
    """Numbers from 0 to 1, which stand for those of a distribution."""

    distribution: Numeric
    size: None = None

    @property
    def scale(self) -> BaseDistribution:
        return FloatDistribution(0.0, 1.0)

    def place(self, value: Json) -> Place | None:
        return to_unit(self.distribution, value)

    def value(self, place: Place) -> Json:
        return from_unit(self.distribution, place)

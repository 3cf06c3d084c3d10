"""The values a param of a sweep may take: one frozen value for each kind of distribution.

Where `q` is given the values are multiples of it: whole numbers where `q` is an `int`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from repro.model.canonical import Json


@dataclass(frozen=True, slots=True)
class Constant:
    """Always the same value."""

    value: Json


@dataclass(frozen=True, slots=True)
class Categorical:
    """One of some values.

    Attributes:
        weights: How likely each is, adding up to 1; None where all are alike.
    """

    values: tuple[Json, ...]
    weights: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class IntUniform:
    """A whole number from `low` to `high`, both included; on a log scale if `is_log`."""

    low: int
    high: int
    is_log: bool = False


@dataclass(frozen=True, slots=True)
class Uniform:
    """A number from `low` to `high`; on a log scale if `is_log`; a multiple of `q` if given."""

    low: float
    high: float
    q: float | None = None
    is_log: bool = False


@dataclass(frozen=True, slots=True)
class Normal:
    """A number around `mu`, or one whose logarithm is; a multiple of `q` if given."""

    mu: float
    sigma: float
    q: float | None = None
    is_log: bool = False


@dataclass(frozen=True, slots=True)
class Beta:
    """A number between 0 and 1 as of the beta distribution; a multiple of `q` if given."""

    a: float
    b: float
    q: float | None = None


Distribution = Constant | Categorical | IntUniform | Uniform | Normal | Beta
Space = Mapping[str, Distribution]  # by dotted key, in the order given
Params = Mapping[str, Json]  # one value for each, by dotted key

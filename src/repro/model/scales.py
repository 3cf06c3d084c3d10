"""Where a value lies on the scale of its distribution, between 0 and 1.

A search that learns moves points about in a cube; each numeric distribution is one edge of it, laid
out so that a draw from the distribution is a uniform draw from the edge.
"""

from math import exp, log
from statistics import NormalDist

from repro.model.canonical import Json
from repro.model.multiples import multiples_within, nearest_multiple
from repro.model.sampling import tidy
from repro.model.space import IntUniform, Normal, Uniform
from repro.model.values import is_number

Numeric = IntUniform | Uniform | Normal

_MARGIN = 1e-6  # a normal distribution has no ends; 4.75 sigma are as far as a search goes


def to_unit(distribution: Numeric, value: Json) -> float | None:
    """Where `value` lies between 0 and 1; None where it is no finite number.

    One beyond an end, such as anybody may write, lies at that end.
    """
    if not is_number(value):
        return None
    if isinstance(distribution, Normal):
        return _to_unit_normal(distribution, float(value))
    number = min(max(value, distribution.low), distribution.high)
    low, high = _ends(distribution)
    number = log(number) if distribution.is_log else number
    return min(max((number - low) / (high - low), 0.0), 1.0)


def from_unit(distribution: Numeric, unit: float) -> int | float:
    """The value that lies at `unit`, from 0 to 1, of the type that a draw has.

    Numbers have twelve digits, as the last ones differ between machines.
    """
    q = None if isinstance(distribution, IntUniform) else distribution.q
    if isinstance(distribution, Normal):
        number = NormalDist(distribution.mu, distribution.sigma).inv_cdf(_inside(unit))
        number = tidy(exp(number) if distribution.is_log else number)
        return number if q is None else nearest_multiple(number, q)
    low, high = _ends(distribution)
    number = low + unit * (high - low)
    number = tidy(exp(number) if distribution.is_log else number)
    if isinstance(distribution, IntUniform):
        number = round(number)
    held = min(max(number, distribution.low), distribution.high)
    if q is None:
        return held
    return nearest_multiple(held, q, multiples_within(distribution.low, distribution.high, q))


def _to_unit_normal(distribution: Normal, value: float) -> float:
    if distribution.is_log:
        if value <= 0:  # rounded to a multiple of `q`
            return _MARGIN
        value = log(value)
    return _inside(NormalDist(distribution.mu, distribution.sigma).cdf(value))


def _ends(distribution: IntUniform | Uniform) -> tuple[float, float]:
    # A whole number has as much room as any other, also the first and the last one.
    half = 0.5 if isinstance(distribution, IntUniform) else 0.0
    low, high = distribution.low - half, distribution.high + half
    return (log(low), log(high)) if distribution.is_log else (low, high)


def _inside(unit: float) -> float:
    return min(max(unit, _MARGIN), 1 - _MARGIN)

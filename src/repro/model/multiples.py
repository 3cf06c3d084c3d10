"""The multiples of a number, exact to its last decimal: three times 0.1 is 0.3."""

from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

_Number = int | float


def multiples_within(low: _Number, high: _Number, q: _Number) -> range:
    """Give the factors `k` for which `k * q` is from `low` to `high`, both included.

    Args:
        q: More than 0. All three stand for the decimals that they are written as.
    """
    step = exact(q)
    return range(ceil(exact(low) / step), floor(exact(high) / step) + 1)


def multiple_of(q: _Number, factor: int) -> _Number:
    """Give `factor * q`: a whole number if `q` is an `int`, else the nearest float."""
    return q * factor if isinstance(q, int) else float(exact(q) * factor)


def nearest_multiple(value: float, q: _Number, factors: range | None = None) -> _Number:
    """Give the multiple of `q` next to `value`, halves to even, one of `factors` if given."""
    factor = round(exact(value) / exact(q))
    if factors is not None:
        factor = min(max(factor, factors[0]), factors[-1])
    return multiple_of(q, factor)


def exact(value: _Number) -> Fraction:
    """Give the decimal that a number is written as."""
    return Fraction(value) if isinstance(value, int) else Fraction(Decimal(repr(value)))

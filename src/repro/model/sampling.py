"""Points of a search space: drawn at random, and by their numbers in a grid."""

import random
from hashlib import sha256
from math import exp, inf, log, prod, sqrt
from statistics import NormalDist

from repro.errors import InvalidInputError
from repro.model.canonical import Json
from repro.model.multiples import multiple_of, multiples_within, nearest_multiple
from repro.model.space import (
    Beta,
    Categorical,
    Constant,
    Distribution,
    IntUniform,
    Normal,
    Space,
    Uniform,
)
from repro.model.spacecheck import is_finite
from repro.model.text import escape

_STANDARD = NormalDist()
_SMALLEST = 2.0**-54  # `random()` may be 0, of which there is no logarithm


def rng_for(seed: int, number: int) -> random.Random:
    """Give the source of randomness of trial `number`, the same one on every machine.

    Seeds of neighbouring trials are hashed, as those of a Mersenne Twister that differ in few
    bits can give sequences that are alike; Python's own `hash` differs between processes.
    """
    digest = sha256(f"{seed}:{number}".encode()).digest()
    return random.Random(int.from_bytes(digest[:16], "big"))  # noqa: S311  no secret is drawn


def draw(space: Space, rng: random.Random) -> dict[str, Json]:
    """Draw one value of each param, in the order of the space.

    Only `rng.random` is used: of Python's methods the documentation promises for that one alone
    that a seed gives the same numbers in later versions.
    """
    return {key: draw_value(distribution, rng) for key, distribution in space.items()}


def draw_value(distribution: Distribution, rng: random.Random) -> Json:
    """Draw one value, as W&B's sweeps understand the distribution.

    Of a multiple of `q` the drawn number is rounded to it, halves to even; but it never leaves
    the range. A whole number on a log scale is drawn from half below `low` to half above `high`.
    """
    match distribution:
        case Constant():
            return distribution.value
        case Categorical():
            return _draw_category(distribution, rng)
        case IntUniform():
            return _draw_int(distribution, rng)
        case Uniform():
            return _draw_uniform(distribution, rng)
        case Normal():
            value = distribution.mu + distribution.sigma * _draw_normal(rng)
            value = tidy(exp(value) if distribution.is_log else value)
            q = distribution.q
            return value if q is None else nearest_multiple(value, q)
        case Beta():
            value = tidy(_draw_beta(distribution.a, distribution.b, rng))
            q = distribution.q
            return value if q is None else nearest_multiple(value, q, multiples_within(0, 1, q))


def _draw_category(distribution: Categorical, rng: random.Random) -> Json:
    values, weights = distribution.values, distribution.weights
    left = rng.random()
    if weights is None:
        return values[min(int(left * len(values)), len(values) - 1)]
    left *= sum(weights)
    for value, weight in zip(values, weights, strict=True):
        if left < weight:
            return value
        left -= weight
    return next(v for v, w in reversed(list(zip(values, weights, strict=True))) if w)


def _draw_int(distribution: IntUniform, rng: random.Random) -> int:
    low, high = distribution.low, distribution.high
    if distribution.is_log:
        start, end = log(low - 0.5), log(high + 0.5)
        value = round(exp(start + (end - start) * rng.random()))
    else:
        value = low + int(rng.random() * (high - low + 1))
    return min(max(value, low), high)


def _draw_uniform(distribution: Uniform, rng: random.Random) -> float:
    low, high, q = distribution.low, distribution.high, distribution.q
    if distribution.is_log:
        value = tidy(exp(log(low) + (log(high) - log(low)) * rng.random()))
    else:
        value = low + (high - low) * rng.random()
    value = min(max(value, low), high)
    return value if q is None else nearest_multiple(value, q, multiples_within(low, high, q))


def tidy(value: float) -> float:
    """Give twelve digits of a number: the last of `exp` and `log` differ between machines."""
    return float(f"{value:.12g}")


def _draw_normal(rng: random.Random) -> float:
    return _STANDARD.inv_cdf(max(rng.random(), _SMALLEST))


def _draw_beta(a: float, b: float, rng: random.Random) -> float:
    """A number of the beta distribution, by two of the gamma distribution."""
    difference = _draw_log_gamma(b, rng) - _draw_log_gamma(a, rng)
    return 1 / (1 + exp(min(difference, 700.0)))


def _draw_log_gamma(shape: float, rng: random.Random) -> float:
    """The logarithm of a number of the gamma distribution, for which 1e-300 is not too small.

    Source: G. Marsaglia and W. W. Tsang, "A Simple Method for Generating Gamma Variables", ACM
    Transactions on Mathematical Software 26(3), 2000; for a shape below 1 their section 6.
    """
    if shape < 1:
        boost = log(max(rng.random(), _SMALLEST)) / shape
        return _draw_log_gamma(shape + 1, rng) + boost if boost > -inf else -1e300
    d = shape - 1 / 3
    c = 1 / sqrt(9 * d)
    while True:
        x = _draw_normal(rng)
        cube = (1 + c * x) ** 3
        if cube <= 0:
            continue
        if log(max(rng.random(), _SMALLEST)) < x * x / 2 + d - d * cube + d * log(cube):
            return log(d) + log(cube)


def count_grid(space: Space) -> int:
    """How many points a grid over `space` has.

    Raises:
        InvalidInputError: A param has values without end.
    """
    return prod(_count(key, distribution) for key, distribution in space.items())


def grid_point(space: Space, number: int) -> dict[str, Json]:
    """Give the point `number` of a grid, from 0; the last param varies fastest.

    Raises:
        InvalidInputError: As `count_grid`.
        ValueError: The grid has no such point.
    """
    point: dict[str, Json] = {}
    left = number
    for key, distribution in reversed(list(space.items())):
        left, place = divmod(left, _count(key, distribution))
        point[key] = _value_at(distribution, place)
    if left:
        raise ValueError(f"a grid of {count_grid(space)} points has no point {number}")
    return {key: point[key] for key in space}


def _count(key: str, distribution: Distribution) -> int:
    if not is_finite(distribution):
        raise InvalidInputError(
            f"a grid cannot try every value of `{escape(key)}`, which is continuous",
            hint="give it `values`, or a step by `q_uniform`; or take another method",
        )
    match distribution:
        case Categorical():
            return len(distribution.values)
        case IntUniform():
            return distribution.high - distribution.low + 1
        case Uniform() | Beta():
            factors = _factors(distribution)
            return factors.stop - factors.start  # `len` ends at 2^63
        case _:
            return 1


def _value_at(distribution: Distribution, place: int) -> Json:
    match distribution:
        case Constant():
            return distribution.value
        case Categorical():
            return distribution.values[place]
        case IntUniform():
            return distribution.low + place
        case Uniform(q=q) | Beta(q=q) if q is not None:
            return multiple_of(q, _factors(distribution)[place])
        case _:
            raise ValueError("a continuous distribution has no numbered values")


def _factors(distribution: Uniform | Beta) -> range:
    """By what `q` is multiplied for each value."""
    assert distribution.q is not None
    if isinstance(distribution, Beta):
        return multiples_within(0, 1, distribution.q)
    return multiples_within(distribution.low, distribution.high, distribution.q)

"""What is wrong with a search space, in words."""

import json
import re
from collections.abc import Iterator, Sequence
from itertools import accumulate
from math import fsum, isfinite, log

from repro.model.canonical import TOO_LARGE, Json
from repro.model.config import MOST_PARTS
from repro.model.multiples import multiples_within
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
from repro.model.text import escape, is_argument

MOST_PARAMS = 1000

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.@/-]*\Z")
_LONGEST_NAME = 200  # characters
_DEEPEST = 8  # of lists and mappings in one value, as on a command line
_EXACT = 2**53  # whole numbers beyond are not all floats
_MOST_BYTES = 60 * 1024  # of the params of one trial; a variable holds 64 KiB
_LARGEST_EXPONENT = 700  # e to the power of it is a float
_SIGMAS = 10  # no draw is farther from its mean
_SHARPEST = 1e9


def find_fault(distribution: Distribution) -> str | None:
    """Say why a distribution has no values or none that can be used; None where it is sound."""
    return next(_faults(distribution), None)


def find_name_fault(key: str) -> str | None:
    """Say why `key` cannot be the dotted key of a param; None where it can."""
    parts = key.split(".")
    if not _NAME.match(key) or "" in parts or len(key) > _LONGEST_NAME:
        return (
            "is not the name of a param: that begins with a letter or `_`, and goes on with "
            "letters, digits, `_`, `.`, `-`, `/` and `@`"
        )
    if len(parts) > MOST_PARTS:
        return f"is nested deeper than {MOST_PARTS} levels"
    return None


def find_space_fault(space: Space) -> str | None:
    """Say why params do not fit together; None where they do."""
    if not space:
        return "there is no param"
    if len(space) > MOST_PARAMS:
        return f"there are {len(space):,} params, and at most {MOST_PARAMS:,} are searched"
    for key in space:
        for above in list(accumulate(key.split("."), lambda head, part: f"{head}.{part}"))[:-1]:
            if above in space:
                return f"`{escape(above)}` is a param, and a section too: it holds `{escape(key)}`"
    size = sum(map(_most_bytes, space.values())) + sum(map(len, space))
    if size > _MOST_BYTES:
        return f"the params of one trial take up to {size:,} bytes, and at most {_MOST_BYTES:,} fit"
    return None


def is_finite(distribution: Distribution) -> bool:
    """Whether it has a finite number of values, so that a grid can try each."""
    match distribution:
        case Uniform() | Beta():
            return distribution.q is not None
        case Normal():
            return False
        case _:
            return True


def value_key(value: Json) -> str:
    """A text that is the same for the same values: 1 is 1.0, but true is not 1."""
    return json.dumps(_plain(value), sort_keys=True)


def _plain(value: Json) -> Json:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _most_bytes(distribution: Distribution) -> int:
    match distribution:
        case Constant():
            return len(json.dumps(distribution.value))
        case Categorical():
            return max(len(json.dumps(value)) for value in distribution.values)
        case _:
            return 25  # of the longest number


def _faults(distribution: Distribution) -> Iterator[str]:
    match distribution:
        case Constant():
            yield from _value_faults(distribution.value)
        case Categorical():
            yield from _list_faults(distribution)
        case IntUniform():
            yield from _int_faults(distribution)
        case Uniform():
            yield from _uniform_faults(distribution)
        case Normal():
            yield from _normal_faults(distribution)
        case Beta():
            if not (0 < distribution.a <= _SHARPEST and 0 < distribution.b <= _SHARPEST):
                yield "`a` and `b` must be more than 0, and at most 1e9"
            if distribution.q is not None:
                yield from _q_faults(distribution.q, 1.0)


def _value_faults(value: Json, depth: int = 0) -> Iterator[str]:
    if depth > _DEEPEST:
        yield f"a value nests deeper than {_DEEPEST} levels"
        return
    match value:
        case float() if not isfinite(value):
            yield f"the value {value} is not finite; the text `'{value}'` can be given instead"
        case str() if not is_argument(value):
            yield f"the value `{escape(value[:80])}` holds what no program can be given"
        case list():
            for item in value:
                yield from _value_faults(item, depth + 1)
        case dict():
            for key, item in value.items():
                yield from _value_faults(key, depth + 1)
                yield from _value_faults(item, depth + 1)
        case int() if abs(value) >= TOO_LARGE:
            yield "a value has more than 4,300 digits"
        case _:
            pass


def _list_faults(distribution: Categorical) -> Iterator[str]:
    values, weights = distribution.values, distribution.weights
    if not values:
        yield "there is no value to choose from"
    seen: set[str] = set()
    for value in values:
        yield from _value_faults(value)
        key = value_key(value)
        if key in seen:
            yield f"the value {escape(json.dumps(value, ensure_ascii=False)[:80])} occurs twice"
        seen.add(key)
    if weights is not None:
        yield from _weight_faults(weights, len(values))


def _weight_faults(weights: Sequence[float], n_values: int) -> Iterator[str]:
    if len(weights) != n_values:
        yield f"there are {n_values} values, but {len(weights)} probabilities"
    if not all(0 <= weight <= 1 for weight in weights):
        yield "a probability is negative, more than 1, or no number"
    elif abs(fsum(weights) - 1) > 1e-6:
        yield f"the probabilities add up to {fsum(weights):.6g}, not to 1"


def _int_faults(distribution: IntUniform) -> Iterator[str]:
    low, high = distribution.low, distribution.high
    if max(abs(low), abs(high)) > _EXACT:
        yield "`min` or `max` is beyond 2^53, where whole numbers are not exact"
    yield from _order_faults(low, high)
    if distribution.is_log and low < 1:
        yield f"on a log scale `min` must be 1 or more, not {low}"


def _uniform_faults(distribution: Uniform) -> Iterator[str]:
    low, high, q = distribution.low, distribution.high, distribution.q
    if not (isfinite(low) and isfinite(high)):
        yield f"`min` and `max` must be finite, not {low} and {high}"
    if not isfinite(high - low):
        yield f"from `min` {low} to `max` {high} is too far"
    yield from _order_faults(low, high)
    if distribution.is_log and low <= 0:
        yield f"on a log scale `min` must be more than 0, not {low}"
    if q is not None:
        yield from _q_faults(q, max(abs(low), abs(high)))
        multiples = multiples_within(low, high, q)
        if len(multiples) < 2:
            few = "only one" if multiples else "no"
            yield f"from `min` {low} to `max` {high} there is {few} multiple of `q` {q}"


def _normal_faults(distribution: Normal) -> Iterator[str]:
    mu, sigma, q = distribution.mu, distribution.sigma, distribution.q
    if not (isfinite(mu) and isfinite(sigma)):
        yield f"`mu` and `sigma` must be finite, not {mu} and {sigma}"
    if sigma <= 0:
        yield f"`sigma` must be more than 0, not {sigma}"
    farthest = abs(mu) + _SIGMAS * sigma
    if not isfinite(farthest) or (distribution.is_log and farthest > _LARGEST_EXPONENT):
        yield f"with `mu` {mu} and `sigma` {sigma} values are out of the range of a number"
    if q is not None:
        yield from _q_faults(q, 0.0 if distribution.is_log else farthest)
        if distribution.is_log and farthest - log(q) > _LARGEST_EXPONENT:
            yield f"`q` {q} is too small beside e to the power of {farthest:.6g}"


def _order_faults(low: float, high: float) -> Iterator[str]:
    if low == high:
        yield f"`min` and `max` are both {low}: that is one value, not a range"
    elif not low < high:
        yield f"`min` {low} is not below `max` {high}"


def _q_faults(q: float, farthest: float) -> Iterator[str]:
    if not (isfinite(q) and q > 0):
        yield f"`q` must be more than 0, not {q}"
    elif farthest / q > _EXACT:
        yield f"`q` {q} is too small beside {farthest:.6g}"

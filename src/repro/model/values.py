"""One value of a run that may be absent, and when two of them are the same."""

import math
from enum import Enum
from typing import TypeGuard

from repro.model.canonical import Json


class Absent(Enum):
    """One side has no such key; null is a value, this is none."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT

Value = Json | Absent


def is_same(a: Value, b: Value) -> bool:
    """Whether two values are equal: NaN is NaN, 1 is 1.0, but true is not 1."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, float) and isinstance(b, float):
        return a == b or (math.isnan(a) and math.isnan(b))
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(is_same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(is_same(a[key], b[key]) for key in a)
    return a == b


def is_number(value: Value) -> TypeGuard[int | float]:
    """Whether `value` is a finite number; true is none, nor an integer that no float comes near."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def is_nan(value: Value) -> bool:
    """Whether `value` is NaN; of an integer beyond a float, too."""
    return isinstance(value, float) and math.isnan(value)

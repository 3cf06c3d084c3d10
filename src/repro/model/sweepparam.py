"""A param of a sweep as the command line gives it: `lr=loguniform(1e-5,1e-1)`, `opt=sgd,adam`."""

import re
from collections.abc import Callable, Sequence
from math import ceil, floor, isfinite
from typing import NamedTuple

from repro.errors import UsageError
from repro.model.canonical import Json
from repro.model.config import parse_value
from repro.model.multiples import exact
from repro.model.nearest import say_meant
from repro.model.space import (
    Beta,
    Categorical,
    Constant,
    Distribution,
    IntUniform,
    Normal,
    Uniform,
)
from repro.model.spacecheck import find_fault, find_name_fault
from repro.model.text import escape

_MOST_IN_RANGE = 100_000
_MANY = 10**15  # are not counted
_LONGEST = 64 * 1024  # characters
_LONGEST_SAID = 200

_CALL = re.compile(r"([A-Za-z_]\w*)([(\[])(.*)[)\]]\Z", re.DOTALL | re.ASCII)
_OPEN, _CLOSE = "([{", ")]}"

_Number = int | float


def parse_param(text: str) -> tuple[str, Distribution]:
    """Read `key=values`, where values are a function of them, a list, or one value.

    Values are typed as `parse_value` does. Text with a comma or brackets needs double quotes.

    Raises:
        UsageError: There is no such function, it takes other numbers, or the values make no sense.
    """
    key, equals, values = text.partition("=")
    key, values = key.strip(), values.strip()
    try:
        if not equals or not values or len(text) > _LONGEST:
            raise _Wrong("is not `key=values`", "write it as `-p lr=loguniform(1e-5,1e-1)`")
        fault = find_name_fault(key)
        if fault is not None:
            raise _Wrong(f"{fault}", "write it as `-p model.width=64,128`")
        distribution = _read(values)
        fault = find_fault(distribution)
        if fault is not None:
            raise _Wrong(f": {fault}", "mend its values, then run the command again")
    except _Wrong as wrong:
        said = escape(text if len(text) <= _LONGEST_SAID else f"{text[:_LONGEST_SAID]}…")
        gap = "" if wrong.reason.startswith(":") else " "
        raise UsageError(f"`-p {said}`{gap}{wrong.reason}", hint=wrong.hint) from None
    return key, distribution


class _Wrong(Exception):  # noqa: N818  it never leaves the module
    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


def _read(text: str) -> Distribution:
    items = _split(text, ",")
    if len(items) > 1:
        return Categorical(tuple(map(_value, items)))
    call = _CALL.match(text)
    if call is not None:
        return _call(call[1], call[3], is_guild=call[2] == "[")
    if text.startswith("[") and text.endswith("]"):
        return _bracketed(text)
    return Constant(_value(text))


def _split(text: str, separator: str) -> list[str]:
    """The parts between separators outside of brackets and double quotes."""
    parts, start, depth = [], 0, 0
    is_quoted = is_escaped = False
    for place, char in enumerate(text):
        if is_quoted:
            is_quoted = is_escaped or char != '"'
            is_escaped = char == "\\" and not is_escaped
        elif char == '"':
            is_quoted = True
        elif char in _OPEN:
            depth += 1
        elif char in _CLOSE:
            depth -= 1
        elif char == separator and depth == 0:
            parts.append(text[start:place])
            start = place + 1
    if is_quoted or depth:
        raise _Wrong(": a bracket or a quote is not closed", _QUOTE)
    return [part.strip() for part in (*parts, text[start:])]


_QUOTE = "put double quotes around a text with brackets: `-p 'opt=\"Adam(x)\",sgd'`"


def _value(text: str) -> Json:
    if not text:
        raise _Wrong(": a value is missing beside a comma", 'for an empty text write `""`')
    if _CALL.match(text):
        raise _Wrong(f": `{escape(text[:80])}` is not one value", _QUOTE)
    value = parse_value(text)
    if isinstance(value, float) and not isfinite(value):
        said = escape(text[:80])
        raise _Wrong(f": the value {said} is not finite", f'as text it is `"{said}"`')
    return value


def _bracketed(text: str) -> Distribution:
    """Guild's `[1e-4:1e-2]`; but what `[1,2]` alone means differs between tools."""
    ends = _split(text[1:-1], ":")
    if len(ends) == 2:
        low, high = map(_number, ends)
        if isinstance(low, int) and isinstance(high, int):
            return IntUniform(low, high)
        return Uniform(float(low), float(high))
    inside = escape(text[1:-1][:80])
    raise _Wrong(
        ": that may be one list or several values, for tools differ about it",
        f"write `{inside}` for several values, `choice({escape(text[:80])})` for one list, or "
        "`uniform(LOW,HIGH)` for a range",
    )


def _call(name: str, inside: str, *, is_guild: bool) -> Distribution:
    function = _FUNCTIONS.get(name)
    if function is None:
        known = [*_FUNCTIONS, "choice", "range"]
        if name not in known:
            raise _Wrong(
                f": there is no function `{escape(name[:80])}`{say_meant(name, known)}",
                f"there are {', '.join(known)}; {_QUOTE}",
            )
    separator = ":" if is_guild and ":" in inside else ","
    words = _split(inside, separator)
    if name == "choice":
        return Categorical(tuple(map(_value, words)))
    numbers = [_number(word) for word in words]
    if function is None:
        return _range(numbers, is_guild=is_guild)
    if len(numbers) != len(function.names):
        n_given = "1 number is" if len(numbers) == 1 else f"{len(numbers)} numbers are"
        usage = f"{name}({','.join(function.names)})"
        raise _Wrong(f": it is `{usage}`, and {n_given} given", f"write `{usage}`")
    return function.make(*numbers)


def _number(text: str) -> _Number:
    value = parse_value(text)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Wrong(f": `{escape(text[:80])}` is not a number", "write it as `0.1` or `1e-3`")
    if abs(value) > 1e308 or not isfinite(value):  # in this order: an `int` may be no float
        raise _Wrong(f": {escape(text[:80])} is not finite", "give a bound that can be reached")
    return value


def _range(numbers: Sequence[_Number], *, is_guild: bool) -> Distribution:
    """Numbers at equal distances, the end left out as in Python, but with it in Guild's form."""
    if not 1 <= len(numbers) <= 3:
        raise _Wrong(": it is `range(START,STOP,STEP)`", "write `range(0,1,0.25)`")
    start, stop = (0, numbers[0]) if len(numbers) == 1 else (numbers[0], numbers[1])
    step = numbers[2] if len(numbers) == 3 else 1
    if step == 0:
        raise _Wrong(": a step of 0 leads nowhere", "write `range(0,1,0.25)`")
    steps = (exact(stop) - exact(start)) / exact(step)
    count = floor(steps) + 1 if is_guild else ceil(steps)
    if not 0 < count <= _MOST_IN_RANGE:
        how_many = f"{max(count, 0):,}" if count < _MANY else f"more than {_MANY:,}"
        raise _Wrong(
            f": the range has {how_many} values",
            f"give one of 1 to {_MOST_IN_RANGE:,} values, or `quniform(LOW,HIGH,STEP)`",
        )
    places = (exact(start) + place * exact(step) for place in range(count))
    if isinstance(start, int) and isinstance(step, int):
        return Categorical(tuple(map(int, places)))
    return Categorical(tuple(map(float, places)))


class _Function(NamedTuple):
    names: tuple[str, ...]
    make: Callable[..., Distribution]


def _whole(value: _Number) -> int:
    if not isinstance(value, int):
        raise _Wrong(f": {value} is not a whole number", "write it without a dot or exponent")
    return value


_RANGE, _GAUSS, _SHAPE = ("LOW", "HIGH"), ("MU", "SIGMA"), ("A", "B")
_FUNCTIONS = {
    "uniform": _Function(_RANGE, lambda a, b: Uniform(float(a), float(b))),
    "loguniform": _Function(_RANGE, lambda a, b: Uniform(float(a), float(b), is_log=True)),
    "int": _Function(_RANGE, lambda a, b: IntUniform(_whole(a), _whole(b))),
    "logint": _Function(_RANGE, lambda a, b: IntUniform(_whole(a), _whole(b), is_log=True)),
    "normal": _Function(_GAUSS, lambda a, b: Normal(float(a), float(b))),
    "lognormal": _Function(_GAUSS, lambda a, b: Normal(float(a), float(b), is_log=True)),
    "beta": _Function(_SHAPE, lambda a, b: Beta(float(a), float(b))),
    "quniform": _Function((*_RANGE, "Q"), lambda a, b, q: Uniform(float(a), float(b), q)),
    "qloguniform": _Function(
        (*_RANGE, "Q"), lambda a, b, q: Uniform(float(a), float(b), q, is_log=True)
    ),
    "qnormal": _Function((*_GAUSS, "Q"), lambda a, b, q: Normal(float(a), float(b), q)),
    "qlognormal": _Function(
        (*_GAUSS, "Q"), lambda a, b, q: Normal(float(a), float(b), q, is_log=True)
    ),
    "qbeta": _Function((*_SHAPE, "Q"), lambda a, b, q: Beta(float(a), float(b), q)),
}
_FUNCTIONS["interval"] = _FUNCTIONS["uniform"]  # as Hydra calls it

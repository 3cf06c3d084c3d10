"""What `log()` was given, as numbers and media; whatever is neither is refused by name."""

import math
import operator
from collections.abc import Iterator, Mapping
from typing import Any

from repro.model.text import escape
from repro.sdk.loggable import find_media

STEP_LIMIT = 1 << 63
_EXACT = 1 << 53  # larger integers would change on their way through a float
_LONGEST_NAME = 512  # bytes
_DEEPEST = 32
_SHOWN = 60


def plain_points(data: object) -> dict[str, float | str]:
    """Give metrics by name, as `split_values` does; whatever is no number is refused.

    Raises:
        TypeError: As `split_values`, or there are media.
        ValueError: As `split_values`.
    """
    points, media = split_values(data)
    for name, found in media.items():
        raise _no_number(name, found[0])
    return points


def split_values(data: object) -> tuple[dict[str, float | str], dict[str, list[object]]]:
    """Give metrics by name, finite numbers or `NaN`, `Infinity`, `-Infinity`; and media by name.

    Nested mappings become names joined with `/`. Scalars of numpy, torch and others are taken
    by their `item()` or `__float__`, which waits for a GPU.

    Raises:
        TypeError: `data` is no mapping, a name no text, or a value neither; it names the key.
        ValueError: A name is empty, too long or given twice, or an integer is beyond a float.
    """
    if not isinstance(data, Mapping):
        raise TypeError(
            f"log() takes names and numbers, such as {{'loss': 0.5}}, not {_kind(data)}"
        )
    points: dict[str, float | str] = {}
    media: dict[str, list[object]] = {}
    for name, value in _flatten(data, "", 0):
        if name in points or name in media:
            raise ValueError(f"metric `{escape(name)}` is given twice in one log()")
        if not isinstance(value, (int, float)) and (found := find_media(value)) is not None:
            media[name] = found
        else:
            points[name] = _number(name, value)
    return points, media


def _flatten(data: Mapping[Any, Any], prefix: str, depth: int) -> Iterator[tuple[str, object]]:
    if depth > _DEEPEST:
        raise ValueError(f"metrics below `{escape(prefix[:_SHOWN])}` are nested too deep")
    for key, value in data.items():
        is_plain = type(key) is str and key.isascii() and 0 < len(key) <= _LONGEST_NAME
        name = prefix + (key if is_plain else _name(key))
        # Numbers first: asking whether something is a Mapping takes longer than all the rest.
        if isinstance(value, (int, float)) or not isinstance(value, Mapping):
            yield name, value
        else:
            yield from _flatten(value, f"{name}/", depth + 1)


def _name(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"the name of a metric must be text, not {_kind(key)} ({_show(key)})")
    try:
        length = len(key.encode())
    except UnicodeEncodeError as error:
        raise ValueError(f"metric `{escape(key[:_SHOWN])}` has a name that is not UTF-8") from error
    if not 0 < length <= _LONGEST_NAME:
        shown = f"`{escape(key[:_SHOWN])}…`" if key else "an empty name"
        raise ValueError(f"the name of a metric has 1 to {_LONGEST_NAME} bytes, not {shown}")
    return str(key)


def _number(name: str, value: object) -> float | str:
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    if not isinstance(value, (int, float)):
        value = _scalar(name, value)
    if isinstance(value, int):
        whole = int(value)  # True is 1
        if abs(whole) <= _EXACT:
            return whole
        try:
            return float(whole)
        except OverflowError as error:
            raise ValueError(
                f"metric `{escape(name)}` is an integer beyond the range of a float"
            ) from error
    number = float(value)
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def _scalar(name: str, value: object) -> int | float:
    """One number out of an object of another library, which may raise anything."""
    reason = ""
    if not isinstance(value, (str, bytes, bytearray)):
        try:
            item = value.item() if hasattr(value, "item") else value
            if isinstance(item, (int, float)):
                return item
            if hasattr(item, "__float__") and not isinstance(item, str):
                return float(item)
        except Exception as error:  # noqa: BLE001  code of the program, not ours
            reason = f": {error}"
    raise _no_number(name, value, reason)


def _no_number(name: str, value: object, reason: str = "") -> TypeError:
    more = "; `repro.Image`, `Histogram` and `Table` keep more" if hasattr(value, "shape") else ""
    return TypeError(
        f"metric `{escape(name)}` must be a number, not {_kind(value)} ({_show(value)})"
        f"{reason}{more}"
    )


def plain_step(step: object) -> int:
    """Give the step as an int.

    Raises:
        TypeError: It is no whole number.
        ValueError: It is beyond 64 bits.
    """
    if isinstance(step, bool):
        raise TypeError("a step must be an integer, not bool")
    try:
        whole = operator.index(step)  # type: ignore[arg-type]  # says itself what it cannot take
    except TypeError:
        number = step.item() if hasattr(step, "item") else step
        if isinstance(number, bool) or not isinstance(number, (int, float)):
            raise TypeError(
                f"a step must be an integer, not {_kind(step)} ({_show(step)})"
            ) from None
        if not math.isfinite(number) or number != math.floor(number):
            raise TypeError(f"a step must be a whole number, not {number!r}") from None
        whole = int(number)
    if not -STEP_LIMIT <= whole < STEP_LIMIT:
        raise ValueError(f"step {whole} is beyond 64 bits")
    return whole


def _kind(value: object) -> str:
    kind = type(value)
    return (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )


def _show(value: object) -> str:
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001  code of the program, not ours
        return "…"
    text = escape(text)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"

"""The filter that finds the runs with a certain value."""

import json
import math

from repro.model.condition import Key, Space
from repro.model.fields import FIELDS
from repro.model.values import ABSENT, Value

_UNREADABLE = frozenset(chr(code) for code in (*range(32), 127))  # a filter has none of them


def write_equation(word: str, key: Key, value: Value) -> str | None:
    """Write the filter that fits the runs whose value under `key` is `value`.

    Args:
        word: The key as a filter names it.

    Returns:
        None where no filter says that: tags are many values, a moment is a span of time.
    """
    if key.space is Space.TAG or (key.space is Space.FIELD and FIELDS[key.name].is_moment):
        return None
    if value is ABSENT or value is None:
        return f"{word} is null"
    if isinstance(value, bool):
        return f"{word} = {str(value).lower()}"
    if isinstance(value, int | float):
        return f"{word} is nan" if math.isnan(value) else f"{word} = {value!r}"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if not _UNREADABLE.isdisjoint(text):
        return None
    return f"{word} = {_quote(text)}"


def narrow(where: str, equations: list[str]) -> str:
    """Give the filter that asks for all of `equations` beside what `where` asks for."""
    parts = [f"({where.strip()})"] if where.strip() else []
    return " and ".join([*parts, *equations])


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"

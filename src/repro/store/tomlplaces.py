"""Where in the text of a TOML document its values stand, and how a value is written there."""

import json
import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from itertools import islice
from typing import NamedTuple

from repro.model.canonical import Json

# Of one value; a larger one is data.
_MOST_LINES = 300
_MOST_CHARS = 64 * 1024
_MOST_COMMENTS = 100
_KEY = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')"""
_DOTTED = rf"{_KEY}(?:[ \t]*\.[ \t]*{_KEY})*"
_PAIR = re.compile(rf"[ \t]*({_DOTTED})[ \t]*=[ \t]*")
_TABLE = re.compile(rf"[ \t]*\[[ \t]*({_DOTTED})[ \t]*\]")
_TABLES = re.compile(r"[ \t]*\[\[")
_LINE_END = re.compile(r"\r?\n|\Z")
_BARE = re.compile(r"[A-Za-z0-9_-]+\Z")


class Place(NamedTuple):
    """A value of a document.

    Attributes:
        path: The keys that lead to it.
        start: Offset of its first character.
        stop: Offset behind its last one.
    """

    path: tuple[str, ...]
    start: int
    stop: int


def find_places(text: str) -> Iterator[Place]:
    """Give the values that stand behind `=`, but for those in arrays of tables.

    Raises:
        ValueError: A value has no end, or more than 300 lines or 64 KiB.
    """
    table: tuple[str, ...] | None = ()
    at = 0
    while at < len(text):
        if _TABLES.match(text, at):
            table = None
        elif match := _TABLE.match(text, at):
            table = _split(match[1])
        elif match := _PAIR.match(text, at):
            stop = _end_of_value(text, match.end())
            if table is not None:
                yield Place((*table, *_split(match[1])), match.end(), stop)
            at = stop
        at = _behind_line(text, at)


def format_toml(value: Json) -> str:
    """Write a value on one line.

    Raises:
        ValueError: TOML has no null.
    """
    if value is None:
        raise ValueError("TOML has no null")
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        pairs = (f"{_format_key(key)} = {format_toml(item)}" for key, item in value.items())
        return "{ " + ", ".join(pairs) + " }" if value else "{}"
    if isinstance(value, list):
        return "[" + ", ".join(map(format_toml, value)) + "]"
    return json.dumps(value)


def has_dates(text: str) -> bool:
    """Whether a value holds a date or time, which a config has as text."""
    return _has_dates(tomllib.loads(f"x = {text}"))


def _has_dates(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(_has_dates, value.values()))
    if isinstance(value, list):
        return any(map(_has_dates, value))
    return isinstance(value, (date, datetime, time))


def _format_key(key: str) -> str:
    return key if _BARE.match(key) else json.dumps(key, ensure_ascii=False)


def _split(dotted: str) -> tuple[str, ...]:
    value: object = tomllib.loads(f"{dotted} = 0")
    path = []
    while isinstance(value, dict):
        [(key, value)] = value.items()
        path.append(key)
    return tuple(path)


def _behind_line(text: str, at: int) -> int:
    match = _LINE_END.search(text, at)
    return match.end() if match else len(text)


def _end_of_value(text: str, start: int) -> int:
    """The offset behind the value: that of the first line end up to which it is one."""
    end = start
    for _ in range(_MOST_LINES):
        match = _LINE_END.search(text, end)
        stop = match.start() if match else len(text)
        if stop - start > _MOST_CHARS:
            break
        if _is_value(text[start:stop]):
            return _without_comment(text, start, stop)
        if match is None or match.end() >= len(text):
            break
        end = match.end()
    raise ValueError("a value has no end")


def _without_comment(text: str, start: int, stop: int) -> int:
    for match in islice(re.finditer("#", text[start:stop]), _MOST_COMMENTS):
        if _is_value(text[start : start + match.start()]):
            stop = start + match.start()
            break
    return start + len(text[start:stop].rstrip())


def _is_value(text: str) -> bool:
    try:
        return len(tomllib.loads(f"x = {text}")) == 1
    except (ValueError, RecursionError):
        return False

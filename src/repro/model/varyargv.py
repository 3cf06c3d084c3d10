"""A command with one param changed, in the style in which it gives that param."""

import json
import math
import re
from collections.abc import Iterator, Sequence
from itertools import chain

from repro.errors import InvalidInputError
from repro.model.canonical import Json
from repro.model.config import Given, config_from_command, find_given, parse_value
from repro.model.dotted import find_path, value_at, with_value
from repro.model.text import escape
from repro.model.values import ABSENT, Value, is_same

_WORDS = {"none", "null", "true", "false"}
_NEGATED = re.compile(r"(?<![A-Za-z0-9_])no[-_](?=[^.]*\Z)")
_SHORT = re.compile(r"-[A-Za-z](?=-?[0-9.])")  # `-b32`


def vary_argv(argv: Sequence[str], key: str, value: Json) -> tuple[str, ...] | None:
    """Give the command with `value` for a param, None where it does not give that param.

    `--lr 0.1`, `--lr=0.1`, `-b32` and Hydra's `lr=0.1`, `+lr=0.1` keep their form. An option
    without a value is left out for false; `--no-x` becomes `--x` for true. Of a Hydra key that
    is given twice the last one counts; a repeated option becomes as many as `value` has.

    Args:
        key: With dots, as the config has it. An entry of a JSON object counts too.

    Raises:
        InvalidInputError: No such command says that value.
    """
    given = find_given(argv)
    places = [place for place in given if place.key == key]
    if places:
        return _vary(argv, places, value)
    if negated := _negation(given, key):
        return _vary_negation(argv, negated, value)
    for place in reversed(given):
        if not key.startswith(f"{place.key}.") or not isinstance(place.value, dict):
            continue
        path = find_path(place.value, key.removeprefix(f"{place.key}."))
        if path is not None:
            whole: Json = with_value(place.value, path, value)
            return _vary(argv, [one for one in given if one.key == place.key], whole)
    return None


def _vary(argv: Sequence[str], places: Sequence[Given], value: Json) -> tuple[str, ...]:
    key, last = places[-1].key, places[-1]
    if is_same(_read(argv, key), value):
        return tuple(argv)
    is_option = argv[last.start].startswith("-")
    replaced = places if is_option else [last]
    for words in _phrasings(argv[last.start : last.stop], last, value, n_places=len(replaced)):
        varied = _replaced(argv, replaced, words)
        found = _read(varied, key)
        # A list of one is written as its one value: `nargs="+"` makes a list of that again.
        if (
            is_same(found, value)
            or (found is ABSENT and value is False)
            or (
                is_option
                and isinstance(value, list)
                and len(value) == 1
                and is_same(found, value[0])
            )
        ):
            return varied
    raise InvalidInputError(
        f"`{escape(key)}` cannot be {escape(json.dumps(value))[:80]} on the command line",
        hint="record a run with the command that you mean: `repro run -- CMD`",
    )


def _replaced(
    argv: Sequence[str], places: Sequence[Given], words: Sequence[str]
) -> tuple[str, ...]:
    """The command with `words` for the last of the places, and without the others."""
    varied = list(argv)
    for place in reversed(places):
        varied[place.start : place.stop] = words if place is places[-1] else ()
    return tuple(varied)


def _phrasings(
    old: Sequence[str], place: Given, value: Json, *, n_places: int
) -> Iterator[tuple[str, ...]]:
    """Ways to say it, the likeliest first."""
    head, equals, text = old[0].partition("=")
    if not old[0].startswith("-"):
        yield (f"{head}={_say(value, text, is_option=False)}",)
        return
    if place.value is True and not equals and len(old) == 1:
        if value is False:
            yield ()
        elif value is True:
            yield (head,)
    short = _SHORT.match(old[0])
    if short:
        text = _say(value, "", is_option=True)
        yield (f"{short[0]}{text}",)
        yield (short[0], text)
        return
    if isinstance(value, list) and value and n_places > 1:
        said = [_say(item, text, is_option=True) for item in value]
        yield (
            tuple(f"{head}={item}" for item in said)
            if equals
            else tuple(chain.from_iterable((head, item) for item in said))
        )
    if equals:
        yield (f"{head}={_say(value, text, is_option=True)}",)
        return
    if isinstance(value, list) and value and old[-1][:1] != "[":
        yield (head, *(_say(item, "", is_option=True) for item in value))
    text = _say(value, old[-1] if len(old) > 1 else "", is_option=True)
    if len(old) > 1:
        yield (head, text)
    yield (f"{head}={text}",)


def _say(value: Json, old: str, *, is_option: bool) -> str:
    """The text that is read as `value`, spelled like the old one."""
    if isinstance(value, str):
        return value if parse_value(value) == value else json.dumps(value, ensure_ascii=False)
    if value is None or isinstance(value, bool):
        text = json.dumps(value) if value is not None else "none" if old == "none" else "null"
        is_python = old[:1].isupper() if old.lower() in _WORDS else is_option
        return ("None" if value is None else text.title()) if is_python else text
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _negation(given: Sequence[Given], key: str) -> Given | None:
    """The `--no-x` that makes the param `x` false."""
    folder, dot, name = key.rpartition(".")
    negated = f"{folder}{dot}no_{name}"
    found = [one for one in given if one.key in (negated, f"no_{key}") and one.value is True]
    return found[-1] if found else None


def _vary_negation(argv: Sequence[str], place: Given, value: Json) -> tuple[str, ...]:
    if value is False:
        return tuple(argv)
    word = argv[place.start]
    positive = _NEGATED.sub("", word)
    words = (positive,) if value is True else (f"{positive}={_say(value, '', is_option=True)}",)
    return _replaced(argv, [place], words)


def _read(argv: Sequence[str], key: str) -> Value:
    config = config_from_command(argv)
    path = find_path(config, key)
    return ABSENT if path is None else value_at(config, path)

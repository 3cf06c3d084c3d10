"""The names that somebody may have meant by one that is not there."""

import difflib
from bisect import bisect_left
from collections.abc import Iterable

from repro.model.text import escape

_LONGEST = 80  # characters; nobody mistypes a few letters of a longer name
_MOST = 1000  # names to compare letter by letter, which takes about 20 µs for each
_NAMED = 3
_FARTHEST = 3  # characters that the length may differ
_SEPARATORS = "./:-_"


def nearest_names(text: str, known: Iterable[str]) -> list[str]:
    """Give at most three of `known`, the likeliest first.

    The same in another case; then what has `text` as its last or first part, as `optim.lr` has
    `lr`, the shortest first; then what differs in few letters.

    Cost: some tenths of a second for 100,000 names.
    """
    if not text or len(text) > _LONGEST:
        return []
    folded = text.casefold()
    last = tuple(separator + folded for separator in _SEPARATORS)
    first = tuple(folded + separator for separator in _SEPARATORS)
    parts: list[str] = []
    alike: list[str] = []
    for name in dict.fromkeys(known):
        lowered = name.casefold()
        if lowered == folded or lowered.endswith(last) or lowered.startswith(first):
            parts.append(name)
        elif abs(len(name) - len(text)) <= _FARTHEST and _shares_an_end(lowered, folded):
            alike.append(name)
    if len(alike) > _MOST:
        alike = _around(text, alike) + _turned(_around(text[::-1], _turned(alike)))
    close = difflib.get_close_matches(text, dict.fromkeys(alike), n=_NAMED)
    return [*sorted(parts, key=len)[:_NAMED], *close][:_NAMED]


def say_meant(text: str, known: Iterable[str]) -> str:
    """The end of a message that says `text` is not there: `; did you mean …?`, or nothing."""
    near = nearest_names(text, known)
    meant = " or ".join(f"`{escape(name)}`" for name in near)
    return f"; did you mean {meant}?" if near else ""


def _shares_an_end(a: str, b: str) -> bool:
    return a[:1] == b[:1] or a[-1:] == b[-1:]


def _around(text: str, names: list[str]) -> list[str]:
    """Those that share the longest beginnings with `text`."""
    names = sorted(names)
    place = bisect_left(names, text)
    return names[max(0, place - _MOST // 4) : place + _MOST // 4]


def _turned(names: list[str]) -> list[str]:
    return [name[::-1] for name in names]

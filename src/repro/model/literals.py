"""Numbers as a filter writes them: plain, as a duration, as a size."""

import re
from functools import cache

# Digits in groups, so that there is one way to read them: linear time on any text.
_DIGITS = r"[0-9]+(?:_[0-9]+)*"
_NUMBER = rf"[+-]?(?:{_DIGITS}(?:\.(?:{_DIGITS})?)?|\.{_DIGITS})(?:[eE][+-]?{_DIGITS})?"
_INTEGER = rf"[+-]?{_DIGITS}"
_AMOUNT = r"([0-9]+(?:\.[0-9]+)?)"
_UNITS = {"w": 604_800.0, "d": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_DURATION = r"([+-]?)" + "".join(
    rf"(?:{_AMOUNT}{unit}{'(?!s)' if unit == 'm' else ''})?" for unit in _UNITS
)
_SIZE = rf"([+-]?){_AMOUNT}([kKMGTP]?)(i?)B"
_INFINITIES = {sign + word for sign in ("", "+", "-") for word in ("inf", "infinity")}


def parse_number(word: str) -> int | float | None:
    """Read a number as Python writes it, `1_000`, `.5`, `1e-4`, `-inf`; None where it is none.

    A number beyond what a float holds is infinity.
    """
    if _pattern(_INTEGER).fullmatch(word):
        try:
            return int(word)
        except ValueError:  # more than 4300 digits
            return float(word)
    if _pattern(_NUMBER).fullmatch(word):
        return float(word)
    return float(word) if word.lower() in _INFINITIES else None


def parse_duration(word: str) -> float | None:
    """Read `90s`, `1h30m`, `500ms`, `2d`, `1w` as seconds; None where it is none.

    Units come in their order, the largest first: `w`, `d`, `h`, `m`, `s`, `ms`.
    """
    match = _pattern(_DURATION).fullmatch(word)
    if match is None or not any(match.groups()[1:]):
        return None
    amounts = zip(match.groups()[1:], _UNITS.values(), strict=True)
    seconds = sum(float(amount) * size for amount, size in amounts if amount)
    return -seconds if match[1] == "-" else seconds


def parse_size(word: str) -> float | None:
    """Read `512B`, `10MB`, `1.5GiB` as bytes; None where it is none.

    `k`, `M`, `G`, `T`, `P` are powers of 1000; with an `i` behind them, of 1024.
    """
    match = _pattern(_SIZE).fullmatch(word)
    if match is None or (match[4] and not match[3]):
        return None
    unit = (1024.0 if match[4] else 1000.0) ** " KMGTP".index(match[3].upper() or " ")
    amount = float(match[2]) * unit
    return -amount if match[1] == "-" else amount


@cache
def _pattern(source: str) -> re.Pattern[str]:
    return re.compile(source)

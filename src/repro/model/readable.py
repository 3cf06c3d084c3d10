"""Values as text: for a person, with what matters of numbers, times and sizes, or exactly."""

import json
import math

from repro.model.text import escape
from repro.model.times import parse_time
from repro.model.values import ABSENT, Value

_LONGEST = 40  # characters of one value
_LONG_INTEGER = 10_000  # from which on thousands are grouped: no year, and few widths of layers
_DIGITS = 5  # of a number that was measured
_FEWEST_DIGITS = 3  # that a small number in a column of larger ones must keep
_SIZES = ("bytes", "KiB", "MiB", "GiB", "TiB")
_AGES = ((86400 * 365, "year"), (86400 * 30, "month"), (86400 * 7, "week"), (86400, "day"))
_SHORT_AGES = ((3600, "hour"), (60, "minute"))


def format_value(value: Value) -> str:
    """A value for a person: numbers with what matters of them, nothing that a terminal obeys."""
    if value is ABSENT:
        return "-"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return format_number(value)
    if isinstance(value, list):
        return shorten("[" + ", ".join(map(format_value, value)) + "]")
    if isinstance(value, dict):
        inner = (f"{escape(key)}: {format_value(item)}" for key, item in value.items())
        return shorten("{" + ", ".join(inner) + "}")
    return shorten(escape(str(value)))


def shorten(text: str, longest: int = _LONGEST) -> str:
    """`text`, cut in the middle where it is long: paths and names differ at their ends."""
    if len(text) <= longest:
        return text
    kept = max(longest - 1, 0)
    return f"{text[: kept - kept // 2]}…{text[len(text) - kept // 2 :]}"


def format_number(value: float) -> str:
    """A number in five digits, without a tail of zeros: `0.12346`, `1e-05`, `12346`."""
    if value % 1 == 0:  # which neither NaN nor an infinity is
        return str(int(value)) if abs(value) < 1e15 else f"{value:.5g}"
    if 1e5 <= abs(value) < 1e15:
        return f"{value:.0f}"
    return f"{value:.5g}"


def format_integer(value: int) -> str:
    """An integer, its thousands grouped where it is long: `4096`, `65,536`."""
    if abs(value) >= 10**15:
        return format_number(float(value)) if abs(value) < 10**300 else shorten(str(value))
    return f"{value:,}" if abs(value) >= _LONG_INTEGER else str(value)


def format_measured(values: list[float]) -> list[str]:
    """Numbers of one column, all with the same decimals where each keeps enough digits so.

    The largest has five digits, less what is zero at the end of all of them: `0.2729`, `0.0990`.
    Where that leaves too little of a small one, as of `1e-07` beside `3`, each stands for itself.
    """
    finite = [abs(value) for value in values if math.isfinite(value)]
    largest, smallest = max(finite, default=0.0), min(filter(None, finite), default=0.0)
    if not 1e-4 <= largest < 10**_DIGITS:
        return [format_number(value) for value in values]
    decimals = max(_DIGITS - 1 - math.floor(math.log10(largest)), 0)
    if smallest < 10.0 ** (_FEWEST_DIGITS - 1 - decimals) and not _is_exact(smallest, decimals):
        return [format_number(value) for value in values]
    while decimals and all(_is_exact(value, decimals - 1, decimals) for value in finite):
        decimals -= 1
    return [
        f"{value + 0.0:.{decimals}f}" if math.isfinite(value) else format_number(value)
        for value in values
    ]


def format_mean(mean: float, std: float | None) -> str:
    """A mean with its standard deviation, as many digits as that tells: `0.213 ± 0.014`."""
    if std is None or not math.isfinite(std):
        return format_number(mean)
    exponent = math.floor(math.log10(std)) if std else 0
    if not std or not -10 <= exponent < _DIGITS or not abs(mean) < 1e10:
        return f"{format_number(mean)} ± {format_number(float(f'{std:.2g}'))}"
    decimals = max(1 - exponent, 0)
    return f"{mean:.{decimals}f} ± {std:.{decimals}f}"


def _is_exact(value: float, decimals: int, among: int = 17) -> bool:
    """Whether `value`, rounded to `among` decimals, has no more than `decimals` of them."""
    rounded = round(value, among)
    return round(rounded, decimals) == rounded


def format_size(size: float) -> str:
    """Bytes in the unit that leaves at most four digits, such as `1.5 MiB`."""
    value, unit = float(size), 0
    while value >= 1024 and unit < len(_SIZES) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.1f} {_SIZES[unit]}" if unit else f"{int(size)} {_SIZES[0]}"


def format_duration(seconds: float | None) -> str:
    """Seconds as `0.4s`, `12s`, `3m 05s`, `2h 07m`, `3d 04h`."""
    if seconds is None:
        return "-"
    if not math.isfinite(seconds):
        return format_number(seconds)
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    if whole < 86400:
        return f"{whole // 3600}h {whole % 3600 // 60:02d}m"
    return f"{whole // 86400}d {whole % 86400 // 3600:02d}h"


def format_age(moment: str, now: float) -> str:
    """How long ago a time, as `format_time` writes it, was: `just now`, `3 minutes ago`."""
    seconds = now - parse_time(moment)
    for size, unit in (*_AGES, *_SHORT_AGES):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"


def plain_text(value: Value) -> str:
    """A value for programs, exactly: numbers that read back, `true`, JSON; nothing where absent."""
    if value is ABSENT:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value, ensure_ascii=False)


def count_of(number: int, noun: str) -> str:
    """A number with its noun: `1 file`, `2,000 files`, `2 entries`."""
    many = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else many}"


def count_runs(number: int) -> str:
    """So many runs, in words."""
    return count_of(number, "run")


def count_sweeps(number: int) -> str:
    """So many sweeps, in words."""
    return count_of(number, "sweep")

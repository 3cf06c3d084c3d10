"""The rows of runs side by side as texts, for eyes only."""

from collections import Counter
from collections.abc import Sequence

from repro.model.cells import format_cells, format_change
from repro.model.condition import Key, Space
from repro.model.readable import format_value
from repro.model.sidebyside import Row
from repro.model.text import escape
from repro.model.values import ABSENT, Value

_DIGITS = 12  # of a digest


def row_titles(rows: Sequence[Row]) -> list[str]:
    """The name of each row, with its part where another has the same: a param may be a metric."""
    keys = Counter(row.key for row in rows)
    return [
        escape(f"{row.part}.{row.key}" if row.key and keys[row.key] > 1 else row.key or row.part)
        for row in rows
    ]


def is_numeric(row: Row) -> bool:
    """Whether all values of a row are numbers, which line up at the right."""
    there = [value for value in row.values if value is not ABSENT]
    return all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in there)


def row_texts(row: Row) -> list[str]:
    """The value of each run: numbers of a metric line up, digests are short."""
    if row.part == "code":
        return [_code(*pair) for pair in zip(row.values, row.n_files, strict=True)]
    if row.part == "data":
        return [_short_digest(value) for value in row.values]
    if row.part == "metrics":
        return format_cells(row.values, Key(Space.METRIC, row.key), 0.0).texts
    return [format_value(value) for value in row.values]


def _code(letter: Value, n_files: int | None) -> str:
    if letter is ABSENT:
        return "-"
    changed = f" ({n_files} file{'s' if n_files > 1 else ''})" if n_files else ""
    return f"{letter}{changed}"


def _short_digest(value: Value) -> str:
    if isinstance(value, str):
        return escape(value.rpartition(":")[2][:_DIGITS])
    return format_value(value)


def describe_difference(metric: str, change: float, start: Value) -> str:
    """Such as ` (-0.041, -16%)`; no share of a start that is 0 or much smaller."""
    text = format_change(metric, change)
    share = 100 * change / abs(start) if isinstance(start, (int, float)) and start else None
    if share is None or abs(share) >= 1e5:
        return f" ({text})"
    if abs(share) < 0.05:  # one digit, which is no zero
        return f" ({text}, {float(f'{share:.1g}'):+g}%)"
    return f" ({text}, {share:+.0f}%)" if abs(share) >= 9.95 else f" ({text}, {share:+.1f}%)"

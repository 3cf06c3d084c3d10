"""The first rows of a table of text, for a preview: comma-separated, or tab-separated."""

import csv
import io
from dataclasses import dataclass

MOST_ROWS = 100
MOST_COLUMNS = 60
_LONGEST = 300  # characters of a cell


@dataclass(frozen=True, slots=True)
class Sheet:
    """A preview of a table.

    Attributes:
        titles: The first row.
        rows: As many cells each as there are titles.
        n_columns: How many columns there are, shown or not.
    """

    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    n_columns: int


def read_sheet(text: str, separator: str) -> Sheet | None:
    """Give the first rows of a table; None where it has no two columns, or is no table.

    Args:
        text: The beginning of it; its last row may be cut off.
    """
    lines = io.StringIO(text, newline="")
    rows: list[list[str]] = []
    try:
        for row in csv.reader(lines, delimiter=separator):
            rows.append(row)
            if len(rows) > MOST_ROWS:
                break
    except csv.Error:
        return None
    if not rows or len(rows[0]) < 2:
        return None
    width = min(len(rows[0]), MOST_COLUMNS)
    shown = [tuple(_cut(cell) for cell in [*row, *[""] * width][:width]) for row in rows]
    return Sheet(shown[0], tuple(shown[1:]), len(rows[0]))


def _cut(cell: str) -> str:
    return cell if len(cell) <= _LONGEST else f"{cell[: _LONGEST - 1]}…"

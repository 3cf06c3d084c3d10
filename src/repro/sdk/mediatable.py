"""Tables that training code logs, with the names they have in W&B."""

from collections.abc import Iterable, Iterator, Sequence
from math import isfinite
from typing import Any

from repro.model.canonical import Json, carriable_text, name_number
from repro.model.medium import LARGEST_TABLE, MOST_COLUMNS, MOST_ROWS, Cell, CellImage, MediaFile
from repro.sdk.loggable import Keep, Media
from repro.sdk.notices import warn
from repro.sdk.pictured import Pictured, blank, find_medium
from repro.store.media import encode_item, format_rows

_DEFAULT = ("Input", "Output", "Expected")
_LARGEST_INT = 1 << 63


class Table(Media):
    """Rows of cells, each a number, text, boolean, None, or an `Image`; anything else is text.

    `log()` keeps it as it is then; one that grows can be logged again. Of more than 100,000
    rows or 16 MiB the first ones are kept, with a warning.

    Args:
        columns: Their names; those of W&B by default.
        data: A list of rows, an array of two dimensions, or a data frame of pandas or Polars.
        rows: The same.
        dataframe: A data frame of pandas or Polars, with its own columns.
        ignored: Other words of W&B, without a meaning here.

    Raises:
        TypeError: `data` has no rows.
        ValueError: There are more than 1,000 columns, or a row has more or fewer cells.

    Attributes:
        caption: A text below it; None is none.
        columns: Names of the columns.
        data: The rows; a list of lists.
    """

    def __init__(
        self,
        columns: Sequence[object] | None = None,
        data: Any = None,
        rows: Any = None,
        dataframe: Any = None,
        **ignored: object,  # noqa: ARG002  words of W&B
    ) -> None:
        given = data if data is not None else rows
        frame = dataframe if dataframe is not None else given if _is_frame(given) else None
        names = columns
        if frame is not None and (columns is None or dataframe is not None):
            names = frame.columns
        self.columns = [str(name) for name in (_DEFAULT if names is None else names)]
        if len(self.columns) > MOST_COLUMNS:
            raise ValueError(f"a table has at most {MOST_COLUMNS:,} columns")
        self.caption: str | None = None
        self.data: list[list[Any]] = []
        for row in _rows(given if frame is None else frame):
            self.add_data(*row)

    def add_data(self, *cells: object) -> None:
        """Add a row, with a cell for each column."""
        if len(cells) != len(self.columns):
            names = ", ".join(self.columns)
            raise ValueError(
                f"a row has {len(self.columns)} cells ({names}), and this one {len(cells)}"
            )
        self.data.append(list(cells))

    def add_row(self, *row: object) -> None:
        """Add a row; see `add_data`."""
        self.add_data(*row)

    def add_column(self, name: str, data: Iterable[object]) -> None:
        """Add a column, with a cell for each row."""
        cells = list(data)
        if not self.data and not self.columns:
            self.data = [[] for _ in cells]
        if len(cells) != len(self.data):
            raise ValueError(f"the table has {len(self.data)} rows, and `{name}` {len(cells)}")
        if len(self.columns) == MOST_COLUMNS:
            raise ValueError(f"a table has at most {MOST_COLUMNS:,} columns")
        self.columns.append(str(name))
        for row, cell in zip(self.data, cells, strict=True):
            row.append(cell)

    def get_column(self, name: str) -> list[Any]:
        """The cells of a column."""
        place = self.columns.index(name)
        return [row[place] for row in self.data]

    def get_dataframe(self) -> Any:
        """The rows as a data frame of pandas.

        Raises:
            ImportError: There is no pandas; the text says what to install.
        """
        from repro.sdk.pandas_frames import frame_rows  # noqa: PLC0415  # few ask for it

        return frame_rows(self.columns, self.data)

    def iterrows(self) -> Iterator[tuple[int, list[Any]]]:
        """Each row behind its number."""
        yield from enumerate(self.data)

    def describe(self, keep: Keep) -> dict[str, Json]:
        """The entry in the journal, once `keep` has the rows and the pictures in them."""
        pictures: list[MediaFile] = []
        rows = [[_cell(cell, pictures, keep) for cell in row] for row in self.data[:MOST_ROWS]]
        data = format_rows(self.columns, rows)
        while len(data) > LARGEST_TABLE and rows:
            rows = rows[: len(rows) * LARGEST_TABLE // (len(data) + LARGEST_TABLE // 16)]
            data = format_rows(self.columns, rows)
        if len(data) > LARGEST_TABLE:
            raise ValueError("the names of the columns of a table are too long")
        left_out = len(self.data) - len(rows)
        if left_out:
            warn(f"{left_out:,} of {len(self.data):,} rows of a table are not kept: too many")
        shown = [cell.number for row in rows for cell in row if isinstance(cell, CellImage)]
        table = blank(
            "table",
            caption=self.caption,
            file=keep(data, "json", None),
            rows=len(rows),
            left_out=left_out,
            columns=len(self.columns),
            pictures=tuple(pictures[: len(shown)]),
        )
        return encode_item(table)

    def __len__(self) -> int:
        return len(self.data)

    def __repr__(self) -> str:
        return f"<Table of {len(self.data)} rows: {', '.join(self.columns)}>"


def _is_frame(value: object) -> bool:
    return hasattr(value, "columns") and (hasattr(value, "itertuples") or hasattr(value, "rows"))


def _rows(given: Any) -> Iterable[Sequence[object]]:
    if given is None:
        return ()
    if _is_frame(given):
        if hasattr(given, "itertuples"):  # pandas
            return list(given.itertuples(index=False, name=None))
        return list(given.rows())  # Polars
    if hasattr(given, "tolist"):
        given = given.tolist()
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        raise TypeError(f"a table is made of rows, not of {type(given).__qualname__}")
    rows = list(given)
    for row in rows:
        if isinstance(row, (str, bytes)) or not isinstance(row, Iterable):
            raise TypeError(f"a row is a list of cells, not {type(row).__qualname__}")
    return [list(row) for row in rows]


def _cell(value: Any, pictures: list[MediaFile], keep: Keep) -> Cell:
    if value is None or isinstance(value, (bool, str)):
        return carriable_text(value) if isinstance(value, str) else value
    if not isinstance(value, (int, float)) and hasattr(value, "item"):
        value = _item(value)
    if isinstance(value, int):
        return int(value) if abs(value) < _LARGEST_INT else str(value)
    if isinstance(value, float):
        return float(value) if isfinite(value) else name_number(value)
    found = find_medium(value)
    if isinstance(found, Pictured):
        pictures.append(found.keep(keep))
        return CellImage(len(pictures) - 1)
    if isinstance(value, Media):
        warn(f"a cell of a table keeps no {type(value).__name__}, only its name: log it by itself")
    return carriable_text(str(value))


def _item(value: Any) -> Any:
    try:
        return value.item()
    except Exception:  # noqa: BLE001  code of the program, not ours: an array of several
        return value

"""One metric of a table of series, read without the others, as numbers side by side."""

import math
from array import array
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, repeat
from operator import le, lt

from repro.model.series import LONG, Point, parse_series, parse_table

_HEAD = [b"step", b"time"]
_PIECE = 1 << 18  # bytes of a table that are taken apart at a time


@dataclass(frozen=True, slots=True)
class Column:
    """All points of a metric, by increasing step; 24 bytes each.

    Attributes:
        steps: As `array("q")`.
        values: As `array("d")`, as `times` in seconds since 1970.
    """

    steps: Sequence[int]
    values: Sequence[float]
    times: Sequence[float]

    def __len__(self) -> int:
        return len(self.steps)


EMPTY = Column(array("q"), array("d"), array("d"))


def make_column(points: Sequence[Point]) -> Column:
    """The same points, side by side."""
    return Column(
        array("q", [point[0] for point in points]),
        array("d", [point[1] for point in points]),
        array("d", [point[2] for point in points]),
    )


def extend_column(column: Column | None, points: Sequence[Point]) -> Column:
    """Give a column with points behind those of another one.

    Args:
        points: By increasing step; the first may be the last step again.
    """
    new = make_column(points)
    if column is None or not points:
        return column or new
    ends = len(column) - (len(column) > 0 and column.steps[-1] == points[0].step)
    steps, values, times = array("q", new.steps), array("d", new.values), array("d", new.times)
    return Column(
        array("q", column.steps[:ends]) + steps,
        array("d", column.values[:ends]) + values,
        array("d", column.times[:ends]) + times,
    )


def parse_columns(data: bytes, names: Collection[str], *, path: str) -> dict[str, Column]:
    """Read some metrics of one table `metrics/<n>.csv`; those that it has.

    Raises:
        DamagedRecordError: It is no such table.

    Cost: about 0.6 µs a row and metric, and 0.1 µs for each cell of a row.
    """
    found = _parse_plain(data, names)
    if found is not None:
        return found
    # A quoted name, an empty cell, or something wrong, of which this says what.
    points = parse_table(data, path=path)
    return {name: make_column(points[name]) for name in names if name in points}


def _parse_plain(data: bytes, names: Collection[str]) -> dict[str, Column] | None:
    """The columns of a table without quotes and empty cells, None of any other."""
    head, _, rest = data[:_PIECE].partition(b"\n")
    header = head.split(b",")
    if not rest or b'"' in head or header[:2] != _HEAD or len(set(header)) < len(header):
        return None
    wanted = {name: header.index(name.encode()) for name in names if name.encode() in header[2:]}
    if not wanted:
        return {}
    steps, times = array("q"), array("d")
    values = {name: array("d") for name in wanted}
    try:
        for piece in _pieces(data, len(head) + 1):
            if set(map(bytes.count, piece.split(b"\n"), repeat(b","))) != {len(header) - 1}:
                return None
            cells = piece.replace(b"\n", b",").split(b",")
            steps.extend(map(int, cells[:: len(header)]))
            times.extend(map(float, cells[1 :: len(header)]))
            for name, place in wanted.items():
                values[name].extend(map(float, cells[place :: len(header)]))
    except (ValueError, OverflowError):
        return None
    if not all(map(lt, steps, islice(steps, 1, None))):
        return None
    return {name: Column(steps, values[name], times) for name in wanted}


def _pieces(data: bytes, begin: int) -> Iterator[bytes]:
    """Whole lines, some at a time: their cells take ten times what they take in the table."""
    while begin < len(data):
        end = data.rfind(b"\n", begin, begin + _PIECE)
        if end < 0:
            end = data.find(b"\n", begin)
        if end < 0:
            end = len(data)
        yield data[begin:end]
        begin = end + 1


def parse_long_columns(data: bytes, names: Collection[str]) -> dict[str, Column]:
    """Read some metrics of `metrics/long.csv`; those that it has.

    Raises:
        DamagedRecordError: It is no such table.
    """
    points = parse_series({LONG: data})
    return {name: make_column(points[name]) for name in names if name in points}


def is_rising(numbers: Sequence[float]) -> bool:
    """Whether none is below the one before it, nor NaN."""
    is_number = not len(numbers) or not math.isnan(numbers[0])
    return is_number and all(map(le, numbers, islice(numbers, 1, None)))

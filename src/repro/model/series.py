"""The points of a run's metrics: merged from journals, as tables, in a few numbers."""

import csv
import io
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, pairwise, starmap
from operator import itemgetter, lt
from typing import NamedTuple, TypeVar

from repro.errors import DamagedRecordError
from repro.model.run import MetricSummary

MAX_TABLES = 64
LONG = "metrics/long.csv"

_TABLE = re.compile(r"metrics/(0|[1-9]\d{0,3})\.csv\Z")
_QUOTED = re.compile(r'[,"\r\n]|\A\Z')
_N = TypeVar("_N", int, float)
_LONG_HEADER = ["step", "time", "metric", "value"]


class Point(NamedTuple):
    """One value of a metric; a tuple, as a run can have millions of them.

    Attributes:
        time: Seconds since 1970.
    """

    step: int
    value: float
    time: float


class Row(NamedTuple):
    """The points of one `log()` call; a tuple, as a run can have millions of them.

    Attributes:
        time: Seconds since 1970.
        order: Rank, number of the writer, place in its journal: decides between equal times.
    """

    step: int
    time: float
    values: Mapping[str, float]
    order: tuple[int, int, int]


_LARGEST_STEP = 1 << 63

_Part = tuple[list[int], list[Point]]  # the places of the rows, and the points


def merge_rows(rows: Iterable[Row]) -> dict[str, list[Point]]:
    """Sort points by metric and step.

    Of several points for one step the latest counts: by time, then by order. Metrics of rank
    r > 0 are named `rank<r>/<name>`.

    Returns:
        Each metric's points, their steps strictly increasing; metrics sorted by name.

    Cost: O(n log n) for n points.
    """
    ordered = sorted(rows, key=lambda row: (row.time, row.order))
    # Rows of the same metrics are turned into columns at once: half the time of point by point.
    blocks: dict[tuple[int, tuple[str, ...]], list[int]] = {}
    for place, row in enumerate(ordered):
        blocks.setdefault((row.order[0], tuple(row.values)), []).append(place)
    parts: dict[str, list[_Part]] = {}
    for (rank, names), places in blocks.items():
        prefix = f"rank{rank}/" if rank > 0 else ""
        block = [ordered[place] for place in places]
        steps = [row.step for row in block]
        times = [row.time for row in block]
        columns = zip(*[row.values.values() for row in block], strict=True)
        for name, column in zip(names, columns, strict=True):
            points = list(map(Point, steps, column, times))
            parts.setdefault(prefix + name, []).append((places, points))
    return {name: _latest(parts[name]) for name in sorted(parts)}


def _latest(parts: Sequence[_Part]) -> list[Point]:
    """Points by step, of those with the same step the one whose row has the last place."""
    points = parts[0][1]
    if len(parts) > 1:
        placed = chain.from_iterable(zip(*part, strict=True) for part in parts)
        points = [point for _, point in sorted(placed, key=itemgetter(0))]
    if all(starmap(lt, pairwise([point[0] for point in points]))):
        return points
    latest = {point.step: point for point in points}
    return [latest[step] for step in sorted(latest)]


def summarise(series: Mapping[str, Sequence[Point]]) -> dict[str, MetricSummary]:
    """Give last, first, min, max, mean and count of each metric that has points.

    Args:
        series: Each metric's points by increasing step, as `merge_rows` gives them.
    """
    return {name: _summarise(points) for name, points in series.items() if points}


def _summarise(points: Sequence[Point]) -> MetricSummary:
    values = [point[1] for point in points]
    numbers = points
    if any(map(math.isnan, values)):
        numbers = [point for point in points if not math.isnan(point.value)]
        values = [point.value for point in numbers]
    low = numbers[values.index(min(values))] if values else None
    high = numbers[values.index(max(values))] if values else None
    return MetricSummary(
        last=points[-1].value,
        last_step=points[-1].step,
        first=points[0].value,
        min=low.value if low else None,
        min_step=low.step if low else None,
        max=high.value if high else None,
        max_step=high.step if high else None,
        mean=_mean(values),
        count=len(points),
        goal=None,
    )


def _mean(values: Sequence[float]) -> float | None:
    if not values:
        return None
    try:
        return math.fsum(values) / len(values)
    except (OverflowError, ValueError):  # the sum is beyond a float, or has both infinities
        return sum(value / len(values) for value in values)


def format_series(series: Mapping[str, Sequence[Point]]) -> dict[str, bytes]:
    """Write points as CSV tables (FORMAT.md section "Series").

    Metrics with the same steps and times share a table `metrics/<n>.csv`: step, time, one
    column a metric. There are at most 64, for the longest; all else goes to `metrics/long.csv`,
    a line a point. Numbers are the shortest decimals that read back exactly; nan, inf, -inf.
    Metrics without points leave nothing.

    Returns:
        Content by path in the record.

    Cost: about 1 µs a point.
    """
    groups: dict[tuple[tuple[int, ...], tuple[float, ...]], list[str]] = {}
    for name in sorted(series):
        points = series[name]
        if not points:
            continue
        key = (tuple([point[0] for point in points]), tuple([point[2] for point in points]))
        groups.setdefault(key, []).append(name)
    ordered = sorted(groups.items(), key=lambda group: -len(group[0][0]) * len(group[1]))
    files = {}
    for number, ((steps, times), names) in enumerate(ordered[:MAX_TABLES]):
        columns = [map(repr, [point[1] for point in series[name]]) for name in names]
        lines = [",".join(["step", "time", *map(_quote, names)])]
        lines += map(",".join, zip(map(str, steps), map(repr, times), *columns, strict=True))
        files[f"metrics/{number}.csv"] = _encode(lines)
    rest = [name for _, names in ordered[MAX_TABLES:] for name in names]
    if rest:
        lines = [",".join(_LONG_HEADER)]
        for name in sorted(rest):
            quoted = _quote(name)
            lines += [f"{step},{time!r},{quoted},{value!r}" for step, value, time in series[name]]
        files[LONG] = _encode(lines)
    return files


def format_system(series: Mapping[str, Sequence[Point]]) -> bytes:
    """Write samples of the machine as one table, `metrics/system.csv`: step, time, a column each.

    Args:
        series: Samples by name; those of one step belong to one moment. A cell is empty where a
            sample lacks the name.
    """
    names = sorted(series)
    cells: dict[int, list[str]] = {}
    times: dict[int, float] = {}
    for column, name in enumerate(names):
        for step, value, time in series[name]:
            cells.setdefault(step, [""] * len(names))[column] = repr(value)
            times[step] = time
    lines = [",".join(["step", "time", *map(_quote, names)])]
    lines += [",".join([str(step), repr(times[step]), *cells[step]]) for step in sorted(cells)]
    return _encode(lines)


def parse_series(files: Mapping[str, bytes]) -> dict[str, list[Point]]:
    """Read what `format_series` wrote; files with other names are left alone.

    Raises:
        DamagedRecordError: A table is not one; the message names file and line.
    """
    series: dict[str, list[Point]] = {}
    tables = [(path, match) for path in files if (match := _TABLE.match(path))]
    for path, _ in sorted(tables, key=lambda table: int(table[1][1])):
        for name, points in parse_table(files[path], path=path).items():
            if name in series:
                raise DamagedRecordError(f"`{path}` holds metric `{name}` a second time")
            series[name] = points
    if LONG in files:
        for name, points in _parse_long(files[LONG]).items():
            if name in series:
                raise DamagedRecordError(f"`{LONG}` holds metric `{name}` a second time")
            series[name] = points
    return series


def parse_table(data: bytes, *, path: str) -> dict[str, list[Point]]:
    """Read one table; an empty cell is no point, so `metrics/system.csv` is one, too.

    Raises:
        DamagedRecordError: It is no such table.
    """
    header, rows = _read_cells(data, path)
    names = header[2:]
    if header[:2] != ["step", "time"] or len(set(names)) != len(names):
        raise DamagedRecordError(f"`{path}` does not start with step, time and metrics")
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise DamagedRecordError(f"`{path}` line {number}: {len(row)} cells, not {len(header)}")
    if not rows:
        return {name: [] for name in names}
    step_cells, time_cells, *columns = zip(*rows, strict=True)
    steps = _parse_column(int, step_cells, path)
    _check_steps(steps, path)
    times = _parse_column(float, time_cells, path)
    series = {}
    for name, cells in zip(names, columns, strict=True):
        if "" in cells:
            series[name] = [
                Point(step, _parse_column(float, [cell], path)[0], time)
                for step, cell, time in zip(steps, cells, times, strict=True)
                if cell
            ]
        else:
            series[name] = list(map(Point, steps, _parse_column(float, cells, path), times))
    return series


def _parse_column(number: Callable[[str], _N], cells: Sequence[str], path: str) -> list[_N]:
    try:
        return list(map(number, cells))
    except ValueError as error:
        raise DamagedRecordError(f"`{path}` holds no number: {error}") from error


def _parse_long(data: bytes) -> dict[str, list[Point]]:
    header, rows = _read_cells(data, LONG)
    if header != _LONG_HEADER:
        raise DamagedRecordError(f"`{LONG}` does not start with `{','.join(_LONG_HEADER)}`")
    series: dict[str, list[Point]] = {}
    number = 1
    try:
        for row in rows:
            number += 1
            step, time, name, value = row
            series.setdefault(name, []).append(Point(int(step), float(value), float(time)))
    except ValueError as error:
        raise DamagedRecordError(f"`{LONG}` line {number}: {error}") from error
    for points in series.values():
        _check_steps([point.step for point in points], LONG)
    return series


def _check_steps(steps: Sequence[int], path: str) -> None:
    if not all(starmap(lt, pairwise(steps))):
        raise DamagedRecordError(f"`{path}` holds steps that do not increase")
    if steps and not -_LARGEST_STEP <= steps[0] <= steps[-1] < _LARGEST_STEP:
        raise DamagedRecordError(f"`{path}` holds a step of more than 64 bits")


def _read_cells(data: bytes, path: str) -> tuple[list[str], list[list[str]]]:
    try:
        rows = list(csv.reader(io.StringIO(data.decode(), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DamagedRecordError(f"`{path}` is no table: {error}") from error
    return (rows[0] if rows else []), rows[1:]


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if _QUOTED.search(name) else name


def _encode(lines: Sequence[str]) -> bytes:
    return ("\n".join(lines) + "\n").encode()

"""Metrics as training scripts write them to files: JSON of numbers, CSV or TSV with a header."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Of several such columns the first of these is the step; the others are metrics.
STEP_NAMES = ("step", "global_step", "iteration", "epoch")
_STEP_LIMIT = 1 << 63
_TABLES = {".csv": ",", ".tsv": "\t"}


@dataclass(frozen=True, slots=True)
class MetricRow:
    """Values that belong to one step; None for a file that names none."""

    step: int | None
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class MetricFile:
    """What a metrics file says, and in words what in it could not be read.

    Attributes:
        rows: In the order of the file.
        problems: Each names the file, the line and the reason.
    """

    rows: tuple[MetricRow, ...] = ()
    problems: tuple[str, ...] = ()


def parse_metrics(data: bytes, *, name: str) -> MetricFile:
    """Read a metrics file; by its name's ending `.csv`, `.tsv`, else JSON.

    JSON: numbers of nested objects, names joined by `/`; a list of numbers is a series whose
    steps count from 0; other values are left out. Tables: a column `step`, `global_step`,
    `iteration` or `epoch` gives the step, else the row's number from 0; empty cells are points
    that are absent, columns without any number are left out.

    Args:
        name: Of the file, for the problems.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return MetricFile(problems=(f"`{name}` line {line}: not UTF-8; nothing of it is kept",))
    ending = name[name.rfind(".") :].lower() if "." in name else ""
    if ending in _TABLES:
        return _parse_table(text, _TABLES[ending], name)
    return _parse_json(text, name)


def _parse_json(text: str, name: str) -> MetricFile:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        problem = f"`{name}` line {error.lineno}: not JSON ({error.msg}); nothing of it is kept"
        return MetricFile(problems=(problem,))
    except (ValueError, RecursionError):
        problem = f"`{name}` line 1: numbers too long or nesting too deep; nothing of it is kept"
        return MetricFile(problems=(problem,))
    if not isinstance(value, dict):
        problem = f"`{name}` line 1: not an object of metrics; nothing of it is kept"
        return MetricFile(problems=(problem,))
    problems: list[str] = []
    numbers: dict[str, float] = {}
    series: dict[int, dict[str, float]] = {}
    for key, leaf in _leaves(value):
        points = leaf if isinstance(leaf, list) else [leaf]
        found = [_number(point) for point in points]
        if not found or any(number is None for number in found):
            if any(_is_number(point) for point in points):
                problems.append(f"`{name}`: `{key}` is not kept: it is not a number, or too large")
        elif isinstance(leaf, list):
            for step, number in enumerate(found):
                series.setdefault(step, {})[key] = number or 0.0
        else:
            numbers[key] = found[0] or 0.0
    rows = [MetricRow(step, values) for step, values in sorted(series.items())]
    if numbers:
        rows.append(MetricRow(None, numbers))
    return MetricFile(tuple(rows), tuple(problems))


def _leaves(value: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Each value that is no object, with the path to it; in the order of the file."""
    stack = [(str(key), item) for key, item in reversed(list(value.items()))]
    while stack:
        path, item = stack.pop()
        if isinstance(item, dict):
            stack.extend((f"{path}/{key}", below) for key, below in reversed(list(item.items())))
        else:
            yield path, item


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: object) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def _parse_table(text: str, delimiter: str, name: str) -> MetricFile:
    problems: list[str] = []
    lines = _read_lines(text, delimiter, name, problems)
    header = [cell.strip() for cell in next(lines, (0, []))[1]]
    if len(set(header)) < len(header):
        twice = next(cell for cell in header if header.count(cell) > 1)
        problem = f"`{name}` line 1: two columns are named `{twice}`; nothing of it is kept"
        return MetricFile(problems=(problem,))
    by_name = {cell.lower(): index for index, cell in reversed(list(enumerate(header)))}
    step_index = next((by_name[step] for step in STEP_NAMES if step in by_name), None)
    body = [
        (line, cells)
        for line, cells in lines
        if _has_width(line, cells, len(header), name, problems)
    ]
    columns = _number_columns(header, step_index, body, name, problems)
    rows = []
    for number, (line, cells) in enumerate(body):
        step = number if step_index is None else _parse_step(cells, step_index)
        if step is None:
            problems.append(f"`{name}` line {line}: no whole number as step; the line is left out")
            continue
        values = {
            column: value
            for column, index in columns.items()
            if index < len(cells) and (value := _parse_cell(cells[index])) is not None
        }
        if values:
            rows.append(MetricRow(step, values))
    return MetricFile(tuple(rows), tuple(problems))


def _read_lines(
    text: str, delimiter: str, name: str, problems: list[str]
) -> Iterator[tuple[int, list[str]]]:
    """The lines that are not blank, with their numbers, up to one that cannot be read."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            problems.append(f"`{name}` line {reader.line_num}: {error}; the rest is left out")
            return
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield reader.line_num, cells


def _has_width(line: int, cells: Sequence[str], width: int, name: str, problems: list[str]) -> bool:
    if len(cells) <= width:
        return True
    problems.append(
        f"`{name}` line {line}: {len(cells)} cells under a header of {width}; the line is left out"
    )
    return False


def _number_columns(
    header: Sequence[str],
    step_index: int | None,
    body: Sequence[tuple[int, list[str]]],
    name: str,
    problems: list[str],
) -> dict[str, int]:
    """Columns with at least one number, and a word on each first cell in them that is none."""
    columns: dict[str, int] = {}
    for index, column in enumerate(header):
        if index == step_index or not column:
            continue
        filled = [(line, cells[index]) for line, cells in body if index < len(cells)]
        filled = [(line, cell.strip()) for line, cell in filled if cell.strip()]
        bad = [(line, cell) for line, cell in filled if _parse_cell(cell) is None]
        if len(bad) < len(filled):
            columns[column] = index
            if bad:
                line, cell = bad[0]
                more = f", and {len(bad) - 1} more like it" if len(bad) > 1 else ""
                problems.append(
                    f"`{name}` line {line}: `{cell[:40]}` in column `{column}` is no number"
                    f" and is left out{more}"
                )
    return columns


def _parse_cell(cell: str) -> float | None:
    if "_" in cell:  # Python reads 1_000 as a number; nobody who writes a table does
        return None
    try:
        return float(cell)
    except ValueError:
        return None


def _parse_step(cells: Sequence[str], index: int) -> int | None:
    value = _parse_cell(cells[index]) if index < len(cells) else None
    if value is None or not abs(value) < _STEP_LIMIT or value != int(value):
        return None
    try:
        return int(cells[index])
    except ValueError:
        return int(value)

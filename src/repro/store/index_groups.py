"""Runs put together by the cells that they share, with the last values of metrics in each group."""

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from repro.model.condition import Key, Space
from repro.model.values import ABSENT, Value
from repro.store.index_columns import put_lists, query_cells
from repro.store.index_names import key_number
from repro.store.index_rows import NAN, Cell, uncell
from repro.store.index_schema import COUNT_RUNS

_ALL = "SELECT num FROM run INDEXED BY run_env WHERE 1"  # off the smallest index of all
_FIXED = (Space.FIELD, Space.DATA)  # where each run has a cell for what it lacks, too
_MISSING = object()
_FEW = 5000  # runs that are looked up one by one sooner than all are walked through
_OUTSIDE = -1  # the place of a run that is in no group

_Mark = tuple[Cell | object, ...]


@dataclass(slots=True)
class CellGroup:
    """Runs that have the same cells under some keys.

    Attributes:
        values: One for each key, `ABSENT` where the runs have none.
        metrics: The last values of each metric that any of the runs has; NaN is left out.
        numbers: Of the runs, where they were asked for.
    """

    values: tuple[Value, ...]
    n_runs: int
    metrics: dict[str, list[float]] = field(default_factory=dict)
    numbers: list[int] = field(default_factory=list)


def group_cells(
    db: sqlite3.Connection,
    numbers: Collection[int] | None,
    keys: Sequence[Key],
    metrics: Sequence[str],
    *,
    with_numbers: bool = False,
) -> list[CellGroup]:
    """Give the groups in no order.

    Values are one where their cells are: 1 is 1.0, but true is not 1; a list is the text of its
    JSON, several tags are one text. Null and missing ones are each a group of their own.

    Args:
        numbers: Of the runs; None is all of them.
        with_numbers: Whether each group is to have those of its runs.

    Cost: reads the cells of all runs under each key and metric, 100,000 of them in 50 ms.
    """
    places, marks, firsts = _find_places(db, numbers, keys)
    counts = Counter(places)
    values = [[_value(mark[place]) for mark in marks] for place in range(len(keys))]
    put_lists(db, keys, values, firsts)
    groups = [
        CellGroup(tuple(column[place] for column in values), counts[place])
        for place in range(len(marks))
    ]
    for name in metrics:
        _put_metric(db, name, groups, places)
    if with_numbers:
        for number, place in enumerate(places):
            if place != _OUTSIDE:
                groups[place].numbers.append(number)
    return groups


def put_metrics(
    db: sqlite3.Connection, groups: Sequence[CellGroup], metrics: Sequence[str]
) -> None:
    """Give groups that name their runs the last values of more metrics.

    Cost: what `group_cells` takes for these metrics, or less where the groups have few runs.
    """
    n_runs = sum(len(group.numbers) for group in groups)
    if n_runs > _FEW:
        places = [_OUTSIDE] * (1 + max(max(group.numbers, default=0) for group in groups))
        for place, group in enumerate(groups):
            for number in group.numbers:
                places[number] = place
        [last] = db.execute("SELECT max(num) FROM run").fetchone()
        places += [_OUTSIDE] * (last + 1 - len(places))
        for name in metrics:
            _put_metric(db, name, groups, places)
        return
    for name in metrics:
        key = key_number(db, Space.METRIC, name)
        for group in groups:
            _put_few(db, key, name, group)


def _put_few(db: sqlite3.Connection, key: int, name: str, group: CellGroup) -> None:
    query = "SELECT v FROM value WHERE key = ? AND run = ? AND (v < '' OR v = ?)"
    found = [row for one in group.numbers for row in db.execute(query, [key, one, NAN])]
    if found:
        group.metrics[name] = [value for (value,) in found if value != NAN]


def _find_places(
    db: sqlite3.Connection, numbers: Collection[int] | None, keys: Sequence[Key]
) -> tuple[list[int], list[_Mark], list[int]]:
    """The place of its group for each run by its number; of each group its cells, and a run."""
    [last] = db.execute("SELECT max(num) FROM run").fetchone()
    [total] = db.execute(COUNT_RUNS).fetchone()
    if numbers is not None or not keys or last != total:
        # Else every number up to the last one is that of a run.
        numbers = [num for (num,) in db.execute(_ALL)] if numbers is None else numbers
        places = [_OUTSIDE] * ((last or 0) + 1)
        for number in numbers:
            places[number] = 0
        total = len(numbers)
    else:
        places = [_OUTSIDE, *[0] * last]
    marks: list[_Mark] = [()] if total else []
    firsts: list[int] = []
    for key in keys:
        places, marks, firsts = _split(_read_cells(db, key), places, marks, total)
    return places, marks, firsts


def _split(
    cells: Iterable[tuple[int, Cell]], places: list[int], marks: list[_Mark], total: int
) -> tuple[list[int], list[_Mark], list[int]]:
    """The groups divided by the cells of one more key."""
    found: list[dict[Cell | object, int]] = [{} for _ in marks]
    divided = [_OUTSIDE] * len(places)
    new: list[_Mark] = []
    firsts = []
    n_seen = 0
    for number, cell in cells:
        place = places[number]
        if place == _OUTSIDE:
            continue
        n_seen += 1
        parts = found[place]
        if cell not in parts:
            parts[cell] = len(new)
            new.append((*marks[place], cell))
            firsts.append(number)
        divided[number] = parts[cell]
    if n_seen < total:
        for number, place in enumerate(places):
            if place != _OUTSIDE and divided[number] == _OUTSIDE:
                if _MISSING not in found[place]:
                    found[place][_MISSING] = len(new)
                    new.append((*marks[place], _MISSING))
                    firsts.append(number)
                divided[number] = found[place][_MISSING]
    return divided, new, firsts


def _value(cell: Cell | object) -> Value:
    return ABSENT if cell is _MISSING else uncell(cell)  # type: ignore[arg-type]  # it is a cell


def _read_cells(db: sqlite3.Connection, key: Key) -> Iterable[tuple[int, Cell]]:
    """The number and the cell of each run that has one; null only where that is a value."""
    query, _, bound = query_cells(db, key)
    if key.space in _FIXED or key.statistic != "last":
        return ((run, cell) for run, cell in db.execute(query, bound) if cell is not None)
    if key.space is not Space.TAG:
        return db.execute(query, bound)
    tags: dict[int, list[str]] = {}
    for run, tag in db.execute(query, bound):
        tags.setdefault(run, []).append(tag)
    return ((run, ", ".join(sorted(several))) for run, several in tags.items())


def _put_metric(
    db: sqlite3.Connection, name: str, groups: Sequence[CellGroup], places: Sequence[int]
) -> None:
    bound = [key_number(db, Space.METRIC, name)]
    found: list[list[float]] = [[] for _ in range(len(groups) + 1)]  # the last one is outside
    query = "SELECT run, v FROM value NOT INDEXED WHERE key = ? AND v < ''"
    for run, value in db.execute(query, bound):
        found[places[run]].append(value)
    for group, values in zip(groups, found, strict=False):
        if values:
            group.metrics[name] = values
    nans = "SELECT run FROM value INDEXED BY value_v WHERE key = ? AND v = ?"
    for (run,) in db.execute(nans, [*bound, NAN]):
        if places[run] != _OUTSIDE:
            groups[places[run]].metrics.setdefault(name, [])

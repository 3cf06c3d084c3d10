"""Columns of the run index: the values of some runs under a key.

Those of a few are looked up run by run; once it is about most of them, one sweep through all that
there are under the key takes a third of that.
"""

import json
import sqlite3
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

from repro.model.condition import Key, Space
from repro.model.config import flatten_config
from repro.model.values import Value
from repro.store.filtersql import column, field_column, table
from repro.store.index_names import key_number
from repro.store.index_rows import uncell
from repro.store.index_schema import COUNT_RUNS

_FEW = 10  # of so many runs one is asked for: then it is faster to look for each
_NESTED = {Space.CONFIG: 1, Space.SUMMARY: 3}  # where in a document the values of a space are


def read_columns(
    db: sqlite3.Connection, keys: Sequence[Key], ids: Sequence[str]
) -> list[list[Value]]:
    """Give the values of some runs under each key; None where one has none, or null.

    Tags are a list, sorted.

    Cost: a look for each value where the runs are few, else it reads the cells of all runs under
    these keys; and the documents of those runs that have lists there, or texts that look like some.
    """
    [total] = db.execute(COUNT_RUNS).fetchone()
    runs = _Runs(db, ids, is_few=len(ids) * _FEW <= total)
    fields = _read_fields(runs, [key for key in keys if key.space is Space.FIELD])
    columns = [fields.get(key) or _read(runs, key) for key in keys]
    put_lists(db, keys, columns, ids)
    return columns


class _Runs:
    """The runs that are asked for.

    Attributes:
        places: Where in a column the value of a run is, by its number.
    """

    def __init__(self, db: sqlite3.Connection, ids: Sequence[str], *, is_few: bool) -> None:
        self.db = db
        self.n_runs = len(ids)
        self._is_few = is_few
        query = "SELECT num FROM run WHERE id = ?"
        if is_few:
            found = {run_id: db.execute(query, [run_id]).fetchone() for run_id in ids}
            numbers = {run_id: row[0] for run_id, row in found.items() if row is not None}
        else:
            numbers = dict(db.execute("SELECT id, num FROM run"))
        self.places = {
            numbers[run_id]: place for place, run_id in enumerate(ids) if run_id in numbers
        }

    def rows(self, query: str, number: str, bound: Sequence[int] = ()) -> Iterable[tuple[Any, ...]]:
        """The rows of a query, each of which begins with the number of a run, of these at least.

        Args:
            query: It ends in its conditions.
            number: The expression in it that is the number of a run.
        """
        if not self._is_few:
            return self.db.execute(query, bound)
        narrowed = f"{query} AND {number} = ?"
        return (row for run in self.places for row in self.db.execute(narrowed, [*bound, run]))


def _read_fields(runs: _Runs, keys: Sequence[Key]) -> dict[Key, list[Value]]:
    """All fields at once: they are in one table."""
    columns: dict[Key, list[Value]] = {key: [None] * runs.n_runs for key in keys}
    chosen = ", ".join(["run.num", *(field_column(key.name) for key in columns)])
    query = f"SELECT {chosen} FROM run WHERE 1"  # noqa: S608
    for run, *cells in runs.rows(query, "run.num") if keys else ():
        place = runs.places.get(run)
        if place is not None:
            for values, cell in zip(columns.values(), cells, strict=True):
                values[place] = uncell(cell) if isinstance(cell, bytes) else cell
    return columns


def _read(runs: _Runs, key: Key) -> list[Value]:
    values: list[Value] = [None] * runs.n_runs
    if key.space is Space.TAG:
        tags: dict[int, list[str]] = {}
        for run, tag in runs.rows(*query_cells(runs.db, key)):
            tags.setdefault(run, []).append(tag)
        for number, here in runs.places.items():
            values[here] = [*sorted(tags.get(number, ()))]
        return values
    for run, cell in runs.rows(*query_cells(runs.db, key)):
        place = runs.places.get(run)
        if place is not None:
            values[place] = uncell(cell) if isinstance(cell, bytes) else cell
    return values


def query_cells(db: sqlite3.Connection, key: Key) -> tuple[str, str, list[int]]:
    """The query for the number and the cell of each run that has one under a key.

    Returns:
        It, the expression in it that is the number of the run, and what it binds. More conditions
        can be put behind it.
    """
    if key.space is Space.FIELD:
        return f"SELECT num, {field_column(key.name)} FROM run WHERE 1", "num", []  # noqa: S608
    if key.space is Space.TAG:
        return "SELECT run, v FROM tag WHERE 1", "run", []
    bound = [key_number(db, key.space, key.name)]
    if key.space is Space.ENV:
        joined = "run JOIN env_value s ON s.env = run.env"
        return f"SELECT run.num, s.v FROM {joined} WHERE s.key = ?", "run.num", bound  # noqa: S608
    return f"SELECT s.run, s.{column(key)} FROM {table(key)} s WHERE s.key = ?", "s.run", bound  # noqa: S608


def put_lists(
    db: sqlite3.Connection,
    keys: Sequence[Key],
    columns: Sequence[list[Value]],
    runs: Sequence[str] | Sequence[int],
) -> None:
    """Put lists in place of the texts of their JSON, which is what a cell has of them.

    Args:
        columns: One for each key.
        runs: The id, or the number, of the run that each place of a column is of.
    """
    nested: dict[int, list[int]] = {}  # the columns by the place of the run
    for number, key in enumerate(keys):
        for place, value in enumerate(columns[number] if key.space in _NESTED else ()):
            if isinstance(value, str) and value.startswith(("[", "{")):
                nested.setdefault(place, []).append(number)
    query = "SELECT doc FROM run JOIN doc ON run = num WHERE {} = ?"
    for place, numbers in nested.items():
        run = runs[place]
        chosen = query.format("id" if isinstance(run, str) else "num")
        document = zlib.decompress(db.execute(chosen, [run]).fetchone()[0])
        for number in numbers:
            text = str(columns[number][place])
            columns[number][place] = _nested_value(document, keys[number], text)


def _nested_value(document: bytes, key: Key, text: str) -> Value:
    """The list, mapping or text that is `text` in a cell."""
    # What is no text is three times as fast like that; of other characters there are two spellings.
    is_plain = text.isascii() and text.isprintable()
    if is_plain and json.dumps(text).encode() not in document:
        nested: Value = json.loads(text)
        return nested
    parts = json.loads(document)
    return flatten_config(parts[_NESTED[key.space]]).get(key.name)

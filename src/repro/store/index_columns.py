"""Whole columns of the run index: the values of many runs under a key, read in one sweep.

To ask for each run by itself takes three times as long, once it is about most of them.
"""

import json
import sqlite3
import zlib
from collections.abc import Mapping, Sequence

from repro.model.condition import Key, Space
from repro.model.config import flatten_config
from repro.model.values import Value
from repro.store.filtersql import column, field_column, table
from repro.store.index_names import key_number
from repro.store.index_rows import uncell

# What begins as a list or a mapping does.
_LOOKS_NESTED = (
    "SELECT run FROM value WHERE key = ?1 AND v >= '[' AND v < '\\'"
    " UNION ALL SELECT run FROM value WHERE key = ?1 AND v >= '{' AND v < '|'"
)
_NESTED = {Space.CONFIG: 1, Space.SUMMARY: 3}  # where in a document the values of a space are


def read_columns(
    db: sqlite3.Connection, keys: Sequence[Key], ids: Sequence[str]
) -> list[list[Value]]:
    """Give the values of some runs under each key; None where one has none.

    Tags are a list, sorted.

    Cost: reads the cells of all runs under these keys, and the documents of those runs that
    have lists there, or texts that look like some.
    """
    numbers = dict(db.execute("SELECT id, num FROM run"))
    places = {numbers[run_id]: place for place, run_id in enumerate(ids) if run_id in numbers}
    fields = _read_fields(db, [key for key in keys if key.space is Space.FIELD], places, len(ids))
    columns = [fields.get(key) or _read(db, key, places, len(ids)) for key in keys]
    _put_lists(db, keys, columns, places)
    return columns


def _read_fields(
    db: sqlite3.Connection, keys: Sequence[Key], places: Mapping[int, int], n_runs: int
) -> dict[Key, list[Value]]:
    """All fields at once: they are in one table."""
    columns: dict[Key, list[Value]] = {key: [None] * n_runs for key in keys}
    chosen = ", ".join(["run.num", *(field_column(key.name) for key in columns)])
    for run, *cells in db.execute(f"SELECT {chosen} FROM run") if keys else ():  # noqa: S608
        place = places.get(run)
        if place is not None:
            for values, cell in zip(columns.values(), cells, strict=True):
                values[place] = uncell(cell) if isinstance(cell, bytes) else cell
    return columns


def _read(db: sqlite3.Connection, key: Key, places: Mapping[int, int], n_runs: int) -> list[Value]:
    values: list[Value] = [None] * n_runs
    if key.space is Space.TAG:
        tags: dict[int, list[str]] = {}
        for run, tag in db.execute("SELECT run, v FROM tag ORDER BY v"):
            tags.setdefault(run, []).append(tag)
        for number, here in places.items():
            values[here] = list(tags.get(number, ()))
        return values
    query, bound = _query(db, key)
    for run, cell in db.execute(query, bound):
        place = places.get(run)
        if place is not None:
            values[place] = uncell(cell) if isinstance(cell, bytes) else cell
    return values


def _query(db: sqlite3.Connection, key: Key) -> tuple[str, list[int]]:
    number = [key_number(db, key.space, key.name)]
    if key.space is Space.ENV:
        joined = "run JOIN env_value s ON s.env = run.env AND s.key = ?"
        return f"SELECT run.num, s.v FROM {joined}", number  # noqa: S608
    return f"SELECT s.run, s.{column(key)} FROM {table(key)} s WHERE s.key = ?", number  # noqa: S608


def _put_lists(
    db: sqlite3.Connection,
    keys: Sequence[Key],
    columns: Sequence[list[Value]],
    places: Mapping[int, int],
) -> None:
    """Put lists in place of the texts of their JSON, which is what a cell has of them."""
    nested: dict[int, list[int]] = {}  # the columns by the number of the run
    for number, key in enumerate(keys):
        if key.space in _NESTED:
            for (run,) in db.execute(_LOOKS_NESTED, [key_number(db, key.space, key.name)]):
                nested.setdefault(run, []).append(number)
    for run in nested.keys() & places.keys():
        [document] = db.execute("SELECT doc FROM doc WHERE run = ?", [run]).fetchone()
        document = zlib.decompress(document)
        for number in nested[run]:
            columns[number][places[run]] = _nested_value(
                document, keys[number], str(columns[number][places[run]])
            )


def _nested_value(document: bytes, key: Key, text: str) -> Value:
    """The list, mapping or text that is `text` in a cell."""
    # What is no text is three times as fast like that; of other characters there are two spellings.
    is_plain = text.isascii() and text.isprintable()
    if is_plain and json.dumps(text).encode() not in document:
        nested: Value = json.loads(text)
        return nested
    parts = json.loads(document)
    return flatten_config(parts[_NESTED[key.space]]).get(key.name)

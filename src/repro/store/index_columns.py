"""Whole columns of the run index: the values of many runs under a key, read in one sweep.

To ask for each run by itself takes three times as long, once it is about most of them.
"""

import sqlite3
from collections.abc import Sequence

from repro.model.condition import Key, Space
from repro.model.values import Value
from repro.store.filtersql import column, field_column, table
from repro.store.index_names import key_number
from repro.store.index_rows import uncell


def read_columns(
    db: sqlite3.Connection, keys: Sequence[Key], ids: Sequence[str]
) -> list[list[Value]]:
    """Give the values of some runs under each key; None where one has none.

    A list or a mapping is the text of its JSON; tags are a list, sorted.

    Cost: reads the cells of all runs under these keys.
    """
    numbers = dict(db.execute("SELECT id, num FROM run"))
    places = {numbers[run_id]: place for place, run_id in enumerate(ids) if run_id in numbers}
    return [_read(db, key, places, len(ids)) for key in keys]


def _read(db: sqlite3.Connection, key: Key, places: dict[int, int], n_runs: int) -> list[Value]:
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
            values[place] = uncell(cell)
    return values


def _query(db: sqlite3.Connection, key: Key) -> tuple[str, list[int]]:
    if key.space is Space.FIELD:
        return f"SELECT run.num, {field_column(key.name)} FROM run", []  # noqa: S608  # one of ours
    number = [key_number(db, key.space, key.name)]
    if key.space is Space.ENV:
        joined = "run JOIN env_value s ON s.env = run.env AND s.key = ?"
        return f"SELECT run.num, s.v FROM {joined}", number  # noqa: S608
    return f"SELECT s.run, s.{column(key)} FROM {table(key)} s WHERE s.key = ?", number  # noqa: S608

"""What the run index has that starts with some characters, for completion: never all of it."""

import sqlite3
from typing import Literal

from repro.model.condition import Key, Space
from repro.store.filtersql import field_column
from repro.store.index_names import key_number

Starting = Literal["id", "name", "tag"]

# The newest runs are those that somebody means; names and tags come in their order, off an index.
_QUERIES: dict[Starting, str] = {
    "id": "SELECT id FROM run INDEXED BY run_created WHERE id >= ? AND id < ?"
    " ORDER BY created DESC LIMIT ?",
    "name": "SELECT DISTINCT name FROM run WHERE name >= ? AND name < ? ORDER BY name LIMIT ?",
    "tag": "SELECT DISTINCT v FROM tag WHERE v >= ? AND v < ? ORDER BY v LIMIT ?",
}
_LAST = "\U0010ffff"


def list_starting(db: sqlite3.Connection, prefix: str, what: Starting, limit: int) -> list[str]:
    """Give ids, names or tags of runs that start with `prefix`, at most `limit`.

    Of ids those of the newest runs come first.
    """
    if any("\ud800" <= char <= "\udfff" for char in prefix):  # SQLite speaks UTF-8 only
        return []
    return [text for (text,) in db.execute(_QUERIES[what], [prefix, prefix + _LAST, limit])]


def list_texts(db: sqlite3.Connection, key: Key, prefix: str, limit: int) -> list[str]:
    """Give texts that runs have under a key, and that start with `prefix`, in their order.

    Cost: reads the cells of all runs under the key that start so; of a field all runs.
    """
    if any("\ud800" <= char <= "\udfff" for char in prefix):
        return []
    bound: list[int] = []
    if key.space is Space.FIELD:
        query = f"SELECT DISTINCT {field_column(key.name)} AS v FROM run WHERE v >= ? AND v < ?"  # noqa: S608
    elif key.space is Space.TAG:
        query = "SELECT DISTINCT v FROM tag WHERE v >= ? AND v < ?"
    else:
        cells = "env_value" if key.space is Space.ENV else "value"
        query = f"SELECT DISTINCT v FROM {cells} WHERE key = ? AND v >= ? AND v < ?"  # noqa: S608
        bound = [key_number(db, key.space, key.name)]
    ends = (prefix, prefix + _LAST)  # of texts: numbers are before any
    found = db.execute(f"{query} ORDER BY v LIMIT ?", [*bound, *ends, limit])
    return [text for (text,) in found]

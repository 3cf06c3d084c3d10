"""What the run index has that starts with some characters, for completion: never all of it."""

import sqlite3
from typing import Literal

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

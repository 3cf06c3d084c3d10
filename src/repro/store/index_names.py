"""The names and types of the values in the run index."""

import sqlite3

from repro.model.condition import Key, Kind, Space
from repro.model.fields import FIELDS
from repro.store.filtersql import column
from repro.store.index_rows import FALSE, NAN, STATISTICS, TRUE

_USED = {
    True: "EXISTS (SELECT 1 FROM env_value s WHERE s.key = key.num)",
    False: "EXISTS (SELECT 1 FROM value s WHERE s.key = key.num)",
}
# Whether a key has a cell of a type: each a look at one place of the index.
_KINDS = {
    Kind.NUMBER: "(s.v > -9e999 OR s.v = -9e999) AND s.v < ''",
    Kind.TEXT: "s.v >= '' AND s.v < x''",
    Kind.NULL: "s.v IS NULL",
}


def has_name(db: sqlite3.Connection, space: Space, name: str) -> bool:
    """Whether any run has a value of that name."""
    query = f"SELECT 1 FROM key WHERE space = ? AND name = ? AND {_USED[space == Space.ENV]}"  # noqa: S608
    return _is_text(name) and db.execute(query, [space.value, name]).fetchone() is not None


def list_names(db: sqlite3.Connection, space: Space) -> list[str]:
    """All names that runs have values of, in their order."""
    query = f"SELECT name FROM key WHERE space = ? AND {_USED[space == Space.ENV]} ORDER BY name"  # noqa: S608
    return [name for (name,) in db.execute(query, [space.value])]


def key_number(db: sqlite3.Connection, space: Space, name: str) -> int:
    """The number of a key, 0 for one that no run ever had."""
    query = "SELECT num FROM key WHERE space = ? AND name = ?"
    found = db.execute(query, [space.value, name]).fetchone() if _is_text(name) else None
    return int(found[0]) if found else 0


def find_kinds(db: sqlite3.Connection, key: Key) -> set[Kind]:
    """The types of the values that runs have under a key."""
    if key.space == Space.FIELD:
        return {FIELDS[key.name].kind} if key.name in FIELDS else set()
    if key.space == Space.TAG:
        return {Kind.TEXT}
    number = key_number(db, key.space, key.name)
    if key.statistic in STATISTICS:
        query = f"SELECT 1 FROM series WHERE key = ? AND {column(key)} IS NOT NULL LIMIT 1"  # noqa: S608
        return {Kind.NUMBER} if db.execute(query, [number]).fetchone() else set()
    table = "env_value" if key.space == Space.ENV else "value"
    tests: list[tuple[Kind, str, list[bytes]]] = [(kind, test, []) for kind, test in _KINDS.items()]
    tests += [(Kind.BOOL, "s.v = ?", [one]) for one in (FALSE, TRUE)]
    tests.append((Kind.NUMBER, "s.v = ?", [NAN]))
    found = set()
    for kind, test, values in tests:
        query = f"SELECT 1 FROM {table} s WHERE s.key = ? AND {test} LIMIT 1"  # noqa: S608
        if kind not in found and db.execute(query, [number, *values]).fetchone():
            found.add(kind)
    return found


def _is_text(name: str) -> bool:
    """Whether SQLite can take it: halves of surrogate pairs have no UTF-8."""
    return not any("\ud800" <= char <= "\udfff" for char in name)

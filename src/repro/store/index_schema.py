"""The tables of the run index.

A value of a run is one cell: a number or a text as SQLite has them, NULL for null, a blob for what
SQLite has no type for: false, true, NaN. SQLite orders numbers before texts before blobs, so one
index serves every comparison and every sort (`model/condition.py` says what they mean).
"""

import sqlite3

from repro.model.fields import FIELDS

_VERSION = 3  # of the tables and of what is read into them

# No column may be called `oid`: where it lacks, SQLite takes that for the number of the row.
_FIELDS = ", ".join(f'"{name}"' for name in FIELDS if name not in ("id", "created"))

# A run is narrow, as filters and sorts read all of them; what only a list shows is in `doc`.
# What a filter compares has no declared type: by one, SQLite would take a number for its text.
# `live` is null for a sealed run. Of metrics only the last value is a cell of its own.
_TABLES = (
    "CREATE TABLE run (num INTEGER PRIMARY KEY, id NOT NULL UNIQUE, commit_id TEXT NOT NULL,"
    f" live TEXT, env INTEGER, created NOT NULL, {_FIELDS})",
    "CREATE TABLE doc (run INTEGER PRIMARY KEY, doc BLOB NOT NULL, state BLOB)",
    "CREATE TABLE key (num INTEGER PRIMARY KEY, space TEXT NOT NULL, name TEXT NOT NULL,"
    " UNIQUE (space, name))",
    "CREATE TABLE value (key INTEGER, run INTEGER, v, PRIMARY KEY (key, run)) WITHOUT ROWID",
    "CREATE TABLE series (key INTEGER, run INTEGER, first, min, max, mean, count,"
    " last_step, min_step, max_step, goal, PRIMARY KEY (key, run)) WITHOUT ROWID",
    "CREATE TABLE tag (run INTEGER, v, PRIMARY KEY (run, v)) WITHOUT ROWID",
    # One for all runs that had it: a package is not a cell of each run.
    "CREATE TABLE environment (num INTEGER PRIMARY KEY, blob_id TEXT NOT NULL UNIQUE)",
    "CREATE TABLE env_value (key INTEGER, env INTEGER, v, PRIMARY KEY (key, env)) WITHOUT ROWID",
    # At most one row: which refs the tables were made from, and how many sealed runs there are
    # in them then.
    "CREATE TABLE noted (refs TEXT NOT NULL, n_sealed INTEGER NOT NULL)",
)
_INDEXES = (
    "CREATE INDEX run_created ON run (created, id)",
    "CREATE INDEX run_name ON run (name)",
    "CREATE INDEX run_env ON run (env)",
    "CREATE INDEX run_live ON run (id) WHERE live IS NOT NULL",
    "CREATE INDEX value_v ON value (key, v)",
    "CREATE INDEX env_value_v ON env_value (key, v)",
    "CREATE INDEX tag_v ON tag (v)",
    "CREATE INDEX run_identity ON run (identity)",  # asked for before each run
)
# Off the smallest index of all; without the condition SQLite takes another, eight times that size.
COUNT_RUNS = "SELECT count(*) FROM run INDEXED BY run_env WHERE 1"


def ensure_schema(db: sqlite3.Connection) -> None:
    """Make the tables, in place of those of another version or shape."""
    if _is_ours(db):
        return
    db.execute("BEGIN IMMEDIATE")
    if not _is_ours(db):
        others = db.execute(
            "SELECT type, name FROM sqlite_master WHERE type IN ('table', 'view')"
            " AND name NOT LIKE 'sqlite%'"
        )
        for kind, name in others.fetchall():
            quoted = name.replace('"', '""')
            db.execute(f'DROP {kind} "{quoted}"')
        for statement in (*_TABLES, *_INDEXES):
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {_VERSION}")
    db.commit()


def _is_ours(db: sqlite3.Connection) -> bool:
    [version] = db.execute("PRAGMA user_version").fetchone()
    shape = db.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid")
    return bool(version == _VERSION and [sql for (sql,) in shape] == [*_TABLES, *_INDEXES])

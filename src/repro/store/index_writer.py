"""Runs put into the tables of the run index, and taken out, within one transaction."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter

from repro.model.canonical import Json, carriable_text
from repro.model.condition import Space
from repro.model.fields import FIELDS
from repro.store.index_rows import (
    STATISTICS,
    Cell,
    Row,
    encode_document,
    environment_cells,
    field_cells,
    series_cells,
    value_cells,
)

_MANY = 200  # rows from which on the import of a faster encoder pays off
_MARKS = ", ".join("?" * (6 + len(FIELDS) - 2))
_PUT_RUN = f"INSERT INTO run VALUES ({_MARKS})"  # noqa: S608
_PUT_SERIES = f"INSERT OR REPLACE INTO series VALUES (?, ?, ?{', ?' * len(STATISTICS)})"  # noqa: S608
_OF_RUN = (
    # By key, then run: a table of all values by run would be twice the file.
    "DELETE FROM value WHERE run = ?1 AND key IN (SELECT num FROM key WHERE space <> 'env')",
    "DELETE FROM series WHERE run = ?1 AND key IN (SELECT num FROM key WHERE space = 'metrics')",
    "DELETE FROM tag WHERE run = ?1",
    "DELETE FROM doc WHERE run = ?1",
    "DELETE FROM run WHERE num = ?1",
)


class IndexWriter:
    """Writes to the tables in a transaction that its user began and ends."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._keys: dict[str, dict[str, int]] = {space: {} for space in Space}
        for number, space, name in db.execute("SELECT num, space, name FROM key"):
            self._keys.setdefault(space, {})[name] = number
        self._environments: dict[str, int] = {
            blob_id: num for num, blob_id in db.execute("SELECT num, blob_id FROM environment")
        }

    def lacks_environment(self, name: str) -> bool:
        """Whether nothing is known of the environment that a row names so."""
        return name not in self._environments

    def put_environment(self, name: str, environment: Mapping[str, Json]) -> None:
        """Put an environment, before the rows that name it."""
        if name in self._environments:
            return
        number = self._db.execute("INSERT INTO environment VALUES (NULL, ?)", [name]).lastrowid
        assert number is not None  # after an INSERT
        self._environments[name] = number
        cells = environment_cells(environment)
        numbers = self._numbers(Space.ENV, cells)
        self._db.executemany(
            "INSERT OR REPLACE INTO env_value VALUES (?, ?, ?)",
            [(numbers[key], number, value) for key, value in cells.items()],
        )

    def put(self, rows: Sequence[Row]) -> None:
        """Put runs, in place of what there is of them."""
        self.drop(row.record.run.id for row in rows)
        [last] = self._db.execute("SELECT coalesce(max(num), 0) FROM run").fetchone()
        runs: list[Sequence[Cell]] = []
        documents: list[Sequence[Cell]] = []
        values: list[Sequence[Cell]] = []
        series: list[Sequence[Cell]] = []
        tags: list[Sequence[Cell]] = []
        for number, row in enumerate(rows, last + 1):
            record, run = row.record, row.record.run
            env = self._environments[row.environment] if row.environment else None
            head = (number, run.id, row.commit, row.live, env, run.created)
            runs.append((*head, *field_cells(record)))
            fast = row.is_plain and len(rows) >= _MANY
            documents.append((number, encode_document(record, fast=fast), row.state))
            for space, cells in value_cells(record).items():
                numbers = self._numbers(space, cells)
                values += [(numbers[name], number, v) for name, v in cells.items()]
            numbers = self._numbers(Space.METRIC, record.metrics)
            series += [
                (numbers[name], number, *series_cells(summary))
                for name, summary in record.metrics.items()
            ]
            tags += [(number, carriable_text(tag)) for tag in run.tags]
        self._db.executemany(_PUT_RUN, runs)
        self._db.executemany("INSERT INTO doc VALUES (?, ?, ?)", documents)
        # In the order of the table: that takes half the time.
        values.sort(key=itemgetter(0))
        series.sort(key=itemgetter(0))
        self._db.executemany("INSERT OR REPLACE INTO value VALUES (?, ?, ?)", values)
        self._db.executemany(_PUT_SERIES, series)
        self._db.executemany("INSERT OR IGNORE INTO tag VALUES (?, ?)", tags)

    def drop(self, ids: Iterable[str]) -> None:
        """Take runs out, as far as they are there."""
        found = [
            row
            for run_id in ids
            for row in self._db.execute("SELECT num FROM run WHERE id = ?", [run_id])
        ]
        if not found:
            return
        for statement in _OF_RUN:
            self._db.executemany(statement, found)

    def drop_unused_environments(self) -> None:
        """Take environments out that no run has any more."""
        unused = "SELECT num FROM environment WHERE num NOT IN (SELECT env FROM run WHERE env > 0)"
        for (number,) in self._db.execute(unused).fetchall():
            self._db.execute(
                "DELETE FROM env_value WHERE env = ?1"
                " AND key IN (SELECT num FROM key WHERE space = 'env')",
                [number],
            )
            self._db.execute("DELETE FROM environment WHERE num = ?", [number])

    def _numbers(self, space: Space, names: Iterable[str]) -> dict[str, int]:
        """The numbers of all keys of a space, those called `names` among them."""
        numbers = self._keys[space]
        for name in names:
            if name not in numbers:
                given = [space.value, carriable_text(name)]
                self._db.execute("INSERT OR IGNORE INTO key VALUES (NULL, ?, ?)", given)
                query = "SELECT num FROM key WHERE space = ? AND name = ?"
                [numbers[name]] = self._db.execute(query, given).fetchone()
        return numbers

"""Runs put into the tables of the run index, and taken out, within one transaction."""

import itertools
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter

from repro.model.canonical import carriable_text
from repro.model.condition import Space
from repro.model.fields import FIELDS
from repro.store.index_batch import Batch, Column, Series
from repro.store.index_rows import STATISTICS, Cell

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

    def put_environment(self, name: str, cells: Mapping[str, Cell]) -> None:
        """Put an environment, before the runs that name it."""
        if name in self._environments:
            return
        number = self._db.execute("INSERT INTO environment VALUES (NULL, ?)", [name]).lastrowid
        assert number is not None  # after an INSERT
        self._environments[name] = number
        numbers = self._numbers(Space.ENV, cells)
        self._db.executemany(
            "INSERT OR REPLACE INTO env_value VALUES (?, ?, ?)",
            [(numbers[key], number, value) for key, value in cells.items()],
        )

    def put(self, batches: Sequence[Batch]) -> None:
        """Put runs, in place of what there is of them."""
        self.drop(head.id for batch in batches for head in batch.heads)
        [first] = self._db.execute("SELECT coalesce(max(num), 0) + 1 FROM run").fetchone()
        values: list[tuple[int, int, Column]] = []
        series: list[tuple[int, int, Series]] = []
        for batch in batches:
            self._put_runs(first, batch)
            for space, columns in batch.values.items():
                numbers = self._numbers(Space(space), columns)
                values += [(numbers[name], first, column) for name, column in columns.items()]
            numbers = self._numbers(Space.METRIC, batch.series)
            series += [(numbers[name], first, found) for name, found in batch.series.items()]
            first += len(batch.heads)
        # In the order of the table: that takes half the time.
        values.sort(key=itemgetter(0))
        series.sort(key=itemgetter(0))
        self._db.executemany(
            "INSERT OR REPLACE INTO value VALUES (?, ?, ?)",
            (
                (key, first + place, cell)
                for key, first, column in values
                for place, cell in zip(column.runs, column.cells, strict=True)
            ),
        )
        self._db.executemany(
            _PUT_SERIES,
            (
                (key, first + place, *cells)
                for key, first, found in series
                for place, cells in zip(found.runs, found.cells, strict=True)
            ),
        )

    def _put_runs(self, first: int, batch: Batch) -> None:
        environments = self._environments
        self._db.executemany(
            _PUT_RUN,
            [
                (
                    number,
                    head.id,
                    head.commit,
                    head.live,
                    environments[head.environment] if head.environment else None,
                    *head.cells,
                )
                for number, head in enumerate(batch.heads, first)
            ],
        )
        documents = zip(itertools.count(first), batch.documents, batch.states, strict=False)
        self._db.executemany("INSERT INTO doc VALUES (?, ?, ?)", documents)
        tags = [(first + place, tag) for place, tag in batch.tags]
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

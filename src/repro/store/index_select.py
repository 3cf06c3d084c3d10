"""Runs chosen and ordered by the run index, as the numbers of their rows."""

import sqlite3
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from repro.errors import FilterError
from repro.model.condition import Condition, Key, SortKey, Space
from repro.store.filtersql import (
    Compiler,
    Junction,
    Literal,
    Normal,
    Sql,
    Stored,
    find_drivers,
    is_range,
    normalise,
)
from repro.store.index_names import key_number
from repro.store.index_schema import COUNT_RUNS
from repro.store.mergesql import merge
from repro.store.pagesql import Having, is_in_cells, lacking_page, page
from repro.store.stuck import Calls

_DEEPEST = 12  # of 100 places in SQLite's parser each level takes up to five
_MOST = 0.6  # of all runs: what most of them have is tested in the order of the runs instead
_MOST_DRIVERS = 8  # parts of a condition that are counted first
_MOST_INNER = 8  # junctions within one, each a table, that are found before it
_FEW = 20  # of so many runs one fits: then it is faster to start from those that do
_MANY = 1_000  # from so many on one sweep through the table is faster than a look for each


def find_ids(db: sqlite3.Connection, numbers: Sequence[int]) -> list[str]:
    """Give the ids of the runs with these numbers."""
    if len(numbers) < _MANY:
        query = "SELECT id FROM run WHERE num = ?"
        return [db.execute(query, [number]).fetchone()[0] for number in numbers]
    ids = dict(db.execute("SELECT num, id FROM run"))
    return [ids[number] for number in numbers]


class Selection:
    """Questions to one open index.

    The runs that fit the last condition are kept: a page of them and their number are asked
    together.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        """Take a connection that nobody else uses meanwhile."""
        self._db = db
        self._condition: Condition | None = None
        self._n_fitting = 0
        self._failure: BaseException | None = None
        self._n_stored = 0
        self._searches = Calls()
        self._pattern = ""  # searched last

    def count(self, condition: Condition | None) -> int:
        """How many runs fit."""
        return self._total if condition is None else self._fit(condition)

    @cached_property
    def _total(self) -> int:
        [number] = self._db.execute(COUNT_RUNS).fetchone()
        return int(number)

    def fitting(self, condition: Condition | None) -> list[int] | None:
        """The numbers of the runs that fit, in their order; None where all do."""
        if condition is None:
            return None
        self._fit(condition)
        return [number for (number,) in self._db.execute("SELECT num FROM temp.fitting")]

    def numbers(
        self,
        condition: Condition | None,
        sort: Sequence[SortKey],
        limit: int | None,
        offset: int = 0,
    ) -> list[int]:
        """The numbers of the runs that fit, in their order, behind the first `offset` of them."""
        total = self._total
        most = -1 if limit is None else limit
        fitting = "all"
        if condition is not None:
            fitting = "few" if self._fit(condition) * _FEW <= total or limit is None else "many"
        if limit is None or fitting == "few" or not is_in_cells(sort):
            query = page(sort, self._number, fitting=fitting, limit=most, offset=offset)
            return [number for (number,) in self._all(query)]
        return self._page_by_cells(sort, fitting, limit, offset)

    def _page_by_cells(
        self, sort: Sequence[SortKey], fitting: str, limit: int, offset: int
    ) -> list[int]:
        having = Having(sort, self._number, fitting=fitting)
        cells = [cell for (cell,) in self._all(having.cells(limit=limit, offset=offset))]
        found = []
        if cells:
            before = self._one(having.before(cells[0])) if offset else 0
            query = having.page(cells[0], cells[-1], limit=len(cells), offset=offset - before)
            found = [number for (number,) in self._all(query)]
        if len(found) < limit:
            passed = 0 if found else offset - (self._one(having.count()) if offset else 0)
            query = lacking_page(
                sort, self._number, fitting=fitting, limit=limit - len(found), offset=passed
            )
            found += [number for (number,) in self._all(query)]
        return found

    def goals(self, metric: str, condition: Condition | None) -> set[str]:
        """The goals that runs set for a metric; those of runs that fit, where all differ."""
        query = "SELECT DISTINCT goal FROM {} WHERE key = ? AND goal IS NOT NULL"
        number = self._number(Space.METRIC, metric)
        found = {goal for (goal,) in self._db.execute(query.format("series"), [number])}
        if len(found) < 2 or condition is None:
            return found
        self._fit(condition)
        source = "temp.fitting f CROSS JOIN series ON run = f.num"
        return {goal for (goal,) in self._db.execute(query.format(source), [number])}

    def _number(self, space: Space, name: str) -> int:
        return key_number(self._db, space, name)

    def _all(self, query: Sql) -> list[tuple[Any, ...]]:
        return self._db.execute(query.text, query.values).fetchall()

    def _one(self, query: Sql) -> int:
        [number] = self._db.execute(query.text, query.values).fetchone()
        return int(number)

    def _fit(self, condition: Condition) -> int:
        """Put the runs that fit into `temp.fitting`; how many there are."""
        if condition is self._condition:  # equal ones may differ: true is 1 to Python
            return self._n_fitting
        self._condition = None
        self._db.execute("DROP TABLE IF EXISTS temp.fitting")
        self._db.execute("CREATE TABLE temp.fitting (num INTEGER PRIMARY KEY)")
        self._n_stored = 0
        shallow, _ = self._cut(normalise(condition))
        self._n_fitting = self._insert("fitting", shallow)
        self._condition = condition
        return self._n_fitting

    def _cut(self, condition: Normal) -> tuple[Normal, int]:
        """The same condition, as deep as a query may be, and how deep that is.

        The runs that fit what is deeper are found first, by themselves.
        """
        if not isinstance(condition, Junction):
            return condition, 1
        own = len(condition.parts).bit_length()  # they are joined as a tree
        parts: list[Normal] = []
        deepest = 0
        for part in condition.parts:
            found, depth = self._cut(part)
            if isinstance(found, Junction) and depth + own > _DEEPEST:
                found, depth = self._store(found), 1
            parts.append(found)
            deepest = max(deepest, depth)
        return Junction(condition.word, tuple(parts)), deepest + own

    def _insert(self, table: str, condition: Normal) -> int:
        """Put the runs that fit into a table; how many there are."""
        query, compiler = self._fitting(condition)
        self._prepare(compiler)
        insert = f"INSERT OR IGNORE INTO temp.{table} {query.text}"
        try:
            if not compiler.patterns:
                return self._db.execute(insert, query.values).rowcount
            with self._searches.watched(self._too_slow):
                return self._db.execute(insert, query.values).rowcount
        except sqlite3.OperationalError:
            if self._failure is not None:
                raise self._failure from None
            raise

    def _fitting(self, condition: Normal) -> tuple[Sql, Compiler]:
        """The query for the runs that fit, and what it needs beside it."""
        driver, n_driven = self._driver(condition)
        compiler = Compiler(self._number, searches_first=True)
        if driver is None or n_driven * _FEW > self._total:
            merged = self._merged(condition, compiler)
            if merged is not None:
                return merged, compiler
        compiler = Compiler(self._number)
        if driver is None:
            test = compiler.test(condition)
            return Sql(f"SELECT run.num FROM run WHERE {test.text}", test.values), compiler  # noqa: S608
        key, literals = driver
        compiler.run = "d.run"
        source, own = self._walk(key, literals, compiler)
        tests, rest = [own], _without(condition, literals)
        if rest is not None:
            tests.append(compiler.test(rest))
        if compiler.reads_run:
            source += " CROSS JOIN run ON run.num = d.run"
        values = tuple(value for test in tests for value in test.values)
        where = " AND ".join(test.text for test in tests)
        return Sql(f"SELECT d.run FROM {source} WHERE {where}", values), compiler  # noqa: S608

    def _merged(self, condition: Normal, compiler: Compiler) -> Sql | None:
        """The condition as one merge, the runs that fit junctions within it found before that."""
        parts = condition.parts if isinstance(condition, Junction) else (condition,)
        if sum(isinstance(part, Junction) for part in parts) > _MOST_INNER:
            return None
        if isinstance(condition, Junction):
            found = [self._store(part) if isinstance(part, Junction) else part for part in parts]
            condition = Junction(condition.word, tuple(found))
        return merge(condition, compiler)

    def _store(self, condition: Normal) -> Stored:
        """Put the runs that fit into a table of their own."""
        name = f"part_{self._n_stored}"
        self._n_stored += 1
        self._db.execute(f"DROP TABLE IF EXISTS temp.{name}")
        self._db.execute(f"CREATE TABLE temp.{name} (num INTEGER PRIMARY KEY)")
        self._insert(name, condition)
        return Stored(name)

    def _driver(self, condition: Normal) -> tuple[tuple[Key, tuple[Literal, ...]] | None, int]:
        """The part of a condition that the fewest runs fit by an index, if these are not most.

        Returns:
            It, and how many runs fit it.
        """
        fewest = int(self._total * _MOST)
        best = None
        for key, literals in find_drivers(condition)[:_MOST_DRIVERS]:
            ranges = [literal for literal in literals if is_range(literal)]
            source, test = self._walk(key, ranges, Compiler(self._number))
            query = f"SELECT count(*) FROM (SELECT 1 FROM {source} WHERE {test.text} LIMIT ?)"  # noqa: S608
            [number] = self._db.execute(query, [*test.values, fewest]).fetchone()
            if number < fewest:
                fewest, best = number, (key, literals)
        return best, fewest

    def _walk(self, key: Key, literals: Sequence[Literal], compiler: Compiler) -> tuple[str, Sql]:
        """An index as the table `d` of a query, and the test of the part of it to walk."""
        test = compiler.cell_test(literals, "AND", "d.v")
        if key.space == Space.TAG:
            return "tag d INDEXED BY tag_v", test
        number = self._number(key.space, key.name)
        return (
            "value d INDEXED BY value_v",
            Sql(f"d.key = ? AND {test.text}", (number, *test.values)),
        )

    def _too_slow(self) -> FilterError:
        return FilterError(
            "to search for this pattern takes too long",
            text=self._pattern,
            start=0,
            end=len(self._pattern),
            hint="one repetition inside of another, as in `(a+)+`, has too many ways to fit",
        )

    def _prepare(self, compiler: Compiler) -> None:
        """Give the connection what the tests of a compiler name."""
        self._failure = None
        for place, cells in enumerate(compiler.lists):
            self._db.execute(f"DROP TABLE IF EXISTS temp.list_{place}")
            self._db.execute(f"CREATE TABLE temp.list_{place} (v PRIMARY KEY) WITHOUT ROWID")
            self._db.executemany(
                f"INSERT OR IGNORE INTO temp.list_{place} VALUES (?)",  # noqa: S608
                [(one,) for one in cells],
            )
        patterns = compiler.patterns

        def fits(place: int, text: str) -> bool:
            self._pattern = patterns[place].pattern
            try:
                with self._searches:
                    return patterns[place].search(text) is not None
            except BaseException as error:  # SQLite tells of any in one way only
                self._failure = error
                raise

        if patterns:
            self._db.create_function("fits", 2, fits, deterministic=True)


def _without(condition: Normal, literals: Iterable[Literal]) -> Normal | None:
    """What of a condition is still to be tested where some of its literals hold."""
    if not isinstance(condition, Junction):
        return None
    taken = set(map(id, literals))
    parts = tuple(part for part in condition.parts if id(part) not in taken)
    return Junction(condition.word, parts) if parts else None

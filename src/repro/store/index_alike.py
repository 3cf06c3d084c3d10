"""Which runs of the index have the most params as they are wanted."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Set
from itertools import chain

from repro.model.condition import Space
from repro.store.index_rows import Cell

_NEWEST = "ORDER BY created DESC, id DESC LIMIT ?"


def find_alike(
    db: sqlite3.Connection,
    wanted: Mapping[str, Cell],
    *,
    limit: int,
    beside: int,
    differing: bool = False,
) -> list[int]:
    """Give the numbers of the runs that share the most params, the newest of equals first.

    Those that share none fill the list up.

    Args:
        wanted: Cells by dotted key.
        limit: At most so many.
        beside: With them, for each number that is wanted, at most so many runs that have the next
            greater ones, and as many with the next smaller ones.
        differing: Only runs that do not share all of them.

    Cost: reads from an index which runs have each of the values, some millions a second; what all
    runs share costs next to nothing.
    """
    keys = dict(_numbers(db, wanted))
    shared: Counter[int] = Counter()
    n_telling = 0  # params that not all runs share
    for key, value in keys.items():
        if not _is_shared_by_all(db, key, value):
            found = db.execute("SELECT run FROM value WHERE key = ? AND v IS ?", (key, value))
            shared.update(chain.from_iterable(found))
            n_telling += 1
    if differing and not n_telling:
        return []
    same = {run for run, count in shared.items() if differing and count == n_telling}
    chosen = dict.fromkeys(_most(db, shared, same, limit))
    for key, value in keys.items():
        if beside and isinstance(value, (int, float)):
            chosen.update(dict.fromkeys(_beside(db, key, value, beside)))
    return [run for run in chosen if run not in same]


def _numbers(db: sqlite3.Connection, wanted: Mapping[str, Cell]) -> Iterator[tuple[int, Cell]]:
    for name, value in wanted.items():
        query = "SELECT num FROM key WHERE space = ? AND name = ?"
        for (number,) in db.execute(query, (Space.CONFIG.value, name)):
            yield number, value


def _is_shared_by_all(db: sqlite3.Connection, key: int, value: Cell) -> bool:
    """Whether every run has this value: a look at both ends of an index, and a count."""
    if value is None:
        return False
    for end in ("min", "max"):  # of both at once SQLite would read all of the index
        [found] = db.execute(f"SELECT {end}(v) FROM value WHERE key = ?", (key,)).fetchone()  # noqa: S608
        if found != value:
            return False
    counts = "SELECT (SELECT count(v) FROM value WHERE key = ?), (SELECT count(*) FROM run)"
    having, every = db.execute(counts, (key,)).fetchone()
    return bool(having == every)


def _most(
    db: sqlite3.Connection, shared: Mapping[int, int], same: Set[int], limit: int
) -> Iterator[int]:
    """The runs that share the most, at most `limit`, without those of `same`."""
    groups: dict[int, list[int]] = {}
    for run, count in shared.items():
        if run in same:
            continue
        groups.setdefault(count, []).append(run)
    left = limit
    for count in sorted(groups, reverse=True):
        listed = json.dumps(groups[count])
        query = f"SELECT num FROM run WHERE num IN (SELECT value FROM json_each(?)) {_NEWEST}"  # noqa: S608
        found = [run for (run,) in db.execute(query, (listed, left))]
        yield from found
        left -= len(found)
        if left <= 0:
            return
    # Among these are some of those above again.
    newest = db.execute(f"SELECT num FROM run {_NEWEST}", (left + len(shared),))  # noqa: S608
    rest = (run for (run,) in newest if run not in shared)
    yield from (run for run, _ in zip(rest, range(left), strict=False))


def _beside(db: sqlite3.Connection, key: int, value: float, most: int) -> Iterator[int]:
    # Every number is before every text.
    for query in (
        "SELECT run FROM value WHERE key = ? AND v > ? AND v < '' ORDER BY v LIMIT ?",
        "SELECT run FROM value WHERE key = ? AND v < ? ORDER BY v DESC LIMIT ?",
    ):
        yield from (run for (run,) in db.execute(query, (key, value, most)))

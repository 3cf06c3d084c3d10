"""Whether the run index says what the records say: its file beside one that is made anew."""

import sqlite3
import zlib
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from repro.errors import ReproError
from repro.store.git import Repository
from repro.store.index_batch import make_batch
from repro.store.index_place import index_path
from repro.store.index_record import read_environment, read_row
from repro.store.index_rows import Row, decode_document
from repro.store.index_schema import ensure_schema
from repro.store.index_writer import IndexWriter
from repro.store.objects import Objects, open_objects
from repro.store.sqlitefile import FAULTS, is_locked

_PART = 250  # runs read at once
_SHOWN = 3
# Each as rows that begin with the id of a run: numbers of rows differ from file to file.
_FIELDS = "SELECT * FROM run WHERE live IS NULL"
_DOCUMENTS = "SELECT run.id, doc.doc FROM doc JOIN run ON run = num WHERE live IS NULL"
_CELLS = (
    "SELECT run.id, 'tag', tag.v FROM tag JOIN run ON run = num WHERE live IS NULL",
    "SELECT run.id, key.space, key.name, value.v FROM value JOIN key ON key = key.num"
    " JOIN run ON run = run.num WHERE live IS NULL",
    "SELECT run.id, key.name, first, min, max, mean, count, last_step, min_step, max_step, goal"
    " FROM series JOIN key ON key = key.num JOIN run ON run = run.num WHERE live IS NULL",
    "SELECT run.id, blob_id, key.name, env_value.v FROM run"
    " JOIN environment ON run.env = environment.num"
    " JOIN env_value ON env_value.env = environment.num JOIN key ON key = key.num"
    " WHERE live IS NULL",
)


@dataclass(frozen=True, slots=True)
class WrongIndex:
    """An index that is not what it should be.

    Attributes:
        runs: Ids of the runs of which it says something else; empty where that is not known.
    """

    path: Path
    reason: str
    runs: tuple[str, ...] = ()


def check_index(repository: Repository, commits: Mapping[str, str]) -> WrongIndex | None:
    """Compare the file of the run index with what the records say; None where it is right.

    A run that the index does not have yet is no fault, nor is one that it has as it was before.
    The file is only read.

    Args:
        commits: Run commits that can be read, by id.

    Cost: reads all records once.
    """
    path = index_path(repository.private, repository.git.environ)
    if path is None or not path.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
            db.execute("PRAGMA trusted_schema = OFF")
            [[said]] = db.execute("PRAGMA integrity_check(1)").fetchall()
            if said != "ok":
                return WrongIndex(path, f"SQLite finds it broken: {said}")
            [[version]] = db.execute("PRAGMA user_version").fetchall()
            with closing(sqlite3.connect(":memory:", isolation_level=None)) as fresh:
                ensure_schema(fresh)
                [[expected]] = fresh.execute("PRAGMA user_version").fetchall()
                if version != expected:
                    return None  # of another version of repro, which the next command replaces
                return _compare(repository, path, commits, db, fresh)
    except FAULTS as error:
        if is_locked(error):
            return None  # somebody is writing it: then it is in use, and not looked at
        return WrongIndex(path, f"SQLite finds it broken: {error}")


def _compare(
    repository: Repository,
    path: Path,
    commits: Mapping[str, str],
    db: sqlite3.Connection,
    fresh: sqlite3.Connection,
) -> WrongIndex | None:
    held = dict(db.execute("SELECT id, commit_id FROM run WHERE live IS NULL"))
    known = {run_id: oid for run_id, oid in commits.items() if held.get(run_id) == oid}
    _fill(repository, fresh, known)
    wrong = {run_id for run_id in held if not isinstance(run_id, str)}
    wrong |= _differing(_rows(db, _FIELDS), _rows(fresh, _FIELDS), known)
    wrong |= _differing(_documents(db), _documents(fresh), known)
    for query in _CELLS:
        wrong |= _differing(_rows(db, query), _rows(fresh, query), known)
    if not wrong:
        return None
    runs = tuple(sorted(run_id for run_id in wrong if isinstance(run_id, str)))
    shown = ", ".join(runs[:_SHOWN]) + (f" and {len(runs) - _SHOWN:,} more" * (len(runs) > _SHOWN))
    return WrongIndex(path, f"it says something else than the record of {shown}", runs)


def _fill(repository: Repository, fresh: sqlite3.Connection, known: Mapping[str, str]) -> None:
    objects = open_objects(repository, many=len(known) > _PART)
    try:
        items = list(known.items())
        for start in range(0, len(items), _PART):
            rows = []
            for run_id, oid in items[start : start + _PART]:
                with suppress(ReproError):  # told of the record
                    rows.append(read_row(objects, run_id, oid))
            _put(objects, fresh, rows)
    finally:
        objects.close()


def _put(objects: Objects, fresh: sqlite3.Connection, rows: list[Row]) -> None:
    fresh.execute("BEGIN")
    writer = IndexWriter(fresh)
    for row in rows:
        if row.environment is not None and writer.lacks_environment(row.environment):
            writer.put_environment(row.environment, read_environment(objects, row.environment))
    writer.put([make_batch(rows, many=False)])
    fresh.execute("COMMIT")


def _documents(db: sqlite3.Connection) -> dict[object, set[tuple[object, ...]]]:
    """What the document of each run says: two encoders write the same in other bytes."""
    found: dict[object, set[tuple[object, ...]]] = {}
    for run_id, data in db.execute(_DOCUMENTS):
        try:
            said = repr(decode_document(data, ""))
        except (ReproError, ValueError, TypeError, KeyError, zlib.error) as error:
            said = f"it cannot be read: {error}"
        found.setdefault(run_id, set()).add((said,))
    return found


def _rows(db: sqlite3.Connection, query: str) -> dict[object, set[tuple[object, ...]]]:
    """The rows of each run, without numbers that only this file has."""
    cursor = db.execute(query)
    names = [column[0] for column in cursor.description]
    kept = [place for place, name in enumerate(names) if name not in ("num", "env", "live")]
    start = names.index("id")
    found: dict[object, set[tuple[object, ...]]] = {}
    for row in cursor:
        found.setdefault(row[start], set()).add(tuple(row[place] for place in kept))
    return found


def _differing(
    here: Mapping[object, set[tuple[object, ...]]],
    there: Mapping[object, set[tuple[object, ...]]],
    known: Mapping[str, str],
) -> set[object]:
    return {run_id for run_id in known if here.get(run_id) != there.get(run_id)}

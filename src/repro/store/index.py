"""The run index: a disposable SQLite file that says again what the run commits say, faster.

It is brought up to date from the refs at each use, and no run waits for it. Whatever is wrong
with the file, the answers are the same: it is built anew, in memory where it cannot be written.
"""

import json
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cached_property
from types import TracebackType
from typing import Self, TypeVar

from repro.errors import DamagedRecordError, ReproError
from repro.model.run import Record
from repro.store.git import Repository
from repro.store.objects import open_objects
from repro.store.refs import RunRefs
from repro.store.runs import (
    RUN_FILE,
    decode_metrics,
    decode_record,
    decode_run,
    read_record_files,
)
from repro.store.sqlitefile import FAULTS, is_broken, is_odd, remove_database

FILE = "index.db"
_VERSION = 2  # of the table and of what is read into it
_DOCUMENTS = (RUN_FILE, "metrics.json", "data.json")
_MANY = 200  # records to read from which on importing pygit2 pays off
_PATIENCE_S = 2.0  # for another process that holds the file; then in memory

# No column may be called `oid`: where it lacks, SQLite takes that for the number of the row.
_TABLE = (
    "CREATE TABLE run (id TEXT PRIMARY KEY, commit_id TEXT NOT NULL, name TEXT,"
    " created TEXT NOT NULL, status TEXT NOT NULL, tags TEXT NOT NULL, doc TEXT NOT NULL)"
)
# At most one row: the digest of the refs, while there is exactly one run in the table for each.
_LISTING = "CREATE TABLE listing (digest BLOB NOT NULL)"
_SCHEMA = (
    "DROP TABLE IF EXISTS run",
    "DROP TABLE IF EXISTS listing",
    _TABLE,
    _LISTING,
    "CREATE INDEX run_created ON run (created, id)",
    "CREATE INDEX run_name ON run (name)",
    f"PRAGMA user_version = {_VERSION}",
)
_NEWEST = "ORDER BY created DESC, id DESC"

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Problem:
    """A run that cannot be read, and why; it never hides the others."""

    id: str
    error: ReproError


class RunIndex:
    """Answers about sealed runs; use it as a context manager.

    Attributes:
        problems: Refs that name no run, then runs that cannot be read, in the order of their ids.
    """

    def __init__(
        self, repository: Repository, refs: RunRefs, *, without: Collection[str] = ()
    ) -> None:
        """Bring the index up to date.

        Args:
            without: Ids of runs to leave out.
        """
        self._repository = repository
        self._refs = refs
        self._without = without
        self._path = repository.private / FILE
        self.problems: list[Problem] = []
        self._db = self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # What could not be kept is read again next time.
        with closing(self._db), suppress(sqlite3.Error):
            self._db.commit()

    def newest(
        self, *, limit: int | None = None, status: str | None = None, tag: str | None = None
    ) -> list[Record]:
        """The newest runs first, environment and artifacts left out.

        Args:
            limit: At most so many; None is all.
        """
        conditions, values = ["1"], list[str | int]()
        if status is not None:
            conditions.append("status = ?")
            values.append(status)
        if tag is not None:
            conditions.append("EXISTS (SELECT 1 FROM json_each(tags) WHERE value = ?)")
            values.append(tag)
        query = f"SELECT commit_id, doc FROM run WHERE {' AND '.join(conditions)} {_NEWEST} LIMIT ?"  # noqa: S608
        values.append(-1 if limit is None else limit)
        return self._ask(lambda: [_decode(*row) for row in self._db.execute(query, values)])

    def order(self) -> list[tuple[str, str]]:
        """Id and time of creation of each run, newest first."""
        return self._ask(
            lambda: list(self._db.execute(f"SELECT id, created FROM run {_NEWEST}"))  # noqa: S608
        )

    def named(self, name: str) -> tuple[str, str] | None:
        """Id and time of creation of the newest run called `name`."""
        query = f"SELECT id, created FROM run WHERE name = ? {_NEWEST} LIMIT 1"  # noqa: S608
        if any("\ud800" <= char <= "\udfff" for char in name):  # SQLite speaks UTF-8 only
            return None
        found = self._ask(lambda: self._db.execute(query, [name]).fetchall())
        return found[0] if found else None

    def names(self) -> list[str]:
        """Each name that a run has, newest run first."""
        query = (
            "SELECT name FROM run WHERE name IS NOT NULL GROUP BY name ORDER BY max(created) DESC"
        )
        return self._ask(lambda: [name for (name,) in self._db.execute(query)])

    def count(self) -> int:
        """How many runs it knows."""
        return self._ask(lambda: _count(self._db))

    def neighbours(self, ids: Iterable[str]) -> set[str]:
        """The id before and the id after each of `ids`, as far as there are any."""
        query = (
            "SELECT max(id) FROM run WHERE id < ?1 UNION ALL SELECT min(id) FROM run WHERE id > ?1"
        )
        asked = [[run_id] for run_id in ids]
        found = self._ask(lambda: [row for one in asked for row in self._db.execute(query, one)])
        return {near for (near,) in found if near is not None}

    @cached_property
    def _commits(self) -> dict[str, str]:
        if not self._without:
            return self._refs.commits
        return {
            run_id: oid for run_id, oid in self._refs.commits.items() if run_id not in self._without
        }

    def _open(self) -> sqlite3.Connection:
        """The file brought up to date, made anew if it is broken; memory if that is not to be."""
        for _ in range(2):
            try:
                return self._open_file()
            except FAULTS as error:
                if not is_broken(error) or not remove_database(self._path):
                    break
            except OSError:
                break
        return self._open_memory()

    def _open_file(self) -> sqlite3.Connection:
        if self._refs.n_refs:
            self._path.parent.mkdir(exist_ok=True, mode=0o700)
        if is_odd(self._path):
            remove_database(self._path)
        db = _connect(self._path.as_uri() + ("?mode=rwc" if self._refs.n_refs else "?mode=rw"))
        try:
            _ensure_schema(db)
            self._refresh(db)
        except BaseException:
            db.close()
            raise
        return db

    def _open_memory(self) -> sqlite3.Connection:
        db = _connect("file::memory:")
        _ensure_schema(db)
        self._refresh(db)
        return db

    def _ask(self, query: Callable[[], _T]) -> _T:
        """The answer to `query`, from memory if the file turns out to be broken."""
        try:
            return query()
        except (sqlite3.Error, ReproError, ValueError, TypeError, KeyError):
            self._db.close()
            remove_database(self._path)
            self._db = self._open_memory()
            return query()

    def _refresh(self, db: sqlite3.Connection) -> None:
        """Read what is new, drop what is gone; the transaction stays open for the questions.

        Another process may hold older refs and drop what is new here: it cannot meanwhile.
        """
        self.problems = []
        db.execute("BEGIN")
        if self._is_noted(db):
            return
        self.problems = [
            Problem(name, DamagedRecordError("this is no run id")) for name in self._refs.misnamed
        ]
        known = _held(db)
        new = {run_id: oid for run_id, oid in self._commits.items() if known.get(run_id) != oid}
        if not new and len(known) == len(self._commits):
            if not self._without and not self.problems:
                with suppress(sqlite3.OperationalError):  # locked or read-only: slower, not wrong
                    self._note(db)
            return
        db.rollback()
        rows = list(self._rows(new))  # takes seconds after a large fetch: nobody waits for it
        db.execute("BEGIN IMMEDIATE")
        _insert(db, rows)
        held = _held(db)
        right = {run_id for run_id, oid in held.items() if self._commits.get(run_id) == oid}
        gone = [(run_id,) for run_id in held.keys() - right]
        db.executemany("DELETE FROM run WHERE id = ?", gone)
        missing = self._commits.keys() - right - new.keys()
        _insert(db, list(self._rows({run_id: self._commits[run_id] for run_id in missing})))
        self._note(db)

    def _is_noted(self, db: sqlite3.Connection) -> bool:
        """Whether the table was made from these very refs: comparing 10,000 takes 25 ms."""
        noted = db.execute("SELECT digest FROM listing").fetchone()
        if noted != (self._refs.digest,) or self._without:
            return False
        return _count(db) == self._refs.n_refs

    def _note(self, db: sqlite3.Connection) -> None:
        db.execute("DELETE FROM listing")
        if not self._without and not self.problems:
            db.execute("INSERT INTO listing VALUES (?)", [self._refs.digest])

    def _rows(self, new: Mapping[str, str]) -> Iterator[tuple[str | None, ...]]:
        objects = open_objects(self._repository, many=len(new) >= _MANY)
        try:
            for run_id, oid in new.items():
                try:
                    files = read_record_files(objects, oid, brief=True)
                    record = decode_record(files)
                    if record.run.id != run_id:
                        raise DamagedRecordError(f"it says that it is run `{record.run.id}`")
                except ReproError as error:
                    self.problems.append(Problem(run_id, error))
                else:
                    yield _row(record, files.contents)
        finally:
            objects.close()


def _connect(uri: str) -> sqlite3.Connection:
    # No isolation level: transactions begin and end where the code says so.
    db = sqlite3.connect(uri, uri=True, timeout=_PATIENCE_S, isolation_level=None)
    db.execute("PRAGMA trusted_schema = OFF")
    # A rollback journal that is synced: after a power loss the file is old or new. Faster
    # settings could leave one that opens well and lacks runs.
    db.execute("PRAGMA synchronous = NORMAL")
    return db


def _ensure_schema(db: sqlite3.Connection) -> None:
    """Make the table, in place of one of another version or shape."""
    if _is_ours(db):
        return
    db.execute("BEGIN IMMEDIATE")
    if not _is_ours(db):
        for statement in _SCHEMA:
            db.execute(statement)
    db.commit()


def _is_ours(db: sqlite3.Connection) -> bool:
    [version] = db.execute("PRAGMA user_version").fetchone()
    shape = db.execute("SELECT sql FROM sqlite_master WHERE type = 'table' ORDER BY name")
    return bool(version == _VERSION and shape.fetchall() == [(_LISTING,), (_TABLE,)])


def _held(db: sqlite3.Connection) -> dict[str, str]:
    return dict(db.execute("SELECT id, commit_id FROM run"))


def _count(db: sqlite3.Connection) -> int:
    [number] = db.execute("SELECT count(*) FROM run").fetchone()
    return int(number)


def _insert(db: sqlite3.Connection, rows: Sequence[tuple[str | None, ...]]) -> None:
    db.executemany("INSERT OR REPLACE INTO run VALUES (?, ?, ?, ?, ?, ?, ?)", rows)


def _row(record: Record, files: Mapping[str, bytes]) -> tuple[str | None, ...]:
    run = record.run
    # The files are JSON already, checked just now: writing it again would take as long as reading.
    parts = [f'"{name}": {files.get(name, b"{}").decode()}' for name in _DOCUMENTS]
    doc = f'{{"config": {json.dumps(record.config)}, {", ".join(parts)}}}'
    tags = json.dumps(run.tags)
    return run.id, record.commit, run.name, run.created, run.status, tags, doc


def _decode(oid: str, doc: str) -> Record:
    parts = json.loads(doc)
    run, metrics, data = (parts[name] for name in _DOCUMENTS)
    return Record(
        run=decode_run(run, FILE),
        commit=oid,
        config=parts["config"],
        metrics=decode_metrics(metrics.get("metrics", {}), FILE),
        summary=metrics.get("summary", {}),
        data=data,
    )

"""The run index: a disposable SQLite file that says again what the run commits say, faster.

It is brought up to date from the refs and the live journals at each use, and no run waits for it.
Whatever is wrong with the file, the answers are the same: it is built anew, in memory where it
cannot be written.
"""

import sqlite3
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from time import monotonic
from types import MappingProxyType, TracebackType
from typing import Self, TypeVar

from repro.errors import FilterError, ReproError, StorageError
from repro.model.condition import Condition, Key, Kind, SortKey, Space
from repro.model.fields import FIELDS
from repro.model.run import Record
from repro.model.values import Value
from repro.store.collector import no_collection
from repro.store.git import Repository
from repro.store.index_alike import find_alike
from repro.store.index_columns import read_columns
from repro.store.index_connection import connect
from repro.store.index_groups import CellGroup as CellGroup
from repro.store.index_groups import group_cells, put_metrics
from repro.store.index_names import find_kinds, has_name, list_names
from repro.store.index_place import FILE as FILE
from repro.store.index_place import index_path
from repro.store.index_refresh import IndexRefresh
from repro.store.index_refresh import LiveSource as LiveSource
from repro.store.index_refresh import OnProgress as OnProgress
from repro.store.index_refresh import Problem as Problem
from repro.store.index_rows import cell, decode_documents
from repro.store.index_schema import ensure_schema
from repro.store.index_select import Selection, find_ids
from repro.store.index_starting import Starting, list_starting, list_texts
from repro.store.refs import RunRefs
from repro.store.sqlitefile import FAULTS, is_broken, is_locked, is_odd, remove_database

_PATIENCE_S = 2.0  # for another process that holds the file; then in memory
_NO_PATIENCE_S = 0.1
_REMEMBERED_S = 5.0  # that somebody waited in vain: who asks many questions waits once
_READ_CACHE_KIB = 1 << 13  # questions walk: a larger one holds what is not asked for again
_NEWEST = "ORDER BY created DESC, id DESC"
_NONE_LIVE: Mapping[str, LiveSource] = MappingProxyType({})

_held: dict[Path, float] = {}  # when files were found held, by the clock of `monotonic`
_T = TypeVar("_T")


class RunIndex:
    """Answers about runs, in progress or sealed; use it as a context manager.

    It is a `Vocabulary` of what is in them.

    Attributes:
        problems: Refs that name no run, then runs that cannot be read, in the order of their ids.
        is_old: Whether what is newest may be missing, for another process holds the file.
    """

    def __init__(
        self,
        repository: Repository,
        refs: RunRefs,
        *,
        live: Mapping[str, LiveSource] = _NONE_LIVE,
        on_progress: OnProgress | None = None,
        is_patient: bool = True,
        may_be_old: bool = False,
    ) -> None:
        """Bring the index up to date.

        Args:
            live: The runs in progress by id, also those that continue a sealed one.
            on_progress: Told how many of how many records are read, where these are many.
            is_patient: Whether to wait for another process that holds the file, and then go
                without it.
            may_be_old: Whether, where that process goes on writing, what stood there before is
                good enough; where it cannot be read either, nobody goes without it.

        Raises:
            StorageError: Another process holds the file, and nobody wants to wait for it.
        """
        self._is_patient = is_patient
        self._may_be_old = may_be_old
        self.is_old = False
        self._repository = repository
        self._refs = refs
        self._live = live
        self._on_progress = on_progress
        self._path = index_path(repository.private, repository.git.environ)
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

    def select(
        self,
        condition: Condition | None = None,
        *,
        sort: Sequence[SortKey] = (),
        limit: int | None = None,
    ) -> list[Record]:
        """The runs that fit, environment and artifacts left out.

        Args:
            condition: None is every run.
            sort: The first key counts most; the newest run comes first where all tie.
            limit: At most so many; None is all.
        """

        def select() -> list[Record]:
            return self._records(self._selection.numbers(condition, sort, limit))

        return self._ask(select)

    def select_ids(
        self,
        condition: Condition | None = None,
        *,
        sort: Sequence[SortKey] = (),
        limit: int | None = None,
        offset: int = 0,
    ) -> list[str]:
        """The ids of the runs that `select` gives, behind the first `offset`, without reading."""

        def select() -> list[str]:
            numbers = self._selection.numbers(condition, sort, limit, offset)
            return find_ids(self._db, numbers)

        return self._ask(select)

    def records(self, ids: Sequence[str]) -> list[Record]:
        """The records of some runs, environment and artifacts left out; not of those it lacks."""
        # A run without its document is the sign of a broken file, not of a run that is gone.
        query = "SELECT commit_id, doc FROM run LEFT JOIN doc ON run = num WHERE id = ?"

        def records() -> list[Record]:
            found = (self._db.execute(query, [run_id]).fetchone() for run_id in ids)
            return decode_documents([row for row in found if row is not None])

        return self._ask(records)

    def columns(self, keys: Sequence[Key], ids: Sequence[str]) -> list[list[Value]]:
        """Give the values of some runs under each key; None where one has none, or null.

        Tags are a list, sorted.
        """
        return self._ask(lambda: read_columns(self._db, keys, ids))

    def groups(
        self,
        keys: Sequence[Key],
        metrics: Sequence[str],
        condition: Condition | None = None,
        *,
        with_numbers: bool = False,
    ) -> list[CellGroup]:
        """The runs that fit in groups with the same values under some keys, in no order.

        Args:
            metrics: Whose last values are given.
            with_numbers: Whether each group is to name its runs, for `ids_of`.
        """

        def groups() -> list[CellGroup]:
            numbers = self._selection.fitting(condition)
            with no_collection():
                return group_cells(self._db, numbers, keys, metrics, with_numbers=with_numbers)

        return self._ask(groups)

    def put_metrics(self, groups: Sequence[CellGroup], metrics: Sequence[str]) -> None:
        """Give some of the groups, which name their runs, the last values of more metrics."""
        self._ask(lambda: put_metrics(self._db, groups, metrics))

    def ids_of(self, group: CellGroup) -> list[str]:
        """The ids of the runs of a group, in no order."""
        return self._ask(lambda: find_ids(self._db, group.numbers))

    def starting(self, prefix: str, what: Starting, limit: int) -> list[str]:
        """Ids, names or tags of runs that start with `prefix`, at most `limit`.

        The ids of the newest runs come first; names and tags are in their order.
        """
        return self._ask(lambda: list_starting(self._db, prefix, what, limit))

    def texts(self, key: Key, prefix: str, limit: int) -> list[str]:
        """Texts that runs have under a key, and that start with `prefix`, at most `limit`."""
        return self._ask(lambda: list_texts(self._db, key, prefix, limit))

    def alike(
        self,
        params: Mapping[str, Value],
        *,
        limit: int,
        beside: int = 0,
        differing: bool = False,
    ) -> list[Record]:
        """The runs with the most params as they are in `params`, the newest of equals first.

        Args:
            params: By dotted key.
            limit: At most so many; what shares none fills the list up.
            beside: Then, for each number in `params`, at most so many runs with the next greater
                ones, and as many with the next smaller ones.
            differing: Leave out the runs that have all of them.
        """
        cells = {key: cell(value) for key, value in params.items()}

        def alike() -> list[Record]:
            return self._records(
                find_alike(self._db, cells, limit=limit, beside=beside, differing=differing)
            )

        return self._ask(alike)

    def matching(self, condition: Condition | None) -> int:
        """How many runs fit."""
        return self._ask(lambda: self._selection.count(condition))

    def goals(self, metric: str, condition: Condition | None = None) -> set[str]:
        """The goals that runs set for a metric: one where they agree, or none.

        Where they disagree, those of the runs that fit.
        """
        return self._ask(lambda: self._selection.goals(metric, condition))

    def has(self, space: Space, name: str) -> bool:
        """Whether any run has that name in `space`."""
        if space in (Space.FIELD, Space.TAG):
            return space == Space.TAG or name in FIELDS
        return self._ask(lambda: has_name(self._db, space, name))

    def names(self, space: Space) -> list[str]:
        """All names in `space`, in their order; no tag is a name."""
        if space in (Space.FIELD, Space.TAG):
            return [] if space == Space.TAG else sorted(FIELDS)
        return self._ask(lambda: list_names(self._db, space))

    def kinds(self, key: Key) -> set[Kind]:
        """The types of the values that runs have under `key`; NaN is a number."""
        return self._ask(lambda: find_kinds(self._db, key))

    def nth(self, n: int) -> str | None:
        """The id of the n-th newest run from 0 on; None where there are fewer."""
        query = f"SELECT id FROM run {_NEWEST} LIMIT 1 OFFSET ?"  # noqa: S608
        found = self._ask(lambda: self._db.execute(query, [n]).fetchall())
        return found[0][0] if found else None

    def named(self, name: str) -> str | None:
        """The id of the newest run called `name`."""
        query = f"SELECT id FROM run WHERE name = ? {_NEWEST} LIMIT 1"  # noqa: S608
        if any("\ud800" <= char <= "\udfff" for char in name):  # SQLite speaks UTF-8 only
            return None
        found = self._ask(lambda: self._db.execute(query, [name]).fetchall())
        return found[0][0] if found else None

    def run_names(self) -> list[str]:
        """Each name that a run has, newest run first."""
        query = (
            "SELECT name FROM run WHERE name IS NOT NULL GROUP BY name ORDER BY max(created) DESC"
        )
        return self._ask(lambda: [name for (name,) in self._db.execute(query)])

    def ids(self) -> list[str]:
        """The ids of all runs, in their order."""
        query = "SELECT id FROM run ORDER BY id"
        return self._ask(lambda: [run_id for (run_id,) in self._db.execute(query)])

    def count(self) -> int:
        """How many runs it knows."""
        return self._ask(lambda: self._selection.count(None))

    def neighbours(self, ids: Iterable[str]) -> set[str]:
        """The id before and the id after each of `ids`, as far as there are any."""
        query = (
            "SELECT max(id) FROM run WHERE id < ?1 UNION ALL SELECT min(id) FROM run WHERE id > ?1"
        )
        asked = [[run_id] for run_id in ids]
        found = self._ask(lambda: [row for one in asked for row in self._db.execute(query, one)])
        return {near for (near,) in found if near is not None}

    def _records(self, numbers: Iterable[int]) -> list[Record]:
        query = "SELECT commit_id, doc FROM run JOIN doc ON run = num WHERE num = ?"
        found = (self._db.execute(query, [number]).fetchone() for number in numbers)
        return decode_documents(list(found))

    def _open(self) -> sqlite3.Connection:
        """The file brought up to date, made anew if it is broken; memory if that is not to be."""
        path = self._path
        for _ in range(2) if path is not None else ():
            assert path is not None  # else there is nothing to go through
            try:
                return self._prepare(self._open_file(path))
            except FAULTS as error:
                _raise_interrupt(error)
                if is_locked(error) and (self._may_be_old or not self._is_patient):
                    _held[path] = monotonic()
                    raise StorageError(
                        "another process holds the run index", hint="try again in some seconds"
                    ) from error
                if not is_broken(error):
                    return self._open_memory(path)
                if not remove_database(path):
                    break
            except OSError:
                break
        return self._open_memory()

    def _open_file(self, path: Path) -> sqlite3.Connection:
        mode = "rwc"
        if not path.parent.exists():
            if not self._live and not self._refs.n_refs:
                mode = "rw"  # where there is no run, there is no file
            else:
                path.parent.mkdir(exist_ok=True, mode=0o700)
        if is_odd(path):
            remove_database(path)
        was_held = (
            self._may_be_old and monotonic() - _held.get(path, -_REMEMBERED_S) < _REMEMBERED_S
        )
        patience = _PATIENCE_S if self._is_patient and not was_held else _NO_PATIENCE_S
        return connect(f"{path.as_uri()}?mode={mode}", patience)

    def _open_memory(self, sound: Path | None = None) -> sqlite3.Connection:
        """An index in memory; from a file that only cannot be written, as far as it goes."""
        db = connect("file::memory:")
        try:
            if sound is not None:
                with closing(connect(f"{sound.as_uri()}?mode=ro", _NO_PATIENCE_S)) as source:
                    source.backup(db)
            return self._prepare(db)
        except FAULTS as error:
            _raise_interrupt(error)
            db.close()
        return self._prepare(connect("file::memory:"))

    def _prepare(self, db: sqlite3.Connection) -> sqlite3.Connection:
        """Bring an open database up to date, or close it."""
        try:
            ensure_schema(db)
            refresh = IndexRefresh(
                self._repository, self._refs, self._live, on_progress=self._on_progress
            )
            self._refresh(refresh, db)
        except BaseException:
            db.close()
            raise
        db.execute(f"PRAGMA cache_size = -{_READ_CACHE_KIB}")
        self.problems = refresh.problems
        self._selection = Selection(db)
        return db

    def _refresh(self, refresh: IndexRefresh, db: sqlite3.Connection) -> None:
        try:
            refresh.bring_up_to_date(db)
        except sqlite3.OperationalError as error:
            if not self._may_be_old or not is_locked(error) or self._path is None:
                raise
            db.rollback()
            db.execute(f"PRAGMA busy_timeout = {int(_NO_PATIENCE_S * 1000)}")
            db.execute("BEGIN")
            db.execute("SELECT 1 FROM run").fetchone()  # fails where it cannot be read either
            _held[self._path] = monotonic()
            self.is_old = True

    def _ask(self, query: Callable[[], _T]) -> _T:
        """The answer to `query`, from a new index if the file turns out to be broken."""
        try:
            return query()
        except FilterError:
            raise
        except (*FAULTS, ReproError, ValueError, TypeError, KeyError, zlib.error) as error:
            _raise_interrupt(error)
            self._db.close()
            if self._path is not None:
                remove_database(self._path)
            self._db = self._open_memory()
            return query()


def _raise_interrupt(error: Exception) -> None:
    """Raise ^C again where SQLite was at work when it came."""
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
        raise KeyboardInterrupt from error

"""The run index brought up to date: what changed since it was, read and put in.

Refs are compared by the times of their files where these prove something, else one by one. What
is to be written is worked out once more behind the lock, as another process may have been here.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from repro.errors import DamagedRecordError, ReproError
from repro.model.run import Record
from repro.model.sharing import Refusal
from repro.store.git import Repository
from repro.store.index_batch import Batch, make_batch
from repro.store.index_noted import describe_noted, has_unused, read_noted
from repro.store.index_record import read_environment, read_row
from repro.store.index_rows import Cell, Row, environment_cells, name_environment
from repro.store.index_writer import IndexWriter
from repro.store.objects import Objects, open_objects
from repro.store.objects_pygit2 import Pygit2Objects
from repro.store.refnames import parse_ref
from repro.store.refs import RunRefs
from repro.store.refstamp import RefStamp

if TYPE_CHECKING:
    from repro.store.index_workers import Part

_MANY = 200  # records to read from which on importing pygit2 pays off
_BATCH = 5000  # runs written at once: others get at the file in between, and ^C loses no more
_PART = 250  # runs read at once
_TOLD = 100  # runs between two tellings of how far it is

OnProgress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Problem:
    """A run that cannot be read, and why; it never hides the others."""

    id: str
    error: ReproError


@dataclass(frozen=True, slots=True)
class LiveSource:
    """What a run in progress is read from.

    Attributes:
        stamp: Another one whenever there is something new to read.
        read: Gives the brief record with all points so far, and what to hand back at the next
            change, so that reading costs what is new; None the first time.
    """

    stamp: str
    read: Callable[[bytes | None], tuple[Record, bytes]]


@dataclass(slots=True)
class _Changes:
    """What makes the tables right.

    Attributes:
        new: Commits of the sealed runs to put in.
        live: Runs in progress to put in.
        gone: Runs to take out.
        noted: What stands in `noted`, None where that is nothing, or says nothing.
    """

    new: dict[str, str] = field(default_factory=dict)
    live: list[str] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    refused: list[Refusal] = field(default_factory=list)
    noted: str | None = None


class IndexRefresh:
    """One use of the index: what there is now, and what could not be read.

    Attributes:
        problems: Refs that name no run, then runs that cannot be read, in the order of their ids.
    """

    def __init__(
        self,
        repository: Repository,
        refs: RunRefs,
        live: Mapping[str, LiveSource],
        on_progress: OnProgress | None = None,
    ) -> None:
        """Look at nothing yet.

        Args:
            live: The runs in progress, also those that continue a sealed one.
            on_progress: Told how many of how many records are read, where these are many.
        """
        self._repository = repository
        self._refs = refs
        self._live = live
        self._on_progress = on_progress
        self._rows: dict[tuple[str, str], Row] = {}
        self._failed: dict[tuple[str, str], ReproError] = {}
        self._over: dict[str, str] = {}  # commits of runs that were sealed meanwhile
        self._environments: dict[str, Mapping[str, Cell]] = {}  # read, and maybe not put yet
        self._told = 0
        self._objects: Objects | None = None
        self.problems: list[Problem] = []

    def bring_up_to_date(self, db: sqlite3.Connection) -> None:
        """Read what is new, drop what is gone; the transaction stays open for the questions.

        Another process may hold older refs and drop what is new here: it cannot meanwhile.
        """
        try:
            self._bring_up_to_date(db)
        finally:
            if self._objects is not None:
                self._objects.close()
                self._objects = None
            self._rows.clear()

    def _bring_up_to_date(self, db: sqlite3.Connection) -> None:
        stamp = self._refs.stamp()  # before anything is read: a later change shows next time
        self._refs = self._refs.again()  # what was asked before may be older than the stamp
        db.execute("BEGIN")
        changes = self._changes(db, stamp)
        if len(changes.new) >= _MANY:
            db.rollback()
            self._read_ahead(db, changes.new)  # takes seconds: nobody waits for it
        else:
            rows = self._read(db, changes)
            if not rows and not changes.gone:
                self._say_problems(changes)
                # Locked or read-only: slower next time, not wrong.
                with suppress(sqlite3.OperationalError):
                    self._note_at_once(db, stamp, changes)
                return
            db.rollback()
        db.execute("BEGIN IMMEDIATE")
        changes = self._changes(db, stamp)
        writer = IndexWriter(db)
        rows = self._read(db, changes)
        writer.drop(changes.gone)
        self._put(writer, [make_batch(rows, many=len(rows) >= _MANY)])
        writer.drop_unused_environments()
        self._say_problems(changes)
        self._note(db, stamp, changes)

    def _changes(self, db: sqlite3.Connection, stamp: RefStamp | None) -> _Changes:
        changes = _Changes()
        held_live = dict(db.execute("SELECT id, live FROM run WHERE live IS NOT NULL"))
        changes.live = [
            run_id for run_id, source in self._live.items() if held_live.get(run_id) != source.stamp
        ]
        ended = held_live.keys() - self._live.keys()
        noted = read_noted(db, len(held_live))
        if noted is None or stamp is None:
            self._compare_all(db, changes, ended)
            return changes
        changes.noted = noted.text
        names = stamp.differing(noted.stamp)
        if names is None or len(names) > _MANY or not noted.tells(names):
            self._compare_all(db, changes, ended)
            return changes
        changes.refused = noted.refused
        ids = {parse_ref(ref).name for ref in names}
        asked = (ids | noted.unreadable | ended) - self._live.keys()
        if asked:
            found = self._refs.look_up(asked)
            if has_unused(stamp, names, found):
                self._compare_all(db, changes, ended)
                return changes
            held = _held(db, asked)
            changes.new = {one: oid for one, oid in found.items() if held.get(one) != oid}
            changes.gone = (held.keys() | ended) - found.keys()
        return changes

    def _compare_all(self, db: sqlite3.Connection, changes: _Changes, ended: set[str]) -> None:
        commits = self._refs.commits
        held = dict(db.execute("SELECT id, commit_id FROM run WHERE live IS NULL"))
        changes.new = {
            run_id: oid
            for run_id, oid in commits.items()
            if held.get(run_id) != oid and run_id not in self._live
        }
        changes.gone = (held.keys() | ended) - commits.keys() - self._live.keys()
        changes.refused = self._refs.refused

    def _read(self, db: sqlite3.Connection, changes: _Changes) -> list[Row]:
        """The rows of what is new; what cannot be read is to go."""
        rows = []
        for run_id in changes.live:
            row = self._read_live(db, run_id, changes)
            if row is not None:
                rows.append(row)
        for run_id, oid in changes.new.items():
            row = self._read_sealed(run_id, oid)
            if row is not None:
                rows.append(row)
        unreadable = [run_id for run_id, _ in self._failed]
        held = _held(db, unreadable, everything=True)
        changes.gone |= held.keys() - {row.record.run.id for row in rows}
        return rows

    def _read_live(self, db: sqlite3.Connection, run_id: str, changes: _Changes) -> Row | None:
        source = self._live[run_id]
        key = (run_id, source.stamp)
        if not self._is_tried(key) and run_id not in self._over:
            query = "SELECT state FROM doc JOIN run ON num = run WHERE id = ? AND live IS NOT NULL"
            known = db.execute(query, [run_id]).fetchone()
            try:
                record, state = source.read(known[0] if known else None)
            except ReproError as error:
                # Its journals went as it was sealed, or are damaged.
                sealed = self._refs.tips([run_id]).get(run_id)
                if sealed is None:
                    self._failed[key] = error
                else:
                    self._over[run_id] = sealed
            else:
                name = name_environment(record.environment)
                if name is not None:
                    self._environments[name] = environment_cells(record.environment)
                self._rows[key] = Row(record, "", name, source.stamp, state)
        if run_id in self._over:
            changes.new[run_id] = self._over[run_id]
        return self._rows.get(key)

    def _is_tried(self, key: tuple[str, str]) -> bool:
        return key in self._rows or key in self._failed

    def _read_sealed(self, run_id: str, oid: str) -> Row | None:
        key = (run_id, oid)
        if not self._is_tried(key):
            try:
                self._rows[key] = self._decode(run_id, oid)
            except ReproError as error:
                self._failed[key] = error
        return self._rows.get(key)

    def _decode(self, run_id: str, oid: str) -> Row:
        return read_row(self._open_objects(), run_id, oid)

    def _open_objects(self, *, many: bool = False) -> Objects:
        if self._objects is None:
            self._objects = open_objects(self._repository, many=many)
        return self._objects

    def _read_ahead(self, db: sqlite3.Connection, new: Mapping[str, str]) -> None:
        """Read and write many runs, a batch at a time."""
        # `repro ls` of a few new runs would start slower with it.
        from repro.store.index_workers import (  # noqa: PLC0415
            count_cores,
            count_workers,
            read_parts,
        )

        objects = self._open_objects(many=True)
        n_workers = count_workers(len(new), count_cores())
        n_workers = n_workers if isinstance(objects, Pygit2Objects) else 0
        batches: list[Batch] = []
        parts = _parts(db, list(new.items()))
        with closing(read_parts(self._repository.objects, parts, n_workers)) as answers:
            for (start, items), answer in answers:
                self._tell(start, len(new))
                if answer is None:
                    batches.append(self._read_part(start, items, len(new)))
                else:
                    self._environments.update(answer.environments)
                    batches.append(answer.batch)
                    if answer.left:
                        batches.append(self._read_part(start, answer.left, len(new)))
                if sum(len(batch.heads) for batch in batches) >= _BATCH:
                    self._put_at_once(db, batches)
                    batches = []
        self._put_at_once(db, batches)

    def _read_part(self, start: int, items: Iterable[tuple[str, str]], total: int) -> Batch:
        rows = []
        for number, (run_id, oid) in enumerate(items, start):
            self._tell(number, total)
            row = self._read_sealed(run_id, oid)
            if row is not None:
                rows.append(row)
        self._rows.clear()
        return make_batch(rows, many=True)

    def _tell(self, number: int, total: int) -> None:
        if self._on_progress is not None and number >= self._told:
            self._on_progress(number, total)
            self._told = number + _TOLD

    def _put_at_once(self, db: sqlite3.Connection, batches: Iterable[Batch]) -> None:
        db.execute("BEGIN IMMEDIATE")
        lacking = []
        for batch in batches:
            held = _held(db, [head.id for head in batch.heads])  # by another process, meanwhile
            if any(held.get(head.id) != head.commit for head in batch.heads):
                lacking.append(batch)
        self._put(IndexWriter(db), lacking)
        db.commit()
        self._environments.clear()

    def _put(self, writer: IndexWriter, batches: Sequence[Batch]) -> None:
        for batch in batches:
            for head in batch.heads:
                name = head.environment
                if name is not None and writer.lacks_environment(name):
                    writer.put_environment(name, self._environment(name))
        writer.put(batches)

    def _environment(self, name: str) -> Mapping[str, Cell]:
        known = self._environments.get(name)
        return read_environment(self._open_objects(), name) if known is None else known

    def _say_problems(self, changes: _Changes) -> None:
        self.problems = [
            Problem(one.run, DamagedRecordError(one.reason, hint=one.hint))
            for one in changes.refused
        ]
        self.problems += [
            Problem(run_id, error) for (run_id, _), error in sorted(self._failed.items())
        ]

    def _note_at_once(
        self, db: sqlite3.Connection, stamp: RefStamp | None, changes: _Changes
    ) -> None:
        if stamp is None or self._describe(stamp, changes) == changes.noted:
            return
        [patience] = db.execute("PRAGMA busy_timeout").fetchone()
        db.execute("PRAGMA busy_timeout = 0")
        try:
            self._note(db, stamp, changes)
        finally:
            db.execute(f"PRAGMA busy_timeout = {int(patience)}")

    def _note(self, db: sqlite3.Connection, stamp: RefStamp | None, changes: _Changes) -> None:
        db.execute("DELETE FROM noted")
        if stamp is not None:
            db.execute(
                "INSERT INTO noted SELECT ?, count(*) FILTER (WHERE live IS NULL) FROM run",
                [self._describe(stamp, changes)],
            )

    def _describe(self, stamp: RefStamp, changes: _Changes) -> str:
        unreadable = sorted({run_id for run_id, _ in self._failed})
        return describe_noted(stamp, changes.refused, unreadable)


def _parts(db: sqlite3.Connection, items: Sequence[tuple[str, str]]) -> Iterator["Part"]:
    """What is not held yet, a part at a time, each with the place of its first run."""
    size = min(_PART, _BATCH)
    for start in range(0, len(items), size):
        part = items[start : start + size]
        held = _held(db, [run_id for run_id, _ in part])  # by another process, meanwhile
        yield start, [(run_id, oid) for run_id, oid in part if held.get(run_id) != oid]


def _held(
    db: sqlite3.Connection, ids: Iterable[str], *, everything: bool = False
) -> dict[str, str]:
    """The commits of some runs, as far as they are there and sealed."""
    query = "SELECT id, commit_id FROM run WHERE id = ?"
    if not everything:
        query += " AND live IS NULL"
    return dict(row for run_id in ids for row in db.execute(query, [run_id]))

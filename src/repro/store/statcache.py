"""What was hashed before: the digests of files whose size, times and inode are still the same.

A disposable SQLite file with a row for each folder of a dataset. Any number of processes use it
at once; whatever is wrong with it, files are hashed again and nothing else happens. A file whose
newest time is not clearly older than the look at it is not believed next time, as git does with
entries of its index that are "racily clean": a later write could have left the same times.

Source: git's Documentation/technical/racy-git.txt.
"""

import os
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from repro.model.ids import is_id
from repro.model.manifest import Entry, FileEntry, FolderEntry, LinkEntry, Total
from repro.store.hashing import digest_bytes
from repro.store.scan import Raw
from repro.store.sqlitefile import FAULTS, is_broken, is_odd, remove_database

FILE = "stat.db"
_VERSION = 2
_PATIENCE_S = 2.0  # for another process that holds the file; then without it
_TICK_NS = 20_000_000  # the kernel's clock steps by up to 10 ms
_COARSE_NS = 2_000_000_000  # FAT counts in steps of two seconds
_MOST_HOLDERS = 16  # of a dataset: as many runs may be in progress at once
_SCHEMA = (
    # Apart: what a run needs of a folder that is unchanged is small.
    "CREATE TABLE folder (path BLOB PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE entries (path BLOB PRIMARY KEY, data BLOB NOT NULL)",
    "CREATE TABLE holder (dataset TEXT NOT NULL, run TEXT NOT NULL, number INTEGER PRIMARY KEY)",
    f"PRAGMA user_version = {_VERSION}",
)


_DROP_OLD_HOLDERS = (
    "DELETE FROM holder WHERE dataset = ?1 AND number NOT IN"
    " (SELECT number FROM holder WHERE dataset = ?1 ORDER BY number DESC LIMIT ?2)"
)


class KnownFile(NamedTuple):
    """A file or link as it was when it was hashed; all times 0 where it is not to be believed."""

    name: str
    mode: int
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    target: str | None
    xxh3: str
    sha256: str | None

    def entry(self) -> Entry:
        """What the page of its folder says of it."""
        if self.target is not None:
            return LinkEntry(self.name, self.target)
        return FileEntry(self.name, self.xxh3, self.size, bool(self.mode & 0o100), self.sha256)

    def is_still(self, found: Raw) -> bool:
        """Whether `found` is the same file, unchanged."""
        return self[:7] == found


class KnownFolder(NamedTuple):
    """A folder as it was when it was hashed.

    Attributes:
        signature: Of its listing; empty where some of its files are not to be believed.
        digest: Of its page.
        total: What is in it and below.
        vouched: The epoch of the content store in which each file right in it was kept there,
            empty where not all of them were.
        folders: The folders right in it.
    """

    signature: str
    digest: str
    total: Total
    vouched: str
    folders: tuple[FolderEntry, ...]


_encode = msgspec.msgpack.Encoder().encode
_decode_files = msgspec.msgpack.Decoder(
    list[tuple[bytes, int, int, int, int, int, bytes | None, str, str | None]]
).decode
_decode_folder = msgspec.msgpack.Decoder(
    tuple[str, str, tuple[int, int, int], str, list[tuple[bytes, str, int, int, int]]]
).decode


def is_racy(newest_ns: int, looked_ns: int) -> bool:
    """Whether a file with this newest time may be written again without another time."""
    is_coarse = newest_ns % 1_000_000_000 == 0
    return newest_ns > looked_ns - (_COARSE_NS if is_coarse else _TICK_NS)


class StatCache:
    """The cache, open; use one in one thread only.

    What is put in is seen by this process at once, and by others after `flush`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._folders: dict[str, KnownFolder] = {}
        self._files: dict[str, list[KnownFile]] = {}
        self._db = _open(path)

    def folders(self, top: str) -> Mapping[str, KnownFolder]:
        """What is known of the folder `top` and all below it, by absolute path."""
        raw = os.fsencode(top)
        query = "SELECT path, data FROM folder WHERE path = ? OR (path > ? AND path < ?)"
        found = {}
        for path, data in self._ask(query, (raw, raw + b"/", raw + b"0")):
            folder = _read_folder(path, data)
            if folder is not None and os.fsdecode(path) not in self._files:
                found[os.fsdecode(path)] = folder
        pending = {
            path: folder
            for path, folder in self._folders.items()
            if path == top or path.startswith(f"{top}/")
        }
        return found | pending

    def folder(self, path: str) -> KnownFolder | None:
        """What is known of the folder `path`, an absolute path; None where that is nothing."""
        if path in self._folders or path in self._files:
            return self._folders.get(path)
        raw = os.fsencode(path)
        rows = self._ask("SELECT data FROM folder WHERE path = ?", (raw,))
        return _read_folder(raw, rows[0][0]) if rows else None

    def files(self, folder: str) -> list[KnownFile]:
        """The files and links that are known right in `folder`, an absolute path."""
        if folder in self._files:
            return self._files[folder]
        raw = os.fsencode(folder)
        for (data,) in self._ask("SELECT data FROM entries WHERE path = ?", (raw,)):
            with suppress(msgspec.MsgspecError, ValueError):
                return [_known(*row) for row in _decode_files(_unsealed(raw, data))]
        return []

    def put_files(self, folder: str, files: list[KnownFile]) -> None:
        """Remember the files right in `folder`, of which the page may not be known yet."""
        self._files[folder] = files
        self._folders.pop(folder, None)

    def put_folder(self, folder: str, known: KnownFolder) -> None:
        """Remember the page of `folder`."""
        self._folders[folder] = known

    def forget(self, folders: Iterable[str]) -> None:
        """Drop folders that are not there any more."""
        gone = [(os.fsencode(folder),) for folder in folders]
        self._write([("DELETE FROM folder WHERE path = ?", gone)])
        self._write([("DELETE FROM entries WHERE path = ?", gone)])

    def doubt(self, top: str) -> None:
        """Believe no page at or below `top` any more: its files are looked at one by one again."""
        known = {folder: self.files(folder) for folder in self.folders(top)}
        sound = self._ask("PRAGMA integrity_check", ())
        if self._db is not None and sound != [("ok",)]:
            self._give_up(sqlite3.DatabaseError("rows are not where they should be"))
        for folder, files in known.items():
            self.put_files(folder, files)

    def flush(self) -> None:
        """Let other processes, and later ones, see what was put in."""
        files = (
            _row(
                path,
                [(os.fsencode(one.name), *one[1:6], _raw(one.target), *one[7:]) for one in files],
            )
            for path, files in self._files.items()
        )
        folders = (
            _row(path, (*known[:4], [(os.fsencode(one.name), *one[1:]) for one in known.folders]))
            for path, known in self._folders.items()
        )
        # Whoever has the page of a folder from here takes all its files from here too.
        halves = [(os.fsencode(path),) for path in self._files.keys() - self._folders.keys()]
        done = self._write(
            [
                ("DELETE FROM folder WHERE path = ?", halves),
                ("INSERT OR REPLACE INTO entries VALUES (?, ?)", files),
                ("INSERT OR REPLACE INTO folder VALUES (?, ?)", folders),
            ]
        )
        if done:
            self._files.clear()
            self._folders.clear()

    def drop(self) -> None:
        """Forget what was put in since the last `flush`."""
        self._files.clear()
        self._folders.clear()

    def holders(self, dataset: str) -> list[str]:
        """Ids of runs whose record may hold the pages of a dataset, the newest first."""
        query = "SELECT run FROM holder WHERE dataset = ? ORDER BY number DESC"
        found = [run for (run,) in self._ask(query, (dataset,))]
        return [run for run in found if isinstance(run, str) and is_id(run)]

    def put_holder(self, dataset: str, run: str) -> None:
        """Remember that the record of a run will hold the pages of a dataset."""
        self._write(
            [
                ("INSERT INTO holder (dataset, run) VALUES (?, ?)", [(dataset, run)]),
                (_DROP_OLD_HOLDERS, [(dataset, _MOST_HOLDERS)]),
            ]
        )

    def close(self) -> None:
        """Flush, and end."""
        self.flush()
        if self._db is not None:
            self._db.close()
            self._db = None

    def _ask(self, query: str, values: Sequence[object]) -> list[Any]:
        if self._db is None:
            return []
        try:
            return self._db.execute(query, values).fetchall()
        except FAULTS as error:
            self._give_up(error)
            return []

    def _write(self, commands: Iterable[tuple[str, Iterable[Sequence[object]]]]) -> bool:
        if self._db is None:
            return False
        try:
            with self._db:
                for command, rows in commands:
                    self._db.executemany(command, rows)
        except FAULTS as error:
            self._give_up(error)
            return False
        return True

    def _give_up(self, error: Exception) -> None:
        """Go on without the file; a broken one is made anew by the next command."""
        if self._db is not None:
            self._db.close()
            self._db = None
        if is_broken(error):
            remove_database(self._path)


def _raw(text: str | None) -> bytes | None:
    return None if text is None else os.fsencode(text)


def _row(path: str, value: object) -> tuple[bytes, bytes]:
    raw, data = os.fsencode(path), _encode(value)
    return raw, _checksum(raw, data) + data


def _unsealed(path: object, data: object) -> bytes:
    """The data of a row; a power loss can leave a file that opens well and mixes old with new."""
    if not isinstance(path, bytes) or not isinstance(data, bytes):
        raise ValueError("a row of other types")  # SQLite stores any in any column
    if data[:32] != _checksum(path, data[32:]):
        raise ValueError("a garbled row")
    return data[32:]


def _checksum(path: bytes, data: bytes) -> bytes:
    return digest_bytes(path + data).encode()


def _read_folder(path: object, data: object) -> KnownFolder | None:
    try:
        signature, digest, total, vouched, rows = _decode_folder(_unsealed(path, data))
    except (msgspec.MsgspecError, ValueError):
        return None
    inner = tuple(FolderEntry(os.fsdecode(row[0]), *row[1:]) for row in rows)
    return KnownFolder(signature, digest, Total(*total), vouched, inner)


def _known(name: bytes, *rest: Any) -> KnownFile:
    *numbers, target, xxh3, sha256 = rest
    named = None if target is None else os.fsdecode(target)
    mode, size, mtime_ns, ctime_ns, inode = numbers
    return KnownFile(os.fsdecode(name), mode, size, mtime_ns, ctime_ns, inode, named, xxh3, sha256)


def _open(path: Path) -> sqlite3.Connection | None:
    """The file, made anew if it is of another version or broken; None where that is not to be."""
    for _ in range(2):
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if is_odd(path) and not remove_database(path):
                return None
            db = sqlite3.connect(path, timeout=_PATIENCE_S)
        except (OSError, *FAULTS):
            return None
        try:
            # What a power loss takes is hashed again; what it garbles is found and made anew.
            db.execute("PRAGMA synchronous = OFF")
            db.execute("PRAGMA trusted_schema = OFF")
            if db.execute("PRAGMA user_version").fetchone() != (_VERSION,):
                with db:
                    db.execute("BEGIN IMMEDIATE")
                    _make_tables(db)
        except FAULTS as error:
            db.close()
            if not is_broken(error) or not remove_database(path):
                return None  # locked for long, or read-only
        else:
            return db
    return None


def _make_tables(db: sqlite3.Connection) -> None:
    if db.execute("PRAGMA user_version").fetchone() == (_VERSION,):
        return  # another process was a step ahead
    for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        db.execute(f'DROP TABLE "{table}"')
    for command in _SCHEMA:
        db.execute(command)

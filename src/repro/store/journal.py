"""The journal of a run in progress: a call that returned survives `kill -9` (FORMAT.md)."""

import errno
import itertools
import math
import os
import threading
import warnings
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Self
from zlib import crc32

import msgspec

from repro.atomic import fsync_dir, fsync_file, open_high, storage_errors, write_file
from repro.errors import InvalidInputError, StorageError, UsageError
from repro.store.journal_reader import JOURNAL_VERSION, parse_line
from repro.store.journal_reader import Journal as Journal
from repro.store.journal_reader import read_journals as read_journals
from repro.store.liveness import SignOfLife
from repro.store.liveness import is_live as is_live
from repro.store.manyfiles import do_at_once
from repro.store.process import find_process, host_name, this_process

KEEP_BYTES = 64 << 20  # of lines that could not be written yet
LONGEST_RECORD = 16 << 20  # a reader takes 64 MiB of a whole file of a run
SYNC_S = 1.0  # what a power loss may cost
BEAT_S = 30.0
_TAIL = 1 << 16
_PATIENCE_S = 10.0
_FLAGS = os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW

_encode = msgspec.json.Encoder().encode
_write = os.write
_sync_data = getattr(os, "fdatasync", os.fsync)  # macOS has only fsync


def _line(record: Mapping[str, Any]) -> bytes:
    body = _encode(record)
    return b"%08x %s\n" % (crc32(body), body)


class JournalWriter:
    """One process's own append-only file of what happens in a run.

    A record is one `write(2)`, so that it survives the death of the process once the call has
    returned; a thread makes it survive a power loss within a second. While a write fails, its
    record is kept in memory, at most 64 MiB, and tried again with the next one. Threads may
    share it; a forked child must `abandon` it and open its own.

    Attributes:
        path: The file, `journal-<pid>-<n>.jsonl`.
        rank: Rank of the process in a distributed launch.
        lost: Points that could not be kept so far, exactly; those in memory do not count yet.
        lost_records: The same for records that hold no points.
        lost_media: Pictures, tables and histograms that could not be kept, as who keeps them says.
        strict: Whether a failed write raises StorageError at once instead of one warning.
        warn: Is told once that writing fails.
    """

    def __init__(self, live_dir: Path, *, run: str, rank: int, pid: int, time: float) -> None:
        self.rank = rank
        self.lost = 0
        self.lost_records = 0
        self.lost_media = 0
        self.strict = False
        self.warn: Callable[[str], object] = warnings.warn
        self._lock = threading.RLock()  # re-entrant: a signal handler may log, too
        self._syncing = threading.RLock()
        self._kept: deque[tuple[bytes, int]] = deque()
        self._kept_bytes = 0
        self._is_torn = False
        self._has_warned = False
        self._synced = 0
        self._files: deque[Path] = deque()  # that the journal names, and a power loss may take
        self._stopped = threading.Event()
        with storage_errors("the journal of the run"):
            self._fd, self.path = _create(live_dir, pid)
            try:
                number = self.path.stem.rpartition("-")[2]
                self._sign = SignOfLife(live_dir / f"lock-{pid}-{number}")
            except OSError:
                os.close(self._fd)
                self.path.unlink(missing_ok=True)
                raise
        process = find_process(pid) or this_process()
        header = {"k": "journal", "format": JOURNAL_VERSION, "run": run, "rank": rank}
        self.append({**header, **process.as_json(), "host": host_name(), "t": time})
        try:
            fsync_dir(live_dir)
        except OSError as error:
            self._warn_once(error)
        self._thread = threading.Thread(target=self._beat, name="repro-journal", daemon=True)
        self._thread.start()

    def log(self, step: int, time: float, values: Mapping[str, float | str]) -> None:
        """Write down the points of one step.

        Args:
            time: Seconds since 1970.
            values: Finite numbers, or the strings `NaN`, `Infinity`, `-Infinity`, by metric.
        """
        body = _encode({"k": "log", "s": step, "t": time, "m": values})
        line = b"%08x %s\n" % (crc32(body), body)
        with self._lock:
            if not self._kept:
                try:
                    if _write(self._fd, line) == len(line):
                        return
                    self._failed(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
                except OSError as error:
                    self._failed(error)
            self._keep(line, len(values))

    def append(self, record: Mapping[str, Any]) -> None:
        """Write down any other event; non-finite floats in it become strings.

        Raises:
            InvalidInputError: A reader could not read it back, or not the record it becomes.
        """
        line, values = format_line(record), record.get("m")
        with self._lock:
            self._keep(line, len(values) if isinstance(values, Mapping) else 0)

    def require_open(self) -> None:
        """Return if something can be written down.

        Raises:
            UsageError: The journal is closed.
        """
        if self._fd < 0:
            raise UsageError("the journal of this run is closed", hint="start a new run")

    def sync_later(self, path: Path) -> None:
        """Have a file of the run, which the journal will name, survive what the journal does."""
        self._files.append(path)

    def sync(self) -> None:
        """Make everything written so far survive a power loss."""
        with self._lock:
            self._retry()
        with self._syncing:
            self._sync_files()
            fd = self._fd
            if fd < 0:
                return
            try:
                stat = os.fstat(fd)
                if stat.st_nlink == 0:
                    if not self._has_warned:
                        self._has_warned = True
                        self.warn("the run is over, its folder is gone: what is logged is lost")
                elif stat.st_size != self._synced:
                    _sync_data(fd)
                    self._synced = stat.st_size
            except OSError as error:
                self._rewrite(error)

    def _sync_files(self) -> None:
        paths: list[Path] = []
        with suppress(IndexError):
            while True:
                paths.append(self._files.popleft())
        do_at_once(self._sync_file, paths)
        for folder in {path.parent for path in paths}:
            with suppress(OSError):
                fsync_dir(folder)

    def _sync_file(self, path: Path) -> None:
        try:
            fsync_file(path)
        except FileNotFoundError:
            pass  # the run was sealed by somebody else
        except OSError as error:
            self._warn_once(error)

    def close(self) -> None:
        """Sync and close for good; what still cannot be written counts as lost from now on."""
        with self._lock:
            if self._fd < 0:
                return
        self._stopped.set()
        self.sync()
        with self._syncing, self._lock:
            if self._fd < 0:
                return
            for _, points in self._kept:
                self._count_lost(points)
            self._kept.clear()
            self._note_loss()
            fd, self._fd = self._fd, -1
            os.close(fd)
            self._sign.end()

    def abandon(self) -> None:
        """Let go in a forked child, without a trace in the file; the parent goes on with it."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)
        self._sign.abandon()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _keep(self, line: bytes, points: int) -> None:
        """Write `line` behind the ones that wait; under the lock."""
        self.require_open()
        self._kept.append((line, points))
        self._kept_bytes += len(line)
        error = self._retry()
        while self._kept_bytes > KEEP_BYTES:
            dropped, lost = self._kept.popleft()
            self._kept_bytes -= len(dropped)
            self._count_lost(lost)
        if error is not None and self.strict:
            raise StorageError(
                f"cannot write the journal of the run: {error.strerror}",
                hint="free space or mend the permissions",
            ) from error

    def _retry(self) -> OSError | None:
        """Write the lines that wait until one fails; why that one failed."""
        while self._kept and self._fd >= 0:
            kept = self._kept[0]
            data = b"\n" + kept[0] if self._is_torn else kept[0]
            try:
                written = _write(self._fd, data)
            except OSError as error:
                self._failed(error)
                return error
            if written != len(data):
                full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                self._failed(full)
                return full
            self._is_torn = False
            if self._kept and self._kept[0] is kept:  # else a signal handler was here as well
                self._kept.popleft()
                self._kept_bytes -= len(kept[0])
        return None

    def _failed(self, error: OSError) -> None:
        """Cut off what a failed write may have left, so that the next line starts clean."""
        if self._fd < 0:
            return
        if error.errno == errno.EBADF:  # the program closed all descriptors
            self._reopen()
        try:
            size = os.fstat(self._fd).st_size
            start = max(0, size - _TAIL)
            tail = os.pread(self._fd, _TAIL, start)
            end = start + tail.rfind(b"\n") + 1
            if end < size and (end > start or start == 0):
                os.ftruncate(self._fd, end)
            self._is_torn = end < size and start > 0 and end == start
        except OSError:
            self._is_torn = True
        self._warn_once(error)

    def _reopen(self) -> None:
        with suppress(OSError):  # the caller keeps the line and will be here again
            self._fd = open_high(self.path, _FLAGS)

    def _rewrite(self, error: OSError) -> None:
        """Put a fresh copy in place of a file whose sync failed.

        Syncing the same file again would succeed and mean nothing: the kernel has marked the
        pages clean (PostgreSQL's "fsyncgate", 2018).
        """
        # A handler that interrupted a write of this thread's may wait for us: never for ever.
        if not self._lock.acquire(timeout=_PATIENCE_S):
            return
        try:
            data = self.path.read_bytes()
            write_file(self.path, data)
            fresh = open_high(self.path, _FLAGS)
        except (OSError, StorageError):
            self._warn_once(error)
        else:
            os.close(self._fd)
            self._fd = fresh
            self._synced = len(data)
        finally:
            self._lock.release()

    def _count_lost(self, points: int) -> None:
        self.lost += points
        self.lost_records += points == 0

    def _note_loss(self) -> None:
        """Leave the exact count in the journal itself, if there is room for one more line."""
        line = _line({"k": "lost", "n": self.lost}) if self.lost else b""
        if self.lost_media:
            said = f"{self.lost_media:,} media are not kept: they could not be written"
            line += _line({"k": "warning", "v": said})
        if not line:
            return
        try:
            if _write(self._fd, line) != len(line):
                self._failed(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
            _sync_data(self._fd)
        except OSError as error:
            self._failed(error)

    def _warn_once(self, error: OSError) -> None:
        if not self._has_warned:
            self._has_warned = True
            self.warn(
                f"cannot write the journal of the run: {error.strerror or error}; "
                "points are kept in memory and tried again"
            )

    def _beat(self) -> None:
        last = monotonic()
        while not self._stopped.wait(SYNC_S):
            self.sync()
            if monotonic() - last >= BEAT_S:
                last = monotonic()
                self._sign.beat()


def format_line(record: Mapping[str, Any]) -> bytes:
    """The line of a record, with its line feed; non-finite floats in it become strings.

    Raises:
        InvalidInputError: A reader could not read it back, or not the record it becomes.
    """
    line = _line({key: _plain(value) for key, value in record.items()})
    if parse_line(line[:-1]) is None:
        raise InvalidInputError(
            f"a `{record.get('k')}` record is too deep, or holds a number out of range"
        )
    if record.get("m") is None and len(line) > LONGEST_RECORD:
        raise InvalidInputError(
            f"a `{record.get('k')}` of {len(line):,} bytes is more than {LONGEST_RECORD:,}",
            hint="keep large values as an artifact",
        )
    return line


def _create(live_dir: Path, pid: int) -> tuple[int, Path]:
    for number in itertools.count():
        path = live_dir / f"journal-{pid}-{number}.jsonl"
        try:
            return open_high(path, _FLAGS | os.O_CREAT | os.O_EXCL), path
        except FileExistsError:
            continue
    raise AssertionError("unreachable")


def _plain(value: Any) -> Any:
    """`value` as JSON can hold it: no NaN literals, no lone surrogates."""
    match value:
        case float() if not math.isfinite(value):
            return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
        case str():
            return value.encode("utf-8", "backslashreplace").decode()
        case Mapping():
            return {_plain(str(key)): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
    return value

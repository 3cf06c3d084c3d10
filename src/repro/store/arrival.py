"""Objects on their way: many at once, and each into the content store only if it is right."""

import errno
import fcntl
import hashlib
import os
import re
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Condition, Event, Lock, Thread
from typing import IO

from repro.atomic import fsync_dir, storage_errors
from repro.errors import DamagedRecordError, StorageError
from repro.store.content import ContentStore

BLOCK = 1 << 20
Report = Callable[[int], None]

_HEX = re.compile(r"[0-9a-f]{64}\Z")
_INCOMING = "incoming"  # the folder of the content store for what is not whole yet
_HELD_ELSEWHERE = {errno.EACCES, errno.EAGAIN}
_PARALLEL = 8
_POLL_S = 0.1
_LAST_WORDS_S = 2.0  # for threads to remove what they began, after ^C


@dataclass(frozen=True, slots=True)
class Wanted:
    """An entry of the content store, as a manifest names it.

    Attributes:
        sha256: 64 hex digits.
        size: Bytes.

    Raises:
        DamagedRecordError: It is no digest, or no size; nothing else ever becomes a path.
    """

    sha256: str
    size: int

    def __post_init__(self) -> None:
        if not _HEX.match(self.sha256) or self.size < 0:
            raise DamagedRecordError(f"{self.sha256!r} of {self.size} bytes is no kept file")

    @property
    def digest(self) -> str:
        """As the content store names it."""
        return f"sha256:{self.sha256}"

    @property
    def key(self) -> str:
        """Where a remote has it, below its prefix: `aa/bb/<64 hex>`."""
        return f"{self.sha256[:2]}/{self.sha256[2:4]}/{self.sha256}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the objects of a transfer, in the order they were asked for.

    Attributes:
        done: Those that are now where they should be.
        failed: The others, each with the reason in words.
    """

    done: tuple[Wanted, ...]
    failed: tuple[tuple[Wanted, str], ...]


class ObjectError(Exception):
    """One object cannot be moved; the others can. The text is the reason, for the user."""


class StoppedError(Exception):
    """The transfer ended while this object was on its way."""


class _Transfer:
    """What the threads of one transfer share."""

    def __init__(self, wanted: Sequence[Wanted], on_bytes: Report) -> None:
        self.wanted = list(dict.fromkeys(wanted))
        self.done: set[Wanted] = set()
        self.failed: dict[Wanted, str] = {}
        self.broken: list[BaseException] = []
        self.stop = Event()
        self._todo: SimpleQueue[Wanted] = SimpleQueue()
        for one in self.wanted:
            self._todo.put(one)
        self._on_bytes = on_bytes
        self._reporting = Lock()

    def report(self, n_bytes: int) -> None:
        """Count bytes; each thread comes by here often, and leaves when it is over."""
        if self.stop.is_set():
            raise StoppedError
        with self._reporting:
            self._on_bytes(n_bytes)

    def work(self, move: Callable[[Wanted, Report], None]) -> None:
        with suppress(Empty, StoppedError):
            while not self.stop.is_set():
                one = self._todo.get_nowait()
                try:
                    move(one, self.report)
                    self.done.add(one)
                except ObjectError as error:
                    self.failed[one] = str(error)
                except StoppedError:
                    raise
                except BaseException as error:  # noqa: BLE001  raised anew in the thread that waits
                    self.broken.append(error)
                    self.stop.set()


def move_each(
    wanted: Sequence[Wanted],
    move: Callable[[Wanted, Report], None],
    on_bytes: Report,
    *,
    n_parallel: int = _PARALLEL,
) -> Outcome:
    """Do `move` for each object once, in threads.

    Args:
        move: Raises ObjectError for what stops this object only; anything else stops them all.
            It calls the function it is given with every few bytes.
        on_bytes: Called with the number of bytes that were just moved, by one thread at a time.

    Raises:
        ReproError: What stopped them all, as `move` raised it.
    """
    transfer = _Transfer(wanted, on_bytes)
    n_threads = min(n_parallel, len(transfer.wanted))
    # As daemons, for a remote that gives nothing must not hold up who pressed ^C.
    threads = [Thread(target=transfer.work, args=(move,), daemon=True) for _ in range(n_threads)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    except BaseException:
        transfer.stop.set()
        over = time.monotonic() + _LAST_WORDS_S
        for thread in threads:
            if thread.ident is not None:
                thread.join(max(0.0, over - time.monotonic()))
        raise
    if transfer.broken:
        raise transfer.broken[0]
    return Outcome(
        tuple(one for one in transfer.wanted if one in transfer.done),
        tuple((one, transfer.failed[one]) for one in transfer.wanted if one in transfer.failed),
    )


def is_here(content: ContentStore, one: Wanted) -> bool:
    """Whether the content store has an entry of that name and size; its bytes are not looked at."""
    try:
        found = content.path_of(one.digest).stat()
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_size == one.size


def receive(
    content: ContentStore, one: Wanted, read: Callable[[int], Iterable[bytes]], report: Report
) -> None:
    """Take one object into the content store, on from where an earlier transfer broke off.

    Its bytes lie under `incoming/<64 hex>.part` until all of them are there and right.
    What `read` raises leaves them for the next call; wrong bytes are deleted.

    Args:
        read: Gives the bytes from an offset on, in blocks.

    Raises:
        ObjectError: Other bytes came, too few, or too many; nothing of them is left.
        StorageError: The disk is full, read-only or forbidden.
    """
    with _open_part(content, one, report) as part:
        if part is not None:
            _fill(content, one, part, read, report)
        else:
            report(one.size)


def _fill(
    content: ContentStore,
    one: Wanted,
    part: IO[bytes],
    read: Callable[[int], Iterable[bytes]],
    report: Report,
) -> None:
    hasher = hashlib.sha256()
    try:
        have = _take_up(part, one.size, hasher.update, report)
        for block in read(have) if have < one.size else ():
            have += len(block)
            if have > one.size:
                raise _WrongError(f"more came than its {one.size} bytes")
            hasher.update(block)
            with storage_errors(f"`{one.digest}` to the content store"):
                _write(part, block)
            report(len(block))
        if have < one.size:
            raise _WrongError(f"only {have} of its {one.size} bytes came")
        if hasher.hexdigest() != one.sha256:
            raise _WrongError(f"other bytes came: those of `sha256:{hasher.hexdigest()}`")
        with storage_errors(f"`{one.digest}` to the content store"):
            content.commit(part, one.digest)
    except _WrongError:
        Path(part.name).unlink(missing_ok=True)
        raise
    except BaseException:
        if os.fstat(part.fileno()).st_size == 0:
            Path(part.name).unlink(missing_ok=True)
        raise


def _write(part: IO[bytes], block: bytes) -> None:
    left = memoryview(block)
    while left:
        left = left[part.write(left) :]


class _WrongError(ObjectError):
    """What came is not what was asked for, and is no beginning of it."""


def _take_up(part: IO[bytes], size: int, update: Callable[[bytes], object], report: Report) -> int:
    """Hash what an earlier transfer left, and give how much that is; what cannot be it goes."""
    if os.fstat(part.fileno()).st_size > size:
        part.truncate(0)
    have = 0
    while block := part.read(BLOCK):
        update(block)
        have += len(block)
        report(len(block))
    return have


_taken: set[Path] = set()
_given_back = Condition()


@contextmanager
def _alone(path: Path, report: Report) -> Iterator[None]:
    """Keep other threads of this process away, whom a record lock does not."""
    while True:
        with _given_back:
            if path not in _taken:
                _taken.add(path)
                break
            _given_back.wait(_POLL_S)
        report(0)
    try:
        yield
    finally:
        with _given_back:
            _taken.discard(path)
            _given_back.notify_all()


@contextmanager
def _open_part(content: ContentStore, one: Wanted, report: Report) -> Iterator[IO[bytes] | None]:
    """Give the part of an object, locked; None once the content store has all of it.

    On a file system without locks, as on some NFS, it is a file that no other process knows.
    """
    folder = content.dir / _INCOMING
    path = folder / f"{one.sha256}.part"
    with _alone(path, report):
        while not is_here(content, one):
            with storage_errors(f"`{one.digest}` to the content store"):
                if not folder.exists():
                    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                    fsync_dir(content.dir.parent)
                part = _open_regular(path)
            with part:
                is_ours = _lock(part)
                if is_ours and _is_at(part, path):
                    yield part
                    return
                if is_ours is None and os.fstat(part.fileno()).st_size == 0:
                    path.unlink(missing_ok=True)
            if is_ours is None:
                # Two who wrote to one file could spoil it; it begins anew at each call instead.
                with content.incoming(one.digest) as own:
                    yield own
                return
            report(0)
            time.sleep(_POLL_S)
        yield None


def _open_regular(path: Path) -> IO[bytes]:
    try:
        # Without a buffer, which closing the file would try again to write to a full disk.
        part = open(path, "r+b", buffering=0, opener=_open_or_make)  # noqa: SIM115
        if stat.S_ISREG(os.fstat(part.fileno()).st_mode):
            return part
        part.close()
    except OSError:
        if not path.is_symlink() and not path.is_dir():
            raise
    raise StorageError(
        f"cannot write the content store: `{path}` is no file", hint=f"`rm -r '{path}'`"
    )


def _open_or_make(path: str, flags: int) -> int:
    extra = os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    return os.open(path, flags | extra, 0o600)


def _lock(part: IO[bytes]) -> bool | None:
    """Take the lock if it is free: whether it is ours now; None where there are no locks."""
    try:
        fcntl.lockf(part, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return False if error.errno in _HELD_ELSEWHERE else None
    return True


def _is_at(part: IO[bytes], path: Path) -> bool:
    """Whether the name is still that of the open file: who held the lock may have moved it."""
    try:
        return os.path.samestat(os.fstat(part.fileno()), path.lstat())
    except FileNotFoundError:
        return False

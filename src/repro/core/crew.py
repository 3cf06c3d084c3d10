"""Who reads the files of a dataset: this thread, or as many as it takes to keep the disk busy."""

import os
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from repro.store.hashing import HashedFile, Keep, Tally, hash_file

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

_BATCH = 256  # files
_LARGE = 1 << 20  # bytes; below, a second thread costs more than it gives (measured, in Python)
_LARGE_KEPT = 1 << 16  # likewise where sha256, and a copy, come with it
_WAITERS = 16  # threads that wait for a slow disk, or for a network
_FEW = 8  # files tell nothing yet
_TRUST = 40  # batches until it is asked again whether there is anything to wait for
_PAUSE_S = 0.1


class HashTask(NamedTuple):
    """A file to hash.

    Attributes:
        name: Relative to `dir_fd`, or absolute.
        where: What to call it in an error.
        size: Bytes, as far as known.
        label: What its folder calls it.
    """

    name: str
    dir_fd: int | None
    where: str
    size: int
    label: str = ""


class Crew:
    """Hashes files; close it at the end.

    Large files go to a thread for each processor, for hashing lets go of Python's lock. Small
    ones are hashed in this thread: two are slower than one while the files are in memory (1.4
    against 1.0 s for 100,000). As soon as it waits more than it works, many threads wait instead.
    """

    def __init__(self, tally: Tally, keep: Keep | None) -> None:
        self._tally = tally
        self._keep = keep
        self._large: ThreadPoolExecutor | None = None
        self._waiters: ThreadPoolExecutor | None = None
        self._threaded = 0  # batches that are still to be hashed by many
        self._rate = 0.0  # files a second, by this thread alone

    def start_large(
        self, tasks: Sequence[HashTask], started: list[tuple[HashTask, "Future[HashedFile]"]]
    ) -> list[HashTask]:
        """Hand the large files to the threads, and give the small ones."""
        limit = _LARGE if self._keep is None else _LARGE_KEPT
        small = []
        for task in tasks:
            if task.size < limit:
                small.append(task)
                continue
            if self._large is None:
                self._large = _threads(_processors())
            started.append((task, self._large.submit(self._hash, task)))
        return small

    @staticmethod
    def batches(tasks: Sequence[HashTask]) -> Iterator[Sequence[HashTask]]:
        """Pieces that take a moment each."""
        for start in range(0, len(tasks), _BATCH):
            yield tasks[start : start + _BATCH]

    def hash(self, tasks: Sequence[HashTask], report: Callable[[], None]) -> list[HashedFile]:
        """Hash files, in their order, in the way that is faster now."""
        if self._threaded > 0:
            self._threaded -= 1
            return self._hash_threaded(tasks, report)
        wall, work, waits = time.monotonic(), time.thread_time(), _waits()
        done = [self._hash(task) for task in tasks]
        wall, work = time.monotonic() - wall, time.thread_time() - work
        self._rate = len(tasks) / max(wall, 1e-9)
        # Time alone would not tell: beside other programs a busy thread waits for a processor.
        if wall > 3 * work and 2 * (_waits() - waits) > len(tasks) > _FEW:
            self._threaded = _TRUST
        return done

    def _hash_threaded(
        self, tasks: Sequence[HashTask], report: Callable[[], None]
    ) -> list[HashedFile]:
        start = time.monotonic()
        if self._waiters is None:
            self._waiters = _threads(_WAITERS)
        futures = [self._waiters.submit(self._hash, task) for task in tasks]
        done = [self.wait(future, report) for future in futures]
        if len(tasks) / max(time.monotonic() - start, 1e-9) < self._rate:
            self._threaded = 0  # it was no faster: what it waited for was no disk
        return done

    def wait(self, future: "Future[HashedFile]", report: Callable[[], None]) -> HashedFile:
        """Give what a thread hashes, telling of progress meanwhile."""
        while True:
            try:
                return future.result(timeout=_PAUSE_S)
            except TimeoutError:
                report()

    def close(self) -> None:
        """End the threads."""
        for pool in (self._large, self._waiters):
            if pool is not None:
                pool.shutdown(wait=True, cancel_futures=True)

    def _hash(self, task: HashTask) -> HashedFile:
        return hash_file(
            task.name, where=task.where, tally=self._tally, dir_fd=task.dir_fd, keep=self._keep
        )


def _threads(number: int) -> "ThreadPoolExecutor":
    # Here, for it takes 8 ms to load, and where no file changed none is hashed.
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    return ThreadPoolExecutor(number)


def _waits() -> int:
    """How often this thread let go of the processor by itself, as for a disk."""
    who = getattr(resource, "RUSAGE_THREAD", resource.RUSAGE_SELF)
    return resource.getrusage(who).ru_nvcsw


def _processors() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

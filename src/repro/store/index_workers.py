"""Processes that read many runs for the one that brings the run index up to date.

Whatever one of them does not do is left to the caller.
"""

import os
import subprocess
from collections import deque
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import msgspec

from repro.model.condition import Space
from repro.model.fields import FIELDS
from repro.store.index_rows import STATISTICS
from repro.store.index_worker import Answer, Items, read_message, write_message
from repro.store.own_python import own_python

_CELLS = {type(None), int, float, str, bytes}
_SPACES = {space.value for space in Space}
_N_FIELDS = len(FIELDS) - 1  # without the id
_MOST = 8
_EACH = 1000  # runs from which on a process pays off: it starts in the time of some 500
_PATIENCE_S = 60.0  # for an answer: it takes a tenth of a second
_AHEAD = 12  # questions put to each, so that it has work while the tables are written

_PROGRAM = """
from repro.model.condition import Space
from repro.model.fields import FIELDS
from repro.store.index_rows import STATISTICS
from repro.store.index_worker import main
main(*words)
"""

Part = tuple[int, Items]


def count_cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def count_workers(n_runs: int, n_cores: int) -> int:
    """How many processes are to read so many runs; none where one alone is as fast."""
    wanted = min(n_cores, _MOST, n_runs // _EACH)
    return wanted if wanted > 1 else 0


def read_parts(
    objects: Path, parts: Iterable[Part], n_workers: int
) -> Generator[tuple[Part, Answer | None]]:
    """Have `parts` read, and give them in their order; None where that failed.

    Close the iterator: that ends the processes at once.

    Args:
        objects: The folder of objects.
        parts: Each is asked for when a process is about to have time for it.
    """
    workers = _start(objects, n_workers)
    waiting: deque[tuple[Part, _Worker | None, Future[Answer | None]]] = deque()
    try:
        for number, part in enumerate(parts):
            worker = workers[number % len(workers)] if workers else None
            waiting.append((part, worker, worker.ask(part[1]) if worker else _no_answer()))
            if len(waiting) >= max(1, len(workers) * _AHEAD):
                yield _await(*waiting.popleft())
        while waiting:
            yield _await(*waiting.popleft())
    finally:
        for worker in workers:
            worker.end()


def _await(
    part: Part, worker: "_Worker | None", answer: "Future[Answer | None]"
) -> tuple[Part, Answer | None]:
    try:
        return part, answer.result(_PATIENCE_S)
    except TimeoutError:
        assert worker is not None  # else there was nothing to wait for
        worker.kill()
        return part, None


def _no_answer() -> "Future[Answer | None]":
    answer: Future[Answer | None] = Future()
    answer.set_result(None)
    return answer


def _start(objects: Path, n_workers: int) -> "list[_Worker]":
    argv = own_python(_PROGRAM, [str(objects)])
    if argv is None:
        return []
    workers: list[_Worker] = []
    with suppress(OSError, RuntimeError):  # such as: no more processes, or threads
        for _ in range(n_workers):
            workers.append(_Worker(argv))  # those that started stay
    return workers


class _Worker:
    """One process, and the thread that talks to it."""

    def __init__(self, argv: list[str]) -> None:
        self._decoder = msgspec.msgpack.Decoder(Answer)
        self._process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._thread = ThreadPoolExecutor(1)
        self._encode = msgspec.msgpack.encode

    def ask(self, items: Items) -> "Future[Answer | None]":
        """Have it read `items`."""
        try:
            return self._thread.submit(self._ask, items)
        except RuntimeError:  # this process is about to end, or may start no more threads
            return _no_answer()

    def kill(self) -> None:
        """Have it answer nothing any more."""
        self._process.kill()

    def end(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._thread.shutdown(cancel_futures=True)
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None  # asked for above
            with suppress(OSError):
                pipe.close()

    def _ask(self, items: Items) -> Answer | None:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None  # asked for above
        assert stdout is not None
        try:
            write_message(stdin, self._encode(items))
            answer = self._decoder.decode(read_message(stdout))
        except (OSError, EOFError, msgspec.MsgspecError):
            self._process.kill()  # else its next answer would be to another question
            return None
        return answer if _is_whole(answer, items) else None


def _is_whole(answer: Answer, items: Items) -> bool:
    """Whether it has all that was asked for, and nothing that does not belong together."""
    batch = answer.batch
    told = [(head.id, head.commit) for head in batch.heads]
    n_runs = len(told)
    values = [column for columns in batch.values.values() for column in columns.values()]
    rows = [cells for series in batch.series.values() for cells in series.cells]
    return (
        sorted([*told, *answer.left]) == sorted(items)
        and len(batch.documents) == len(batch.states) == n_runs
        and batch.values.keys() <= _SPACES
        and all(_fits(column.runs, column.cells, n_runs) for column in values)
        and all(_fits(series.runs, series.cells, n_runs) for series in batch.series.values())
        and all(map(_are_cells, [column.cells for column in values]))
        and all(map(_are_cells, [head.cells for head in batch.heads]))
        and all(map(_are_cells, rows))
        and {len(head.cells) for head in batch.heads} <= {_N_FIELDS}
        and {len(cells) for cells in rows} <= {len(STATISTICS) + 1}
    )


def _fits(places: Sequence[int], cells: Sequence[object], n_runs: int) -> bool:
    return len(places) == len(cells) and (not places or 0 <= min(places) <= max(places) < n_runs)


def _are_cells(cells: Iterable[object]) -> bool:
    return set(map(type, cells)) <= _CELLS

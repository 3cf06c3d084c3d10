"""The side of a process that runs trials one by one, as it is told to."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

from repro.core.launch import Streams
from repro.core.project import Project
from repro.core.relay import Relay
from repro.core.sweep.killing import GRACE_S, kill_command
from repro.core.sweep.messages import end_message, read_sweep_message, read_task
from repro.core.sweep.protocols import Task, TrialEnd
from repro.core.sweep.trial import Workbench, run_trial, workbench
from repro.errors import ReproError
from repro.model.sweep import Sweep

_PAUSE_S = 0.05

Message = Mapping[str, Any]


def run_once(project: Project, sweep: Sweep, task: Task) -> TrialEnd:
    """Run one task in a tree of its own, in the main thread; SIGTERM goes to its command."""
    with Relay() as relay, workbench(project, sweep) as bench, _Nowhere() as streams:
        return run_trial(bench, task, relay=relay, streams=streams)


def serve(project: Project, messages: Iterable[Message], answer: Callable[[Message], None]) -> None:
    """Run tasks until there are no more messages, in the main thread.

    A message has `sweep` and `base`, the first one, or a `task`, or a `stop`: the run that is to
    end, `hard` where it is to be killed. When the messages end, nobody waits for the trial that
    runs: it is told to end, soon killed, and sealed.

    Args:
        messages: Read by a thread.
        answer: Gets how each task ended.
    """
    incoming = iter(messages)
    first = next(incoming, None)
    if first is None:
        return
    with workbench(project, read_sweep_message(first)) as bench, _Nowhere() as streams:
        _Worker(bench, streams, answer).serve(incoming)


class _Worker:
    """A main thread that runs trials, and a thread that hears what becomes of them."""

    def __init__(
        self, bench: Workbench, streams: Streams, answer: Callable[[Message], None]
    ) -> None:
        self._bench = bench
        self._streams = streams
        self._answer = answer
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._current: str | None = None
        self._stopped: set[str] = set()
        self._is_left = False
        self._main = threading.get_ident()

    def serve(self, messages: Iterable[Message]) -> None:
        threading.Thread(target=self._listen, args=(messages,), daemon=True).start()
        while (task := self._tasks.get()) is not None and not self._is_left:
            self._answer(end_message(self._run(task)))
            with suppress(ReproError, OSError):  # the next trial says it, if it meets the same
                self._bench.put_back()  # while nothing else is to be done

    def _run(self, task: Task) -> TrialEnd:
        with Relay() as relay:
            with self._lock:
                self._current = task.run
                is_stopped = task.run in self._stopped or self._is_left
            if is_stopped:
                signal.raise_signal(signal.SIGTERM)
            end = run_trial(self._bench, task, relay=relay, streams=self._streams)
            with self._lock:
                self._current = None
        return end

    def _listen(self, messages: Iterable[Message]) -> None:
        try:
            for message in messages:
                if "task" in message:
                    self._tasks.put(read_task(message))
                elif "stop" in message:
                    self._stop(str(message["stop"]), is_hard=bool(message.get("hard")))
        finally:
            with self._lock:
                self._is_left = True
                current = self._current
            self._tasks.put(None)
            if current is not None:
                self._stop(current)
                self._kill_until_over(current, after_s=GRACE_S)

    def _stop(self, run: str, *, is_hard: bool = False) -> None:
        with self._lock:
            self._stopped.add(run)
            if self._current == run:
                signal.pthread_kill(self._main, signal.SIGTERM)
        if is_hard:
            threading.Thread(target=self._kill_until_over, args=(run,), daemon=True).start()

    def _kill_until_over(self, run: str, after_s: float = 0.0) -> None:
        end = time.monotonic() + after_s
        while self._current == run:
            if time.monotonic() >= end:
                kill_command(self._bench.project.live / run)
            time.sleep(_PAUSE_S)


class _Nowhere:
    """Streams for commands whose output is kept in their runs only."""

    def __enter__(self) -> Streams:
        self._fd = os.open(os.devnull, os.O_RDWR)
        return Streams(self._fd, self._fd, self._fd)

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)

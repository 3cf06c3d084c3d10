"""Long work shown while it goes on: one line on standard error, where that is a terminal."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING

from repro.cli import render
from repro.model.readable import format_duration, format_size
from repro.model.text import escape

if TYPE_CHECKING:
    from repro.core.measured import OnProgress, Progress

_FIRST_S = 0.5  # what is done before that needs no line
_EVERY_S = 0.1
_CLEAR = "\r\x1b[K"


@contextmanager
def showing_progress(what: str) -> Iterator["OnProgress"]:
    """Give what shows how far the reading of files is, and take its line away at the end.

    Args:
        what: At the front of the line, such as `hashing train`.
    """
    with _line() as write:
        start = time.monotonic()

        def report(progress: "Progress") -> None:
            write(lambda: f"{escape(what)}: {_describe(progress, time.monotonic() - start)}")

        try:
            yield report
        except KeyboardInterrupt:
            render.note("repro: interrupted; the same command goes on from here")
            raise


@contextmanager
def showing_count(what: str) -> Iterator[Callable[[int, int], None]]:
    """Give what is told how many of how many are done; as `showing_progress`."""
    with _line() as write:
        yield lambda done, total: write(lambda: f"{escape(what)}: {done:,} of {total:,}")


@contextmanager
def showing_words(what: str) -> Iterator[Callable[[str], None]]:
    """Give what is told in words how far it is; as `showing_progress`."""
    with _line() as write:
        yield lambda words: write(lambda: f"{escape(what)}: {escape(words)}")


@contextmanager
def showing_bytes(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Give what is told of bytes as they are moved, any thread may tell; as `showing_progress`."""
    with _line() as write:
        start = time.monotonic()
        moved = 0

        def report(count: int) -> None:
            nonlocal moved
            moved += count
            passed = time.monotonic() - start
            write(lambda: f"{escape(what)}: {_describe_bytes(moved, total, passed)}")

        yield report


@contextmanager
def showing_steps(what: str) -> Iterator[tuple[Callable[[str], None], "OnProgress"]]:
    """Give what is told of steps, and of the reading of files in one of them.

    The line comes of itself, for a step may wait long for somebody else to answer.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        yield (lambda _: None), (lambda _: None)
        return
    now = [""]
    is_over = Event()

    def write() -> None:
        if is_over.wait(_FIRST_S):
            return
        while not is_over.wait(_EVERY_S):
            sys.stderr.write(f"{_CLEAR}{escape(what)}: {escape(now[0])}")
            sys.stderr.flush()
        sys.stderr.write(_CLEAR)
        sys.stderr.flush()

    def report(progress: "Progress") -> None:
        now[0] = f"{progress.files:,} of {progress.all_files:,} files hashed"

    thread = Thread(target=write, daemon=True)
    thread.start()
    try:
        yield (lambda step: now.__setitem__(0, step)), report
    finally:
        is_over.set()
        thread.join()


def _describe(progress: "Progress", passed_s: float) -> str:
    files = f"{progress.files:,} of {progress.all_files:,} files"
    return f"{files}, {_describe_bytes(progress.size, progress.all_size, passed_s)}"


def _describe_bytes(size: int, total: int, passed_s: float) -> str:
    rate = size / max(passed_s, 1e-3)
    left = f", {format_duration(max(total - size, 0) / rate)} left" if rate else ""
    return f"{format_size(size)} of {format_size(total)}, {format_size(rate)}/s{left}"


@contextmanager
def _line() -> Iterator[Callable[[Callable[[], str]], None]]:
    """Give what writes the line, at most ten times a second."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda _: None
        return
    next_at = time.monotonic() + _FIRST_S
    is_shown = False

    def write(describe: Callable[[], str]) -> None:
        nonlocal next_at, is_shown
        if time.monotonic() >= next_at:
            is_shown = True  # first: ^C may come at any moment behind
            sys.stderr.write(_CLEAR + describe())
            sys.stderr.flush()
            next_at = time.monotonic() + _EVERY_S

    try:
        yield write
    finally:
        if is_shown:
            sys.stderr.write(_CLEAR)
            sys.stderr.flush()

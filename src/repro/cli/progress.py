"""Long work shown while it goes on: one line on standard error, where that is a terminal."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from repro.cli import render
from repro.cli.sizes import format_size
from repro.core.measured import OnProgress, Progress
from repro.model.columns import format_duration
from repro.model.text import escape

_FIRST_S = 0.5  # what is done before that needs no line
_EVERY_S = 0.1
_LONGEST = 60  # characters of a step in words
_CLEAR = "\r\x1b[K"


@contextmanager
def showing_progress(what: str) -> Iterator[OnProgress]:
    """Give what shows how far the reading of files is, and take its line away at the end.

    Args:
        what: At the front of the line, such as `hashing train`.
    """
    with _line() as write:
        start = time.monotonic()

        def report(progress: Progress) -> None:
            write(lambda: f"{escape(what)}: {_describe(progress, time.monotonic() - start)}")

        try:
            yield report
        except KeyboardInterrupt:
            render.note("repro: interrupted; the same command goes on from here")
            raise


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
def showing_steps(what: str) -> Iterator[Callable[[str], None]]:
    """Give what is told of each step of something long, in words; as `showing_progress`."""
    with _line() as write:

        def report(step: str) -> None:
            words = step.strip()[:_LONGEST]
            if words:
                write(lambda: f"{escape(what)}: {escape(words)}")

        yield report


def _describe(progress: Progress, passed_s: float) -> str:
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
            sys.stderr.write(_CLEAR + describe())
            sys.stderr.flush()
            next_at = time.monotonic() + _EVERY_S
            is_shown = True

    try:
        yield write
    finally:
        if is_shown:
            sys.stderr.write(_CLEAR)
            sys.stderr.flush()

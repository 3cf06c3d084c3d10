"""Waiting for what another process does, never for ever."""

import itertools
import time
from collections.abc import Callable
from pathlib import Path

import pytest

_PATIENCE_S = 60.0


def until(holds: Callable[[], object], what: str) -> None:
    """Come back as soon as something holds; what takes longer than a minute fails the test."""
    deadline = time.monotonic() + _PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, f"{what} did not come about"
        time.sleep(0.02)


def end_time_once(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    """Have the time of commands be over once `file` is there, however long they took to begin.

    It needs a limit of less than 1000 s, which begins at the first look at the clock.
    """
    looks = itertools.count()

    def clock() -> float:
        is_over = next(looks) > 0 and file.exists()
        return time.monotonic() + (1000 if is_over else 0)

    monkeypatch.setattr("repro.core.deadline.monotonic", clock)

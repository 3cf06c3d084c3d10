"""Waiting for what another process does, never for ever."""

import time
from collections.abc import Callable

_PATIENCE_S = 60.0


def until(holds: Callable[[], object], what: str) -> None:
    """Come back as soon as something holds; what takes longer than a minute fails the test."""
    deadline = time.monotonic() + _PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, f"{what} did not come about"
        time.sleep(0.02)

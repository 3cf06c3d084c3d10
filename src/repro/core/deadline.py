"""A command that may take only so long."""

import signal
from collections.abc import Callable
from time import monotonic

GRACE_S = 10.0  # to write a checkpoint


class Deadline:
    """Tells a command to end when its time is over, and kills it when it does not.

    Attributes:
        is_past: Whether it was told.
    """

    def __init__(self, timeout_s: float | None, send: Callable[[int], None]) -> None:
        """Start the time; None never ends.

        Args:
            send: Sends a signal to the command.
        """
        self.is_past = False
        self._send = send
        self._end = None if timeout_s is None else monotonic() + timeout_s

    def check(self) -> None:
        """Send what is due now; called about once a second."""
        if self._end is None or monotonic() < self._end:
            return
        self._send(signal.SIGKILL if self.is_past else signal.SIGTERM)
        self._end = monotonic() + GRACE_S
        self.is_past = True

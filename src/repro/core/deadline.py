"""A command that may take only so long."""

import os
import signal
from contextlib import suppress
from time import monotonic

GRACE_S = 5.0  # to write a checkpoint
TOO_LONG = "the command was ended: it took longer than"  # how a run of which that is true warns


class Deadline:
    """Tells a command to end when its time is over, and kills what does not.

    All processes of its group are meant: one that its shell or a data loader started
    would else go on for ever.

    Attributes:
        is_past: Whether it was told.
    """

    def __init__(self, timeout_s: float | None, group: int) -> None:
        """Start the time; None never ends.

        Args:
            group: The process group of the command, which it has for itself.
        """
        self.is_past = False
        self._is_killed = False
        self._group = group
        self._end = None if timeout_s is None else monotonic() + timeout_s

    def check(self) -> None:
        """Send what is due now; called about once a second."""
        if self._end is None or monotonic() < self._end:
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._group, signal.SIGKILL if self.is_past else signal.SIGTERM)
        self._end = monotonic() + GRACE_S
        self._is_killed = self.is_past
        self.is_past = True

    def is_waiting(self) -> bool:
        """Whether processes that were told to end still have time for it.

        Their group keeps its number from being given to others, so it is asked for.
        """
        if not self.is_past or self._is_killed:
            return False
        try:
            os.killpg(self._group, 0)
        except (ProcessLookupError, PermissionError):
            return False
        return True

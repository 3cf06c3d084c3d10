"""Whether a sweep starts no trial any more, and what becomes then of those that run."""

from collections.abc import Callable
from time import monotonic

from repro.core.sweep.events import Ending
from repro.core.sweep.options import Options, Reason, Stop
from repro.core.sweep.prospects import Hopeless
from repro.core.sweep.underway import GRACE_S, Underway
from repro.errors import ReproError
from repro.model.sweep import Stopped
from repro.model.text import escape


class Closing:
    """The end of a sweep in one process, from the moment when something asks for it.

    Attributes:
        reason: Why; None while nothing does.
        error: What is wrong, where that is why.
    """

    def __init__(
        self, underway: Underway, options: Options, tell: Callable[[Ending], None]
    ) -> None:
        """Begin with none; the time that the sweep may take counts from now on."""
        self._underway = underway
        self._options = options
        self._tell = tell
        self._started_at = monotonic()
        self._is_hard = False
        self.reason: Reason | None = None
        self.error: ReproError | None = None

    def heed(self, stop: Stop | None) -> None:
        """Do what the user asks for; a sweep that somebody stopped can be interrupted, too."""
        if stop is None:
            return
        if self.reason is not Reason.INTERRUPTED:
            self._end(Reason.INTERRUPTED, "interrupted", is_hard=True)
        if stop is Stop.NOW:
            self._underway.stop_all(grace_s=0.0)

    def check_time(self) -> None:
        """End a sweep that took as long as it may."""
        limit = self._options.max_time_s
        if limit is not None and not self._is_hard and monotonic() - self._started_at >= limit:
            reason = self.reason or Reason.TIME
            self._end(reason, f"it took {limit:g} s", is_hard=True, grace_s=GRACE_S)

    def see(self, stopped: Stopped | None) -> None:
        """Do what the ledger says."""
        if stopped is not None and (self.reason is None or stopped.is_hard > self._is_hard):
            grace_s = GRACE_S if stopped.is_hard else None
            self._end(Reason.STOPPED, stopped.why, is_hard=stopped.is_hard, grace_s=grace_s)

    def give_up(self, hopeless: Hopeless) -> None:
        """End a sweep that cannot come to anything, unless it ends already."""
        if self.reason is None:
            self.error = hopeless.error
            self._end(hopeless.reason, hopeless.why, is_hard=True, grace_s=GRACE_S)

    def reach_target(self, number: int) -> None:
        """Let what runs come to its end, as trial `number` is good enough."""
        if self.reason is None:
            self._end(Reason.TARGET, f"trial {number} reached the target")

    def _end(
        self, reason: Reason, why: str, *, is_hard: bool = False, grace_s: float | None = None
    ) -> None:
        """Start no trial any more; with `is_hard` tell those that run to end."""
        self.reason, self._is_hard = reason, is_hard
        if is_hard:
            self._underway.stop_all(grace_s=grace_s)
        self._tell(Ending(escape(why), is_hard))

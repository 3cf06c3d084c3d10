"""How this process ends: seen by hooks, each of which calls on the one that was there before."""

import atexit
import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import FrameType, TracebackType
from typing import Any

from repro.model.run import Status


@dataclass(frozen=True, slots=True)
class End:
    """How a run ended, as its record says.

    Attributes:
        exit_code: Of the process; 128 + n for signal n.
        signal: Name of the signal that ended it.
        is_pruned: Whether it was ended before its time, for others were better.
    """

    status: Status
    exit_code: int | None = None
    signal: str | None = None
    is_pruned: bool = False


def end_by_code(code: object) -> End:
    """The end that `sys.exit(code)` is."""
    number = 0 if code is None else code & 0xFF if isinstance(code, int) else 1
    return End(Status.FAILED if number else Status.FINISHED, number)


def end_by_signal(number: int) -> End:
    """The end by a signal."""
    return End(Status.KILLED, 128 + number, signal.Signals(number).name)


def end_by_error(error: BaseException | None) -> End:
    """The end by an exception that nobody caught; None is none."""
    match error:
        case None:
            return End(Status.FINISHED, 0)
        case SystemExit():
            return end_by_code(error.code)
        case KeyboardInterrupt():
            return end_by_signal(signal.SIGINT)
    return End(Status.FAILED, 1)


class EndWatch:
    """Hooks on the end of this process, for as long as a run is open in it.

    Args:
        at_end: Is told how the process ends, at its exit or before a signal kills it.
        at_signal: Is called when SIGTERM came and a handler of the program decides what it means.
        progress: A number that grows with everything recorded: tells an exit that really was one.
    """

    def __init__(
        self,
        *,
        at_end: Callable[[End], None],
        at_signal: Callable[[], None],
        progress: Callable[[], int],
    ) -> None:
        self._at_end = at_end
        self._at_signal = at_signal
        self._progress = progress
        self._pid = os.getpid()
        self._seen: tuple[End, int] | None = None
        self._excepthook = sys.excepthook
        self._exit = sys.exit
        self._on_term: object = None
        self._is_handling = False
        self._masks = threading.local()  # two threads may fork at once
        # One object each, so that it can be told whether ours is still in place.
        self._own_excepthook = self._uncaught
        self._own_exit: Any = self._exiting
        self._own_handler = self._terminated

    def start(self) -> None:
        """Put the hooks in place; the one on SIGTERM only in the main thread."""
        atexit.register(self._exited)
        sys.excepthook = self._own_excepthook
        sys.exit = self._own_exit
        if threading.current_thread() is threading.main_thread():
            self._on_term = signal.getsignal(signal.SIGTERM)
            # None is a handler of a C library, which nobody could call.
            if self._on_term not in (signal.SIG_IGN, None):
                signal.signal(signal.SIGTERM, self._own_handler)
                self._is_handling = True

    def stop(self) -> None:
        """Take away those that are still in place."""
        atexit.unregister(self._exited)
        if sys.excepthook is self._own_excepthook:
            sys.excepthook = self._excepthook
        if sys.exit is self._own_exit:
            sys.exit = self._exit
        if self._is_handling and threading.current_thread() is threading.main_thread():
            if signal.getsignal(signal.SIGTERM) is self._own_handler:
                signal.signal(signal.SIGTERM, self._on_term)  # type: ignore[arg-type]  # from getsignal
            self._is_handling = False

    def before_fork(self) -> None:
        """Let SIGTERM wait while this thread forks.

        CPython drops, in the child, a signal that arrived before its handlers run again
        (`_clear_pending_signals`): without a handler of ours it would have ended the child.
        """
        if self._is_handling:
            self._masks.before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})

    def forked(self) -> None:
        """In a child: give SIGTERM back to the handler that was there before.

        A child never ends the run. With a handler in Python it could outlive a SIGTERM that came
        just before a call that blocks: CPython runs such a handler only once the call returns.
        """
        if self._is_handling and signal.getsignal(signal.SIGTERM) is self._own_handler:
            signal.signal(signal.SIGTERM, self._on_term)  # type: ignore[arg-type]  # from getsignal
        self._is_handling = False

    def after_fork(self) -> None:
        """Take a SIGTERM that waited, in the parent and in the child."""
        mask = self._masks.__dict__.pop("before", None)
        if mask is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def _uncaught(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        self._seen = end_by_error(error), self._progress()
        self._excepthook(kind, error, trace)

    def _exiting(self, code: object = None, /) -> None:
        if threading.current_thread() is threading.main_thread():
            end = end_by_code(code)
            if self._seen is not None and self._seen[0].status is Status.KILLED:
                # A handler's way out after a signal.
                end = replace(self._seen[0], exit_code=end.exit_code)
            self._seen = end, self._progress()
        self._exit(code)  # type: ignore[arg-type]  # as the program said

    def _exited(self) -> None:
        if os.getpid() != self._pid:
            return
        end = End(Status.FINISHED, 0)
        if self._seen is not None:
            seen, progress = self._seen
            # An exit that the program caught, and went on recording, was none.
            if progress == self._progress() or seen.status is Status.KILLED:
                end = seen
        self._at_end(end)

    def _terminated(self, number: int, frame: FrameType | None) -> None:
        if callable(self._on_term):
            self._seen = end_by_signal(number), self._progress()
            self._at_signal()
            self._on_term(number, frame)
            return
        try:
            self._at_end(end_by_signal(number))
        finally:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

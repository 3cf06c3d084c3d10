"""Calls into C that go on for ever ended: such as a search for a pattern that explodes.

Python has no limit of its own for these, but looks for signals in them.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_LIMIT_S = 2.0  # of processor time


class Calls:
    """The calls that are watched: `with` around each."""

    def __init__(self) -> None:
        self._n_calls = 0
        self._is_inside = False
        self._n_seen = -1

    def __enter__(self) -> None:
        self._n_calls += 1
        self._is_inside = True

    def __exit__(self, *_: object) -> None:
        self._is_inside = False

    @contextmanager
    def watched(self, error: Callable[[], Exception]) -> Iterator[None]:
        """End a call that takes more than some seconds of processor time.

        Only in the main thread, and where nobody else uses `SIGVTALRM`.

        Args:
            error: What is raised inside of the call then.
        """
        is_main = threading.current_thread() is threading.main_thread()
        if not is_main or signal.getsignal(signal.SIGVTALRM) is not signal.SIG_DFL:
            yield
            return

        def look(_signal: int, _frame: object) -> None:
            if self._is_inside and self._n_calls == self._n_seen:
                raise error()
            self._n_seen = self._n_calls

        signal.signal(signal.SIGVTALRM, look)
        try:
            signal.setitimer(signal.ITIMER_VIRTUAL, _LIMIT_S, _LIMIT_S)
            yield
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            signal.signal(signal.SIGVTALRM, signal.SIG_DFL)

"""^C and its like while a sweep goes on: kept back, and answered in turn."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from repro.core.sweep.options import Stop

_ENDING = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


class Ending:
    """The signals that told this process to end.

    Attributes:
        received: In their order.
    """

    def __init__(self, kept: set[signal.Signals]) -> None:
        self.received: list[signal.Signals] = []
        self._kept = kept
        self._n_times = 0

    def ask(self) -> Stop | None:
        """What to do now; the loop of a sweep asks several times a second.

        Raises:
            KeyboardInterrupt: For the third time, for nobody is patient without end.
        """
        # Several that came at once are one wish: `timeout` and batch systems signal twice.
        self._n_times += self.collect()
        if self._n_times > 2:
            raise KeyboardInterrupt
        return (None, Stop.SOON, Stop.NOW)[self._n_times]

    def is_wished(self) -> bool:
        """Whether the user wants an end."""
        return self.ask() is not None

    def collect(self) -> bool:
        """Take the signals that came since; whether there were any."""
        n_before = len(self.received)
        while signal.sigpending() & self._kept:
            self.received.append(signal.Signals(signal.sigwait(self._kept)))
        return len(self.received) > n_before


@contextmanager
def ending_signals() -> Iterator[Ending]:
    """Keep signals that end a process back, and give what says which came.

    Processes that are started meanwhile, such as git, are spared by ^C of a terminal likewise.
    One that was ignored before (`nohup`) stays ignored.
    """
    kept = {one for one in _ENDING if signal.getsignal(one) is not signal.SIG_IGN}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, kept)
    ending = Ending(kept)
    try:
        yield ending
    finally:
        ending.collect()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

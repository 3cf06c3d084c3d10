"""Signals on their way to a run's command."""

import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Self

from repro.core.terminal import is_foreground

_ENDING = (signal.SIGTERM, signal.SIGHUP)
_TYPED = (signal.SIGINT, signal.SIGQUIT)

Handler = Callable[[int, FrameType | None], object] | int | signal.Handlers | None


class Relay:
    """Signals that would end us go to the command instead; entered before a run is started.

    Only in the main thread, as Python has it. A signal that was ignored before (`nohup`)
    stays ignored, here and in the command. A key such as ^C that comes once the command has
    ended is too late for it, and must not keep its run from being sealed.

    Attributes:
        received: Those that told us to end, SIGTERM and SIGHUP, in order.
    """

    def __init__(self) -> None:
        self.received: list[int] = []
        self._waiting: list[int] = []
        self._send: Callable[[int], None] | None = None
        self._before: dict[int, Handler] = {}
        self._typed_before: dict[int, Handler] = {}
        self._is_interruptible = False

    def __enter__(self) -> Self:
        self._before = install(_ENDING, self._end)
        return self

    def __exit__(self, *_: object) -> None:
        restore(self._before)
        restore(self._typed_before)

    def _end(self, number: int, _: FrameType | None) -> None:
        self.received.append(number)
        self._pass(number)

    def _pass(self, number: int) -> None:
        if self._send is None:
            self._waiting.append(number)
        else:
            self._send(number)

    @contextmanager
    def passing(self, *, is_own_session: bool) -> Iterator[None]:
        """Pass on keys such as ^C as well until the end of the block; connect in it.

        Args:
            is_own_session: Whether the command has a session of its own. Else a key reaches
                it without us, and is not sent a second time.
        """

        def typed(number: int, _: FrameType | None) -> None:
            if is_own_session or not is_foreground():
                self._pass(number)

        before = install(_TYPED, typed)
        try:
            yield
        finally:
            self._send = None
            install(_TYPED, self._late)
            self._typed_before = self._typed_before or before

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Let ^C end this block although the command has ended."""
        self._is_interruptible = True
        try:
            yield
        finally:
            self._is_interruptible = False

    def _late(self, number: int, _: FrameType | None) -> None:
        if self._is_interruptible and number == signal.SIGINT:
            raise KeyboardInterrupt

    def connect(self, send: Callable[[int], None]) -> None:
        """Pass signals on with `send` from now on, those that came before first."""
        self._send = send
        while self._waiting:
            send(self._waiting.pop(0))

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let no signal end us, nor the processes that are started meanwhile."""
        before = install(_TYPED, lambda *_: None)
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, [*_ENDING, *_TYPED])
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            restore(before)


def install(
    numbers: Sequence[signal.Signals], handler: Callable[[int, FrameType | None], object]
) -> dict[int, Handler]:
    """Let `handler` take those signals that are not ignored; what took them before."""
    before: dict[int, Handler] = {}
    for number in numbers:
        present = signal.getsignal(number)
        if present not in (signal.SIG_IGN, None):
            before[number] = signal.signal(number, handler)
    return before


def restore(before: Mapping[int, Handler]) -> None:
    """Undo `install`."""
    for number, handler in before.items():
        signal.signal(number, handler)


@contextmanager
def wakeup(actions: Mapping[signal.Signals, Callable[[], None]]) -> Iterator[int]:
    """Give a descriptor that can be read once a signal came, a child's end among them.

    Args:
        actions: What to do on other signals.
    """

    def act(number: int, _: FrameType | None) -> None:
        if number in actions:
            actions[signal.Signals(number)]()

    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    before = {**install([*actions], act), signal.SIGCHLD: signal.signal(signal.SIGCHLD, act)}
    previous = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    try:
        yield reader
    finally:
        signal.set_wakeup_fd(previous)
        restore({number: handler or signal.SIG_DFL for number, handler in before.items()})
        os.close(reader)
        os.close(writer)

"""The output of a child: passed through at once, and kept."""

import errno
import os
import select
import selectors
import time
from collections.abc import Callable
from pathlib import Path

from repro.core.terminal import Terminal

CHUNK = 1 << 16
GRACE_S = 1.0  # for what holds the child's output open after the child has ended
_POLL_S = 1.0  # the wake-up on SIGCHLD makes this a mere safety net


class OutputLog:
    """A file that output is appended to; trouble with its disk is counted, never raised.

    Attributes:
        lost: Bytes that could not be written.
        reason: What the disk said first, None while all is well.
    """

    def __init__(self, path: Path) -> None:
        self.lost = 0
        self.reason: str | None = None
        self._fd: int | None = None
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            self._fd = os.open(path, flags, 0o600)
        except OSError as error:
            self._note(0, error)

    def write(self, data: bytes) -> None:
        """Append `data`, or as much of it as fits."""
        if self._fd is None:
            self.lost += len(data)
            return
        rest = memoryview(data)
        while rest:
            try:
                written = os.write(self._fd, rest)
            except OSError as error:
                self._note(len(rest), error)
                return
            rest = rest[written:]

    def _note(self, lost: int, error: OSError) -> None:
        self.lost += lost
        if self.reason is None:
            self.reason = error.strerror or str(error)

    def close(self) -> None:
        """End the file."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def pass_on(fd: int, data: bytes) -> bool:
    """Write all of `data`, waiting for a slow reader; False when nobody reads any more."""
    rest = memoryview(data)
    while rest:
        try:
            written = os.write(fd, rest)
        except BlockingIOError:
            select.select([], [fd], [])
        except OSError as error:
            # A pipe without a reader must end the child as it would without us. On any other
            # trouble, a full disk behind `> file`, the run goes on; our own copy has it.
            return error.errno != errno.EPIPE
        else:
            rest = rest[written:]
    return True


class Follower:
    """Passes the output of one child on until the child and its output have ended.

    Attributes:
        left_open: Whether something still held the output open when we gave up on it.
    """

    def __init__(self, log: OutputLog, terminal: Terminal | None, wakeup: int) -> None:
        self._log = log
        self._terminal = terminal
        self._wakeup = wakeup
        self._targets: dict[int, int] = {}
        self.left_open = False

    def add_source(self, fd: int, target: int) -> None:
        """Read what comes from `fd`, pass it on to `target`; `fd` is ours to close."""
        self._targets[fd] = target

    def follow(self, poll: Callable[[], int | None]) -> int:
        """Wait until the child has ended; what `poll` gave.

        Args:
            poll: The child's return code, None while it runs.
        """
        code: int | None = None
        deadline = 0.0
        while True:
            if code is None:
                code = poll()
                deadline = time.monotonic() + GRACE_S
            if code is not None and (not self._targets or time.monotonic() >= deadline):
                break
            left = _POLL_S if code is None else max(0.0, deadline - time.monotonic())
            self._step(left)
        self.left_open = bool(self._targets)
        self.close()
        return code

    def close(self) -> None:
        """Read nothing more."""
        for fd in list(self._targets):
            self._drop(fd)

    def _step(self, timeout: float) -> None:
        with selectors.PollSelector() as selector:
            selector.register(self._wakeup, selectors.EVENT_READ)
            for fd, events in self._interests().items():
                selector.register(fd, events)
            ready = {key.fd: events for key, events in selector.select(timeout)}
        if self._wakeup in ready:
            os.read(self._wakeup, CHUNK)
        terminal = self._terminal
        if terminal and terminal.keyboard is not None and terminal.keyboard in ready:
            terminal.read_keys()
        if terminal and ready.get(terminal.master, 0) & selectors.EVENT_WRITE:
            terminal.send_keys()
        for fd in list(self._targets):
            if ready.get(fd, 0) & selectors.EVENT_READ:
                self._take(fd)

    def _interests(self) -> dict[int, int]:
        events = dict.fromkeys(self._targets, selectors.EVENT_READ)
        if self._terminal and self._terminal.master in events:
            if self._terminal.pending:
                events[self._terminal.master] |= selectors.EVENT_WRITE
            elif self._terminal.keyboard is not None:
                events[self._terminal.keyboard] = selectors.EVENT_READ
        return events

    def _take(self, fd: int) -> None:
        try:
            data = os.read(fd, CHUNK)
        except BlockingIOError:
            return
        except OSError:  # EIO: the last process let go of the terminal
            data = b""
        if data:
            self._log.write(data)  # first: a reader that stalls us must not cost the record
        if not data or not pass_on(self._targets[fd], data):
            self._drop(fd)

    def _drop(self, fd: int) -> None:
        del self._targets[fd]
        if self._terminal is None or fd != self._terminal.master:
            os.close(fd)

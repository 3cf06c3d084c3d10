"""Connections that say nothing: they are closed, before they keep everybody else out.

Any user of the machine can open connections, and each takes a file descriptor until it ends.
"""

import asyncio
import resource
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

PATIENCE_S = 10.0  # for all of the head of a request; browsers open connections ahead of need
_MOST_FILES = 1 << 16


class Connection(H11Protocol):
    """One connection, closed where the head of a request is not there in time."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Go on, and wait for as much of the next head as is not there yet."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _watch(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            self._stop_waiting()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(PATIENCE_S, self._give_up)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self.transport.close()


def prepare_for_many() -> None:
    """Let this process open as many files as it may, and say nothing of connections that fail.

    To be called where the loop runs.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    asyncio.get_running_loop().set_exception_handler(_be_quiet)


def _be_quiet(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Such as that no descriptor is left; the loop tries again a second later."""
    if not isinstance(context.get("exception"), OSError):
        loop.default_exception_handler(context)

"""The server on loopback: a port of our own, and requests answered until it is told to stop."""

import socket
from collections.abc import Callable

import uvicorn
from anyio.to_thread import current_default_thread_limiter

from repro.errors import UsageError
from repro.web.app import make_app
from repro.web.connections import Connection, prepare_for_many
from repro.web.site import LOOPBACK, Site

FIRST_PORT = 7373
_TRIED = 20
_BACKLOG = 128
_MOST_AT_ONCE = 4  # pages made at once: each may hold tens of megabytes of the index
_MOST_HEADER = 64 << 10  # bytes


def open_port(port: int | None) -> socket.socket:
    """Listen on loopback, so that nobody else can on that port.

    Args:
        port: Exactly this one; None takes the first free one from 7373 on.

    Raises:
        UsageError: It is taken.
    """
    if port is not None:
        try:
            return _listen(port)
        except OSError as error:
            raise UsageError(
                f"port {port} is not to be had: {error.strerror}",
                hint="`repro ui` without `--port` takes a free one",
            ) from error
    for candidate in range(FIRST_PORT, FIRST_PORT + _TRIED):
        try:
            return _listen(candidate)
        except OSError:
            continue
    return _listen(0)


def _listen(port: int) -> socket.socket:
    return socket.create_server((LOOPBACK, port), backlog=_BACKLOG)


def serve(listening: socket.socket, site: Site, on_ready: Callable[[], None]) -> None:
    """Answer requests until SIGINT or SIGTERM.

    Args:
        on_ready: Called once requests are answered.
    """
    config = uvicorn.Config(
        make_app(site),
        http=Connection,
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_level="critical",  # `failures` says what fails
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        h11_max_incomplete_event_size=_MOST_HEADER,
        timeout_graceful_shutdown=1,  # for a page that takes long
    )
    _Server(config, on_ready, on_end=site.pulse.end).run(sockets=[listening])


class _Server(uvicorn.Server):
    def __init__(
        self, config: uvicorn.Config, on_ready: Callable[[], None], on_end: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._on_ready, self._on_end = on_ready, on_end

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start as ever, and say so."""
        prepare_for_many()
        current_default_thread_limiter().total_tokens = _MOST_AT_ONCE
        await super().startup(sockets)
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End streams, which never end by themselves, before all else is waited for."""
        self._on_end()
        await super().shutdown(sockets)

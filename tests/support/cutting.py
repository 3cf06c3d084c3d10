"""A connection that is lost after so many bytes."""

import select
import socket
import socketserver
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread

from tests.support.servers import HOST


@contextmanager
def cutting(port: int, after: int) -> Iterator[int]:
    """A port that leads to another one of the loopback, each connection lost after `after` bytes.

    Those of both directions count.
    """

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection((HOST, port)) as far, suppress(OSError):
                _carry(self.request, far, after)

    with socketserver.ThreadingTCPServer((HOST, 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def _carry(near: socket.socket, far: socket.socket, left: int) -> None:
    other = {near: far, far: near}
    reading = [near, far]
    while reading and left:
        for one in select.select(reading, (), ())[0]:
            data = one.recv(1 << 12)[:left]
            left -= len(data)
            if data:
                other[one].sendall(data)
            else:
                reading.remove(one)
                other[one].shutdown(socket.SHUT_WR)

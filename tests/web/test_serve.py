"""The server itself, over loopback: its port, odd requests, and its end."""

import re
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.projects import begin, end, make_run, open_here
from tests.support.web import Server

from repro.web.serve import FIRST_PORT, open_port


@pytest.fixture
def server(repository: Path) -> Iterator[Server]:
    make_run(open_here(repository), name="here")
    started = Server(repository)
    yield started
    started.close()


def test_it_answers_on_loopback_alone_and_ends_at_a_signal(server):
    assert server.address == f"http://127.0.0.1:{server.port}/?token={server.token}"
    assert server.send(server.head()).startswith(b"HTTP/1.1 200 ")
    for family, address in _own_addresses():
        with closing(socket.socket(family)) as connection:
            connection.settimeout(2)
            assert connection.connect_ex((address, server.port)) != 0, address
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(timeout=60) in (0, 130)


def test_it_ends_in_silence_while_pages_are_open(capfd, repository):
    server = Server(repository)
    links = [socket.create_connection(("127.0.0.1", server.port), timeout=60) for _ in range(2)]
    for link in links:
        link.sendall(server.head("/live").encode())
        heard = b""
        while b"retry" not in heard:
            heard += link.recv(1 << 16)
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(timeout=60) in (0, 130)
    server.close()
    for link in links:
        with closing(link):
            while part := link.recv(1 << 16):
                heard += part
    assert heard.endswith(b"0\r\n\r\n")  # the stream came to its end, and was not cut off
    said = capfd.readouterr().err.splitlines()
    assert said == ["^C stops the server"]


def _own_addresses() -> list[tuple[socket.AddressFamily, str]]:
    try:
        found = socket.getaddrinfo(socket.gethostname(), None)
    except OSError:
        return []
    pairs = {(one[0], str(one[4][0])) for one in found}
    return [(family, address) for family, address in pairs if not address.startswith("127.")]


def test_odd_requests_are_refused_and_the_next_one_is_answered(server):
    host = f"Host: 127.0.0.1:{server.port}\r\n"
    token = f"Authorization: token {server.token}\r\n"
    post = f"POST /curate/tags HTTP/1.1\r\n{host}{token}"
    own = f"Origin: http://127.0.0.1:{server.port}\r\nContent-Type: application/json\r\n"
    odd = {
        "no host": f"GET / HTTP/1.1\r\n{token}\r\n",
        "no host, HTTP/1.0": f"GET / HTTP/1.0\r\n{token}\r\n",
        "two hosts": f"GET / HTTP/1.1\r\n{host}Host: evil.example\r\n{token}\r\n",
        "a long header": f"GET / HTTP/1.1\r\n{host}{token}X: {'x' * (1 << 20)}\r\n\r\n",
        "a long address": f"GET /?{'x' * (1 << 20)} HTTP/1.1\r\n{host}{token}\r\n",
        "two lengths": f"{post}{own}Transfer-Encoding: chunked\r\n"
        "Content-Length: 5\r\n\r\n0\r\n\r\n",
        "a web socket": f"GET /live HTTP/1.1\r\n{host}Upgrade: websocket\r\nConnection: Upgrade\r\n"
        "Origin: http://evil.example\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\n",
        "another protocol": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        "a target elsewhere": f"GET http://evil.example/ HTTP/1.1\r\n{token}"
        "Host: evil.example\r\n\r\n",
        "a body of another length": f"{post}{own}Content-Length: 50\r\n\r\n{{}}",
    }
    for name, request in odd.items():
        try:
            answer = server.send(request, patience_s=0.5)
        except ConnectionError:  # it was not even read to its end
            continue
        assert not answer.startswith(b"HTTP/1.1 2"), (name, answer[:200])
        assert b"Traceback" not in answer, name
    assert server.send(server.head()).startswith(b"HTTP/1.1 200 ")


def test_idle_connections_keep_nobody_else_out(server):
    idle = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(300)]
    try:
        for connection in idle[:50]:
            connection.sendall(b"GET / HT")
        assert server.send(server.head()).startswith(b"HTTP/1.1 200 ")
    finally:
        for connection in idle:
            connection.close()


def test_connections_that_say_nothing_are_closed(server):
    idle = [socket.create_connection(("127.0.0.1", server.port), timeout=60) for _ in range(3)]
    idle[1].sendall(b"GET / HT")
    idle[2].sendall(server.head("/static/page.js").replace("close", "keep-alive").encode())
    try:
        for connection in idle:
            while connection.recv(1 << 16):
                pass  # until the server ends it
    finally:
        for connection in idle:
            connection.close()


def hear(server, path: str, word: bytes, act: Callable[[], None] = lambda: None) -> None:
    """Read a stream until `word` comes, having done something once the stream stands."""
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=60)) as connection:
        connection.sendall(server.head(path).encode())
        heard = b""
        while b"retry" not in heard:
            heard += connection.recv(1 << 16)
        act()
        while word not in heard:
            part = connection.recv(1 << 16)
            assert part, heard
            heard += part


def test_a_stream_tells_of_what_happened_since_the_page_was_read(server, repository):
    page = server.send(server.head()).decode()
    [seen] = re.findall(r'<body data-seen="(\w+)"', page)
    begun = []
    hear(
        server, f"/live?since={seen}", b"event: change",
        lambda: begun.append(begin(open_here(repository))),
    )  # fmt: skip
    hear(server, f"/live?since={seen}", b"event: change")
    for run in begun:
        end(run, repository)


def test_a_port_that_is_taken_is_never_shared():
    with closing(open_port(None)) as first:
        port = first.getsockname()[1]
        assert port >= FIRST_PORT
        with closing(open_port(None)) as second:
            assert second.getsockname()[1] != port


def test_a_package_that_is_absent_is_no_wrong_command_line(repository, cli, monkeypatch):
    monkeypatch.setitem(sys.modules, "plotly", None)
    ended = cli("ui", "--no-open", code=128)
    assert "needs plotly, which is not installed here\nhint: `pip install" in ended.err


def test_a_port_that_was_asked_for_and_is_taken_is_an_error(repository, cli):
    with closing(open_port(None)) as taken:
        port = taken.getsockname()[1]
        ended = cli("ui", "--no-open", "--port", str(port), code=129)
        assert f"port {port} is not to be had" in ended.err
        assert "takes a free one" in ended.err

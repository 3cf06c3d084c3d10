"""Real servers on a free port of the loopback, ended with the test that started them."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import paramiko

ROOT = Path(__file__).parents[2]
HOST = "127.0.0.1"
_START_S = 60.0


def free_port() -> int:
    """A port of the loopback that nothing listens on, and that no system gives out unasked.

    Others take those from 32768 on at any moment, for each of their connections.
    """
    for port in random.SystemRandom().sample(range(12_000, 32_000), 1000):
        with socket.socket() as probe, suppress(OSError):
            probe.bind((HOST, port))
            return port
    raise AssertionError("no port is free")


@contextmanager
def listening(port: int, *argv: str) -> Iterator[None]:
    """A server in a process of its own, ended with the test, once it listens."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    process = subprocess.Popen(
        argv, cwd=ROOT, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        over = time.monotonic() + _START_S
        while True:
            with suppress(OSError), socket.create_connection((HOST, port), 1):
                break
            assert process.poll() is None, f"{argv} ended with {process.returncode}"
            assert time.monotonic() < over, f"{argv} does not listen"
            time.sleep(0.05)
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # `git daemon` is a process that starts another
        process.wait()


@contextmanager
def s3_server() -> Iterator[str]:
    """The URL of an S3 server (moto) that has nothing and lets anybody in."""
    port = free_port()
    script = "from moto.server import main; main()"
    with listening(port, sys.executable, "-c", script, "-H", HOST, "-p", str(port)):
        yield f"http://{HOST}:{port}"


@contextmanager
def lfs_server(storage: Path) -> Iterator[str]:
    """The URL of the LFS API of a server (giftless) that keeps its objects in `storage`."""
    port = free_port()
    argv = (sys.executable, "-m", "tests.support.servers", str(port), str(storage))
    with listening(port, *argv):
        yield f"http://{HOST}:{port}/team/project.git/info/lfs"


def let_in(request: object) -> Any:
    """Who asks giftless: somebody who may do anything.

    Its own `allow_anon` gives out tokens with an id of null, which PyJWT refuses since 2.10.
    """
    from giftless.auth.allow_anon import AnonymousUser  # noqa: PLC0415  only for its own process
    from giftless.auth.identity import Permission  # noqa: PLC0415  only for its own process

    user = AnonymousUser(id="tester")
    user.allow(permissions=Permission.all())
    return user


def _serve_lfs(port: int, storage: str) -> None:
    from giftless.app import init_app  # noqa: PLC0415  only for its own process
    from werkzeug.serving import make_server  # noqa: PLC0415  only for its own process

    settings = {
        "AUTH_PROVIDERS": ["tests.support.servers:let_in"],
        "LEGACY_ENDPOINTS": False,
        "PRE_AUTHORIZED_ACTION_PROVIDER": {"options": {"private_key": "k" * 64}},
        "TRANSFER_ADAPTERS": {"basic": {"options": {"storage_options": {"path": storage}}}},
    }
    app = init_app(additional_config=settings)
    make_server(HOST, port, app, threaded=True).serve_forever()


@contextmanager
def web_server(handler: Callable[..., BaseHTTPRequestHandler]) -> Iterator[str]:
    """The URL of a web server that answers as `handler` does."""
    with ThreadingHTTPServer((HOST, 0), handler) as server:
        server.daemon_threads = True
        thread = Thread(target=partial(server.serve_forever, 0.02), daemon=True)
        thread.start()
        try:
            yield f"http://{HOST}:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def folder_server(folder: Path) -> Iterator[str]:
    """The URL of a web server that shows `folder`."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

    with web_server(partial(Quiet, directory=str(folder))) as url:
        yield url


class _Door(paramiko.ServerInterface):
    """Lets `ada` in."""

    def check_auth_password(self, username: str, password: str) -> Any:
        is_right = (username, password) == ("ada", "pass:word")
        return paramiko.AUTH_SUCCESSFUL if is_right else paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> Any:
        return paramiko.OPEN_SUCCEEDED


def _answering(function: Callable[..., Any]) -> Callable[..., Any]:
    def answer(self: Any, *args: Any) -> Any:
        try:
            return function(self, *args)
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)

    return answer


class _Files(paramiko.SFTPServerInterface):
    """Answers to SFTP requests, by the files of a folder."""

    def __init__(self, server: object, folder: Path) -> None:
        super().__init__(server)
        self.folder = folder

    def at(self, path: str) -> Path:
        return self.folder / path.lstrip("/")

    @_answering
    def stat(self, path: str) -> Any:
        return paramiko.SFTPAttributes.from_stat(self.at(path).stat())

    lstat = stat

    @_answering
    def open(self, path: str, flags: int, attributes: object) -> Any:
        number = os.open(self.at(path), flags, 0o666)
        handle = paramiko.SFTPHandle(flags)
        handle.readfile = handle.writefile = os.fdopen(
            number, "r+b" if flags & (os.O_WRONLY | os.O_RDWR) else "rb"
        )
        return handle

    @_answering
    def mkdir(self, path: str, attributes: object) -> Any:
        self.at(path).mkdir()
        return paramiko.SFTP_OK

    @_answering
    def remove(self, path: str) -> Any:
        self.at(path).unlink()
        return paramiko.SFTP_OK

    @_answering
    def chattr(self, path: str, attributes: Any) -> Any:
        self.at(path).chmod(attributes.st_mode & 0o7777)
        return paramiko.SFTP_OK

    @_answering
    def rename(self, old: str, new: str) -> Any:
        os.link(self.at(old), self.at(new))  # as OpenSSH does it, which never overwrites
        self.at(old).unlink()
        return paramiko.SFTP_OK


@contextmanager
def sftp_server(folder: Path, known_hosts: Path) -> Iterator[str]:
    """The URL, with user and password, of an SFTP server (paramiko's) that shows `folder`.

    Args:
        known_hosts: Gets the key of the server.
    """
    key = paramiko.ECDSAKey.generate()
    transports = []
    listener = socket.create_server((HOST, 0))
    port = listener.getsockname()[1]

    def accept() -> None:
        with suppress(OSError, EOFError):
            while True:
                transport = paramiko.Transport(listener.accept()[0])
                transports.append(transport)
                transport.add_server_key(key)
                transport.set_subsystem_handler("sftp", paramiko.SFTPServer, _Files, folder)
                with suppress(paramiko.SSHException):
                    transport.start_server(server=_Door())

    thread = Thread(target=accept, daemon=True)
    thread.start()
    known_hosts.parent.mkdir(parents=True, exist_ok=True)
    known_hosts.write_text(f"[{HOST}]:{port} {key.get_name()} {key.get_base64()}\n")
    try:
        yield f"sftp://ada:pass%3Aword@{HOST}:{port}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        for transport in transports:
            transport.close()


if __name__ == "__main__":
    _serve_lfs(int(sys.argv[1]), sys.argv[2])

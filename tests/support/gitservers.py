"""Real git servers on a free port of the loopback: the git protocol, and HTTP with a password."""

import base64
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from tests.support.servers import HOST, free_port, listening, web_server

USER = "ada"
PASSWORD = "pass-word"  # of a server that lives as long as a test


@contextmanager
def git_daemon(folder: Path, *, may_push: bool = True) -> Iterator[str]:
    """The `git://` address, without a slash at the end, of the repositories in `folder`."""
    port = free_port()
    words = [f"--base-path={folder}", "--export-all", "--reuseaddr", f"--listen={HOST}"]
    if may_push:
        words.append("--enable=receive-pack")
    with listening(port, "git", "daemon", *words, f"--port={port}", str(folder)):
        yield f"git://{HOST}:{port}"


@contextmanager
def git_http(
    folder: Path, *, password: str | None = None, cut_after: int | None = None
) -> Iterator[str]:
    """The `http://` address of `git http-backend` for the repositories in `folder`.

    Args:
        password: What `USER` has to give; None lets anybody in.
        cut_after: Bytes of a pack after which the connection is lost.
    """
    handler = partial(_Backend, folder=folder, password=password, cut_after=cut_after)
    with web_server(handler) as url:
        yield url


class _Backend(BaseHTTPRequestHandler):
    """Answers as a web server with CGI does."""

    def __init__(
        self, *args: object, folder: Path, password: str | None, cut_after: int | None
    ) -> None:
        self._folder = folder
        self._password = password
        self._cut_after = cut_after
        super().__init__(*args)  # type: ignore[arg-type]  # those of the base class

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            self._answer(self._read_chunks())
        else:
            self._answer(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def _read_chunks(self) -> bytes:
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _answer(self, body: bytes) -> None:
        if not self._may_enter():
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        path, _, query = self.path.partition("?")
        done = subprocess.run(
            ["git", "http-backend"],
            input=body,
            capture_output=True,
            check=False,
            env={
                **os.environ,
                "GIT_PROJECT_ROOT": str(self._folder),
                "GIT_HTTP_EXPORT_ALL": "1",
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "REQUEST_METHOD": self.command,
                "REMOTE_USER": USER,
                "REMOTE_ADDR": HOST,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            },
        )
        head, _, payload = done.stdout.partition(b"\r\n\r\n")
        fields = [line.partition(": ") for line in head.decode().split("\r\n")]
        status = next((value for name, _, value in fields if name == "Status"), "200")
        self.send_response(int(status.split()[0]))
        for name, _, value in fields:
            if name and name != "Status":
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        if self._cut_after is not None and b"PACK" in payload:
            payload = payload[: self._cut_after]
            self.close_connection = True
        self.wfile.write(payload)

    def _may_enter(self) -> bool:
        given = f"{USER}:{self._password}".encode()
        wanted = f"Basic {base64.b64encode(given).decode()}"
        return self._password is None or self.headers.get("Authorization") == wanted

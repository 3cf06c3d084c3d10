"""The web page: where that of a test is, and servers as users start them."""

import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

PORT = 7373
TOKEN = "the-token-of-this-test"
ORIGIN = f"http://127.0.0.1:{PORT}"
OWN = {"origin": ORIGIN}  # a request of our own pages


class Server:
    """`repro ui` as users start it, and what may be asked of it.

    Attributes:
        address: What it printed: where it is, with the token.
        origin: Where it is.
    """

    def __init__(self, root: Path, *words: str, environ: Mapping[str, str] | None = None) -> None:
        command = [sys.executable, "-m", "repro", "ui", "--no-open", "--port", "0", *words]
        self.process = subprocess.Popen(
            command, cwd=root, env=environ, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()
        parts = urlsplit(self.address)
        assert parts.port is not None
        self.port = parts.port
        self.origin = f"http://127.0.0.1:{self.port}"
        [self.token] = parse_qs(parts.query)["token"]

    def close(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.communicate()

    def send(self, text: str | bytes, patience_s: float = 20.0) -> bytes:
        """Send exactly these bytes; all that is answered until the connection or patience ends."""
        data = text if isinstance(text, bytes) else text.encode("latin-1")
        where = "127.0.0.1", self.port
        with closing(socket.create_connection(where, timeout=patience_s)) as link:
            link.sendall(data)
            parts = []
            with suppress(TimeoutError):
                while part := link.recv(1 << 16):
                    parts.append(part)
        return b"".join(parts)

    def head(self, path: str = "/", *more: str) -> str:
        """A GET request with the token."""
        lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", *more]
        lines += [f"Authorization: token {self.token}", "Connection: close", "", ""]
        return "\r\n".join(lines)

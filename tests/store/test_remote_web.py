"""A web server gives what it likes; only the right bytes are kept, and nothing waits for ever."""

import gzip
import hashlib
import os
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from tests.support.servers import folder_server, free_port, web_server
from tests.support.waiting import until

from repro.errors import RemoteError
from repro.store.arrival import Outcome, Wanted
from repro.store.content import ContentStore
from repro.store.git import open_repository
from repro.store.remote import Remote, open_remote

DATA = b"weights" * 200_000
ONE = Wanted(hashlib.sha256(DATA).hexdigest(), len(DATA))
SILENCE_S = 1.0

Answer = Callable[[BaseHTTPRequestHandler], None]


@pytest.fixture
def content(tmp_path: Path) -> ContentStore:
    return ContentStore(tmp_path / "store")


def open_here(url: str, root: Path, *, silence_s: float = SILENCE_S) -> Remote:
    repository = open_repository(root, os.environ)
    return open_remote(url, repository, os.environ, silence_s=silence_s)


def nothing(n_bytes: int) -> None:
    pass


def answering(answer: Answer):
    """A handler of GET and HEAD that says nothing on the terminal."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            answer(self)

        do_HEAD = do_GET  # noqa: N815  so http.server wants it

    return Handler


def reply(
    handler: BaseHTTPRequestHandler, body: bytes, *, status: int = 200, length: int = -1, **headers
) -> None:
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body) if length < 0 else length))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def fetch(
    root: Path, content: ContentStore, answer: Answer, *, silence_s: float = SILENCE_S
) -> tuple[Outcome, float]:
    """What comes of one fetch from a server that answers so, and how long it took."""
    with web_server(answering(answer)) as url:
        start = time.monotonic()
        remote = open_here(f"{url}/kept", root, silence_s=silence_s)
        outcome = remote.fetch(content, [ONE], nothing)
        return outcome, time.monotonic() - start


def left(content: ContentStore) -> list[str]:
    """What is in the content store, whole or not."""
    return sorted(path.name for path in content.dir.rglob("*") if path.is_file())


def test_a_folder_that_a_web_server_shows_is_fetched_from(repository, content, tmp_path):
    path = tmp_path / "served/kept" / ONE.key
    path.parent.mkdir(parents=True)
    path.write_bytes(DATA)
    absent = Wanted("a" * 64, 1)

    with folder_server(tmp_path / "served") as url:
        remote = open_here(f"{url}/kept/", repository)
        outcome = remote.fetch(content, [ONE, absent], nothing)

    assert outcome.done == (ONE,)
    assert outcome.failed == ((absent, f"`{url}/kept` does not have it"),)
    content.verify(ONE.digest)
    assert left(content) == [ONE.sha256]


def test_nothing_can_be_sent_to_a_web_server(repository, content, tmp_path):
    content.put_bytes(DATA)
    (tmp_path / "served").mkdir()

    with (
        folder_server(tmp_path / "served") as url,
        pytest.raises(RemoteError, match="read-only") as caught,
    ):
        open_here(url, repository).send(content, [ONE], nothing)

    assert "repro.yaml" in caught.value.hint
    assert list((tmp_path / "served").iterdir()) == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (DATA[::-1], "other bytes came"),
        (b"<html><h1>Please log in</h1></html>", "only 35 of its"),
        (DATA + b"!", "more came"),
        (b"", "only 0 of its"),
    ],
)
def test_other_bytes_are_refused_and_leave_nothing(repository, content, body, said):
    outcome, _ = fetch(repository, content, lambda handler: reply(handler, body))

    assert outcome.done == ()
    assert said in outcome.failed[0][1]
    assert left(content) == []


def test_an_endless_answer_is_left_at_once(repository, content):
    sent = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(DATA)
            sent.append(len(DATA))

    outcome, _ = fetch(repository, content, answer)

    assert "more came" in outcome.failed[0][1]
    assert left(content) == []
    assert sum(sent) < 50 * len(DATA)


def test_another_answer_each_time_is_believed_only_when_it_is_right(repository, content):
    bodies = iter([DATA[::-1], b"x" * len(DATA), DATA])

    with web_server(answering(lambda handler: reply(handler, next(bodies)))) as url:
        remote = open_here(url, repository)
        outcomes = [remote.fetch(content, [ONE], nothing) for _ in range(3)]

    assert [(), (), (ONE,)] == [outcome.done for outcome in outcomes]
    content.verify(ONE.digest)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (404, "does not have it"),
        (410, "does not have it"),
        (403, "status 403"),
        (500, "status 500"),
        (503, "status 503"),
        (204, "status 204"),
        (304, "status 304"),
    ],
)
def test_an_answer_that_is_no_object_is_said(repository, content, status, said):
    outcome, _ = fetch(repository, content, lambda handler: reply(handler, b"", status=status))

    assert said in outcome.failed[0][1]
    assert left(content) == []


def test_a_server_that_asks_who_we_are_is_one_error(repository, content):
    with pytest.raises(RemoteError, match="asks who you are"):
        fetch(repository, content, lambda handler: reply(handler, b"", status=401))


def test_user_and_password_of_the_url_are_sent_and_never_shown(repository, content):
    seen = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        seen.append(handler.headers.get("Authorization"))
        reply(handler, b"", status=500)

    with web_server(answering(answer)) as url:
        remote = open_here(url.replace("://", "://ada:ge%2Fheim@"), repository)
        outcome = remote.fetch(content, [ONE], nothing)

    assert seen == ["Basic YWRhOmdlL2hlaW0="]
    assert remote.label == url
    assert "heim" not in str(outcome)


def broken_at(at: int, content: ContentStore, *, ranges: bool) -> tuple[Answer, list[str | None]]:
    """A server whose connection breaks `at` bytes into an answer, the first time."""
    asked: list[str | None] = []
    part = content.dir / "incoming" / f"{ONE.sha256}.part"

    def answer(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.headers.get("Range"))
        if len(asked) == 1:
            reply(handler, DATA[:at], length=len(DATA))
            handler.wfile.flush()
            # What has come when a connection breaks is lost on its reader.
            until(lambda: part.exists() and part.stat().st_size == at, "what was sent")
        elif ranges and asked[-1]:
            start = int(asked[-1].removeprefix("bytes=").removesuffix("-"))
            span = f"bytes {start}-{len(DATA) - 1}/{len(DATA)}"
            reply(handler, DATA[start:], status=206, Content_Range=span)
        else:
            reply(handler, DATA)

    return answer, asked


@pytest.mark.parametrize("ranges", [True, False])
def test_a_transfer_that_broke_is_taken_up_where_it_ended(repository, content, ranges):
    answer, asked = broken_at(1_000_000, content, ranges=ranges)

    with web_server(answering(answer)) as url:
        remote = open_here(url, repository)
        first = remote.fetch(content, [ONE], nothing)
        between = left(content)
        second = remote.fetch(content, [ONE], nothing)

    assert first.done == ()
    assert between == [f"{ONE.sha256}.part"]
    assert second.done == (ONE,)
    assert asked == [None, "bytes=1000000-"]
    assert left(content) == [ONE.sha256]
    content.verify(ONE.digest)


def test_a_server_that_gives_nothing_is_a_failure_in_words(repository, content):
    is_over = threading.Event()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        reply(handler, DATA[:1000], length=len(DATA))
        handler.wfile.flush()
        is_over.wait(60)

    outcome, _ = fetch(repository, content, answer)
    is_over.set()

    assert "gave no answer for 1 seconds" in outcome.failed[0][1]
    assert left(content) == [f"{ONE.sha256}.part"]


def test_a_server_that_never_answers_is_a_failure_in_words(repository, content):
    is_over = threading.Event()

    outcome, _ = fetch(repository, content, lambda handler: is_over.wait(60))
    is_over.set()

    assert "gave no answer" in outcome.failed[0][1]


def test_a_slow_server_is_waited_for_as_long_as_it_gives(repository, content):
    def answer(handler: BaseHTTPRequestHandler) -> None:
        reply(handler, b"", length=len(DATA))
        for start in range(0, len(DATA), len(DATA) // 4):
            time.sleep(0.3 * patience_s)
            handler.wfile.write(DATA[start : start + len(DATA) // 4])
            handler.wfile.flush()

    patience_s = 2.5  # the machine may be busy
    outcome, seconds = fetch(repository, content, answer, silence_s=patience_s)

    assert outcome.done == (ONE,)
    assert seconds > patience_s


def test_compressed_bytes_are_not_asked_for_and_never_unpacked(repository, content):
    asked = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.headers.get("Accept-Encoding"))
        reply(handler, gzip.compress(DATA), Content_Encoding="gzip")

    outcome, _ = fetch(repository, content, answer)

    assert asked == ["identity"]
    assert "of its 1400000 bytes came" in outcome.failed[0][1]
    assert left(content) == []


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://localhost:{port}/kept",
        "http://127.0.0.1:1/kept",
        "https://127.0.0.1:{port}/kept",
        "file:///etc/passwd",
        "//example.invalid/x",
        "http://[::1",
    ],
)
def test_a_redirect_to_another_server_is_refused(repository, content, target):
    asked = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.path)
        port = handler.server.server_address[1]
        reply(handler, b"", status=302, Location=target.replace("{port}", str(port)))

    with pytest.raises(RemoteError, match="redirects to another server"):
        fetch(repository, content, answer)

    assert asked == [f"/kept/{ONE.key}"]
    assert left(content) == []


def test_a_redirect_on_the_same_server_is_followed(repository, content):
    def answer(handler: BaseHTTPRequestHandler) -> None:
        if handler.path.startswith("/kept"):
            reply(handler, b"", status=301, Location="/moved")
        else:
            reply(handler, DATA)

    assert fetch(repository, content, answer)[0].done == (ONE,)


def test_redirects_in_circles_end(repository, content):
    outcome, _ = fetch(
        repository, content, lambda handler: reply(handler, b"", status=302, Location="/kept")
    )

    assert "redirects in circles" in outcome.failed[0][1]


def test_noise_in_the_place_of_an_answer_is_a_failure_in_words(repository, content):
    outcome, _ = fetch(repository, content, lambda handler: handler.wfile.write(b"\0\x1b[31mnoise"))

    assert len(outcome.failed) == 1
    assert outcome.failed[0][1].isprintable()


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:{port}/x", "https://127.0.0.1:{port}/x", "http://nobody.invalid/x"]
)
def test_a_server_that_is_not_there_is_one_error(repository, content, url):
    url = url.replace("{port}", str(free_port()))

    with pytest.raises(RemoteError, match=f"`{url}` cannot be used: "):
        open_here(url, repository).fetch(content, [ONE], nothing)


def test_a_server_that_speaks_no_tls_is_one_error(repository, content):
    with (
        web_server(answering(lambda handler: reply(handler, DATA))) as url,
        pytest.raises(RemoteError, match="cannot be used"),
    ):
        open_here(url.replace("http:", "https:"), repository).fetch(content, [ONE], nothing)

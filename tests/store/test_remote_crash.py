"""`kill -9` in the middle of a transfer: no half object under its name, and the next call finishes.

The short form kills at 3 moments, `REPRO_CRASH_KILLS=50` at as many (see docs/contributing.md).
"""

import hashlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import boto3
import pytest
from tests.support.servers import s3_server, web_server
from tests.support.waiting import until

from repro.store.arrival import Wanted
from repro.store.content import ContentStore
from repro.store.git import open_repository
from repro.store.remote import open_remote

KILLS = int(os.environ.get("REPRO_CRASH_KILLS", "3"))
SIZES = [0, 1, 1000, *[1 << 18] * 4, 1 << 20, 6 << 20]
BUCKET = "team"
# Says `go` before it begins, and `done` at its end; slow enough to be killed on its way.
SCRIPT = """
import os, sys, time
from pathlib import Path
from repro.store import remote_fsspec
from repro.store.arrival import Wanted
from repro.store.content import ContentStore
from repro.store.git import open_repository
from repro.store.remote import open_remote
# The largest goes to an object store in two parts.
remote_fsspec._ONE_REQUEST, remote_fsspec._PART = 4 << 20, 5 << 20
what, store, content, dies, *names = sys.argv[1:]
wanted = [Wanted(*(int(x) if n else x for n, x in enumerate(name.split(":")))) for name in names]
remote = open_remote(store, open_repository(Path.cwd(), os.environ), os.environ)
print("go", flush=True)
move = getattr(remote, what)
def report(n_bytes):
    time.sleep(0.01)
    if dies == "dies":
        os.kill(os.getpid(), 9)
outcome = move(ContentStore(Path(content)), wanted, report)
print("done", *(f"{one.sha256}: {reason}" for one, reason in outcome.failed), flush=True)
"""


def start(
    what: str, root: Path, store: str, content: ContentStore, wanted: list[Wanted], dies: str = "no"
):
    """A transfer; one that `dies` does so by itself once something has been moved."""
    names = [f"{one.sha256}:{one.size}" for one in wanted]
    argv = [sys.executable, "-c", SCRIPT, what, store, str(content.dir), dies, *names]
    return subprocess.Popen(argv, cwd=root, stdout=subprocess.PIPE, text=True)


def killed_after(delay_s: float, process: "subprocess.Popen[str]") -> bool:
    """Whether the process was still at work when it was killed."""
    with process:
        assert process.stdout.readline() == "go\n"
        time.sleep(delay_s)
        process.send_signal(signal.SIGKILL)
        return "done" not in process.stdout.read()


def finished(process: "subprocess.Popen[str]") -> list[str]:
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return said.splitlines()


def fill(content: ContentStore) -> list[Wanted]:
    datas = [os.urandom(size) for size in SIZES]
    return [Wanted(content.put_bytes(data).removeprefix("sha256:"), len(data)) for data in datas]


@pytest.fixture(scope="module")
def s3_url() -> Iterator[str]:
    with s3_server() as url:
        yield url


@pytest.fixture(params=["folder", "s3"])
def remote(request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What `store` names, and how the test looks at what is there: hex digests by name."""
    if request.param == "folder":
        folder = tmp_path / "remote"

        def look() -> dict[str, str]:
            found = [path for path in folder.glob("??/??/*") if path.is_file()]
            return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in found}

        yield "../remote", look
        return
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_ENDPOINT_URL", request.getfixturevalue("s3_url"))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    prefix = os.urandom(6).hex()
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)

    def look_at_bucket() -> dict[str, str]:
        listed = client.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
        return {
            one["Key"].rpartition("/")[2]: hashlib.sha256(
                client.get_object(Bucket=BUCKET, Key=one["Key"])["Body"].read()
            ).hexdigest()
            for one in listed
        }

    yield f"s3://{BUCKET}/{prefix}", look_at_bucket
    client.close()


def assert_killed(
    what: str, root: Path, store: str, content: ContentStore, wanted: list[Wanted]
) -> None:
    """Have a transfer die once something has been moved: other kills may come too late."""
    with start(what, root, store, content, wanted, dies="dies") as process:
        assert process.stdout.read() == "go\n"


def moments(longest_s: float) -> list[float]:
    return [random.uniform(0, longest_s) for _ in range(KILLS - 1)]


def test_a_send_that_was_killed_shows_no_half_object_and_the_next_finishes(
    repository, tmp_path, remote
):
    store, look = remote
    content = ContentStore(tmp_path / "store")
    wanted = fill(content)

    assert_killed("send", repository, store, content, wanted)
    assert all(name == digest for name, digest in look().items())
    for delay_s in moments(0.4):
        killed_after(delay_s, start("send", repository, store, content, wanted))
        assert all(name == digest for name, digest in look().items())
    said = finished(start("send", repository, store, content, wanted))

    assert said == ["go", "done"]
    assert {one.sha256: one.sha256 for one in wanted} == look()


def test_a_fetch_that_was_killed_shows_no_half_entry_and_the_next_finishes(
    repository, tmp_path, remote
):
    store, _ = remote
    content, other = ContentStore(tmp_path / "store"), ContentStore(tmp_path / "other")
    wanted = fill(content)
    opened = open_remote(store, open_repository(repository, os.environ), os.environ)
    assert opened.send(content, wanted, lambda n_bytes: None).failed == ()

    assert_killed("fetch", repository, store, other, wanted)
    for delay_s in [None, *moments(0.2)]:
        if delay_s is not None:
            killed_after(delay_s, start("fetch", repository, store, other, wanted))
        for path in other.dir.glob("??/??/*"):
            other.verify(f"sha256:{path.name}")
    said = finished(start("fetch", repository, store, other, wanted))

    assert said == ["go", "done"]
    for one in wanted:
        other.verify(one.digest)
    assert list((other.dir / "incoming").iterdir()) == []


def test_two_processes_that_fetch_one_object_ask_for_it_once_and_both_have_it(repository, tmp_path):
    data = os.urandom(2 << 20)
    one = Wanted(hashlib.sha256(data).hexdigest(), len(data))
    other = ContentStore(tmp_path / "other")
    asked = []

    class Slow(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            for begin in range(0, len(data), 1 << 18):
                self.wfile.write(data[begin : begin + (1 << 18)])
                time.sleep(0.2)

    with web_server(Slow) as url:
        processes = [start("fetch", repository, url, other, [one]) for _ in range(3)]
        said = [finished(process) for process in processes]

    assert said == [["go", "done"]] * 3
    assert asked == [f"/{one.key}"]
    other.verify(one.digest)
    assert list((other.dir / "incoming").iterdir()) == []


def test_a_fetch_beside_one_that_is_killed_takes_over_what_it_had(repository, tmp_path):
    data = os.urandom(4 << 20)
    one = Wanted(hashlib.sha256(data).hexdigest(), len(data))
    other = ContentStore(tmp_path / "other")
    ranges = []
    is_killed = threading.Event()

    class Slow(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            ranges.append(wanted)
            begin = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
            self.send_response(206 if wanted else 200)
            self.send_header("Content-Length", str(len(data) - begin))
            self.end_headers()
            half = begin if wanted else 2 << 20
            self.wfile.write(data[begin:half])
            if not wanted:
                is_killed.wait(60)
            self.wfile.write(data[half:])

    part = other.dir / "incoming" / f"{one.sha256}.part"
    with web_server(Slow) as url:
        first = start("fetch", repository, url, other, [one])
        until(lambda: part.exists() and part.stat().st_size, "half of it")
        second = start("fetch", repository, url, other, [one])
        assert second.stdout.readline() == "go\n"
        assert killed_after(0.3, first)  # by then the other one waits, as a rule
        is_killed.set()
        said = finished(second)

    assert said == ["done"]
    assert ranges[0] is None
    assert ranges[1] is not None
    other.verify(one.digest)


def test_who_presses_ctrl_c_need_not_wait_for_a_server_that_gives_nothing(repository, tmp_path):
    one = Wanted("a" * 64, 1 << 20)
    other = ContentStore(tmp_path / "other")
    asked = []
    is_over = threading.Event()

    class Silent(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            asked.append(self.path)
            is_over.wait(60)

    with web_server(Silent) as url:
        process = start("fetch", repository, url, other, [one])
        until(lambda: asked, "the question")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=50)
        is_over.set()

    assert process.returncode in (-signal.SIGINT, 1, 130)
    assert list((other.dir / "incoming").iterdir()) in (
        [],
        [other.dir / "incoming" / f"{one.sha256}.part"],
    )

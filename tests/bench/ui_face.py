"""What `bench_ui` asks of a web page of runs, whosever it is."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from playwright.sync_api import Page

from tests.support.servers import free_port


@dataclass(frozen=True)
class Face:
    """A web page of runs, and how what is measured is asked of it.

    Attributes:
        first: The address of all runs, less the origin.
        rows: A JavaScript expression that is true once the table has rows.
        filter: Wishes for the runs with a large dropout and a small lr.
        filtered: An expression that is true once only those are there.
        sort: Wishes for the runs by their val_loss; None where that takes several clicks in a menu.
        sorted: An expression that is true once they are.
        curves: The address of the curves of 20 runs, less the origin; None where none leads there.
        drawn: An expression that is true once they are painted.
    """

    name: str
    first: str
    rows: str
    filter: Callable[[Page], None]
    filtered: str
    sort: Callable[[Page], None] | None
    sorted: str
    curves: str | None
    drawn: str


@contextmanager
def serving_by(
    command: Sequence[str | Path], folder: Path, environ: Mapping[str, str], ready: str
) -> Iterator[tuple[int, str]]:
    """Run a server with one worker on a free port; its process and its origin, once it answers.

    Args:
        ready: The path that it answers once it can.
    """
    port = free_port()
    process = subprocess.Popen(
        [*command, "--port", str(port), "--workers", "1"], cwd=folder, env=environ,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    origin = f"http://127.0.0.1:{port}"
    try:
        while True:
            with suppress(OSError), urlopen(origin + ready, timeout=5):
                break
            time.sleep(0.02)
        yield process.pid, origin
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

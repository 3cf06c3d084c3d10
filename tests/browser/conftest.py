"""Chromium, and servers that it looks at; pictures of pages are kept in `REPRO_SCREENSHOTS`."""

import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from tests.bench.generate import build
from tests.support.browsing import PATIENCE_MS, find_chromium, open_context, shoot, started
from tests.support.projects import open_here
from tests.support.web import Server

from repro.core.query import list_runs

expect.set_options(timeout=PATIENCE_MS)
# Read before any test, for none of them sees such a variable.
_KEPT = Path(os.environ.get("REPRO_SCREENSHOTS") or Path(__file__).parents[2] / "build/screenshots")


@pytest.fixture(scope="package")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all tests of this folder.

    Not for a whole session: playwright leaves a loop of asyncio running, which others stumble over.
    """
    program = find_chromium()
    if program is None:
        pytest.skip("there is no Chromium here (Debian: apt-get install chromium)")
    with (
        sync_playwright() as playwright,
        started(playwright, program, tmp_path_factory.mktemp("browser")) as browser,
    ):
        yield browser


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of 10,000 runs, 20 of them with curves of 10,000 steps and tagged `long`.

    Made once, for all workers; to be looked at only.
    """
    base = tmp_path_factory.getbasetemp()
    place = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "many"
    with place.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.is_dir():
            making = place.with_suffix(".making")
            build(making, 10_000, n_values=8, n_packages=3, n_curves=20)
            list_runs(open_here(making), limit=1)  # which makes the run index
            making.rename(place)
    return place


@pytest.fixture(scope="package")
def many_ui(many: Path) -> Iterator[Server]:
    """`repro ui --read-only` in the repository of 10,000 runs."""
    environ = {key: os.environ[key] for key in os.environ if not key.startswith(("GIT_", "REPRO_"))}
    server = Server(many, "--read-only", environ=environ)
    yield server
    server.close()


@pytest.fixture
def troubles() -> list[str]:
    """What browsers complained of; a test that means it to happen clears it."""
    return []


@pytest.fixture
def ui() -> Iterator[Callable[..., Server]]:
    """Starts `repro ui` in a repository, as a process of its own."""
    servers: list[Server] = []

    def start(root: Path, *words: str) -> Server:
        servers.append(Server(root, *words))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def browse(
    chromium: Browser,
    troubles: list[str],
    ui: Callable[..., Server],  # servers end after those who look at them
) -> Iterator[Callable[..., BrowserContext]]:
    """Gives a browser as somebody else has it, by the words of `open_context`.

    The test fails if any page of any of them had an error, or asked another host for anything.
    """
    contexts: list[BrowserContext] = []

    def make(**wish: object) -> BrowserContext:
        contexts.append(open_context(chromium, troubles, **wish))
        return contexts[-1]

    yield make
    for context in contexts:
        context.close()
    assert troubles == []


@pytest.fixture
def page(browse: Callable[..., BrowserContext]) -> Page:
    """An empty page, as wide as that of a laptop."""
    return browse().new_page()


@pytest.fixture
def keep() -> Callable[[Page, str], None]:
    """Keeps a picture of a page under a name."""
    return lambda page, name: shoot(page, _KEPT, name)

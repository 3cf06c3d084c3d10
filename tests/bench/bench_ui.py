"""What looking costs in a browser: `python -m tests.bench.bench_ui [RUNS] [--peers DIR]`.

Makes a repository of many runs, 20 of them with 10,000 steps, and prints how long headless Chromium
takes from a wish to the painted answer: the first page, a filter, a sort, curves of 20 runs; how
long the server takes to start, and what memory it has then.

With `--peers`, `DIR/mlflow` and `DIR/aim` are virtual environments with these, and the same runs
are looked at in `mlflow ui` and `aim up`; Aim takes seconds to write each. `--keep DIR` keeps what
was made, and uses what is there.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import psutil
from playwright.sync_api import Browser, Page, sync_playwright

from tests.bench import ui_aim, ui_mlflow
from tests.bench.generate import LONG, build, make_curve
from tests.bench.ui_face import Face
from tests.support.browsing import ARGS, LAPTOP, find_chromium
from tests.support.web import Server

PEERS = {"mlflow": ui_mlflow, "aim": ui_aim}
ROUNDS = int(os.environ.get("REPRO_ROUNDS", "5"))
N_CURVES = 20
N_VALUES = 40
STARTED = "server started, ms"
MEMORY = "memory of the server, MB"
_FILTER = "dropout > 0.1 and lr < 1e-4"
_PATIENCE_MS = 300_000
_PAINTED = """() => new Promise((done) => requestAnimationFrame(
  () => setTimeout(() => done(performance.now()))))"""


def wait_painted(page: Page, holds: str) -> float:
    """Wait until a JavaScript expression is true and painted; milliseconds since the navigation."""
    poll = f"() => {{ try {{ return !!({holds}); }} catch {{ return false; }} }}"
    page.wait_for_function(poll, polling="raf", timeout=_PATIENCE_MS)
    return float(page.evaluate(_PAINTED))


def look(browser: Browser, face: Face, origin: str, address: str) -> dict[str, float]:
    """Look once, as somebody who has never been there; milliseconds of each wish."""
    times = {}
    page = _new_page(browser)
    times["first page, new browser, ms"] = _open(page, address, face.rows)
    times["first page again, ms"] = _open(page, origin + face.first, face.rows)
    if face.curves is not None:
        drawn = _open(page, origin + face.curves, face.drawn)
        times[f"curves of {N_CURVES} x {LONG:,} steps, ms"] = drawn
    page.context.close()
    for name, act, holds in (
        ("filter, ms", face.filter, face.filtered),
        ("sort, ms", face.sort, face.sorted),
    ):
        if act is None:
            continue
        page = _new_page(browser)  # some pages remember the wish before
        _open(page, address, face.rows)
        begun = time.perf_counter()
        act(page)
        wait_painted(page, holds)
        times[name] = (time.perf_counter() - begun) * 1000
        page.context.close()
    return times


def _new_page(browser: Browser) -> Page:
    width, height = LAPTOP
    context = browser.new_context(viewport={"width": width, "height": height}, bypass_csp=True)
    context.set_default_timeout(_PATIENCE_MS)
    return context.new_page()


def _open(page: Page, address: str, holds: str) -> float:
    page.goto("about:blank")
    page.goto(address, wait_until="commit")
    taken = wait_painted(page, holds)
    page.wait_for_timeout(500)  # what comes behind it is no part of it
    return taken


def measure(browser: Browser, face: Face, origin: str, address: str) -> dict[str, float]:
    """Look several times; the median of each."""
    seen = [look(browser, face, origin, address) for _ in range(ROUNDS)]
    for wish in seen[0]:
        each = [one[wish] for one in seen]
        print(f"{face.name:7} {wish:36} least {min(each):8.0f}   median", end=" ")
        print(f"{statistics.median(each):8.0f}", flush=True)
    return {wish: statistics.median(one[wish] for one in seen) for wish in seen[0]}


def memory_mb(pid: int) -> float:
    """Memory of a process and all that it started, each page counted once."""
    root = psutil.Process(pid)
    return sum(one.memory_full_info().pss for one in (root, *root.children(recursive=True))) / 1e6


def our_face(ids: Sequence[str]) -> Face:
    """Our own page."""

    def wish(page: Page) -> None:
        page.fill("#q", _FILTER)
        page.press("#q", "Enter")

    title = 'th[aria-sort=ascending] a[data-sort="metrics.val_loss"]'
    return Face(
        name="repro",
        first="/",
        rows="document.querySelectorAll('table.runs tbody tr').length >= 20",
        filter=wish,
        filtered="document.querySelector('.count').textContent.includes('fit')",
        sort=lambda page: page.click('a[data-sort="metrics.val_loss"]'),
        sorted=f"document.querySelector('{title}')",
        curves="/compare?" + "&".join(f"run={one}" for one in ids) + "&metric=loss",
        drawn=f"document.querySelectorAll('.scatterlayer path.js-line').length >= {len(ids)}",
    )


def look_at_ours(browser: Browser, root: Path, ids: Sequence[str]) -> dict[str, float]:
    """Measure `repro ui`."""
    begun = time.perf_counter()
    server = Server(root)
    times = {STARTED: (time.perf_counter() - begun) * 1000}
    try:
        times |= measure(browser, our_face(ids), server.origin, server.address)
        times[MEMORY] = memory_mb(server.process.pid)
    finally:
        server.close()
    return times


def look_at_theirs(
    browser: Browser, peer: ModuleType, python: Path, folder: Path, n_runs: int, ids: Sequence[str]
) -> dict[str, float]:
    """Measure `mlflow ui`, or `aim up`."""
    if not folder.is_dir():
        peer.fill(python, folder, n_runs, n_values=N_VALUES, n_curves=N_CURVES)
    begun = time.perf_counter()
    with peer.serving(python, folder) as (pid, origin):
        times = {STARTED: (time.perf_counter() - begun) * 1000}
        face = peer.face(ids)
        times |= measure(browser, face, origin, origin + face.first)
        times[MEMORY] = memory_mb(pid)
    return times


def main() -> None:
    """Make the data, measure, print ratios."""
    parser = argparse.ArgumentParser(prog="tests.bench.bench_ui", description=__doc__)
    parser.add_argument("n_runs", type=int, nargs="?", default=10_000, metavar="RUNS")
    parser.add_argument("--keep", type=Path, help="folder of the data")
    parser.add_argument("--peers", type=Path, help="folder of the virtual environments of others")
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        folder = words.keep or Path(scratch)
        root = folder / f"repro-{words.n_runs}"
        ids = [make_curve(number, "")[0].run.id for number in range(N_CURVES)]
        if not root.is_dir():
            build(root, words.n_runs, n_values=N_VALUES, n_curves=N_CURVES)
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGS))
        ours = look_at_ours(browser, root, ids)
        print(f"repro   {STARTED}: {ours[STARTED]:.0f}; {MEMORY}: {ours[MEMORY]:.0f}", flush=True)
        for name, peer in PEERS.items():
            python = (words.peers or Path("nowhere")) / name / "bin/python"
            if not python.exists():
                continue
            there = folder / f"{name}-{words.n_runs}"
            theirs = look_at_theirs(browser, peer, python, there, words.n_runs, ids)
            for wish, other in theirs.items():
                own = ours[wish]
                print(f"{wish:36} {own:8.0f} : {other:8.0f}   {other / own:5.1f} x {name}")


if __name__ == "__main__":
    main()

"""What looking costs in a browser: `python -m tests.bench.bench_ui [RUNS] [--peers DIR]`.

Makes a repository of many runs, 20 of them with 10,000 steps, and prints how long headless Chromium
takes from a wish to the painted answer: the first page, a filter, a sort, curves of 20 runs; how
long the server takes to start, and what memory it has then.

With `--peers`, `DIR/mlflow` is a virtual environment with MLflow, and the same runs are looked at in
`mlflow ui`: the data go straight into its database, for making 100,000 runs by its interface takes
hours. `--keep DIR` keeps what was made, and uses what is there.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Page, sync_playwright

from tests.bench.generate import LONG, build, make_curve
from tests.support.browsing import ARGS, LAPTOP, find_chromium
from tests.support.web import Server

ROUNDS = 5
N_CURVES = 20
N_VALUES = 40
_FILTER = "dropout > 0.1 and lr < 1e-4"
_PATIENCE_MS = 180_000


@dataclass(frozen=True)
class Face:
    """A web page of runs, and how what is measured is asked of it.

    Attributes:
        rows: A JavaScript expression: how many rows of the table are painted.
        filter: Wishes for the runs with a large dropout and a small lr.
        filtered: An expression that is true once only those are there.
        sort: Wishes for the runs by their val_loss.
        sorted: An expression that is true once they are.
        curves: The address of the curves, less the origin.
        drawn: An expression that is true once 20 curves are painted.
    """

    name: str
    first: str
    rows: str
    filter: Callable[[Page], None]
    filtered: str
    sort: Callable[[Page], None]
    sorted: str
    curves: str
    drawn: str


def wait_painted(page: Page, holds: str, *, since_start: bool = False) -> float:
    """Wait until a JavaScript expression is true and painted; milliseconds."""
    poll = f"""() => {{ try {{ return !!({holds}); }} catch {{ return false; }} }}"""
    begun = time.perf_counter()
    page.wait_for_function(poll, polling="raf", timeout=_PATIENCE_MS)
    if since_start:
        return float(page.evaluate("() => new Promise((d) => requestAnimationFrame(() => setTimeout("
                                   "() => d(performance.now()))))"))  # fmt: skip
    page.evaluate("() => new Promise((d) => requestAnimationFrame(() => setTimeout(d)))")
    return (time.perf_counter() - begun) * 1000


def look(browser: Browser, face: Face, origin: str, address: str) -> dict[str, float]:
    """Look once, as somebody who has never been there; milliseconds of each wish."""
    context = browser.new_context(
        viewport={"width": LAPTOP[0], "height": LAPTOP[1]}, bypass_csp=True
    )
    page = context.new_page()
    page.set_default_timeout(_PATIENCE_MS)
    times = {}
    page.goto(address, wait_until="commit")
    times["first page, new browser"] = wait_painted(page, face.rows, since_start=True)
    page.goto(origin + face.first, wait_until="commit")
    if "#" in face.first:
        page.reload(wait_until="commit")
    times["first page again"] = wait_painted(page, face.rows, since_start=True)
    page.wait_for_timeout(500)
    begun = time.perf_counter()
    face.filter(page)
    wait_painted(page, face.filtered)
    times["filter"] = (time.perf_counter() - begun) * 1000
    page.goto(origin + face.first, wait_until="commit")
    wait_painted(page, face.rows)
    page.wait_for_timeout(500)
    begun = time.perf_counter()
    face.sort(page)
    wait_painted(page, face.sorted)
    times["sort"] = (time.perf_counter() - begun) * 1000
    page.close()
    page = context.new_page()
    page.set_default_timeout(_PATIENCE_MS)
    page.goto(origin + face.curves, wait_until="commit")
    times[f"curves of {N_CURVES} runs x {LONG:,} steps"] = wait_painted(
        page, face.drawn, since_start=True
    )
    context.close()
    return times


def measure(browser: Browser, face: Face, origin: str, address: str) -> dict[str, float]:
    """Look several times; the median of each."""
    seen = [look(browser, face, origin, address) for _ in range(ROUNDS)]
    for wish in seen[0]:
        each = sorted(one[wish] for one in seen)
        print(
            f"{face.name:7} {wish:38} least {each[0]:8.0f} ms   median {each[len(each) // 2]:8.0f} ms"
        )
    return {wish: statistics.median(one[wish] for one in seen) for wish in seen[0]}


def memory_mb(pid: int) -> float:
    """Memory of a process and all that it started, each page once."""
    root = psutil.Process(pid)
    return sum(one.memory_full_info().pss for one in (root, *root.children(recursive=True))) / 1e6


# repro


def _repro_filter(page: Page) -> None:
    page.fill("#q", _FILTER)
    page.press("#q", "Enter")


def repro_face(ids: Sequence[str]) -> Face:
    """Our own page."""
    return Face(
        name="repro",
        first="/",
        rows="document.querySelectorAll('table.runs tbody tr').length >= 20",
        filter=_repro_filter,
        filtered="document.querySelector('.count').textContent.includes('fit')",
        sort=lambda page: page.click("a[data-sort='metrics.val_loss']"),
        sorted='document.querySelector("th[aria-sort=ascending] a[data-sort=\\"metrics.val_loss\\"]")',
        curves="/compare?" + "&".join(f"run={one}" for one in ids) + "&metric=loss",
        drawn=f"document.querySelectorAll('.plot .scatterlayer path.js-line').length >= {N_CURVES}",
    )


def look_at_repro(browser: Browser, root: Path, ids: Sequence[str]) -> dict[str, float]:
    """Measure `repro ui`."""
    begun = time.perf_counter()
    server = Server(root)
    started = (time.perf_counter() - begun) * 1000
    times = {"server started": started}
    try:
        times |= measure(browser, repro_face(ids), server.origin, server.address)
        times["memory of the server, MB"] = memory_mb(server.process.pid)
    finally:
        server.close()
    return times


def main() -> None:
    """Make the data, measure, print."""
    parser = argparse.ArgumentParser(prog="tests.bench.bench_ui", description=__doc__)
    parser.add_argument("n_runs", type=int, nargs="?", default=10_000, metavar="RUNS")
    parser.add_argument("--keep", type=Path, help="folder of the data")
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        folder = words.keep or Path(scratch)
        root = folder / f"repro-{words.n_runs}"
        ids = [make_curve(number, "")[0].run.id for number in range(N_CURVES)]
        if not root.is_dir():
            build(root, words.n_runs, n_values=N_VALUES, n_curves=N_CURVES)
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGS))
        look_at_repro(browser, root, ids)


if __name__ == "__main__":
    main()

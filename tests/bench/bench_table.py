"""What a page of the table of runs costs: `python -m tests.bench.bench_table [RUNS] [--in DIR]`.

Reads pages of the table of many runs (100,000 by default; with `--in` of a repository that is
there already) and prints each in milliseconds, beside plain SQL that gives the newest 50 rows of
the index by `SELECT … LIMIT 50`; ratios are of processor time, which a busy machine hardly changes.
"""

import argparse
import os
import resource
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from repro.core.project import Project, open_project
from repro.core.table import read_table
from repro.core.tableview import TableWish
from tests.bench.generate import build

ROUNDS = 5
_MANY_PAGES = 1_000
WISHES = {
    "first page": TableWish(),
    "page 1,000": TableWish(page=_MANY_PAGES),
    "filter: one text": TableWish(where="optimizer = adam"),
    "filter: and": TableWish(where="lr < 1e-3 and val_loss < 0.5"),
    "filter: or": TableWish(where="lr < 1e-4 or val_loss < 0.4"),
    "filter: not": TableWish(where="not (optimizer = adam) and f1 > 0.6"),
    "filter: not or": TableWish(where="not (optimizer = adam or lr > 1e-3)"),
    "filter: or of ands": TableWish(
        where="(optimizer = adam and lr < 1e-3) or (optimizer = sgd and f1 > 0.6)"
    ),
    "filter: statistic": TableWish(where="val_loss.min < 0.5"),
    "filter: field": TableWish(where="status = finished and lr < 1e-2"),
    "filter: pattern": TableWish(where="model.name ~ 'form'"),
    "filter: is null": TableWish(where="f1 is null"),
    "sort: param": TableWish(sort=("lr",)),
    "sort: text param, page 1,000": TableWish(sort=("optimizer",), page=_MANY_PAGES),
    "sort: metric": TableWish(sort=("-val_loss",)),
    "sort: statistic": TableWish(sort=("val_loss.min",)),
    "sort: statistic, page 1,000": TableWish(sort=("val_loss.min",), page=_MANY_PAGES),
    "sort: field": TableWish(sort=("-duration",)),
    "sort: environment": TableWish(sort=("env.interpreter.version",)),
    "filter and sort": TableWish(
        where="optimizer = adam and lr < 1e-2", sort=("val_loss.min", "-duration")
    ),
    "group: a few values": TableWish(group_by=("optimizer",)),
    "group: a value each": TableWish(group_by=("lr",)),
    "group: a value each, by metric": TableWish(group_by=("lr",), sort=("val_loss",)),
    "group: two params, filter": TableWish(group_by=("optimizer", "model.name"), where="lr < 1e-3"),
}


def measure(work: Callable[[], object]) -> tuple[float, float, float]:
    """Milliseconds of `work`: least and median by the clock, least of the processor."""
    work()
    took, used = [], []
    for _ in range(ROUNDS):
        start, began = time.perf_counter(), time.process_time()
        work()
        used.append((time.process_time() - began) * 1000)
        took.append((time.perf_counter() - start) * 1000)
    return min(took), statistics.median(took), min(used)


def measure_all(project: Project) -> None:
    """Measure plain SQL, then each wish, and print ratios."""
    path = project.repository.private / "index.db"
    read_table(project, TableWish())  # which fills the index

    def plain() -> None:
        db = sqlite3.connect(path)
        rows = db.execute("SELECT * FROM run ORDER BY created DESC, id DESC LIMIT 50").fetchall()
        marks = ", ".join("?" * len(rows))
        values = f"SELECT doc FROM doc WHERE run IN ({marks})"
        db.execute(values, [row[0] for row in rows]).fetchall()
        db.close()

    least, median, used = measure(plain)
    print(f"{'plain SQL':32} least {least:7.1f} ms   median {median:7.1f}   processor {used:7.1f}")
    of_sql = used
    for name, wish in WISHES.items():
        least, median, used = measure(lambda wish=wish: read_table(project, wish))
        print(
            f"{name:32} least {least:7.1f} ms   median {median:7.1f}   processor {used:7.1f}"
            f"   {used / of_sql:6.1f} x plain SQL"
        )
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{'memory of the process, at most':32} {largest:13.0f} MiB")


def open_at(root: Path) -> Project:
    """The project at `root`."""
    return open_project(root, environ=os.environ, clock=time.time, entropy=os.urandom)


def main() -> None:
    """Build where that is wanted, measure."""
    parser = argparse.ArgumentParser(prog="tests.bench.bench_table", description=__doc__)
    parser.add_argument("n_runs", type=int, nargs="?", default=100_000, metavar="RUNS")
    parser.add_argument("--in", dest="folder", type=Path, metavar="DIR")
    words = parser.parse_args()
    if words.folder is not None:
        measure_all(open_at(words.folder))
        return
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "project"
        build(root, words.n_runs)
        measure_all(open_at(root))


if __name__ == "__main__":
    main()

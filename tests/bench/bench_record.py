"""What recording costs: `python -m tests.bench.bench_record [FILES]`.

Prints the median and the least of several rounds, side by side with `git status` on the same
repository: 50 edited and 20 untracked files; and what the series of a long run cost, side by side
with Python's own `csv`.
"""

import csv
import io
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from repro.core.project import open_project
from repro.core.record import seal_run
from repro.core.request import Request
from repro.core.start import start_run
from repro.model.series import Point, format_series
from repro.store.quarantine import open_quarantine
from repro.store.snapshot import take_snapshot

ROUNDS = 9


def build(root: Path, n_files: int) -> None:
    """A repository of small Python files, 50 of them edited, 20 untracked beside."""
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    for number in range(n_files):
        path = root / f"pkg/d{number % 50:02d}/f{number // 50:05d}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"VALUE = {number}\n" * 30)
    who = ["-c", "user.name=bench", "-c", "user.email=bench@localhost"]
    subprocess.run(["git", "add", "-A"], cwd=root, check=True)
    subprocess.run(["git", *who, "commit", "-q", "-m", "base"], cwd=root, check=True)
    for number in range(50):
        with (root / f"pkg/d{number:02d}/f00000.py").open("a") as file:
            file.write("# edited\n")
    for number in range(20):
        (root / f"new{number}.py").write_text(f"NEW = {number}\n")


def measure(name: str, work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Time `work` and print it; the median in milliseconds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1000)
    middle = statistics.median(times)
    print(f"{name:46} median {middle:7.1f} ms   least {min(times):7.1f} ms")
    return middle


def measure_series() -> None:
    """What it takes to write 100,000 steps of ten metrics as tables."""
    points = {
        f"m{k}": [Point(n, n / 7 + k, 1.7e9 + n / 3) for n in range(100_000)] for k in range(10)
    }
    rows = [(n, 1.7e9 + n / 3, *(n / 7 + k for k in range(10))) for n in range(100_000)]
    floor = measure("csv, 100k rows of 12", lambda: csv.writer(io.StringIO()).writerows(rows), 3)
    taken = measure(
        "series of 100k steps, 10 metrics (budget 2 s)", lambda: format_series(points), 3
    )
    print(f"{'':46} {taken / floor:.2f} x csv")


def main() -> None:
    """Build, measure, print ratios."""
    n_files = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "project"
        build(root, n_files)
        project = open_project(root, environ=os.environ, clock=time.time, entropy=os.urandom)

        def status() -> None:
            subprocess.run(
                ["git", "status", "--porcelain"], cwd=root, capture_output=True, check=True
            )

        def snapshot() -> None:
            with open_quarantine(project.repository) as quarantine:
                take_snapshot(project.repository, quarantine, None)

        def record() -> None:
            live = start_run(project, Request(command=("python", "train.py"), cwd=root))
            live.journal.append(
                {"k": "end", "t": time.time(), "status": "finished", "exit_code": 0}
            )
            live.journal.close()
            seal_run(project, live.dir)

        def run_true() -> None:
            command = [sys.executable, "-m", "repro", "run", "--", "true"]
            subprocess.run(command, cwd=root, capture_output=True, check=True)

        floor = measure("git status", status)
        taken = measure("snapshot", snapshot)
        print(f"{'':46} {taken / floor:.2f} x git status (budget 2 at 100k files)")
        measure("start + seal, in process (budget 120 ms)", record)
        measure("repro run -- true, whole (budget 300 ms)", run_true)
    measure_series()


if __name__ == "__main__":
    main()

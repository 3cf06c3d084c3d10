"""What thousands of runs cost to record: `python -m tests.bench.bench_many [N] [--before 10000]`.

Makes N runs of 20 params and 20 metrics through the SDK, in one process and then in four at once,
in a fresh repository and in one that has 10,000 runs already; prints runs per second of each.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from repro.store.git import open_repository
from repro.store.refs import RUNS, list_refs
from tests.bench.generate import build

N_PROCESSES = 4
TRAIN = """\
import random
import sys

import repro

for number in range(int(sys.argv[1])):
    run = repro.init(
        config={"lr": random.random(), **{f"p{n:02}": random.random() for n in range(19)}},
        name=f"trial {number}",
    )
    repro.log({"val_loss": random.random(), **{f"q{n:02}": random.random() for n in range(19)}})
    run.finish()
"""


def record(root: Path, counts: list[int]) -> float:
    """Start a process for each count, which records so many runs; the seconds all of them took."""
    # As installed: with compiled modules.
    environ = {key: os.environ[key] for key in os.environ if key != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    processes = [
        subprocess.Popen(
            [sys.executable, "train.py", str(count)],
            cwd=root,
            env=environ,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for count in counts
    ]
    codes = [process.wait() for process in processes]
    assert not any(codes), codes
    return time.perf_counter() - start


def measure(root: Path, counts: list[int]) -> None:
    """Record, check that all runs are there, and print what it took."""
    repository = open_repository(root, os.environ)
    before = len(list_refs(repository.git, RUNS))
    taken_s = record(root, counts)
    after = len(list_refs(repository.git, RUNS))
    assert after - before == sum(counts), f"{after - before} of {sum(counts)} runs are there"
    packs = len(list((repository.objects / "pack").glob("*.pack")))
    print(
        f"{sum(counts):6} runs by {len(counts)} processes beside {before:6}: "
        f"{sum(counts) / taken_s:6.1f} runs/s, {1000 * taken_s / sum(counts):4.0f} ms a run; "
        f"{packs} packs after"
    )


def main() -> None:
    """Measure in turn."""
    parser = argparse.ArgumentParser(prog="tests.bench.bench_many", description=__doc__)
    parser.add_argument("n_runs", type=int, nargs="?", default=1000, metavar="N")
    parser.add_argument("--before", type=int, default=10_000, help="runs that are there already")
    words = parser.parse_args()
    share = words.n_runs // N_PROCESSES
    for n_before in (0, words.before):
        for counts in ([words.n_runs], [share] * N_PROCESSES):
            with tempfile.TemporaryDirectory() as folder:
                root = Path(folder) / "project"
                build(root, n_before)
                (root / "train.py").write_text(TRAIN)
                measure(root, counts)


if __name__ == "__main__":
    main()

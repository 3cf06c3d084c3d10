"""What listing costs: `python -m tests.bench.bench_ls [RUNS]`.

Makes a repository of many runs and prints `repro ls --limit 20` and `repro ls --all` as whole
processes, the rebuild of the run index and questions to it, beside `git for-each-ref` and
`git log` on the same refs.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from repro.store.index import RunIndex
from repro.store.refs import RUNS, RunRefs
from tests.bench.generate import build

ROUNDS = 7


def measure(name: str, work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Time `work` and print it; the least in milliseconds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1000)
    print(f"{name:52} least {min(times):8.1f} ms   median {statistics.median(times):8.1f} ms")
    return min(times)


def main() -> None:
    """Build, measure, print ratios."""
    n_runs = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "project"
        repository = build(root, n_runs)
        index = repository.private / "index.db"

        # As installed: with compiled modules.
        environ = {key: os.environ[key] for key in os.environ if key != "PYTHONDONTWRITEBYTECODE"}

        def run(*words: str) -> Callable[[], object]:
            return lambda: subprocess.run(
                words, cwd=root, env=environ, capture_output=True, check=True
            )

        def ask() -> None:
            with RunIndex(repository, RunRefs(repository, now_ns=time.time_ns)) as opened:
                opened.select(limit=20)

        def ask_all() -> None:
            with RunIndex(repository, RunRefs(repository, now_ns=time.time_ns)) as opened:
                assert len(opened.select()) == n_runs

        def rebuild() -> None:
            index.unlink(missing_ok=True)
            ask()

        refs = measure("git for-each-ref", run("git", "for-each-ref", RUNS))
        log = measure(
            "git log -20, newest", run("git", "log", "-20", "--oneline", f"--glob={RUNS}*")
        )
        python = measure("python -c pass", run(sys.executable, "-c", "pass"))
        rebuilt = measure(f"index rebuilt (budget 3,000 ms for 10k) of {n_runs}", rebuild, 3)
        print(f"{'':52} {rebuilt / n_runs * 1000:.0f} µs a run, {rebuilt / log:.1f} x git log")
        asked = measure("newest 20, in process, warm index", ask)
        print(f"{'':52} {asked / refs:.2f} x git for-each-ref")
        measure("all of them, in process, warm index", ask_all, 3)
        command = [sys.executable, "-m", "repro", "ls", "--limit", "20"]
        whole = measure("repro ls --limit 20, whole (budget 150 ms for 10k)", run(*command))
        print(f"{'':52} {whole / refs:.2f} x git for-each-ref, {whole - python:.0f} ms over python")
        listed = measure("repro ls --all, whole", run(*command[:-2], "--all"), 3)
        print(f"{'':52} {(listed - whole) / n_runs * 1000:.0f} µs a run beyond the newest 20")


if __name__ == "__main__":
    main()

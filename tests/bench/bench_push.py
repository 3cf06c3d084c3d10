"""What a push of one new run takes: `python -m tests.bench.bench_push [RUNS ...]`.

Makes a repository with so many runs (1,000 and 10,000) and pushes all of them to a bare remote over
file://. Then, round after round, a run is recorded and pushed by `repro push RUN`, and a commit by
`git push` of one ref to the same remote. Prints medians in milliseconds, the whole process each.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.bench.generate import build

ROUNDS = 9
_WHO = ("-c", "user.name=ada", "-c", "user.email=ada@localhost")
_ENVIRON = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


def _run(root: Path, *words: str) -> str:
    done = subprocess.run(
        words, cwd=root, check=True, env=_ENVIRON, capture_output=True, text=True,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return done.stdout


def _repro(root: Path, *words: str) -> str:
    return _run(root, sys.executable, "-m", "repro", *words)


def _time(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - start)


def measure(folder: Path, n_runs: int) -> None:
    """Print the line of one number of runs."""
    root, bare = folder / "project", folder / "bare.git"
    build(root, n_runs)
    _run(folder, "git", "init", "-q", "--bare", str(bare))
    _run(root, "git", "remote", "add", "origin", f"file://{bare}")
    _run(root, "git", "push", "-q", "origin", "HEAD:refs/heads/main")
    first = _time(lambda: _repro(root, "push", "--yes"))
    _run(bare, "git", "pack-refs", "--all")
    ours, all_of_them, theirs, asked = [], [], [], []
    for number in range(ROUNDS):
        _repro(root, "run", "-n", "new", "--no-bootstrap", "--", "true")
        ours.append(_time(lambda: _repro(root, "push", "@")))
        _repro(root, "run", "-n", "new", "--no-bootstrap", "--", "true")
        all_of_them.append(_time(lambda: _repro(root, "push")))
        _run(root, "git", *_WHO, "commit", "-q", "--allow-empty", "-m", f"{number}")
        ref = f"HEAD:refs/repro/bench/{number}"
        theirs.append(_time(lambda ref=ref: _run(root, "git", "push", "-q", "origin", ref)))
        asked.append(_time(lambda: _run(root, "git", "ls-remote", "origin")))
    figures = {
        "first push of all": [first],
        "repro push @": ours,
        "repro push": all_of_them,
        "git push of one ref": theirs,
        "git ls-remote": asked,
    }
    print(f"{n_runs:,} runs")
    for name, values in figures.items():
        print(f"  {name:<20} {statistics.median(values):8.0f} ms  (least {min(values):.0f})")


def main(words: Sequence[str] | None = None) -> None:
    """Measure for each number of runs on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="*", type=int, default=[1_000, 10_000])
    for n_runs in parser.parse_args(words).runs:
        with tempfile.TemporaryDirectory() as folder:
            measure(Path(folder), n_runs)


if __name__ == "__main__":
    main()

"""What listing costs: `python -m tests.bench.bench_ls [RUNS]`.

Makes a repository of many runs by one `git fast-import` and prints `repro ls --limit 20` as a
whole process, the rebuild of the run index and questions to it, beside `git for-each-ref` and
`git log` on the same refs.
"""

import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from repro.model.ids import new_id
from repro.model.run import MetricSummary, Record, Run, Status
from repro.model.times import format_time
from repro.store.git import Repository, open_repository
from repro.store.index import RunIndex
from repro.store.refs import RUNS, RunRefs
from repro.store.runs import encode_record

ROUNDS = 7
START = 1_764_000_000.0
N_PARAMS, N_METRICS = 30, 10


def make_record(number: int, base: str) -> Record:
    """A finished run with 30 params and 10 metrics."""
    chance = random.Random(number)
    created = format_time(START + number)
    config = {f"group{n % 5}": {f"param{m}": chance.random() for m in range(6)} for n in range(5)}
    metrics = {
        f"metric{n}": MetricSummary(chance.random(), 100, chance.random(), 0.0, 3, 1.0, 4, 0.5, 101)
        for n in range(N_METRICS)
    }
    run = Run(
        id=new_id(chance.randbytes), name=f"trial {number % 100}", status=Status.FINISHED,
        created=created, started=created, ended=created, duration_s=chance.random() * 100,
        command=("python", "train.py", "--seed", str(number)), cwd=".", exit_code=0,
        base=base, snapshot=base, branch="main", user="ada", host="engine",
    )  # fmt: skip
    return Record(run=run, config=config, metrics=metrics)


def stream(n_runs: int, base: str) -> Iterator[bytes]:
    """What `git fast-import` reads."""
    for number in range(n_runs):
        record = make_record(number, base)
        yield b"commit %b\n" % (RUNS + record.run.id).encode()
        yield b"committer ada <ada@localhost> %d +0000\n" % (START + number)
        yield b"data 4\nrun\n\nfrom %b\ndeleteall\n" % base.encode()
        for path, data in encode_record(record).items():
            yield b"M 100644 inline %b\ndata %d\n%b\n" % (path.encode(), len(data), data)
        yield b"\n"


def build(root: Path, n_runs: int) -> Repository:
    """A repository with one commit and `n_runs` run commits on it, their refs packed."""
    git = ["git", "-C", str(root), "-c", "user.name=ada", "-c", "user.email=ada@localhost"]
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "base"], check=True)
    done = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True)
    base = done.stdout.decode().strip()
    data = b"".join(stream(n_runs, base))
    subprocess.run([*git, "fast-import", "--quiet"], input=data, check=True)
    subprocess.run([*git, "pack-refs", "--all"], check=True)
    return open_repository(root, os.environ)


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


if __name__ == "__main__":
    main()

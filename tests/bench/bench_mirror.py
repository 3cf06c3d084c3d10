"""What whole-repository commands of git take beside runs: `python -m tests.bench.bench_mirror`.

For each number of runs (0 and 10,000) a repository, one bare remote without runs, and what these
commands cost: CPU of all processes, and the bytes that a copy has on the disk.
"""

import argparse
import os
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.bench.generate import build

ROUNDS = 3
_WITHOUT = ("log", "--oneline", "--exclude=refs/repro/*", "--all")


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="*", type=int, default=[0, 10_000])
    parser.add_argument("--dir", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.dir) as folder:
        for n_runs in given.runs:
            print(f"{n_runs:,} runs")
            for what, cost in _measure(Path(folder) / str(n_runs), n_runs).items():
                print(f"    {what:40} {cost}")


def _measure(folder: Path, n_runs: int) -> dict[str, str]:
    root = folder / "project"
    folder.mkdir()
    build(root, n_runs)
    bare, copy = folder / "bare.git", folder / "copy"
    _git(folder, "init", "-q", "--bare", str(bare))
    _git(root, "push", "-q", str(bare), "HEAD:refs/heads/main")

    def copying(*words: str) -> Callable[[], None]:
        def act() -> None:
            shutil.rmtree(copy, ignore_errors=True)
            _git(folder, "clone", "-q", *words, f"file://{root}", str(copy))

        return act

    def mirror_push() -> None:
        shutil.rmtree(copy, ignore_errors=True)
        _git(folder, "init", "-q", "--bare", str(copy))
        _git(root, "push", "-q", "--mirror", str(copy))

    costs = {}
    for what, act, leaves in (
        ("log --all", lambda: _git(root, "log", "--oneline", "--all"), False),
        ("log --exclude=refs/repro/* --all", lambda: _git(root, *_WITHOUT), False),
        ("clone", copying(), True),
        ("clone --mirror", copying("--mirror"), True),
        ("push --mirror", mirror_push, True),
        ("fsck", lambda: _git(root, "fsck", "--no-progress"), False),
        ("gc", lambda: _git(root, "gc", "-q"), False),
        ("gc again", lambda: _git(root, "gc", "-q"), False),
    ):
        cost = min(_cpu_of(act) for _ in range(1 if what == "gc" else ROUNDS))
        costs[what] = f"{cost * 1000:10,.0f} ms"
        if leaves:
            costs[what] += f" {_size(copy) / 1e6:10.1f} MB"
    return costs


def _git(cwd: Path, *words: str) -> None:
    environ = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", *words], cwd=cwd, env=environ, check=True, capture_output=True)


def _cpu_of(act: Callable[[], None]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    act()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()

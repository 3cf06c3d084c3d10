"""What many runs cost plain git: `python -m tests.bench.bench_git [RUNS ...] [--dir DIR]`.

Makes one repository for each number of runs (0, 10,000 and 100,000) with the same 2,000 files, 200
commits and a bare remote over file://, and prints what git's own commands and `repro ls` take in
each, one round after the other; then the same after the old runs went into archives, and after a
`git gc`.
"""

import argparse
import itertools
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

from repro.core.fold import fold_runs
from repro.core.project import open_project
from repro.store.refs import RUNS
from tests.bench.generate import build

ROUNDS = 7
N_FILES, N_COMMITS = 2_000, 200
_WHO = ("-c", "user.name=ada", "-c", "user.email=ada@localhost")


class Clone:
    """A repository with runs, and two remotes: one has no runs, the other has all of them."""

    def __init__(self, folder: Path, n_runs: int) -> None:
        self.n_runs = n_runs
        self.root = folder / "project"
        self._numbers = itertools.count()
        self._newest: tuple[str, str] | None = None
        if not self.root.exists():
            build(self.root, n_runs)
        self._write_history()
        for name, options in (("origin", ()), ("shared", ("--mirror",))):
            target = folder / f"{name}.git"
            self.git("clone", "-q", "--bare", *options, f"file://{self.root}", str(target))
            self.git("remote", "add", name, f"file://{target}")
            self.git("fetch", "-q", name)

    def git(self, *words: str) -> None:
        """Run git as the user would."""
        subprocess.run(
            ["git", *_WHO, *words], cwd=self.root, check=True, capture_output=True, env=_environ()
        )

    def push(self, remote: str) -> None:
        """Push a commit on a branch."""
        self.git("commit", "-q", "--allow-empty", "-m", f"change {next(self._numbers)}")
        self.git("push", "-q", remote, "main")

    def repro(self, *words: str) -> str:
        """Run repro as the user would; what it prints."""
        command = [sys.executable, "-m", "repro", *words]
        return subprocess.check_output(
            command, cwd=self.root, env=_environ(), stderr=subprocess.DEVNULL, text=True
        )

    def renew_newest(self) -> None:
        """Make the newest run one that the run index has not seen."""
        ref, oid = self._newest or self._write_newest()
        self.git("update-ref", "-d", ref)
        self.repro("ls", "--limit", "20")
        self.git("update-ref", ref, oid)

    def touch_packed(self) -> None:
        """Have git write the file of all refs anew."""
        self.git("update-ref", f"refs/heads/new-{next(self._numbers)}", "HEAD")
        self.git("pack-refs", "--all")
        time.sleep(0.1)  # a younger file proves nothing

    def list_newest(self) -> None:
        """List twenty runs."""
        self.repro("ls", "--limit", "20")

    def show_oldest(self) -> None:
        """Show a run that goes into an archive."""
        if self.n_runs:
            self.repro("show", self.oldest)

    @cached_property
    def oldest(self) -> str:
        """The id of a run that goes into an archive."""
        return self.repro("ls", "--format", "%(id)%0a", "--limit", str(self.n_runs + 1)).split()[-1]

    def fold(self) -> None:
        """Put the old runs into archives, here and at the remote that has them."""
        project = open_project(self.root, environ=_environ(), clock=time.time, entropy=os.urandom)
        start = time.perf_counter()
        folded = fold_runs(project)
        taken = time.perf_counter() - start
        print(f"{folded.runs} runs folded into {folded.archives} archives: {taken:.2f} s")
        if folded.runs:
            self.git("push", "-q", "--mirror", "shared")

    def _write_newest(self) -> tuple[str, str]:
        before = set(self._refs())
        self.repro("run", "--", "true")
        [line] = set(self._refs()) - before
        oid, ref = line.split()
        self._newest = ref, oid
        return self._newest

    def _refs(self) -> list[str]:
        words = ["git", "for-each-ref", "--format=%(objectname) %(refname)", RUNS]
        return subprocess.check_output(words, cwd=self.root, text=True).splitlines()

    def _write_history(self) -> None:
        for number in range(N_FILES):
            path = self.root / f"pkg/d{number % 50:02}/f{number:04}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"VALUE = {number}\n" * 20)
        self.git("add", "--all")
        for number in range(N_COMMITS):
            self.git("commit", "-q", "--allow-empty", "-m", f"commit {number}")


def _environ() -> dict[str, str]:
    return {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


AFTER_NEW = "repro ls, after one new run"
AFTER_PACK = "repro ls, after git pack-refs"

WORK: dict[str, Callable[[Clone], None]] = {
    "git status": lambda clone: clone.git("status"),
    "git log -1": lambda clone: clone.git("log", "-1"),
    "git log -1 --decorate": lambda clone: clone.git("log", "-1", "--decorate"),
    "git log": lambda clone: clone.git("log"),
    "git log --all": lambda clone: clone.git("log", "--all"),
    "git log --exclude='refs/repro/*' --all": lambda clone: clone.git(
        "log", "--exclude=refs/repro/*", "--all"
    ),
    "git fetch, nothing new": lambda clone: clone.git("fetch", "origin"),
    "git fetch, from a remote with the runs": lambda clone: clone.git("fetch", "shared"),
    "git commit + push of a branch": lambda clone: clone.push("origin"),
    "git commit + push, to a remote with the runs": lambda clone: clone.push("shared"),
    "git for-each-ref refs/repro": lambda clone: clone.git("for-each-ref", "refs/repro"),
    "repro ls": lambda clone: clone.list_newest(),
    AFTER_NEW: lambda clone: clone.list_newest(),
    AFTER_PACK: lambda clone: clone.list_newest(),
    "repro show of the oldest run": lambda clone: clone.show_oldest(),
}
# What goes before, and is not measured.
BEFORE: dict[str, Callable[[Clone], None]] = {
    AFTER_NEW: Clone.renew_newest,
    AFTER_PACK: Clone.touch_packed,
}


def measure(clones: Sequence[Clone], title: str) -> None:
    """Print the least wall time and the least CPU time of each command in each clone, in ms."""
    print(f"\n{title:46}" + "".join(f"{clone.n_runs:>20,} runs" for clone in clones))
    for name, work in WORK.items():
        least = {clone.n_runs: (math.inf, math.inf) for clone in clones}
        for _ in range(ROUNDS):
            for clone in clones:
                if name in BEFORE:
                    BEFORE[name](clone)
                start, cpu = time.perf_counter(), _cpu_s()
                work(clone)
                taken = (time.perf_counter() - start, _cpu_s() - cpu)
                wall_s, cpu_s = map(min, least[clone.n_runs], taken)
                least[clone.n_runs] = wall_s, cpu_s
        cells = (f"{1000 * wall:9.1f} (CPU {1000 * cpu:7.1f})" for wall, cpu in least.values())
        print(f"{name:46}" + "".join(f"{cell:>25}" for cell in cells))


def _cpu_s() -> float:
    """Of all processes that ended; a busy machine changes it little."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Build, measure, collect garbage, measure."""
    parser = argparse.ArgumentParser(prog="tests.bench.bench_git", description=__doc__)
    parser.add_argument("n_runs", type=int, nargs="*", default=[0, 10_000, 100_000])
    parser.add_argument("--dir", type=Path, help="which may have repositories RUNS/project already")
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clones = [Clone((words.dir or Path(folder)) / str(n), n) for n in words.n_runs]
        measure(clones, "as recorded, refs packed")
        for clone in clones:
            clone.fold()
        measure(clones, "old runs in archives")
        for again in ("first", "second"):
            for clone in clones:
                start = time.perf_counter()
                clone.git("gc", "-q")
                print(f"{again} git gc, {clone.n_runs} runs: {time.perf_counter() - start:.2f} s")
        for clone in clones:
            size = sum(path.stat().st_size for path in (clone.root / ".git").rglob("*.pack"))
            print(f"{clone.n_runs} runs: {size / 1e6:.1f} MB of packs after gc")
        measure(clones, "after git gc")


if __name__ == "__main__":
    main()

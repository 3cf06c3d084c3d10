"""`checkout -w` of 5,000 files against `git worktree add`: at most 1.5 times; in place against git.

Run it with `python -m tests.bench.bench_checkout`.
"""

import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from repro.core.beside import check_out_beside
from repro.core.query import resolve_run
from repro.core.restore import check_out
from repro.core.undo import undo
from tests.support import git, make_repository, write_files
from tests.support.projects import make_run, open_here

N_FILES = 5000
REPEATS = 7


def timed(work: Callable[[], object]) -> float:
    """Milliseconds that `work` takes."""
    start = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - start)


def build(folder: Path) -> tuple[Path, str]:
    """A repository of 5,000 files, and a run with 50 edited and 20 untracked ones."""
    files = {f"pkg/d{n % 50:02}/f{n:04}.py": f"x = {n}\n" * 40 for n in range(N_FILES)}
    root = make_repository(folder / "project", files)
    edited = list(files)[::100]
    write_files(root, dict.fromkeys(edited, "edited\n"))
    write_files(root, {f"pkg/new{n:02}.py": "new\n" for n in range(20)})
    run = make_run(open_here(root)).id
    git(root, "stash", "-q", "-u")
    return root, run


def main() -> None:
    """Print medians and the ratio to git, measured in turns."""
    with tempfile.TemporaryDirectory() as name:
        root, run = build(Path(name))
        project = open_here(root)
        record = resolve_run(project, run)
        commit = git(root, "rev-parse", f"refs/repro/runs/{run}^")
        times: dict[str, list[float]] = {}

        def measure(what: str, work: Callable[[], object]) -> None:
            times.setdefault(what, []).append(timed(work))

        for turn in range(REPEATS):
            ours, theirs = Path(name) / f"ours{turn}", Path(name) / f"theirs{turn}"
            words = ["git", "worktree", "add", "-q", "--detach", str(theirs), commit]
            plain = ["git", "checkout", "-q", "--detach", commit]
            back = ["git", "switch", "-q", "-"]
            measure("git worktree add", lambda w=words: subprocess.run(w, cwd=root, check=True))
            measure("checkout -w", lambda o=ours: check_out_beside(project, record, o))
            measure("git checkout", lambda p=plain: subprocess.run(p, cwd=root, check=True))
            measure("git switch -", lambda b=back: subprocess.run(b, cwd=root, check=True))
            measure("checkout", lambda: check_out(project, record))
            measure("undo", lambda: undo(project))
        medians = {what: statistics.median(found) for what, found in times.items()}
        for what, median in medians.items():
            print(f"{what:18} {median:8.1f} ms   (best {min(times[what]):.1f})")
        ratios = [
            a / b for a, b in zip(times["checkout -w"], times["git worktree add"], strict=True)
        ]
        print(f"checkout -w / git worktree add: {statistics.median(ratios):.2f} (budget 1.5)")


if __name__ == "__main__":
    main()

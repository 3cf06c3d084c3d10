"""Many writers at once beside an endless `git gc --prune=now`: every run is whole.

The short form runs in the test command; `REPRO_CRASH_WRITERS=16 REPRO_CRASH_RUNS=20` is the
whole one (see docs/contributing.md).
"""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

from tests.support import git, write_files

WRITERS = int(os.environ.get("REPRO_CRASH_WRITERS", "4"))
RUNS = int(os.environ.get("REPRO_CRASH_RUNS", "3"))

SCRIPT = """
import sys
import repro
run = repro.init(config={"writer": int(sys.argv[1])})
for step in range(5):
    repro.log({"loss": 1.0 / (step + 1)})
run.finish()
"""


def test_runs_of_many_writers_beside_gc_are_all_complete(repository: Path) -> None:
    write_files(repository, {"train.py": SCRIPT, "untracked.txt": "x\n"})
    stop = threading.Event()

    def collect() -> None:
        while not stop.is_set():
            subprocess.run(
                ["git", "gc", "-q", "--prune=now"], cwd=repository, capture_output=True, check=False
            )

    failures: list[str] = []

    def write(writer: int) -> None:
        for number in range(RUNS):
            # Both faces take part: every other run is the SDK alone.
            front = [] if number % 2 else ["-m", "repro", "run", "--", sys.executable]
            done = subprocess.run(
                [sys.executable, *front, "train.py", str(writer)],
                cwd=repository,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode != 0:
                failures.append(done.stderr)

    collector = threading.Thread(target=collect)
    writers = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    collector.start()
    try:
        for thread in writers:
            thread.start()
        for thread in writers:
            thread.join()
    finally:
        stop.set()
        collector.join()

    assert failures == []
    # A gc that found others at work may end before it writes its graph of commits anew, and leave
    # one that names a commit which it took away: of a run in progress, replaced when that ended.
    graphless = ("-c", "core.commitGraph=false")
    git(repository, *graphless, "fsck", "--strict", "--connectivity-only")
    refs = git(repository, "for-each-ref", "--format=%(refname)", "refs/repro/runs/").split()
    assert len(refs) == WRITERS * RUNS
    for ref in refs:
        assert json.loads(git(repository, "show", f"{ref}:run.json"))["status"] == "finished"
        assert len(git(repository, "show", f"{ref}:metrics/0.csv").splitlines()) == 6
        assert git(repository, "show", f"{ref}^:untracked.txt") == "x"
    assert git(repository, "for-each-ref", "refs/repro/live/") == ""
    assert list((repository / ".git" / "repro" / "live").iterdir()) == []

"""`repro run` killed with -9 at random moments: the user's repository never notices.

`REPRO_CRASH_KILLS=200` is the whole form (see docs/contributing.md).
"""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

from tests.support import git, write_files
from tests.support.cli import Cli
from tests.support.waiting import until

KILLS = int(os.environ.get("REPRO_CRASH_KILLS", "6"))


def state(root: Path) -> list[object]:
    """What a recording must leave as it was."""
    return [
        (root / ".git" / "index").read_bytes(),
        (root / ".git" / "HEAD").read_bytes(),
        (root / ".git" / "logs" / "HEAD").read_bytes(),
        git(root, "--no-optional-locks", "status", "--porcelain"),
        git(root, "stash", "list"),
        git(root, "branch", "-a"),
        sorted(path.name for path in root.iterdir()),
    ]


def test_a_run_killed_at_any_moment_changes_nothing_and_is_recovered(
    repository: Path, cli: Cli
) -> None:
    write_files(repository, {"train.py": "import time\ntime.sleep(0.2)\n", "untracked.txt": "x\n"})
    before = state(repository)
    chance = random.Random(7)
    command = [sys.executable, "-m", "repro", "run", "--", sys.executable, "train.py"]
    silent = {"cwd": repository, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    start = time.monotonic()
    subprocess.run(command, check=True, **silent)
    whole = time.monotonic() - start

    for _ in range(KILLS):
        process = subprocess.Popen(command, **silent)
        time.sleep(chance.uniform(0.0, whole))
        process.kill()
        process.wait()
        assert state(repository) == before

    until(lambda: "running" not in cli("ls", "--porcelain").out, "the end of orphaned scripts")
    live = [path for path in (repository / ".git/repro/live").iterdir() if path.name[0] != "."]
    assert [path.name for path in live if (path / "start.json").exists()] == []
    git(repository, "fsck", "--strict", "--connectivity-only")
    assert state(repository) == before

"""`repro rerun` killed with -9 at random moments: the user's tree never notices, nothing is left.

`REPRO_CRASH_KILLS=100` is the whole form (see docs/contributing.md).
"""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

from tests.support import git, write_files
from tests.support.cli import REPRO
from tests.support.restores import everything

KILLS = int(os.environ.get("REPRO_CRASH_KILLS", "4"))


def repro(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*REPRO, *words], capture_output=True, text=True, check=True)


def test_a_rerun_killed_at_any_moment_leaves_the_tree_and_the_next_one_works(
    repository: Path,
) -> None:
    write_files(
        repository,
        {
            "train.py": "import random, time\ntime.sleep(0.2)\nprint(random.random())\n",
            "data/a.csv": "1\n",
            "new.txt": "untracked\n",
        },
    )
    done = repro("run", "--json", "--data", "data", "--", sys.executable, "train.py")
    run = json.loads(done.stdout)["id"]
    write_files(repository, {"train.py": "print('later')\n"})
    before = {**everything(repository), "refs": git(repository, "show-ref", "--heads")}
    chance = random.Random(11)
    command = [*REPRO, "rerun", "--verify", run]
    start = time.monotonic()
    subprocess.run(command, check=True, capture_output=True)
    whole = time.monotonic() - start

    for _ in range(KILLS):
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        time.sleep(chance.uniform(0.0, whole))
        os.killpg(process.pid, 9)
        process.wait()
        assert {**everything(repository), "refs": git(repository, "show-ref", "--heads")} == before

    verdict = json.loads(repro("rerun", "--verify", "--json", run).stdout)
    assert verdict["verdict"] == "identical"
    statuses = {one["status"] for one in json.loads(repro("ls", "--json", "--limit", "0").stdout)}
    assert statuses <= {"finished", "lost", "killed"}
    assert not list((repository / ".git/repro/worktrees").iterdir())
    assert len(git(repository, "worktree", "list").splitlines()) == 1
    git(repository, "fsck", "--strict", "--connectivity-only")

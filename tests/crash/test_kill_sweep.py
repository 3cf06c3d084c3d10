"""`repro sweep` killed with -9 at random moments and resumed: each trial finishes exactly once.

`REPRO_CRASH_KILLS=30` is the whole form (see docs/contributing.md).
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import psutil
from tests.support import git, write_files
from tests.support.cli import REPRO
from tests.support.waiting import until

KILLS = int(os.environ.get("REPRO_CRASH_KILLS", "3"))
TRAIN = """\
import random, sys, time
import repro
x = int(next(word.split("=")[1] for word in sys.argv if word.startswith("--x=")))
run = repro.init()
for step in range(3):
    repro.log({"loss": x + step})
    time.sleep(random.uniform(0, 0.1))
"""


def repro(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*REPRO, *words], capture_output=True, text=True, check=True)


def kill(process: psutil.Popen, chance: random.Random) -> str:
    """Kill the sweep, with all that it started, with its process group, or alone; or a worker."""
    below = []
    with suppress(psutil.NoSuchProcess):
        below = process.children(recursive=True)
    how = chance.choice(["all", "group", "alone", "worker"])
    if how == "worker":
        for one in below[:1]:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        time.sleep(chance.uniform(0.0, 0.5))
    with suppress(ProcessLookupError):
        if how == "group":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            os.kill(process.pid, signal.SIGKILL)
    if how == "all":
        for one in below:
            with suppress(psutil.NoSuchProcess):
                one.kill()
    process.wait()
    return how


def test_a_sweep_killed_at_any_moment_and_resumed_finishes_each_trial_once(
    repository: Path,
) -> None:
    write_files(repository, {"train.py": TRAIN})
    n = 2 * KILLS
    points = ",".join(str(number) for number in range(n))
    repro(
        "sweep", "-p", f"x={points}", "--metric", "loss", "--goal", "minimize", "--create",
        "--", sys.executable, "train.py",
    )  # fmt: skip
    [sweep] = json.loads(repro("sweep", "ls", "--json").stdout)
    command = [*REPRO, "sweep", "resume", sweep["id"], "-j", "2", "--retries", str(KILLS)]
    chance = random.Random(17)
    kills: Counter[str] = Counter()

    for _ in range(KILLS):
        process = psutil.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        time.sleep(chance.uniform(0.2, 3.0))
        kills[kill(process, chance) if process.poll() is None else "done"] += 1
    print(f"killed: {dict(kills)}")
    repro(*command[len(REPRO) :])

    shown = json.loads(repro("sweep", "show", "--json", sweep["id"]).stdout)
    trials = shown["trials"]
    assert [trial["state"] for trial in trials] == ["finished"] * n
    assert [trial["value"] for trial in trials] == [number + 2.0 for number in range(n)]
    runs = json.loads(repro("ls", "--json", "--limit", "0").stdout)
    assert {run["sweep"] for run in runs} == {sweep["id"]}
    finished = {run["trial"]: run["id"] for run in runs if run["status"] == "finished"}
    assert finished == {trial["trial"]: trial["run"] for trial in trials}
    assert len([run for run in runs if run["status"] == "finished"]) == n
    assert {run["status"] for run in runs} <= {"finished", "lost", "killed"}
    for run in runs:
        points = run["metrics"].get("loss", {"count": 0})["count"]
        assert points == 3 or run["status"] != "finished"
    repro("fsck")
    private = repository / ".git/repro"
    for name in ("live", "worktrees"):
        until(lambda place=private / name: not list(place.iterdir()), f"an empty folder {name}")
    assert not git(repository, "for-each-ref", "refs/repro/live", "refs/repro/live-data")
    assert len(git(repository, "worktree", "list").splitlines()) == 1

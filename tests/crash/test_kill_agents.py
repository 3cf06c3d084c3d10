"""Agents of a shared sweep die at any moment: the others bring it to its end, each trial once.

The short form runs in the test command; `REPRO_CRASH_KILLS=30` kills that often.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from tests.support import git
from tests.support.clones import Team, project_at
from tests.support.remotes import push_all, runs_of
from tests.support.sweeps import make_sweep

from repro.core.fetch import pull_runs
from repro.core.fsck import check_everything
from repro.core.query import resolve_run
from repro.core.sweep.known import find_sweep
from repro.model.space import Uniform
from repro.model.sweepspec import Method
from repro.store.remoterefs import find_remote

KILLS = int(os.environ.get("REPRO_CRASH_KILLS", "2"))
TRIALS = 2 + KILLS
SCRIPT = "import time\ntime.sleep(0.3)\nprint('trained')\n"


def start_agent(root: Path, sweep_id: str) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "repro", "sweep", "agent", sweep_id, "--yes"]
    return subprocess.Popen(words, cwd=root, stderr=subprocess.PIPE, start_new_session=True)


def test_agents_that_are_killed_lose_no_trial_and_none_is_told_twice(tmp_path: Path):
    team = Team(tmp_path / "team")
    roots = [team.clone("ada"), team.clone("bob")]
    (roots[0] / "train.py").write_text(SCRIPT)
    sweep = make_sweep(
        project_at(roots[0]), method=Method.RANDOM, space={"lr": Uniform(0.0, 1.0)}, run_cap=TRIALS
    ).sweep
    push_all(project_at(roots[0]))
    seed = random.randrange(1 << 32)
    moments = random.Random(seed)
    for number in range(KILLS):
        agent = start_agent(roots[number % 2], sweep.id)
        time.sleep(moments.uniform(0.5, 4.0))
        # All at once, as when a machine dies, or only the process that leads.
        kill = os.killpg if moments.random() < 0.5 else os.kill
        kill(agent.pid, signal.SIGKILL)
        agent.communicate()
    last = start_agent(roots[0], sweep.id)
    said = last.communicate()[1].decode()
    assert last.returncode == 0, (seed, said)

    project = project_at(roots[0])
    pull_runs(project, find_remote(project.repository.git, None))
    trials = find_sweep(project, sweep.id).progress.trials
    assert [trial.state for trial in trials] == ["finished"] * TRIALS, seed
    records = [resolve_run(project, trial.run) for trial in trials]
    assert [(one.run.sweep, one.run.trial) for one in records] == [
        (sweep.id, number) for number in range(TRIALS)
    ], seed
    assert {trial.run for trial in trials} <= runs_of(team.hub).keys()
    finished = [resolve_run(project, run).run for run in runs_of(team.hub)]
    per_trial = Counter(run.trial for run in finished if run.status == "finished")
    assert per_trial == dict.fromkeys(range(TRIALS), 1), seed
    assert check_everything(project).faults == ()
    git(team.hub, "fsck", "--strict")

"""A logging script killed with -9 at random moments: no acknowledged point is ever lost.

The script acknowledges each `log()` that returned into a pipe, which survives the kill
(`REPRO_CRASH_KILLS=200` is the whole form, see docs/contributing.md).
"""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.support import git

from repro.core.project import open_project
from repro.core.query import read_points, resolve_run
from repro.core.record import recover_runs
from repro.model.run import Status

KILLS = int(os.environ.get("REPRO_CRASH_KILLS", "7"))
SCRIPT = """
import os, sys
import repro

ack = int(sys.argv[1])
run = repro.init(name="killed")
os.write(ack, f"{run.id}\\n".encode())
step = 0
while True:
    repro.log({"loss": 1.0 / (step + 1), "step": step}, step=step)
    os.write(ack, b"%d\\n" % step)
    step += 1
"""


def kill_one(root: Path, delay_s: float, number: int) -> tuple[str, int]:
    """Kill the script after its first point and a delay; its run and last acknowledged step."""
    reader, writer = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(writer)],
        cwd=root,
        pass_fds=[writer],
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    with os.fdopen(reader) as pipe:
        run_id = pipe.readline().strip()
        first = pipe.readline()
        time_out = time.monotonic() + delay_s
        last = first
        while time.monotonic() < time_out:
            last = pipe.readline() or last
        process.send_signal(number)
        for line in pipe:
            last = line if line.endswith("\n") else last
    process.wait()
    return run_id, int(last)


def test_no_acknowledged_point_is_lost_by_kill_9(repository: Path) -> None:
    chance = random.Random(11)
    acknowledged = dict(
        kill_one(repository, chance.uniform(0, 0.3), signal.SIGKILL) for _ in range(KILLS)
    )

    project = open_project(repository, environ=os.environ, clock=time.time, entropy=os.urandom)
    assert (
        recover_runs(project).problems == ()
    )  # the last one; each init() recovered the one before
    assert len(acknowledged) == KILLS
    for run_id, last in acknowledged.items():
        record = resolve_run(project, run_id)
        assert record.run.status is Status.LOST
        points = read_points(project, record)
        logged = [(point.step, point.value) for point in points["loss"]]
        # All that was acknowledged, at most the one that was on its way beside, none invented.
        assert len(logged) in (last + 1, last + 2)
        assert logged == [(step, 1.0 / (step + 1)) for step in range(len(logged))]
    assert recover_runs(project).runs == ()
    assert [path for path in project.live.iterdir() if not path.name.startswith(".")] == []
    git(repository, "fsck", "--strict", "--connectivity-only")


def test_sigterm_loses_no_point_either(repository: Path) -> None:
    chance = random.Random(12)
    acknowledged = dict(
        kill_one(repository, chance.uniform(0, 0.2), signal.SIGTERM) for _ in range(KILLS // 4)
    )

    project = open_project(repository, environ=os.environ, clock=time.time, entropy=os.urandom)
    assert recover_runs(project).runs == ()  # each sealed itself
    for run_id, last in acknowledged.items():
        record = resolve_run(project, run_id)
        assert (record.run.status, record.run.signal) == (Status.KILLED, "SIGTERM")
        assert record.metrics["loss"].count in (last + 1, last + 2)

"""Processes of our own run trials side by side, and nothing runs on unseen when one dies."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from tests.support import git
from tests.support.projects import open_here
from tests.support.sweeps import AGENT, make_spec
from tests.support.waiting import until

from repro.core.isolation import folder_of_worktrees
from repro.core.project import Project
from repro.core.query import read_part, resolve_run
from repro.core.record import recover_runs
from repro.core.sweep.freeze import freeze
from repro.core.sweep.known import list_sweeps
from repro.core.sweep.local import LocalLauncher
from repro.core.sweep.orphans import Orphans
from repro.core.sweep.protocols import Gone, Task, TrialEnd
from repro.errors import UnknownRunError
from repro.model.ids import new_id
from repro.model.run import Record, Status
from repro.model.sweep import Dropped, SweepAt, Trial, TrialState
from repro.store.process import find_process

_OTHERS: set[psutil.Process] = set()
SLEEP = """\
import signal, sys, time
if "--how=deaf" in sys.argv: signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("started", flush=True)
time.sleep(0 if "--how=short" in sys.argv else 60)
"""


def make_sleeper(root: Path) -> tuple[Project, SweepAt]:
    """A sweep whose trials sleep for a minute, unless they are `short`; the `deaf` heed nothing."""
    (root / "train.py").write_text(SLEEP)
    project = open_here(root, time.time)
    return project, freeze(project, make_spec(command=(sys.executable, "train.py")), cwd=root)


@pytest.fixture(autouse=True)
def others() -> None:
    """Processes that are there before, such as a server that other tests share."""
    _OTHERS.clear()
    _OTHERS.update(psutil.Process().children())


def own_children() -> list[psutil.Process]:
    """The processes that this test started."""
    return [one for one in psutil.Process().children() if one not in _OTHERS]


@contextmanager
def launching(root: Path, jobs: int = 2) -> Iterator[tuple[LocalLauncher, "_Tasks"]]:
    project, at = make_sleeper(root)
    launcher = LocalLauncher(project, at.sweep, jobs)
    try:
        yield launcher, _Tasks(project, at)
    finally:
        launcher.close()
    assert not list(folder_of_worktrees(project).glob("*"))
    assert len(git(root, "worktree", "list").splitlines()) == 1
    assert not own_children()


class _Tasks:
    def __init__(self, project: Project, at: SweepAt) -> None:
        self.project = project
        self._at = at
        self._number = 0

    def make(self, how: str) -> Task:
        self._number += 1
        sweep = self._at.sweep
        return Task(
            sweep=sweep.id, base=sweep.base, number=self._number, run=new_id(os.urandom),
            params={"how": how},
        )  # fmt: skip

    def started(self, launcher: LocalLauncher, how: str) -> Task:
        """A task that runs by now."""
        task = self.make(how)
        launcher.submit(task)
        log = self.project.live / task.run / "output.log"
        until(lambda: log.exists() and "started" in log.read_text(), "a trial")
        return task

    def record(self, task: Task) -> Record:
        return resolve_run(self.project, task.run)


def wait(launcher: LocalLauncher, n_tasks: int = 1) -> dict[str, TrialEnd]:
    """How so many tasks ended."""
    ends: dict[str, TrialEnd] = {}

    def is_done() -> bool:
        ends.update({end.run: end for end in launcher.wait(1.0)})
        return len(ends) >= n_tasks

    until(is_done, "the end of a trial")
    return ends


def test_trials_run_side_by_side_and_one_process_runs_many(repository: Path) -> None:
    with launching(repository) as (launcher, tasks):
        given = [tasks.make("short") for _ in range(4)]
        assert launcher.n_free() == 2
        assert launcher.wait(0.0) == []
        for task in given[:2]:
            launcher.submit(task)
        assert launcher.n_free() == 0
        ends = wait(launcher, 2)
        for task in given[2:]:
            launcher.submit(task)
        workers = own_children()
        ends |= wait(launcher, 2)

    assert len(workers) == 2
    assert all(os.getpgid(0) != worker.pid for worker in workers)
    assert ends == {one.run: TrialEnd(run=one.run, status=Status.FINISHED) for one in given}
    assert [tasks.record(one).run.trial for one in given] == [1, 2, 3, 4]


def test_a_trial_is_told_to_end_or_killed_and_its_process_goes_on(repository: Path) -> None:
    with launching(repository, 1) as (launcher, tasks):
        gentle = tasks.started(launcher, "long")
        [worker] = own_children()
        launcher.stop("another")
        launcher.stop(gentle.run)
        ends = wait(launcher)
        deaf = tasks.started(launcher, "deaf")
        launcher.stop(deaf.run)
        assert launcher.wait(0.3) == []
        launcher.stop(deaf.run, is_hard=True)
        ends |= wait(launcher)
        early = tasks.make("long")
        launcher.submit(early)
        launcher.stop(early.run)
        ends |= wait(launcher)
        assert own_children() == [worker]

    for task, by in [(gentle, "SIGTERM"), (deaf, "SIGKILL"), (early, "SIGTERM")]:
        assert ends[task.run] == TrialEnd(run=task.run, status=Status.KILLED)
        assert tasks.record(task).run.signal == by


def test_the_end_of_a_process_ends_its_trial_and_another_one_takes_its_place(
    repository: Path,
) -> None:
    with launching(repository, 1) as (launcher, tasks):
        lost = tasks.started(launcher, "deaf")
        [worker] = own_children()
        command = worker.children()
        worker.kill()
        [end] = wait(launcher).values()
        assert end.run == lost.run
        assert (end.status, end.error) == (
            Status.LOST, "the process that ran it was killed by SIGKILL",
        )  # fmt: skip
        assert "sweep.log" in end.hint
        assert not any(find_process(one.pid) for one in command)
        assert tasks.record(lost).run.status is Status.LOST

        idle = tasks.make("short")
        launcher.submit(idle)
        assert wait(launcher)[idle.run].status is Status.FINISHED
        [worker] = own_children()
        worker.kill()
        worker.wait()
        after = tasks.make("short")
        launcher.submit(after)
        assert wait(launcher)[after.run].status is Status.FINISHED


def test_closing_ends_what_runs_and_seals_it(repository: Path) -> None:
    with launching(repository) as (launcher, tasks):
        gentle, deaf = tasks.started(launcher, "long"), tasks.started(launcher, "deaf")
    signals = [tasks.record(task).run.signal for task in (gentle, deaf)]
    # The deaf one was told first, and killed when it did not heed that.
    assert signals == ["SIGTERM", "SIGKILL"]
    assert launcher.n_free() == 2


_LAUNCH = """
import os, sys, time
from pathlib import Path
from tests.core.sweep.test_local import LocalLauncher, _Tasks, make_sleeper
project, at = make_sleeper(Path.cwd())
launcher = LocalLauncher(project, at.sweep, 1)
task = _Tasks(project, at).started(launcher, "deaf")
print(task.run, flush=True)
time.sleep(60)
"""


def test_nothing_runs_on_when_the_sweep_is_killed(repository: Path) -> None:
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", _LAUNCH], env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE, text=True,
    ) as sweep:  # fmt: skip
        assert sweep.stdout is not None
        run = sweep.stdout.readline().strip()
        started = psutil.Process(sweep.pid).children(recursive=True)
        assert len(started) == 2
        os.kill(sweep.pid, signal.SIGKILL)
        psutil.wait_procs(started, timeout=30)
        assert not any(one.is_running() for one in started)

    project = open_here(repository, time.time)
    assert recover_runs(project).runs == ()  # the process sealed it
    record = resolve_run(project, run)
    assert (record.run.status, record.run.signal) == (Status.KILLED, "SIGKILL")
    assert read_part(project, record, "output.log") == b"started\n"
    assert not list(folder_of_worktrees(project).iterdir())


def test_a_command_that_outlived_its_sweep_and_its_process_is_killed_when_it_is_resumed(
    repository: Path,
) -> None:
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", _LAUNCH], env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE, text=True,
    ) as sweep:  # fmt: skip
        assert sweep.stdout is not None
        run = sweep.stdout.readline().strip()
        [worker] = psutil.Process(sweep.pid).children()
        [command] = worker.children()
        worker.kill()
        sweep.kill()
    project = open_here(repository, time.time)
    [at] = list_sweeps(project).sweeps
    params = {"how": "deaf"}
    trial = Trial(
        number=1, params=params, state=TrialState.RUNNING, run=run, agent=AGENT, asked_at=1.0
    )
    assert command.is_running()
    orphans = Orphans(project, at.sweep.spec, 0)
    settled = []

    def is_settled() -> bool:
        settled.append(orphans.settle(trial, Gone(run, "its process ended", is_lost=False)))
        return settled[-1] is not None

    until(is_settled, "the trial is settled")
    psutil.wait_procs([command], timeout=30)
    assert not command.is_running()
    assert isinstance(settled[-1].entry, Dropped)
    assert resolve_run(project, run).run.status is Status.LOST


def test_a_process_that_cannot_work_is_said_to_be_so(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with launching(repository) as (launcher, tasks):
        monkeypatch.setattr(sys, "executable", "/usr/bin/some-program")
        task = tasks.make("short")
        launcher.submit(task)
        [end] = launcher.wait(1.0)
        assert end.error.startswith("no process can be started: ")
        assert end.status is None
        assert launcher.n_free() == 2
        with pytest.raises(UnknownRunError):
            tasks.record(task)

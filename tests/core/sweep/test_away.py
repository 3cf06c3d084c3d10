"""Trials that run on other machines: here, threads stand for those machines."""

import json
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import pytest
from tests.support.projects import open_here
from tests.support.sweeps import make_sweep
from tests.support.waiting import until

from repro.core.project import Project
from repro.core.sweep import errand
from repro.core.sweep.away import JOBS, AwayLauncher, Failed
from repro.core.sweep.errand import run_errand
from repro.core.sweep.protocols import Task, TrialEnd
from repro.core.sweep.settle import find_record
from repro.errors import UsageError
from repro.model.ids import new_id
from repro.model.run import Status

SCRIPT = """\
import os, signal, sys, time
mode = sys.argv[1]
if mode == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if mode in ("deaf", "waits"):
    open(sys.argv[2], "w").close()
    time.sleep(60)
print(os.environ["FROM_HERE"], os.environ.get("CUDA_VISIBLE_DEVICES"))
sys.exit(mode == "fails")
"""


class Threads:
    """An engine that runs each errand in a thread."""

    label = "the engine"

    def __init__(self) -> None:
        self.pool = ThreadPoolExecutor(4)
        self.answers: list[Any] = []  # in place of running anything
        self.before: Callable[[str], None] = lambda _: None

    def start(self, folder: str, name: str) -> "Future[Any]":
        self.before(folder)
        given = self.answers.pop(0) if self.answers else None
        return self.pool.submit(run_errand, folder) if given is None else self.pool.submit(given)

    def ended(self, jobs: Sequence["Future[Any]"], timeout_s: float) -> list["Future[Any]"]:
        done, _ = wait(jobs, timeout_s, return_when=FIRST_COMPLETED)
        return [job for job in jobs if job in done]

    def answer(self, job: "Future[Any]") -> Any:
        try:
            return job.result()
        except OSError as error:
            raise Failed(str(error)) from error

    def cancel(self, job: "Future[Any]", *, is_hard: bool) -> None:
        job.cancel()

    def close(self) -> None:
        self.pool.shutdown()


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Threads:
    monkeypatch.setenv("FROM_HERE", "secret")
    return Threads()


@pytest.fixture
def project(repository: Path, engine: Threads) -> Project:
    (repository / "train.py").write_text(SCRIPT)
    return open_here(repository, time.time)


@pytest.fixture
def launch(project: Project, engine: Threads) -> Iterator[Callable[..., tuple[Any, Task]]]:
    """Starts a task of the script, and gives the launcher with it."""
    made: list[AwayLauncher] = []

    def start(mode: str, *words: str) -> tuple[AwayLauncher, Task]:
        at = make_sweep(project, command=("python", "train.py", mode, *words), is_macro=True)
        task = Task(
            sweep=at.sweep.id,
            base=at.sweep.base,
            number=0,
            run=new_id(project.entropy),
            params={"lr": 0.1},
        )
        made.append(AwayLauncher(project, at.sweep, 2, engine))
        made[-1].submit(task)
        return made[-1], task

    yield start
    for one in made:
        one.close()


def end_of(launcher: AwayLauncher) -> TrialEnd:
    [end] = launcher.wait(60)
    return end


def test_a_trial_is_run_with_the_environment_from_here(
    project: Project, engine: Threads, launch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes: list[int] = []
    engine.before = lambda folder: modes.append(
        stat.S_IMODE((Path(folder) / errand.JOB).stat().st_mode)
    )
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")  # as the machine of the engine has it
    launcher, task = launch("works")

    assert launcher.n_free() == 1
    assert end_of(launcher) == TrialEnd(run=task.run, status=Status.FINISHED)

    assert launcher.n_free() == 2
    found = find_record(project, task.run)
    assert found is not None
    assert (found.run.sweep, found.run.trial) == (task.sweep, 0)
    shown = project.repository.git.text("cat-file", "blob", f"{found.commit}:output.log")
    assert shown == "secret 7"
    assert modes == [0o600]
    launcher.close()
    assert not (project.repository.private / JOBS).exists()


def test_a_command_that_fails_is_a_run_that_failed(launch: Any) -> None:
    launcher, task = launch("fails")

    assert end_of(launcher) == TrialEnd(run=task.run, status=Status.FAILED)


@pytest.mark.parametrize("mode", ["waits", "deaf"])
def test_a_trial_that_runs_is_told_to_end(launch: Any, tmp_path: Path, mode: str) -> None:
    launcher, task = launch(mode, str(tmp_path / "running"))
    until((tmp_path / "running").exists, "a trial")

    launcher.stop("another")
    launcher.stop(task.run, is_hard=mode == "deaf")

    assert end_of(launcher).status is Status.KILLED


def test_what_runs_when_it_is_closed_is_ended_and_sealed(
    project: Project, launch: Any, tmp_path: Path
) -> None:
    launcher, task = launch("waits", str(tmp_path / "running"))
    until((tmp_path / "running").exists, "a trial")

    launcher.close()

    found = find_record(project, task.run)
    assert found is not None
    assert found.run.status is Status.KILLED


def test_a_machine_that_does_not_see_the_repository_is_named(engine: Threads, launch: Any) -> None:
    engine.answers = [lambda: {"host": "n\x1b1", "problem": errand.UNSEEN}]
    launcher, _ = launch("works")

    end = end_of(launcher)
    assert "`n\\x1b1` does not see the repository" in end.error
    assert "same path" in end.hint
    assert (end.status, end.slug) == (None, "usage")


def test_a_machine_that_dies_loses_the_attempt_and_no_more(engine: Threads, launch: Any) -> None:
    def die() -> None:
        raise OSError("node n1 died")

    engine.answers = [die]
    launcher, task = launch("works")

    assert end_of(launcher) == TrialEnd(run=task.run, error="the engine lost it: node n1 died")


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"problem": errand.NO_PROGRAM, "err": "No such file"}, "cannot start"),
        ({"problem": errand.TWICE}, "it died there"),
        ({"problem": errand.STOPPED}, "before it began"),
        ({"code": 1, "out": "no json", "err": "a\nMemoryError\n"}, "ended with 1: MemoryError"),
        ({"code": 0, "out": "", "err": ""}, "it said nothing"),
        ({}, "it said nothing"),
    ],
)
def test_every_answer_says_what_became_of_the_trial(
    engine: Threads, launch: Any, answer: dict[str, Any], says: str
) -> None:
    engine.answers = [lambda: {"host": "n1", **answer}]
    launcher, task = launch("works")

    end = end_of(launcher)
    assert (end.run, end.status) == (task.run, None)
    assert says in end.error


def test_an_engine_that_refuses_ends_the_task_with_its_reason(engine: Threads, launch: Any) -> None:
    def refuse(_: str) -> None:
        raise UsageError("no such partition", hint="`sinfo`")

    engine.before = refuse
    launcher, task = launch("works")

    assert end_of(launcher) == TrialEnd(
        run=task.run, error="no such partition", hint="`sinfo`", slug="usage"
    )
    assert launcher.n_free() == 2


def job(folder: Path, **values: Any) -> str:
    given = {"argv": ["true"], "cwd": str(folder), "environ": {}, "mine": [], "stdin": ""}
    (folder / errand.JOB).write_text(json.dumps({**given, "child": "none", **values}))
    return str(folder)


def test_an_errand_says_why_it_ran_nothing(tmp_path: Path) -> None:
    assert run_errand(str(tmp_path / "absent"))["problem"] == errand.UNSEEN
    assert run_errand(job(tmp_path, argv=["/no/such"]))["problem"] == errand.NO_PROGRAM
    assert run_errand(str(tmp_path))["problem"] == errand.TWICE
    (tmp_path / errand.STARTED).unlink()
    (tmp_path / errand.STOP).touch()
    assert run_errand(str(tmp_path))["problem"] == errand.STOPPED


def test_an_errand_gives_back_what_its_program_says(tmp_path: Path) -> None:
    answer = run_errand(job(tmp_path, argv=["sh", "-c", "cat; echo e >&2; exit 3"], stdin="in"))

    assert (answer["code"], answer["out"], answer["err"]) == (3, "in", "e\n")

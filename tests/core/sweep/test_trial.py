"""A trial of a sweep is an ordinary run of the frozen state, and sees nothing of the others."""

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support import write_files
from tests.support.cli import Cli
from tests.support.datasets import commit_all
from tests.support.installs import install_editable, make_sibling, make_venv
from tests.support.projects import open_here
from tests.support.sweeps import make_spec
from tests.support.waiting import end_time_once, until

from repro.core.isolation import folder_of_worktrees
from repro.core.launch import Streams
from repro.core.project import Project
from repro.core.query import read_part, resolve_run
from repro.core.relay import Relay
from repro.core.sweep.freeze import freeze
from repro.core.sweep.protocols import Task, TrialEnd
from repro.core.sweep.trial import Workbench, run_trial, workbench
from repro.model.ids import new_id
from repro.model.run import Record, Status
from repro.model.space import Categorical
from repro.store.process import find_process

SAY = "import os, sys; print(sys.argv[1:], os.environ['REPRO_CONFIG'], os.environ['REPRO_VARIED'])"


@contextmanager
def bench_of(root: Path, code: str, **spec: Any) -> Iterator[Workbench]:
    """A workbench of a sweep of a script with `code`."""
    (root / "train.py").write_text(code)
    project = open_here(root, time.time)
    values = {"command": (sys.executable, "train.py"), **spec}
    at = freeze(project, make_spec(**values), cwd=root)
    with workbench(project, at.sweep) as bench:
        yield bench


def a_task(bench: Workbench, number: int = 0, **values: Any) -> Task:
    """A task of its sweep."""
    given = {"params": {"lr": 0.1 + number}, "run": new_id(os.urandom), **values}
    return Task(sweep=bench.sweep.id, base=bench.sweep.base, number=number, **given)


def run(bench: Workbench, task: Task) -> TrialEnd:
    """How a task ends that nobody stops."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    try:
        with Relay() as relay:
            return run_trial(bench, task, relay=relay, streams=Streams(nowhere, nowhere, nowhere))
    finally:
        os.close(nowhere)


def finish(bench: Workbench, number: int = 0, **values: Any) -> Record:
    """The record of a trial that finishes."""
    end = run(bench, a_task(bench, number, **values))
    assert (end.status, end.error) == (Status.FINISHED, ""), end
    return resolve_run(bench.project, end.run)


def output(project: Project, record: Record) -> str:
    return (read_part(project, record, "output.log") or b"").decode()


def test_a_secret_of_the_environment_reaches_the_command_and_no_record(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "q7Zt2mXv9LpK4sWd8RbN"
    monkeypatch.setenv("API_KEY", secret)
    monkeypatch.setenv("DATA", "plain")
    words = ("--k", "${envvar:API_KEY}", "x=${envvar:API_KEY}!", "${envvar:DATA}")
    code = "import sys; print([len(word) for word in sys.argv[1:5]])"
    with bench_of(repository, code, command=(sys.executable, "train.py", *words)) as bench:
        record = finish(bench)
        assert output(bench.project, record) == f"[3, {len(secret)}, {len(secret) + 3}, 5]\n"
        assert "plain" in record.run.command
        listed = bench.project.repository.git.text("ls-tree", "-r", record.commit)
        assert listed
    for line in listed.splitlines():
        oid = line.split()[2]
        assert secret not in bench.project.repository.git.text("cat-file", "-p", oid)


def test_a_trial_is_a_run_that_says_which_trial_it_is_and_got_its_params(
    repository: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (repository / "params.yaml").write_text("model:\n  width: 8  # wide\nlr: 1\n")
    (repository / "repro.yaml").write_text("config: [params.yaml]\n")
    with bench_of(
        repository, f"{SAY}; print(open('params.yaml').read())",
        command=(sys.executable, "train.py", "--lr", "0.5"),
    ) as bench:  # fmt: skip
        params = {"lr": 0.25, "model.width": 16, "opt.name": "1"}
        task = a_task(bench, 3, params=params)
        end = run(bench, task)
        record = resolve_run(bench.project, task.run)

    assert end == TrialEnd(run=task.run, status=Status.FINISHED)
    assert (record.run.sweep, record.run.trial) == (bench.sweep.id, 3)
    assert record.run.command[1:] == ("train.py", "--lr", "0.25", "--opt.name=1")
    assert record.config == {"model": {"width": 16}, "lr": 0.25, "opt": {"name": "1"}}
    said = output(bench.project, record)
    assert "['--lr', '0.25', '--opt.name=1']" in said
    assert "width: 16  # wide" in said
    nested = {"lr": 0.25, "model": {"width": 16}, "opt": {"name": "1"}}
    assert json.dumps(nested) in said
    assert json.dumps(params) in said
    assert capfd.readouterr() == ("", "")
    assert not list(folder_of_worktrees(bench.project).iterdir())


def test_a_trial_done_again_gets_its_params_again(repository: Path, cli: Cli) -> None:
    code = f"{SAY}; import repro; print(repro.init(config={{'lr': 9, 'x': 1}}).config['lr'])"
    with bench_of(repository, code, is_macro=True) as bench:
        record = finish(bench)
    assert record.run.command == (sys.executable, "train.py")
    assert record.config == {"lr": 0.1, "x": 1}
    assert output(bench.project, record).endswith("\n0.1\n")

    done = cli("rerun", record.run.id)
    assert done.code == 0, done
    again = resolve_run(bench.project, "@")
    assert again.run.rerun_of == record.run.id
    assert output(bench.project, again) == output(bench.project, record)


def test_no_trial_sees_what_another_one_left(repository: Path) -> None:
    code = """\
import os, random, subprocess, sys
assert not os.path.exists("left") and open("data.txt").read() == "1"
print(random.random())
os.makedirs("left/deep")
open("data.txt", "w").write("2")
open("train.py", "a").write("raise SystemExit(3)")
subprocess.Popen([sys.executable, "-c",
    "import time; time.sleep(0.5); open('left', 'w'); time.sleep(60)"],
    stdin=-3, stdout=-3, stderr=-3)
"""
    (repository / "data.txt").write_text("1")
    with bench_of(repository, code, is_macro=True) as bench:
        first, second = finish(bench), finish(bench, 1)
        folder = next(folder_of_worktrees(bench.project).glob("*/train.py")).parent
        held = os.open(folder, os.O_RDONLY)  # so that its number is given to no other
        (folder / ".git").unlink()  # what cannot be put back is made anew
        third = finish(bench, 2)
        assert folder.stat().st_ino != os.fstat(held).st_ino
        os.close(held)

    assert {one.run.snapshot for one in (first, second, third)} == {first.run.snapshot}
    drawn = [output(bench.project, one) for one in (first, second, third)]
    assert len(set(drawn)) == 3


def test_editing_code_while_a_sweep_goes_on_changes_no_later_trial(
    repository: Path, tmp_path: Path
) -> None:
    python = make_venv(tmp_path / "venv")
    source = make_sibling(tmp_path / "elsewhere")
    install_editable(python, "sibling", source, roots=("src",))
    inner = "sibling.VALUE, mine.VALUE"
    write_files(repository, {"mine.py": "VALUE = 1\n"})
    with bench_of(
        repository, f"import sibling, mine; print({inner})", command=(str(python), "train.py"),
        is_macro=True,
    ) as bench:  # fmt: skip
        before = finish(bench)
        (repository / "train.py").write_text("print('edited')")
        (repository / "mine.py").write_text("VALUE = 2\n")
        (source / "src/sibling/__init__.py").write_text("VALUE = 2\n")
        after = finish(bench, 1)

    assert output(bench.project, before) == output(bench.project, after) == "1 1\n"
    assert before.run.identity != after.run.identity  # another lr
    assert replace(before.run, id=after.run.id).snapshot == after.run.snapshot
    packages = [one.environment["packages"] for one in (before, after)]
    assert packages[0] == packages[1]
    assert (before.run.foreign, after.run.foreign) == ((), ())
    assert before.run.warnings == after.run.warnings == ()


def test_a_run_of_the_very_same_conditions_is_taken_instead(repository: Path, cli: Cli) -> None:
    with bench_of(repository, "") as bench:
        commit_all(repository)
        assert cli("run", "--", sys.executable, "train.py", "--lr=0.1").code == 0
        ran = resolve_run(bench.project, "@")

        task = a_task(bench, reuse=True)
        assert run(bench, task) == TrialEnd(run=task.run, reused=ran.run.id)
        assert not (bench.project.live / task.run).exists()
        other = finish(bench, 1, reuse=True)
        task = a_task(bench, 1, reuse=True)
        assert run(bench, task).reused == other.run.id
        assert finish(bench, 1).run.id != other.run.id  # not asked for


def test_what_goes_wrong_is_said_and_the_next_trial_runs(repository: Path) -> None:
    (repository / "dull.sh").write_text("#!/bin/sh\n")
    space = {"which": Categorical(("dull.sh", "/bin/true"))}
    with bench_of(repository, "", command=("${which}",), is_macro=True, space=space) as bench:
        wrong = run(bench, a_task(bench, params={"which": "./dull.sh"}))
        assert (wrong.status, wrong.error) == (None, "`./dull.sh` is not executable")
        assert wrong.slug == "command"
        assert "chmod +x" in wrong.hint
        finish(bench, 1, params={"which": "/bin/true"})

    with bench_of(repository, "raise SystemExit(3)") as bench:
        task = a_task(bench)
        assert run(bench, task).status is Status.FAILED
        again = run(bench, task)
        assert again == TrialEnd(
            run=task.run, error=f"there is a run `{task.run}` already",
            hint=f"`repro show {task.run}`", slug="conflict",
        )  # fmt: skip
        section = run(bench, a_task(bench, params={"lr": {}, "x": "y" * 70_000}))
        assert section.error.startswith("varied params take ")


def test_a_trial_ends_when_its_time_is_over_and_with_it_all_that_it_started(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = tmp_path / "ready"
    end_time_once(monkeypatch, ready)
    code = f"""\
import subprocess, sys, time
child = subprocess.Popen([{sys.executable!r}, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
open({str(ready)!r}, "w").close()
time.sleep(60)
"""
    with bench_of(repository, code) as bench:
        end = run(bench, a_task(bench, timeout_s=500.0))
        assert (end.status, end.error) == (Status.KILLED, "")
        record = resolve_run(bench.project, end.run)
    assert record.run.warnings == ("the command was ended: it took longer than 500 s",)
    pid = int(output(bench.project, record))
    until(lambda: find_process(pid) is None, "the end of what it started")


def test_variables_of_a_task_reach_its_command_alone(repository: Path) -> None:
    code = "import os; print(os.environ.get('CUDA_VISIBLE_DEVICES'))"
    with bench_of(repository, code) as bench:
        first = finish(bench, environ={"CUDA_VISIBLE_DEVICES": "1"})
        second = finish(bench, 1)
    assert output(bench.project, first) == "1\n"
    assert output(bench.project, second) == "None\n"


def test_a_trial_that_was_told_to_end_before_it_began_is_a_killed_run(repository: Path) -> None:
    with bench_of(repository, "") as bench, Relay() as relay:
        signal.raise_signal(signal.SIGTERM)
        end = run_trial(bench, a_task(bench), relay=relay, streams=Streams())
        assert end.status is Status.KILLED

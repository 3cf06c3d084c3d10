"""`repro sweep work`: one trial for an engine of others, as a plain command."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from tests.support.projects import open_here
from tests.support.sweeps import make_spec
from tests.support.waiting import until

from repro.core.query import resolve_run
from repro.core.sweep.freeze import freeze
from repro.core.sweep.messages import (
    end_message,
    format_job,
    parse_end,
    parse_job,
    read_end,
    read_task,
    sweep_message,
)
from repro.core.sweep.protocols import Task, TrialEnd
from repro.errors import InvalidInputError
from repro.model.ids import new_id
from repro.model.run import Status

WORK = [sys.executable, "-c", "from repro.cli.sweepwork import work; work()"]


def test_a_job_on_standard_input_is_a_sealed_run_and_one_line_of_answer(repository: Path) -> None:
    (repository / "train.py").write_text("print('hello')")
    project = open_here(repository, time.time)
    at = freeze(project, make_spec(command=(sys.executable, "train.py")), cwd=repository)
    task = Task(
        sweep=at.sweep.id, base=at.sweep.base, number=7, run=new_id(os.urandom),
        params={"lr": 0.1, "odd": float("inf")}, environ={"A": "b"}, timeout_s=60.0,
    )  # fmt: skip
    job = format_job(at.sweep, task)
    assert parse_job(job) == (at.sweep, task)

    done = subprocess.run(WORK, input=job, capture_output=True, text=True, check=True)
    assert parse_end(done.stdout) == TrialEnd(run=task.run, status=Status.FINISHED)
    assert done.stdout.count("\n") == 1
    assert resolve_run(project, task.run).run.trial == 7


def test_a_process_that_has_nothing_to_do_ends_when_it_is_told_to(repository: Path) -> None:
    (repository / "train.py").write_text("")
    at = freeze(open_here(repository, time.time), make_spec(), cwd=repository)
    words = [sys.executable, "-c", "from repro.cli.sweepwork import main; main([])"]
    process = subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(sweep_message(at.sweep)).encode() + b"\n")
    process.stdin.flush()
    # By then its handlers are there, and a thread of it waits for more.
    until(lambda: len(psutil.Process(process.pid).threads()) > 1, "the process listens")
    process.terminate()
    assert process.communicate(timeout=60) == (b"", b"")
    assert process.returncode == 1


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"task": 3, "sweep": {}, "base": ""}', "{"])
def test_what_is_no_message_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match="this is no message of a sweep"):
        parse_job(text)
    with pytest.raises(InvalidInputError):
        parse_end(text)
    with pytest.raises(InvalidInputError):
        read_task({"task": {"number": 1}})


def test_an_end_reads_back_as_it_was() -> None:
    for end in (
        TrialEnd(run="annaannaanna", error="no", hint="yes"),
        TrialEnd(run="annaannaanna", reused="b" * 12),
        TrialEnd(run="annaannaanna", status=Status.LOST),
    ):
        assert read_end(json.loads(json.dumps(end_message(end)))) == end

"""Open pages hear of every change, and of a run whose process died."""

import os
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from tests.support.projects import begin, end, log, make_run, open_here

from repro.core.curate import tag_run
from repro.core.query import resolve_run
from repro.model.run import Status
from repro.web.pulse import Pulse


def _until(holds: Callable[[], bool], patience_s: float = 20.0) -> None:
    deadline = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)


def _settled(pulse: Pulse) -> int:
    """The beat once it has looked around for the first time."""
    _until(lambda: pulse._stamp is not None)
    return pulse.beat


def test_it_beats_when_a_run_begins_logs_ends_and_is_changed(repository):
    project = open_here(repository)
    make_run(project)
    pulse = Pulse(project)
    with pulse.listening():
        before = _settled(pulse)
        run = begin(project)
        _until(lambda: pulse.beat > before)
        before = pulse.beat
        log(run, 0, loss=1.0)
        _until(lambda: pulse.beat > before)
        before = pulse.beat
        end(run, repository)
        _until(lambda: pulse.beat > before)
        before = pulse.beat
        tag_run(project, resolve_run(project, run.id), ["seen"])
        _until(lambda: pulse.beat > before)


def test_a_run_that_is_killed_while_somebody_looks_becomes_lost(repository):
    script = "import repro, time\nrun = repro.init()\nrepro.log({'loss': 1.0})\n"
    script += "print(run.id, flush=True)\ntime.sleep(600)\n"
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    run_id = process.stdout.readline().strip()
    project = open_here(repository)
    pulse = Pulse(project)
    with pulse.listening():
        before = _settled(pulse)
        process.kill()
        process.communicate()
        _until(lambda: pulse.beat > before)
        _until(lambda: resolve_run(project, run_id).run.status is Status.LOST)
    assert resolve_run(project, run_id).metrics["loss"].last == 1.0


def test_nobody_looks_once_the_last_page_is_closed(repository, monkeypatch):
    project = open_here(repository)
    pulse = Pulse(project)
    with pulse.listening(), pulse.listening():
        _settled(pulse)
    looked: list[object] = []

    def look(asked: object) -> str:
        looked.append(asked)
        return ""

    monkeypatch.setattr("repro.web.pulse.look_after_runs", look)
    time.sleep(1.2)
    assert len(looked) <= 1
    with pulse.listening():
        _until(lambda: len(looked) > 1)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_what_cannot_be_read_now_is_looked_at_again(repository):
    project = open_here(repository)
    make_run(project)
    project.live.chmod(0)
    pulse = Pulse(project)
    with pulse.listening():
        project.live.chmod(0o755)
        _settled(pulse)

"""Open pages hear of every change, and of a run whose process died."""

import os
import subprocess
import sys
import time

import pytest
from tests.support.projects import begin, end, log, make_run, open_here
from tests.support.waiting import until

from repro.core.curate import tag_run
from repro.core.query import resolve_run
from repro.model.run import Status
from repro.web.pulse import Pulse


def _settled(pulse: Pulse) -> str:
    """The stamp once it has looked around for the first time."""
    until(lambda: pulse.stamp, "the first look")
    return pulse.stamp


def test_it_beats_when_a_run_begins_logs_ends_and_is_changed(repository):
    project = open_here(repository)
    make_run(project)
    pulse = Pulse(project)
    with pulse.listening():
        before = _settled(pulse)
        run = begin(project)
        until(lambda: pulse.stamp != before, "another stamp")
        before = pulse.stamp
        log(run, 0, loss=1.0)
        until(lambda: pulse.stamp != before, "another stamp")
        before = pulse.stamp
        end(run, repository)
        until(lambda: pulse.stamp != before, "another stamp")
        before = pulse.stamp
        tag_run(project, resolve_run(project, run.id), ["seen"])
        until(lambda: pulse.stamp != before, "another stamp")


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
        until(lambda: pulse.stamp != before, "another stamp")
        until(lambda: resolve_run(project, run_id).run.status is Status.LOST, "the end")
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
    monkeypatch.setattr("repro.web.pulse._EVERY_S", 0.02)
    time.sleep(0.6)  # the thread may be in the middle of its wait
    assert len(looked) <= 1
    with pulse.listening():
        until(lambda: len(looked) > 1, "another look")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_what_cannot_be_read_now_is_looked_at_again(repository):
    project = open_here(repository)
    make_run(project)
    project.live.chmod(0)
    pulse = Pulse(project)
    with pulse.listening():
        project.live.chmod(0o755)
        _settled(pulse)

"""What goes on behind a command that has ended; what it prints is a log."""

import os
import sys
import time
from collections.abc import Sequence
from contextlib import suppress

from repro.cli import render
from repro.cli.opening import open_around
from repro.core.project import Project
from repro.core.pusher import push_waiting
from repro.errors import ReproError
from repro.model.text import escape
from repro.model.times import format_time
from repro.store.background import unattended

_NICER = 10
_LOOK_S = 1.0  # between two looks whether the run is over


def main(words: Sequence[str]) -> None:
    """Do what the words say: `push`, or `live RUN SECONDS`."""
    with suppress(OSError):
        os.nice(_NICER)
    try:
        os.environ.update(unattended(os.environ, _ssh_command()))
        project = open_around()
        if words[0] == "push":
            _push(project)
        else:
            _publish(project, words[1], float(words[2]))
    except ReproError as error:
        render.note(f"repro: {escape(error.message)}")
        sys.exit(error.exit_code)


def _ssh_command() -> str:
    git = open_around().repository.git
    return git.run("config", "--get", "core.sshCommand", ok=(0, 1)).out.decode(errors="replace")


def _push(project: Project) -> None:
    for passed in push_waiting(project):
        now = format_time(project.clock())
        render.note(f"{now} pushed: {', '.join(passed.pushed) or 'nothing'}")
        for word in passed.words:
            render.note(f"{now} {escape(word.message)}")


def _publish(project: Project, run_id: str, every_s: float) -> None:
    # Here, for a push need not load what reads journals.
    from repro.core.publishing import Publisher  # noqa: PLC0415

    publisher = Publisher(project, run_id)
    while publisher.is_needed():
        publisher.publish()
        then = time.monotonic() + every_s
        while publisher.is_needed() and time.monotonic() < then:
            time.sleep(min(_LOOK_S, max(then - time.monotonic(), 0.0)))

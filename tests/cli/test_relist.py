"""`repro ls --watch`: runs listed again whenever one of them changes."""

import re
import signal
import subprocess
import time

import pytest
from tests.support.cli import REPRO, Cli
from tests.support.projects import begin, end, log, make_run, open_here
from tests.support.terminals import Viewer

from repro.cli import render

WATCH = ("ls", "--watch", "--interval", "0.05")


def interrupt(viewer: Viewer) -> int:
    viewer.process.send_signal(signal.SIGINT)
    return viewer.end()[0]


def test_what_a_run_logs_and_a_new_run_appear_by_themselves(view, live, repository):
    log(live, 0, loss=4.0)
    viewer = view(*WATCH)
    viewer.expect("mine")
    log(live, 1, loss=2.5)
    viewer.expect("2.5")
    other = begin(open_here(repository, time.time), name="other")
    try:
        frame = viewer.expect("other")
    finally:
        other.journal.close()
    end(live, repository)
    viewer.expect("finished")

    assert "mine" in frame
    assert interrupt(viewer) == 130
    viewer.assert_given_back()


def test_a_run_that_died_shows_as_lost(view, live):
    viewer = view(*WATCH)
    viewer.expect("running")
    live.journal.close()  # as the system does when a process dies

    assert "running" not in viewer.expect("lost")


def test_the_options_of_the_list_hold_each_time(view, live, repository):
    log(live, 0, loss=4.0)
    viewer = view(*WATCH, "--where", "loss < 3", "--columns", "name,loss")
    viewer.expect("none of the 1 run fits")
    log(live, 1, loss=2.0)

    assert re.search(r"mine +2", viewer.expect("mine"))


def test_while_nothing_changes_nothing_is_drawn(view, repository):
    make_run(open_here(repository), {"loss": 1.0}, name="one")
    viewer = view(*WATCH)
    viewer.expect("one")
    before = viewer.written
    time.sleep(0.5)
    viewer.read()

    assert viewer.written == before


def test_rows_that_the_terminal_has_no_room_for_are_counted(view, repository):
    project = open_here(repository)
    for number in range(8):
        make_run(project, {"loss": float(number)})
    viewer = view(*WATCH, lines=5)

    frame = viewer.expect("more lines")

    assert len(frame.splitlines()) == 5
    assert frame.splitlines()[0].startswith("id")


def test_without_a_terminal_each_change_is_a_list_of_its_own(live):
    log(live, 0, loss=4.0)
    watching = subprocess.Popen([*REPRO, *WATCH], stdout=subprocess.PIPE, text=True)
    assert watching.stdout is not None
    try:
        first = watching.stdout.readline() + watching.stdout.readline()
        log(live, 1, loss=2.0)
        while line := watching.stdout.readline():
            if line.startswith("id"):
                break
        second = watching.stdout.readline()
    finally:
        watching.send_signal(signal.SIGINT)
        watching.communicate(timeout=60)

    assert "mine" in first
    assert "mine" in second
    assert "\x1b" not in first + second
    assert watching.returncode == 130


@pytest.mark.usefixtures("repository")
def test_a_list_for_programs_is_not_watched(capsys):
    said = Cli(capsys)("ls", "--watch", "--json", code=129)

    assert "`--watch` and `--json` exclude each other" in said.err


def test_what_is_gathered_is_not_printed(capsys):
    with render.gathered() as lines:
        render.out("one\ntwo")
        render.note("three")
    render.out("four")

    assert lines == ["one", "two", "three"]
    assert capsys.readouterr().out == "four\n"

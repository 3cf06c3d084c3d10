import io
import sys
import time

from tests.support.waiting import until

from repro.cli import progress
from repro.cli.progress import showing_steps
from repro.core.measured import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def wait_for(screen, text):
    until(lambda: text in screen.getvalue(), text)


def take_over(monkeypatch):
    """A terminal in the place of standard error; pytest puts its own there after a fixture."""
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    return screen


def test_a_step_that_waits_is_shown_all_the_same_and_taken_away_at_the_end(monkeypatch):
    screen = take_over(monkeypatch)
    with showing_steps("examining run abc") as (step, _):
        step("environment")
        wait_for(screen, "examining run abc: environment")

    assert screen.getvalue().endswith("\r\x1b[K")


def test_files_that_are_hashed_are_counted(monkeypatch):
    screen = take_over(monkeypatch)
    with showing_steps("examining") as (_, report):
        report(Progress(files=3, all_files=1000, size=1, all_size=2))
        wait_for(screen, "examining: 3 of 1,000 files hashed")


def test_what_a_terminal_would_obey_is_shown_escaped(monkeypatch):
    screen = take_over(monkeypatch)
    with showing_steps("examining") as (step, _):
        step("\x1b[31m")
        wait_for(screen, "\\x1b[31m")


def test_what_is_quick_shows_nothing(monkeypatch):
    monkeypatch.setattr(progress, "_FIRST_S", 600.0)
    screen = take_over(monkeypatch)
    with showing_steps("examining") as (step, _):
        step("code")

    assert screen.getvalue() == ""


def test_nothing_is_shown_where_there_is_no_terminal(monkeypatch):
    monkeypatch.setattr(progress, "_FIRST_S", 0.0)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with showing_steps("examining") as (step, _):
        step("code")
        time.sleep(0.3)

    assert sys.stderr.getvalue() == ""

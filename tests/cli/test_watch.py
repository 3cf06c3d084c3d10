"""`repro watch`: a run followed in the terminal, and the terminal given back."""

import re
import signal
import subprocess
import sys
import termios
import time

import pytest
from tests.support.cli import REPRO, Cli
from tests.support.projects import end, log, make_run, open_here
from tests.support.terminals import COLOURS, ENTER, HIDE, LEAVE, SHOW, Desk
from tests.support.waiting import until

from repro.cli.main import run_cli

CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")


@pytest.fixture
def repro(capsys) -> Cli:
    return Cli(capsys)


FAST = ("--interval", "0.05")


def test_a_run_is_followed_until_it_ends(view, live, repository):
    log(live, 0, loss=4.0)
    viewer = view("watch", *FAST)
    viewer.expect("1/100 (1 %)")
    log(live, 1, loss=2.0)
    frame = viewer.expect("2/100 (2 %)")
    end(live, repository)
    code, left = viewer.end()

    assert code == 0
    assert "(mine)  running" in frame
    assert re.search(r"loss +█▁ +2 +2 +1 +4 +0", frame)
    assert "(mine)  finished" in left
    assert re.search(r"loss +█▁ +2 +2 +1 +4 +0", left)
    viewer.assert_given_back()


def test_a_run_that_failed_was_watched_all_the_same(view, live, repository):
    viewer = view("watch", *FAST)
    viewer.expect("no metrics yet")
    end(live, repository, "failed", 3)

    code, left = viewer.end()

    assert code == 0
    assert "failed, exit code 3" in left


def test_an_interrupt_ends_with_130_and_gives_the_terminal_back(view, live):
    log(live, 0, loss=4.0)
    viewer = view("watch", *FAST)
    viewer.expect("loss")
    viewer.process.send_signal(signal.SIGINT)

    code, left = viewer.end()

    assert code == 130
    assert "(mine)  running" in left
    assert "Traceback" not in viewer.written
    viewer.assert_given_back()


def test_told_to_end_it_gives_the_terminal_back(view, live):
    viewer = view("watch", *FAST)
    viewer.expect("running")
    viewer.process.send_signal(signal.SIGTERM)

    assert viewer.end()[0] == 128 + signal.SIGTERM
    viewer.assert_given_back()


def test_stopped_from_the_keyboard_it_gives_the_terminal_back_and_goes_on(live, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    log(live, 0, loss=4.0)
    desk = Desk(verb=("watch", *FAST))
    try:
        desk.expect(b"loss")
        desk.type(b"\x1a")
        before = desk.expect(b"SHELL: stopped by %d" % signal.SIGTSTP)
        desk.type(b"\n")
        desk.expect(ENTER.encode())
        log(live, 1, acc=1.0)
        desk.expect(b"acc")
        desk.type(b"\x03")
        desk.expect(b"SHELL: ended with 130")
    finally:
        desk.close()

    assert LEAVE.encode() in before
    assert before.rfind(SHOW.encode()) > before.rfind(HIDE.encode())


def test_a_run_whose_process_dies_is_lost(view, repository):
    script = (
        "import repro, time\n"
        "run = repro.init(name='doomed')\n"
        "repro.log({'loss': 1.0}, step=7)\n"
        "time.sleep(600)"
    )
    child = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL)
    try:
        live = repository / ".git/repro/live"
        until(
            lambda: any(b'"loss"' in path.read_bytes() for path in live.glob("*/journal-*")),
            "the point",
        )
        viewer = view("watch", *FAST)
        viewer.expect("step 7")
    finally:
        child.kill()
        child.wait(timeout=60)

    code, left = viewer.end()

    assert code == 0
    assert "(doomed)  lost" in left
    assert "step 7" in left


@pytest.mark.parametrize("columns", [1, 5, 20, 33, 50])
def test_no_line_is_wider_than_the_terminal(view, live, columns):
    values = {"loss": 1.5, "Ü" * 50: 1e-300, "大" * 30: -1.7976931348623157e308, "a\x1b[31m": 1.0}
    for step in (0, 10**9):
        log(live, step, nan="NaN", inf="Infinity", **values)
    viewer = view("watch", *FAST, columns=columns)
    viewer.expect("…" if columns == 1 else "r")
    viewer.process.send_signal(signal.SIGINT)
    viewer.end()

    for line in viewer.frame().splitlines():
        assert sum(2 if char == "大" else 1 for char in line) <= columns
    assert "\x1b[31m" not in viewer.written


def test_a_new_size_of_the_window_is_drawn_at_once(view, live):
    log(live, 0, **{f"m{n}": 1.0 for n in range(30)})
    viewer = view("watch", "--interval", "600", lines=10)
    viewer.expect("… and 25 more metrics")
    termios.tcsetwinsize(viewer.outer, (50, 100))

    assert "m29" in viewer.expect("m29")


def test_of_500_metrics_those_are_shown_that_there_is_room_for(view, live):
    log(live, 0, **{f"metric{n:03}": float(n) for n in range(500)})
    viewer = view("watch", *FAST)

    frame = viewer.expect("more metrics")

    lines = frame.splitlines()
    shown = sum(line.startswith("metric0") for line in lines)
    assert len(lines) <= 24
    assert f"… and {500 - shown} more metrics" in frame


def test_metrics_with_a_goal_stand_first(live, repro: Cli):
    log(live, 0, a=1.0, z=1.0)
    live.journal.append({"k": "define", "t": time.time(), "n": "z", "goal": "minimize"})

    out = repro("watch", "--once").out

    assert out.index("\nz ") < out.index("\na ")


def test_only_the_metrics_that_are_named_are_shown(live, repro: Cli):
    log(live, 0, a=1.0, b=2.0)

    out = repro("watch", "@", "b", "later", "--once").out

    assert re.search(r"^b +▄ +2", out, re.MULTILINE)
    assert re.search(r"^later +- +-", out, re.MULTILINE)
    assert not re.search("^a ", out, re.MULTILINE)


def test_the_last_lines_of_output_stand_below(live, repro: Cli):
    output = b"".join(b"line %d\n" % n for n in range(100))
    (live.dir / "output.log").write_bytes(output + b" 10%\r\x1b[32m 90%\x1b[0m\x1b]0;title\x07")

    out = repro("watch", "--once").out

    assert out.endswith("line 98\nline 99\n 90%\n")
    assert "line 92" not in out


def test_without_a_terminal_each_change_is_a_line(live, repository):
    log(live, 0, loss=4.0)
    watching = subprocess.Popen(
        [*REPRO, "watch", *FAST], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert watching.stdout is not None
    first = watching.stdout.readline()
    log(live, 1, loss=2.0, **{"a\x1b[31m": 1.0})
    second = watching.stdout.readline()
    end(live, repository)
    rest, errors = watching.communicate(timeout=60)

    assert "running" in first
    assert first.endswith("1/100 (1 %): loss 4\n")
    assert second.endswith("2/100 (2 %): a\\x1b[31m 1, loss 2\n")
    assert "finished" in rest.splitlines()[-1]
    assert not CONTROL.search(first + second + rest)
    assert errors == ""
    assert watching.returncode == 0


def test_many_metrics_do_not_make_a_long_line(live, repository):
    log(live, 0, **{f"m{n}": 1.0 for n in range(500)})
    end(live, repository)
    done = subprocess.run([*REPRO, "watch"], capture_output=True, text=True, check=True)

    assert done.stdout.endswith("and 492 more metrics\n")


def test_a_dumb_terminal_gets_lines(view, live, repository):
    log(live, 0, loss=4.0)
    viewer = view("watch", *FAST, TERM="dumb")
    viewer.expect("loss 4")
    end(live, repository)
    viewer.end()

    assert "\x1b" not in viewer.written


def test_without_colours_nothing_is_coloured(view, live):
    log(live, 0, loss=4.0)
    viewer = view("watch", *FAST, NO_COLOR="1")
    viewer.expect("loss")

    assert not COLOURS.search(viewer.written)


def test_a_locale_without_blocks_gets_curves_of_ascii(view, live):
    for step, value in enumerate([4.0, 2.0, 0.0]):
        log(live, step, loss=value)
    viewer = view("watch", *FAST, PYTHONIOENCODING="ascii")

    assert re.search(r"loss +'-_ +0", viewer.expect("loss"))


def test_a_run_that_is_over_is_shown_once(repository, repro: Cli):
    run = make_run(open_here(repository), {"loss": 1.0}, steps=3)

    out = repro("watch", run.id, "--once").out

    assert "finished" in out
    assert re.search(r"loss +▄▄▄ +1 +1 +0 +1 +0", out)


def test_the_newest_run_in_progress_is_watched_before_a_newer_one_that_is_over(
    live, repository, repro: Cli
):
    make_run(open_here(repository, lambda: time.time() + 60), name="later")

    assert "(mine)" in repro("watch", "--once").out
    assert "(later)" in repro("watch", "@", "--once").out


def test_a_reader_that_goes_away_ends_it(live):
    log(live, 0, loss=4.0)
    watching = subprocess.Popen([*REPRO, "watch", *FAST], stdout=subprocess.PIPE)
    assert watching.stdout is not None
    watching.stdout.readline()
    watching.stdout.close()
    log(live, 1, loss=2.0)

    assert watching.wait(timeout=60) == 141


@pytest.mark.usefixtures("repository")
def test_where_there_is_no_run_that_is_said(capsys):
    assert run_cli(["watch"]) == 128
    assert "there is no run yet" in capsys.readouterr().err


@pytest.mark.usefixtures("live")
@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "soon"])
def test_an_interval_must_be_a_number_above_0(seconds, repro: Cli):
    assert "--interval" in repro("watch", "--interval", seconds, code=129).err


@pytest.mark.parametrize("seconds", ["1e-300", "1e300", "inf"])
def test_no_interval_is_too_small_or_too_large(seconds, live, repository, repro: Cli):
    end(live, repository)

    assert "finished" in repro("watch", "--interval", seconds).out


def test_a_metric_that_a_run_in_progress_has_not_is_said(live, repro: Cli):
    log(live, 0, loss=4.0)

    done = repro("watch", "mine", "los", "--once")

    assert done.err == "repro: no metric `los` yet; did you mean `loss`?\n"
    assert re.search(r"los +-", done.out)


def test_a_metric_that_a_run_never_logged_is_an_error(repository, repro: Cli):
    make_run(open_here(repository), {"loss": 0.5}, name="old")

    said = repro("watch", "old", "nope", "loss", code=129).err

    assert "has no metric `nope`" in said
    assert "lists those it has" in said

"""However a program ends, its run is sealed with what happened, and it ends as it would have."""

import signal
import time
from pathlib import Path

import pytest

from repro.model.run import Status
from tests.sdk.scripts import record, run, start, steps

BEGIN = "repro.init()\nrepro.log({'a': 1.0})\n"


def ended(root: Path) -> tuple[Status, int | None, str | None]:
    found = record(root).run
    return found.status, found.exit_code, found.signal


@pytest.mark.parametrize(
    ("code", "exit_code", "status"),
    [
        ("", 0, Status.FINISHED),
        ("sys.exit()", 0, Status.FINISHED),
        ("sys.exit(0)", 0, Status.FINISHED),
        ("sys.exit(3)", 3, Status.FAILED),
        ("sys.exit('no')", 1, Status.FAILED),
        ("raise ValueError('x')", 1, Status.FAILED),
        ("repro.finish(); sys.exit(3)", 3, Status.FINISHED),
        ("repro.finish(exit_code=2)", 0, Status.FAILED),
        # An exit that was caught, after which the program went on and logged, was none.
        ("try:\n  sys.exit(3)\nexcept SystemExit:\n  repro.log({'a': 2.0})", 0, Status.FINISHED),
        (
            "t = threading.Thread(target=sys.exit, args=(3,)); t.start(); t.join()",
            0,
            Status.FINISHED,
        ),
        ("with repro.run:\n  sys.exit(4)", 4, Status.FAILED),
    ],
)
def test_a_program_that_ends_by_itself(
    repository: Path, code: str, exit_code: int, status: Status
) -> None:
    run(repository, BEGIN + code, code_is=exit_code)

    assert ended(repository)[0] is status


def test_the_hook_on_exceptions_that_was_there_is_called(repository: Path) -> None:
    code = "sys.excepthook = lambda *a: print('mine', a[0].__name__)\n" + BEGIN + "raise KeyError"

    assert run(repository, code, code_is=1).stdout == "mine KeyError\n"


def test_after_finish_nothing_of_ours_is_hooked(repository: Path) -> None:
    code = """
        before = sys.excepthook, sys.exit, signal.getsignal(signal.SIGTERM)
        repro.init()
        assert before != (sys.excepthook, sys.exit, signal.getsignal(signal.SIGTERM))
        repro.finish()
        assert before == (sys.excepthook, sys.exit, signal.getsignal(signal.SIGTERM))
    """
    run(repository, code)


WAIT = BEGIN + "print(flush=True)\nwhile True: time.sleep(0.01)\n"


def send(root: Path, code: str, number: int) -> tuple[int, str]:
    process = start(root, code)
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(number)
    out, _ = process.communicate(timeout=60)
    return process.returncode, out


def test_sigterm_seals_the_run_as_killed_and_kills(repository: Path) -> None:
    assert send(repository, WAIT, signal.SIGTERM)[0] == -signal.SIGTERM
    assert ended(repository) == (Status.KILLED, 143, "SIGTERM")
    assert steps(repository, "a") == {0: 1.0}


def test_a_handler_of_the_program_decides_what_sigterm_means(repository: Path) -> None:
    code = """
        stop = []
        signal.signal(signal.SIGTERM, lambda *a: stop.append(1))
        repro.init()
        print(flush=True)
        while not stop:
            time.sleep(0.01)
        repro.log({'a': 5.0})
        print('saved')
        repro.finish()
    """
    assert send(repository, code, signal.SIGTERM) == (0, "saved\n")
    assert ended(repository) == (Status.FINISHED, 0, None)
    assert steps(repository, "a") == {0: 5.0}


def test_a_handler_that_exits_makes_the_run_killed(repository: Path) -> None:
    code = "signal.signal(signal.SIGTERM, lambda *a: sys.exit(0))\n" + WAIT

    assert send(repository, code, signal.SIGTERM)[0] == 0
    assert ended(repository)[0] is Status.KILLED


def test_sigterm_that_the_program_ignores_stays_ignored(repository: Path) -> None:
    code = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + BEGIN + "os.kill(os.getpid(), 15)"

    run(repository, code)
    assert ended(repository)[0] is Status.FINISHED


def test_interrupted_from_the_keyboard_it_is_killed(repository: Path) -> None:
    assert send(repository, WAIT, signal.SIGINT)[0] == -signal.SIGINT
    assert ended(repository) == (Status.KILLED, 130, "SIGINT")


@pytest.mark.parametrize("code", ["os._exit(0)", "os.abort()", "os.kill(os.getpid(), 9)"])
def test_what_nobody_can_catch_leaves_the_run_lost_with_its_points(
    repository: Path, code: str
) -> None:
    process = start(repository, BEGIN + code)
    process.communicate(timeout=60)

    assert ended(repository) == (Status.LOST, None, None)
    assert steps(repository, "a") == {0: 1.0}


def test_a_signal_in_the_midst_of_logging_neither_hangs_nor_tears(repository: Path) -> None:
    code = """
        repro.init()
        print(flush=True)
        step = 0
        while True:
            repro.log({'a': float(step)}, step=step)
            step += 1
    """
    for number in range(5):
        process = start(repository, code)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.03 * number)
        process.terminate()
        process.communicate(timeout=60)
        assert process.returncode == -signal.SIGTERM


def test_a_handler_may_log(repository: Path) -> None:
    code = """
        count = 0
        def ring(*_):
            global count
            count += 1
            repro.log({'ring': count})
        signal.signal(signal.SIGALRM, ring)
        repro.init()
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        for step in range(20000):
            repro.log({'a': step}, step=step)
        signal.setitimer(signal.ITIMER_REAL, 0)
        repro.finish()
        print(count)
    """
    count = int(run(repository, code).stdout)

    found = record(repository)
    assert (found.metrics["a"].count, found.run.skipped_lines) == (20000, 0)
    assert 0 < found.metrics["ring"].count <= count

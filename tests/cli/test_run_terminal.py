"""`repro run` on a real terminal: a session of its own, with a shell's job control in between."""

import os
import select
import signal
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.terminals import Desk
from tests.support.waiting import until


@pytest.fixture
def sit_down(repository: Path) -> Iterator[Callable[..., Desk]]:
    desks: list[Desk] = []

    def make(*command: str, foreground: bool = True) -> Desk:
        desks.append(Desk(*command, foreground=foreground))
        return desks[-1]

    yield make
    for desk in desks:
        desk.close()


def shown(script: str) -> list[str]:
    return [sys.executable, "-u", "-c", script]


READY = "print('ready', flush=True);"


def test_what_is_typed_reaches_the_command(sit_down):
    desk = sit_down(*shown(f"{READY} print('got', input().upper())"))
    desk.expect(b"ready")
    desk.type(b"hello\r")
    desk.expect(b"got HELLO\r\n")
    desk.expect(b"SHELL: ended with 0")


def test_an_interrupt_from_the_keyboard_reaches_the_command_once(sit_down):
    script = (
        "import signal, time; n = []; signal.signal(signal.SIGINT, lambda *_: n.append(1));"
        f"{READY}\n"
        "while not n: time.sleep(.02)\n"
        "time.sleep(.3); print('interrupts:', len(n))"
    )
    desk = sit_down(*shown(script))
    desk.expect(b"ready")
    desk.type(b"\x03")
    desk.expect(b"interrupts: 1\r\n")
    desk.expect(b"SHELL: ended with 0")


def test_an_interrupted_command_ends_with_130(sit_down):
    desk = sit_down("sh", "-c", "echo ready; exec sleep 60")
    desk.expect(b"ready")
    desk.type(b"\x03")
    desk.expect(b"(killed by SIGINT after")
    desk.expect(b"SHELL: ended with 130")


@pytest.mark.parametrize(
    "script", ["exit 0", "stty raw -echo; kill -9 $$", "kill -TERM $PPID; sleep 9"]
)
def test_the_terminal_is_put_back_as_it_was(sit_down, script):
    desk = sit_down("sh", "-c", script)
    desk.expect(b"SHELL: ended with")

    assert termios.tcgetattr(desk.inner) == desk.mode


def test_a_new_size_of_the_window_reaches_the_command(sit_down):
    script = (
        "import os, signal, time;"
        "signal.signal(signal.SIGWINCH, lambda *_: print('now', *os.get_terminal_size()));"
        f"print('first', *os.get_terminal_size()); {READY} input()"
    )
    desk = sit_down(*shown(script))
    desk.expect(b"first 80 24")
    desk.expect(b"ready")
    termios.tcsetwinsize(desk.outer, (50, 132))
    desk.expect(b"now 132 50")
    desk.type(b"\r")
    desk.expect(b"SHELL: ended with 0")


def test_the_command_can_be_stopped_and_go_on(sit_down):
    desk = sit_down(*shown(f"{READY} print('got', input())"))
    desk.expect(b"ready")
    desk.type(b"\x1a")
    desk.expect(b"SHELL: stopped by %d" % signal.SIGTSTP)
    assert termios.tcgetattr(desk.inner) == desk.mode
    desk.type(b"\n")
    until(lambda: termios.tcgetattr(desk.inner) != desk.mode, "the terminal taken again")
    desk.type(b"again\r")
    desk.expect(b"got again")
    desk.expect(b"SHELL: ended with 0")


def test_told_to_stop_by_another_process_the_terminal_is_put_back(sit_down):
    script = "import os, signal; os.kill(os.getppid(), signal.SIGTSTP); print('got', input())"
    desk = sit_down(*shown(script))
    desk.expect(b"SHELL: stopped by %d" % signal.SIGTSTP)
    assert termios.tcgetattr(desk.inner) == desk.mode
    desk.type(b"\n")
    until(lambda: termios.tcgetattr(desk.inner) != desk.mode, "the terminal taken again")
    desk.type(b"again\r")
    desk.expect(b"got again")
    desk.expect(b"SHELL: ended with 0")


def test_a_job_in_the_background_is_not_stopped_by_its_terminal(sit_down):
    desk = sit_down("sh", "-c", "echo from behind", foreground=False)
    desk.expect(b"from behind")
    desk.expect(b"SHELL: ended with 0")


def test_much_typed_at_once_is_neither_lost_nor_stuck(sit_down):
    script = (
        "import sys, tty; tty.setraw(0);"
        f"{READY} data = b''\n"
        "while len(data) < 50_000:\n"
        "    data += sys.stdin.buffer.raw.read(1000); print('x' * 1000)\n"
        "print('all', data == b'k' * 50_000)"
    )
    desk = sit_down(*shown(script))
    desk.expect(b"ready")
    sent = 0
    os.set_blocking(desk.outer, False)
    while sent < 50_000:
        readable, writable, _ = select.select([desk.outer], [desk.outer], [], 20)
        if readable:
            desk.screen += os.read(desk.outer, 1 << 16)
        if writable:
            sent += os.write(desk.outer, b"k" * min(1000, 50_000 - sent))
    desk.expect(b"all True")
    desk.expect(b"SHELL: ended with 0")

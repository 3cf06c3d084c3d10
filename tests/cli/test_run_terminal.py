"""`repro run` on a real terminal: a session of its own, with a shell's job control in between."""

import fcntl
import os
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

REPRO = [sys.executable, "-m", "repro"]

# What a shell does with a job: its own group, in the foreground if FG is set. Each time the
# job stops it says so, and goes on with it once a key was pressed.
SHELL = """
import os, signal, sys
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
pid = os.fork()
if pid == 0:
    os.setpgid(0, 0)
    if os.environ.get("FG"):
        os.tcsetpgrp(0, os.getpid())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    os.execvp(sys.argv[1], sys.argv[1:])
while True:
    _, status = os.waitpid(pid, os.WUNTRACED)
    if not os.WIFSTOPPED(status):
        break
    os.tcsetpgrp(0, os.getpgrp())
    print("SHELL: stopped by", os.WSTOPSIG(status), flush=True)
    os.read(0, 1)
    os.tcsetpgrp(0, pid)
    os.killpg(pid, signal.SIGCONT)
os.tcsetpgrp(0, os.getpgrp())
print("SHELL: ended with", os.waitstatus_to_exitcode(status), flush=True)
os.read(0, 1)
"""


class Desk:
    """A terminal, a shell on it, and `repro run` or another verb as the shell's job."""

    def __init__(
        self, *command: str, foreground: bool = True, verb: Sequence[str] = ("run", "--")
    ) -> None:
        self.screen = b""
        self.outer, inner = os.openpty()
        termios.tcsetwinsize(inner, (24, 80))
        mode = termios.tcgetattr(inner)
        self.mode = mode
        self.inner = inner

        def control() -> None:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.shell = subprocess.Popen(
            [sys.executable, "-c", SHELL, *REPRO, *verb, *command],
            stdin=inner,
            stdout=inner,
            stderr=inner,
            env={**os.environ, "FG": "1" if foreground else ""},
            start_new_session=True,
            preexec_fn=control,
        )

    def expect(self, text: bytes) -> bytes:
        """Read until `text` comes; what came before it."""
        deadline = time.monotonic() + 60
        while text not in self.screen:
            assert time.monotonic() < deadline, f"{text!r} did not come, but {self.screen!r}"
            if select.select([self.outer], [], [], 0.1)[0]:
                self.screen += os.read(self.outer, 4096)
        before, _, self.screen = self.screen.partition(text)
        return before

    def type(self, keys: bytes) -> None:
        os.write(self.outer, keys)

    def close(self) -> None:
        """Hang up: whatever still runs on the terminal ends."""
        os.close(self.outer)
        os.close(self.inner)
        self.shell.kill()
        self.shell.wait(timeout=20)


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
        f"{READY} time.sleep(.7); print('interrupts:', len(n))"
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
    time.sleep(0.3)
    desk.type(b"again\r")
    desk.expect(b"got again")
    desk.expect(b"SHELL: ended with 0")


def test_told_to_stop_by_another_process_the_terminal_is_put_back(sit_down):
    script = "import os, signal; os.kill(os.getppid(), signal.SIGTSTP); print('got', input())"
    desk = sit_down(*shown(script))
    desk.expect(b"SHELL: stopped by %d" % signal.SIGTSTP)
    assert termios.tcgetattr(desk.inner) == desk.mode
    desk.type(b"\n")
    time.sleep(0.3)
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

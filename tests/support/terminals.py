"""Terminals with a command on them, as a person sits at them."""

import fcntl
import os
import re
import select
import subprocess
import sys
import termios
import time
from collections.abc import Sequence

from tests.support.cli import REPRO

ENTER, LEAVE = "\x1b[?1049h", "\x1b[?1049l"
HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"
COLOURS = re.compile(r"\x1b\[\d*m")

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


class Viewer:
    """A terminal with `repro` on it, and what it wrote."""

    def __init__(self, *words: str, columns: int = 80, lines: int = 24, **environ: str) -> None:
        self.written = ""
        self.outer, self.inner = os.openpty()
        termios.tcsetwinsize(self.inner, (lines, columns))
        self.mode = termios.tcgetattr(self.inner)
        variables = {**os.environ, "TERM": "xterm", "PYTHONIOENCODING": "utf-8", **environ}
        self.process = subprocess.Popen(
            [*REPRO, *words],
            stdin=self.inner,
            stdout=self.inner,
            stderr=self.inner,
            env=variables,
            start_new_session=True,
        )

    def read(self) -> None:
        while select.select([self.outer], [], [], 0.05)[0]:
            self.written += os.read(self.outer, 1 << 16).decode(errors="replace")

    def expect(self, text: str) -> str:
        """Read until `text` stands in a frame that is whole; that frame, without colours."""
        deadline = time.monotonic() + 60
        while text not in self.frame() or not self.is_whole():
            assert time.monotonic() < deadline, f"{text!r} did not come, but {self.written!r}"
            self.read()
        return self.frame()

    def is_whole(self) -> bool:
        """Whether the newest frame came to its end; what does not draw frames has no other."""
        _, home, newest = self.written.rpartition("\x1b[H")
        return not home or "\x1b[J" in newest

    def frame(self) -> str:
        """The newest frame, without colours."""
        newest = self.written.rpartition("\x1b[H")[2].partition("\x1b[?7h")[0]
        return COLOURS.sub("", newest.replace("\x1b[K", "").replace("\x1b[J", ""))

    def end(self) -> tuple[int, str]:
        """Wait; the exit code, and what stands on the screen that was there before."""
        deadline = time.monotonic() + 60
        while self.process.poll() is None:
            assert time.monotonic() < deadline, self.written
            self.read()
        self.read()
        return self.process.returncode, COLOURS.sub("", self.written.rpartition(LEAVE)[2])

    def assert_given_back(self) -> None:
        """Whatever was taken of the terminal was given back behind it."""
        assert self.written.count(ENTER) == self.written.count(LEAVE) > 0
        assert self.written.count(HIDE) == self.written.count(SHOW) > 0
        assert self.written.rfind(LEAVE) > self.written.rfind(ENTER)
        assert self.written.rfind(SHOW) > self.written.rfind(HIDE)
        assert termios.tcgetattr(self.inner) == self.mode

    def close(self) -> None:
        self.process.kill()
        self.process.wait(timeout=20)
        os.close(self.outer)
        os.close(self.inner)

"""A process of our own Python that is talked to in lines of JSON, each way."""

import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from repro.store.background import open_log

_CHUNK = 1 << 16


class Conversation:
    """One such process. It has a session of its own: no key of the terminal reaches it.

    Once its input is closed it is to end by itself.

    Attributes:
        is_over: Whether it has closed its end, which it does when it ends.
    """

    def __init__(
        self, argv: Sequence[str], *, cwd: Path, environ: Mapping[str, str], log: Path
    ) -> None:
        """Start it.

        Args:
            log: What it writes to its standard error is added to that file.

        Raises:
            OSError: The system refuses.
        """
        with open_log(log) as said:
            self._process = subprocess.Popen(
                argv,
                cwd=cwd,
                env=dict(environ),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                start_new_session=True,
            )
        assert self._process.stdin is not None  # asked for above
        assert self._process.stdout is not None
        self._input = self._process.stdin
        self._output = self._process.stdout
        os.set_blocking(self._output.fileno(), False)
        self._rest = b""
        self.is_over = False

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def fileno(self) -> int:
        """What can be read once it said something, or ended."""
        return self._output.fileno()

    def say(self, message: Mapping[str, Any]) -> None:
        """Tell it something; to one that has ended nothing is said."""
        with suppress(OSError, ValueError):
            self._input.write(json.dumps(message).encode() + b"\n")
            self._input.flush()

    def hear(self) -> list[dict[str, Any]]:
        """What it said since the last time; nothing is waited for."""
        while not self.is_over:
            try:
                data = os.read(self.fileno(), _CHUNK)
            except BlockingIOError:
                break
            self.is_over = not data
            self._rest += data
        *lines, self._rest = self._rest.split(b"\n")
        heard = []
        for line in lines:
            with suppress(ValueError):
                heard.append(json.loads(line))
        return [message for message in heard if isinstance(message, dict)]

    def close_input(self) -> None:
        """Have it end by itself."""
        with suppress(OSError):
            self._input.close()

    def wait(self, timeout_s: float) -> bool:
        """Wait for its end; whether it has ended."""
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def end(self) -> str:
        """Kill it if it still runs, and give back what it took; how it ended, in words."""
        self._process.kill()
        code = self._process.wait()
        self.close_input()
        with suppress(OSError):
            self._output.close()
        if code >= 0:
            return f"ended with exit code {code}"
        try:
            return f"was killed by {signal.Signals(-code).name}"
        except ValueError:  # a real-time signal
            return f"was killed by signal {-code}"

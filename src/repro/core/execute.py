"""A command run to its end without a record of it, on the terminal as it is."""

import os
import subprocess
from collections.abc import Mapping

from repro.core.command import Command, start_as_shell, start_error
from repro.core.relay import Relay


def execute(command: Command, environ: Mapping[str, str], *, relay: Relay) -> int:
    """Run a command with our own standard streams; its exit code, 128 + n if signal n ended it.

    Args:
        relay: Signals that would end us go to the command.

    Raises:
        CommandError: The system refused to start it.
    """
    if relay.received:
        return 128 + relay.received[0]
    with relay.passing(is_own_session=False):
        child = _start(command, environ)

        def send(number: int) -> None:
            if child.poll() is None:
                os.kill(child.pid, number)

        relay.connect(send)
        code = child.wait()
    return 128 - code if code < 0 else code


def _start(command: Command, environ: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    def spawn(one: Command) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(one.argv, executable=one.program, cwd=one.cwd, env=dict(environ))

    try:
        return start_as_shell(command, spawn)
    except OSError as error:
        raise start_error(command, error) from error

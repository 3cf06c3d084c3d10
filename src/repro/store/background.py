"""A process of ours that goes on when the command that started it has ended."""

import os
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

from repro.atomic import write_file
from repro.store.own_python import own_python

_LONGEST = 1 << 16  # bytes of a log; past that the older half goes
_PROGRAM = """
from repro.cli.background import main
main(words)
"""


def start_background(*words: str, cwd: Path, environ: Mapping[str, str], log: Path) -> bool:
    """Start `repro.cli.background` with some words; whether it could be started.

    It has a session of its own without a terminal, and none of the files of this process, so that
    nobody waits for it: no shell, no pipe, no terminal that is closed. What it says goes to `log`.

    Cost: 2 ms; nothing is waited for.
    """
    argv = own_python(_PROGRAM, words)
    if argv is None:
        return False
    try:
        with open_log(log) as said:
            process = subprocess.Popen(
                argv,
                cwd=cwd,
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
    except OSError:
        return False
    process.returncode = 0  # else Python warns that nobody waited for it
    return True


def open_log(path: Path) -> IO[bytes]:
    """Open a log to add to it; of one that is long the older half goes first.

    Raises:
        OSError: It cannot be written.
    """
    with suppress(OSError):
        if path.stat().st_size > _LONGEST:
            write_file(path, path.read_bytes()[-_LONGEST // 2 :])
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")


def unattended(environ: Mapping[str, str], ssh_command: str) -> dict[str, str]:
    """Give the environment in which git asks nobody and gives up where nobody answers.

    Args:
        ssh_command: What git is set to start for SSH; empty for its default.
    """
    quiet = {
        **environ,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "",  # set and empty, it keeps git from every other one
        "SSH_ASKPASS_REQUIRE": "never",
        "GIT_HTTP_LOW_SPEED_LIMIT": "1",
        "GIT_HTTP_LOW_SPEED_TIME": "60",
    }
    if not (ssh_command or environ.get("GIT_SSH_COMMAND") or environ.get("GIT_SSH")):
        options = ("BatchMode=yes", "ConnectTimeout=30", "ServerAliveInterval=30")
        quiet["GIT_SSH_COMMAND"] = " ".join(["ssh", *(f"-o{option}" for option in options)])
    return quiet

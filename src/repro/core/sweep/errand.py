"""What an engine runs on a machine of its own: one program, which is watched until it ends.

All of this module goes there by value and needs nothing but the standard library: the Python of
an engine need not have `repro`. Both sides see one folder, in which the job is found, and in which
a file says that it is to end.
"""

import ctypes
import json
import os
import signal
import socket
import subprocess
import time
from contextlib import suppress
from typing import Any

JOB = "job.json"
STARTED = "started"
STOP = "stop"
KILL = "kill"

UNSEEN = "unseen"  # there is no such folder on that machine
TWICE = "twice"  # it was begun before
STOPPED = "stopped"  # it was to end before it began
NO_PROGRAM = "no program"

_LOOK_S = 0.25  # between two looks at the files
_SAID = 2000  # characters of standard error
_DIES_WITH_PARENT = 1  # PR_SET_PDEATHSIG
_HARD_S = 15.0  # for the program to end, once its command is gone


def run_errand(folder: str) -> dict[str, Any]:
    """Run the program of a job to its end.

    Returns:
        `host`, and `code`, `out` and `err` of the program; or `problem`, why it was not run.
    """
    host = socket.gethostname()
    try:
        with open(os.path.join(folder, JOB), "rb") as file:  # noqa: PTH123
            job = json.load(file)
    except FileNotFoundError:
        return {"host": host, "problem": UNSEEN}
    try:
        with open(os.path.join(folder, STARTED), "x"):  # noqa: PTH123
            pass
    except FileExistsError:
        return {"host": host, "problem": TWICE}
    if _is_there(folder, STOP):
        return {"host": host, "problem": STOPPED}
    libc = _find_libc()
    mine = {name: text for name, text in os.environ.items() if name.startswith(tuple(job["mine"]))}
    try:
        process = subprocess.Popen(
            job["argv"],
            cwd=job["cwd"],
            env={**job["environ"], **mine},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # SIGTERM when the process of the engine dies, as it does with its node or its job.
            preexec_fn=lambda: libc and libc.prctl(_DIES_WITH_PARENT, signal.SIGTERM),
        )
    except OSError as error:
        return {"host": host, "problem": NO_PROGRAM, "err": str(error)}
    out, err = _watch(process, folder, job)
    return {
        "host": host,
        "code": process.returncode,
        "out": out.decode(errors="replace"),
        "err": err.decode(errors="replace")[-_SAID:],
    }


def _watch(
    process: "subprocess.Popen[bytes]", folder: str, job: dict[str, Any]
) -> tuple[bytes, bytes]:
    given: bytes | None = job["stdin"].encode()
    killed_at: float | None = None
    is_told = False
    try:
        while True:
            try:
                return process.communicate(given, timeout=_LOOK_S)
            except subprocess.TimeoutExpired:
                given = None
            except KeyboardInterrupt:  # how an engine may say it
                given, is_told = None, True
                process.terminate()
            if not is_told and (_is_there(folder, STOP) or _is_there(folder, KILL)):
                is_told = True
                process.terminate()
            if _is_there(folder, KILL):
                killed_at = killed_at or time.monotonic()
                _kill_command(job["child"])
                if time.monotonic() - killed_at > _HARD_S:
                    process.kill()
    finally:
        if process.poll() is None:  # the engine ends this process; soon it kills it
            process.terminate()
            try:
                process.wait(_HARD_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _is_there(folder: str, name: str) -> bool:
    return os.path.exists(os.path.join(folder, name))  # noqa: PTH110


def _kill_command(child: str) -> None:
    """Kill the command of a trial, which has a session of its own."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        with open(child, "rb") as file:  # noqa: PTH123
            pid = int(json.load(file)["pid"])
        if pid > 1 and os.getpgid(pid) == pid:
            os.killpg(pid, signal.SIGKILL)


def _find_libc() -> Any:
    """The C library, before the fork, after which nothing may be loaded; None without prctl."""
    with suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        if libc.prctl is not None:
            return libc
    return None

"""Another program asked for facts: in bounded time, and never a failure of ours."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_LONGEST_REASON = 300  # characters of what the program said


@dataclass(frozen=True, slots=True)
class Answer:
    """What the program printed; or, with empty output, why there is no answer."""

    out: bytes
    error: str | None = None


def ask_program(
    argv: Sequence[str], *, environ: Mapping[str, str], cwd: Path, timeout_s: float
) -> Answer:
    """Run a program without input, and give what it printed.

    After `timeout_s` it is killed with all it started. Whatever goes wrong is in the answer.
    """
    try:
        process = subprocess.Popen(
            list(argv),
            cwd=cwd,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:  # ValueError: a NUL in the environment or a name
        return Answer(b"", f"cannot be run: {error}")
    with process:
        try:
            out, err = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return Answer(b"", f"no answer within {timeout_s:g} s")
    if process.returncode != 0:
        said = err.decode(errors="replace").strip().splitlines()
        reason = f": {said[-1][:_LONGEST_REASON]}" if said else ""
        return Answer(b"", f"ended with exit code {process.returncode}{reason}")
    return Answer(out)

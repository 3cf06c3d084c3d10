"""Another program asked for facts: in bounded time, and never a failure of ours."""

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_LONGEST_REASON = 300  # characters of what the program said


@dataclass(frozen=True, slots=True)
class Answer:
    """What the program printed; or, with empty output, why there is no answer."""

    out: bytes
    error: str | None = None


def ask_program(
    argv: Sequence[str], *, environ: Mapping[str, str], timeout_s: float, cwd: str = "/"
) -> Answer:
    """Run a program without input, and give what it printed.

    It is killed after `timeout_s`. Whatever goes wrong is part of the answer.
    """
    try:
        done = subprocess.run(
            list(argv),
            cwd=cwd,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Answer(b"", f"no answer within {timeout_s:g} s")
    except (OSError, ValueError) as error:  # ValueError: a NUL in the environment or a name
        return Answer(b"", f"cannot be run: {error}")
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        reason = f": {said[-1][:_LONGEST_REASON]}" if said else ""
        return Answer(b"", f"ended with exit code {done.returncode}{reason}")
    return Answer(done.stdout)

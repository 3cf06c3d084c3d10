"""The command of a run killed, whoever started it."""

import json
import os
import signal
from contextlib import suppress
from pathlib import Path

from repro.core.launch import CHILD
from repro.store.process import is_alive, parse_process

GRACE_S = 2.0  # for a trial that nobody waits for any more, to end by itself


def kill_command(live_dir: Path) -> bool:
    """Kill the command of a run in progress, with all that it started.

    Only one that has a session of its own, as trials have; never this process.

    Returns:
        Whether there was one that still ran.
    """
    try:
        holder = parse_process(json.loads((live_dir / CHILD).read_bytes()))
    except (OSError, ValueError):  # not started yet, or sealed by now
        return False
    if holder is None or holder.pid == os.getpid() or not is_alive(holder):
        return False
    with suppress(ProcessLookupError, PermissionError):
        if os.getpgid(holder.pid) == holder.pid:
            os.killpg(holder.pid, signal.SIGKILL)
            return True
    return False

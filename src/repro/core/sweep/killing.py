"""The command of a run killed, whoever started it."""

import json
import os
import signal
from contextlib import suppress
from pathlib import Path

from repro.core.launch import CHILD
from repro.core.started import read_start
from repro.errors import DamagedRecordError
from repro.store.journal_reader import find_writer
from repro.store.process import boot_id, is_alive, parse_process

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


def kill_left(live_dir: Path) -> bool:
    """Kill the command of a trial whose own process of repro has died on this machine.

    Nobody keeps what it prints any more, and its tree is taken away when the next one is made.

    Returns:
        As `kill_command`.
    """
    try:
        started = read_start(live_dir)
    except DamagedRecordError:
        return False
    if started is None or started.run.trial is None:
        return False
    writer = find_writer(live_dir / started.journal)
    if writer is None or writer.boot != boot_id() or is_alive(writer):
        return False
    return kill_command(live_dir)

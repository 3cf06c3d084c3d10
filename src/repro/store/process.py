"""Which process this is, on which boot of which machine; whether one still runs."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_PROC = Path("/proc")
_GONE = {"Z", "X", "x"}  # states of /proc/<pid>/stat: dead, only not reaped by its parent yet


@dataclass(frozen=True, slots=True)
class Process:
    """One process, told apart from a later one that got the same pid.

    Attributes:
        pid: Its process id.
        start: When it started, in the clock of its machine; only ever compared for equality.
        boot: Id of the boot of the machine it runs on.
    """

    pid: int
    start: str
    boot: str

    def as_json(self) -> dict[str, int | str]:
        """The form in which `start.json` and journals hold it."""
        return {"pid": self.pid, "start": self.start, "boot": self.boot}


@cache
def host_name() -> str:
    """The name of this machine, as the machine itself says."""
    return os.uname().nodename


@cache
def boot_id() -> str:
    """An id that changes when this machine starts anew; equal means the same running kernel."""
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        import psutil  # noqa: PLC0415  145 ms, and never needed where /proc exists

        return f"{host_name()}-{int(psutil.boot_time())}"


def find_process(pid: int) -> Process | None:
    """The process that has `pid` now; None when there is none, or only its exit code is left."""
    if pid <= 0:
        return None
    has_proc = (_PROC / "self/stat").exists()
    start = _start_by_proc(pid) if has_proc else _start_by_psutil(pid)
    return None if start is None else Process(pid, start, boot_id())


def this_process() -> Process:
    """The process that asks."""
    return find_process(os.getpid()) or Process(os.getpid(), "", boot_id())


def parse_process(value: object) -> Process | None:
    """The process that `as_json` wrote; None when `value` has another form."""
    if not isinstance(value, Mapping):
        return None
    pid, start, boot = value.get("pid"), value.get("start"), value.get("boot")
    if type(pid) is not int or not isinstance(start, str) or not isinstance(boot, str):
        return None
    return Process(pid, start, boot)


def is_alive(process: Process) -> bool:
    """Whether that very process still runs on this boot of this machine."""
    return process.boot == boot_id() and find_process(process.pid) == process


def _start_by_proc(pid: int) -> str | None:
    try:
        text = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    # The second field is the program's name in brackets, which may hold spaces and brackets.
    fields = text[text.rfind(")") + 2 :].split()
    return None if fields[0] in _GONE else fields[19]


def _start_by_psutil(pid: int) -> str | None:
    import psutil  # noqa: PLC0415  145 ms, and never needed where /proc exists

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return repr(process.create_time())
    except psutil.Error:
        return None

"""What an engine of somebody else is asked to run each trial with."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from repro.errors import UsageError
from repro.model.nearest import say_meant
from repro.model.text import escape

_KEY = re.compile(r"[a-z][a-z0-9_-]{0,63}\Z")
_MEMORY = re.compile(r"([0-9]{1,12})([KMGT]?)B?\Z", re.IGNORECASE)
_UNITS = {"": 1 << 20, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_TIME = re.compile(r"(?:([0-9]{1,4})-)?([0-9]{1,6})(?::([0-5]?[0-9]))?(?::([0-5]?[0-9]))?\Z")
_DAY_MIN = 24 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class SlurmOptions:
    """What each job asks Slurm for; None leaves that to the cluster.

    Attributes:
        time_min: Minutes that a job may take; Slurm ends it then.
        mem: As sbatch takes it, such as `16G`.
        setup: Lines of the shell before the trial, such as `module load cuda`.
        extra: Any other option of sbatch, by its long name without the dashes.
        is_local: Whether processes of this machine take the place of Slurm: to try it out.
    """

    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    time_min: int | None = None
    cpus_per_task: int | None = None
    gpus_per_task: int | None = None
    mem: str | None = None
    setup: tuple[str, ...] = ()
    extra: Mapping[str, str] = field(default_factory=dict)
    is_local: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RayOptions:
    """What each task asks a Ray cluster for.

    Attributes:
        address: Of the cluster; None is `RAY_ADDRESS`, else the one on this machine.
        memory_bytes: None leaves that open.
        resources: Of the cluster's own kinds, by name.
    """

    address: str | None = None
    num_cpus: float = 1.0
    num_gpus: float = 0.0
    memory_bytes: int | None = None
    resources: Mapping[str, float] = field(default_factory=dict)


def read_slurm_options(given: Mapping[str, str]) -> SlurmOptions:
    """Read `-l` options for Slurm: those of sbatch by their long names, and `setup`, `local`.

    Raises:
        UsageError: One of them is wrong.
    """
    known: dict[str, Any] = {}
    extra: dict[str, str] = {}
    for key, text in given.items():
        name = key.replace("-", "_").lower()
        if name in _SLURM:
            field_name, read = _SLURM[name]
            known[field_name] = read(key, text)
        elif _KEY.match(key.lower()) and "\n" not in text:
            extra[key.lower().replace("_", "-")] = text
        else:
            raise UsageError(f"`{escape(key)}` is no option of sbatch", hint="`sbatch --help`")
    return SlurmOptions(**known, extra=extra)


def read_ray_options(given: Mapping[str, str]) -> RayOptions:
    """Read `-l` options for Ray: `address`, `num_cpus`, `num_gpus`, `memory`, `resources.NAME`.

    Raises:
        UsageError: One of them is wrong, or unknown.
    """
    known: dict[str, Any] = {}
    resources: dict[str, float] = {}
    for key, text in given.items():
        name = key.replace("-", "_")
        if name.startswith("resources.") and len(name) > len("resources."):
            resources[key.partition(".")[2]] = _amount(key, text)
        elif name in _RAY:
            field_name, read = _RAY[name]
            known[field_name] = read(key, text)
        else:
            raise UsageError(
                f"`{escape(key)}` is nothing that Ray is asked{say_meant(key, [*_RAY])}",
                hint=f"known are {', '.join(f'`{one}`' for one in _RAY)} and `resources.NAME`",
            )
    return RayOptions(**known, resources=resources)


def _word(key: str, text: str) -> str:
    if not text.strip() or "\n" in text or "\0" in text:
        raise _wrong(key, text, "one word")
    return text.strip()


def _lines(_: str, text: str) -> tuple[str, ...]:
    return tuple(text.splitlines())


def _whole(key: str, text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 0 < len(text) <= 6:
        raise _wrong(key, text, "a whole number")
    return int(text)


def _amount(key: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not (0 <= number < 1e6):
        raise _wrong(key, text, "a number from 0 on")
    return number


def _flag(key: str, text: str) -> bool:
    if text.lower() not in ("true", "false", "1", "0", "yes", "no"):
        raise _wrong(key, text, "`true` or `false`")
    return text.lower() in ("true", "1", "yes")


def _bytes(key: str, text: str) -> int:
    match = _MEMORY.match(text.strip())
    if match is None or int(match[1]) == 0:
        raise _wrong(key, text, "an amount of memory, such as `16G`")
    return int(match[1]) * _UNITS[match[2].upper()]


def _memory(key: str, text: str) -> str:
    _bytes(key, text)
    return text.strip().upper().removesuffix("B")


def _minutes(key: str, text: str) -> int:
    """A time as sbatch takes it: `MIN`, `MIN:SEC`, `H:MIN:SEC`, `D-H`, `D-H:MIN`, `D-H:MIN:SEC`."""
    match = _TIME.match(text.strip())
    if match is None:
        raise _wrong(key, text, "a time, such as `90`, `1:30:00` or `2-12`")
    days, *rest = match.groups()
    first, second, third = (int(part or 0) for part in rest)
    if days is not None:
        minutes = int(days) * _DAY_MIN + first * 60 + second + third / 60
    elif rest[2] is not None:
        minutes = first * 60 + second + third / 60
    else:
        minutes = first + second / 60
    if minutes <= 0:
        raise _wrong(key, text, "a time above zero")
    return math.ceil(minutes)


def _wrong(key: str, text: str, wanted: str) -> UsageError:
    return UsageError(f"`{escape(key)}={escape(text[:80])}`: that is not {wanted}")


Read = Callable[[str, str], Any]

_SLURM: dict[str, tuple[str, Read]] = {
    "partition": ("partition", _word),
    "account": ("account", _word),
    "qos": ("qos", _word),
    "time": ("time_min", _minutes),
    "cpus_per_task": ("cpus_per_task", _whole),
    "gpus_per_task": ("gpus_per_task", _whole),
    "mem": ("mem", _memory),
    "setup": ("setup", _lines),
    "local": ("is_local", _flag),
}
_RAY: dict[str, tuple[str, Read]] = {
    "address": ("address", _word),
    "num_cpus": ("num_cpus", _amount),
    "num_gpus": ("num_gpus", _amount),
    "memory": ("memory_bytes", _bytes),
}

"""Which rank of a distributed launch this process is; how its ranks find their one run."""

import hashlib
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from repro.atomic import write_file
from repro.model.ids import is_id
from repro.store.liveness import is_live
from repro.store.process import find_process, host_name

WAIT_S = 60.0
_POLL_S = 0.1
_OLD_S = 7 * 86400.0
_RANKS = ("RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "LOCAL_RANK")


@dataclass(frozen=True, slots=True)
class Place:
    """Where this process stands in a distributed launch.

    Attributes:
        rank: 0 for the one that makes the run, and outside of a launch.
        launch: Equal in all processes of one launch, None outside of one.
    """

    rank: int = 0
    launch: str | None = None


def find_place(environ: Mapping[str, str]) -> Place:
    """Read the variables of torchrun, srun and mpirun, in this order.

    torchrun under srun sets both; its ranks are the ones of the processes.
    """
    launch = _torch(environ) or _slurm(environ) or _mpi(environ)
    ranks = (_number(environ.get(name)) for name in _RANKS)
    rank = next((found for found in ranks if found is not None), 0)
    if launch is None:
        return Place(rank)
    return Place(rank, hashlib.sha256(repr(launch).encode()).hexdigest()[:32])


def find_rank_inside(environ: Mapping[str, str], outer: Mapping[str, object]) -> int:
    """The rank in a launch that `repro run` started; 0 where `repro run` itself was launched.

    Each rank of `srun repro run -- CMD` has a run of its own, in which it is the first.

    Args:
        outer: Variables that `repro run` had.
    """
    return find_place(
        {n: v for n, v in environ.items() if n not in _RANKS or outer.get(n) != v}
    ).rank


def _torch(environ: Mapping[str, str]) -> tuple[str, ...] | None:
    address, port = environ.get("MASTER_ADDR"), environ.get("MASTER_PORT")
    elastic = environ.get("TORCHELASTIC_RUN_ID")
    if "RANK" not in environ or environ.get("WORLD_SIZE") == "1":
        return None
    if elastic is None and not (address and port):
        return None
    parts = [elastic or "", address or "", port or ""]
    parts += [environ.get(name, "") for name in ("TORCHELASTIC_RESTART_COUNT", "SLURM_JOB_ID")]
    if elastic is not None and environ.get("LOCAL_WORLD_SIZE") == environ.get("WORLD_SIZE"):
        # One node: the launcher itself tells one launch from the next, which often has the
        # same address, port and run id ("none").
        agent = find_process(os.getppid())
        parts.append(repr(agent))
    return ("torch", *parts)


def _slurm(environ: Mapping[str, str]) -> tuple[str, ...] | None:
    step = environ.get("SLURM_STEP_ID") or environ.get("SLURM_STEPID")
    tasks = _number(environ.get("SLURM_NTASKS")) or 1
    job = environ.get("SLURM_JOB_ID")
    if not job or not step or tasks < 2 or "SLURM_PROCID" not in environ:
        return None
    return "slurm", job, step, environ.get("SLURM_RESTART_COUNT", "")


def _mpi(environ: Mapping[str, str]) -> tuple[str, ...] | None:
    job = environ.get("PMIX_NAMESPACE") or environ.get("OMPI_MCA_ess_base_jobid")
    if not job or (_number(environ.get("OMPI_COMM_WORLD_SIZE")) or 1) < 2:
        return None
    return "mpi", job


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None


def _notice(live: Path, launch: str) -> Path:
    return live / f"by-launch-{launch}"


def publish_run(live: Path, launch: str, run_id: str) -> None:
    """Tell the other ranks which run is theirs.

    Args:
        live: Folder of the runs in progress.

    Raises:
        StorageError: The disk is full, read-only or forbidden.
    """
    for old in live.glob("by-launch-*"):
        with suppress(OSError):
            if time.time() - old.stat().st_mtime > _OLD_S:
                old.unlink()
    write_file(_notice(live, launch), f"{run_id}\n".encode())


def withdraw_run(live: Path, launch: str) -> None:
    """Take the notice away when the run is over."""
    with suppress(OSError):
        _notice(live, launch).unlink()


def await_run(live: Path, launch: str, *, timeout_s: float = WAIT_S) -> Path | None:
    """The live folder of the run that rank 0 makes; None when it made none in time.

    A notice that an earlier launch left behind does not count: its run is not alive.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        with suppress(OSError, UnicodeDecodeError):
            run_id = _notice(live, launch).read_text().strip()
            folder = live / run_id
            if (
                is_id(run_id)
                and (folder / "start.json").exists()
                and is_live(folder, host=host_name(), now=time.time())
            ):
                return folder
        if time.monotonic() >= deadline:
            return None
        time.sleep(_POLL_S)

"""Trials as tasks of a Ray cluster that is there already (the extra `ray`)."""

import re
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from repro.core.project import Project
from repro.core.sweep import errand
from repro.core.sweep.away import AwayLauncher, Failed
from repro.core.sweep.protocols import Launcher
from repro.errors import InvalidInputError, UsageError
from repro.model.launching import RayOptions
from repro.model.sweep import Sweep
from repro.model.text import escape

_SHOWN = 300
_REACH_S = 10.0
_HOST_PORT = re.compile(r"([^:/]+|\[[0-9a-fA-F:.]+\]):([0-9]{1,5})\Z")


def make_ray_launcher(
    project: Project, sweep: Sweep, jobs: int, options: RayOptions | None = None
) -> Launcher:
    """Give what runs trials on the cluster at `options.address`, `RAY_ADDRESS`, or on this machine.

    No cluster is started. Its machines must see the repository, and this Python, at the same path.

    Args:
        jobs: Tasks at a time, at least 1.

    Raises:
        InvalidInputError: Ray is not installed.
        UsageError: There is no cluster.
    """
    return AwayLauncher(project, sweep, jobs, _Ray(project, options or RayOptions()))


def load_ray() -> Any:
    """Give the module `ray`.

    Raises:
        InvalidInputError: It is not installed.
    """
    try:
        import ray  # noqa: PLC0415  # few have it, and it takes a second
    except ImportError:
        raise InvalidInputError(
            "Ray is not installed here", hint="`pip install 'git-repro[ray]'`"
        ) from None
    return ray


class _Ray:
    """A cluster, as one client of it sees it (an `Engine`)."""

    label = "Ray"

    def __init__(self, project: Project, options: RayOptions) -> None:
        ray = self._ray = load_ray()
        address = options.address or project.environ.get("RAY_ADDRESS") or "auto"
        if address == "local":
            raise _no_cluster(address, "that would be one of this process alone")
        if match := _HOST_PORT.match(address):
            try:  # Ray itself tries for more than a minute
                socket.create_connection((match[1].strip("[]"), int(match[2])), _REACH_S).close()
            except (OSError, OverflowError) as error:
                raise _no_cluster(address, str(error)) from error
        self._is_ours = not ray.is_initialized()
        if self._is_ours:
            try:
                # Tasks need no file of ours: what they run is found where the repository is.
                ray.init(
                    address=address,
                    log_to_driver=False,
                    logging_level="ERROR",
                    configure_logging=False,
                )
            except (ConnectionError, ValueError, RuntimeError, OSError) as error:
                raise _no_cluster(address, str(error)) from error
        ray.cloudpickle.register_pickle_by_value(errand)
        wanted: dict[str, Any] = {"num_cpus": options.num_cpus, "num_gpus": options.num_gpus}
        if options.memory_bytes is not None:
            wanted["memory"] = options.memory_bytes
        if options.resources:
            wanted["resources"] = dict(options.resources)
        # Ray would run it again on another machine, and no trial runs twice.
        self._wanted = {**wanted, "max_retries": 0}
        self._task = ray.remote(errand.run_errand)

    def start(self, folder: str, name: str) -> Any:
        return self._task.options(name=name, **self._wanted).remote(folder)

    def ended(self, jobs: Sequence[Any], timeout_s: float) -> list[Any]:
        ready, _ = self._ray.wait([*jobs], num_returns=1, timeout=max(0.0, timeout_s))
        if not ready:
            return []
        found, _ = self._ray.wait([*jobs], num_returns=len(jobs), timeout=0)
        return [job for job in jobs if job in {*found, *ready}]

    def answer(self, job: Any) -> Mapping[str, Any]:
        errors = self._ray.exceptions
        try:
            answer = self._ray.get(job)
        except errors.TaskCancelledError as error:
            raise Failed("it was taken back") from error
        except errors.RayError as error:
            lines = str(error).strip().splitlines() or [type(error).__name__]
            raise Failed(lines[0][:_SHOWN]) from error
        return answer if isinstance(answer, dict) else {}

    def cancel(self, job: Any, *, is_hard: bool) -> None:
        with suppress(self._ray.exceptions.RayError, ValueError):
            self._ray.cancel(job, force=is_hard)

    def close(self) -> None:
        self._ray.cloudpickle.unregister_pickle_by_value(errand)
        if self._is_ours:
            self._ray.shutdown()


def _no_cluster(address: str, said: str) -> UsageError:
    lines = said.strip().splitlines() or ["no answer"]
    return UsageError(
        f"there is no Ray cluster at `{escape(address)}`: {escape(lines[0][:_SHOWN])}",
        hint="`ray start --head` starts one; RAY_ADDRESS, or `-l address=…`, names another",
    )

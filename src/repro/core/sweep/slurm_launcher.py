"""Trials as jobs of Slurm, handed over by submitit (the extra `slurm`)."""

import logging
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from time import monotonic, sleep
from typing import Any

from repro.core.project import Project
from repro.core.sweep import errand
from repro.core.sweep.away import AwayLauncher, Failed, log_folder
from repro.core.sweep.protocols import Launcher
from repro.errors import InvalidInputError, UsageError
from repro.model.launching import SlurmOptions
from repro.model.sweep import Sweep
from repro.model.text import escape

_LOOK_S = 0.5  # between two looks for results, which are files
_ASK_S = 10.0  # between two questions to Slurm after jobs that left none
_SHOWN = 300
_GONE = "GONE"
_OVER = {_GONE, "BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL",
         "OUT_OF_MEMORY", "PREEMPTED", "REVOKED", "TIMEOUT"}  # fmt: skip
_YEAR_MIN = 366 * 24 * 60
_WARN_S = 90  # before the end of its time a job is told to end


def make_slurm_launcher(
    project: Project, sweep: Sweep, jobs: int, options: SlurmOptions | None = None
) -> Launcher:
    """Give what submits each trial as a job of its own.

    The machines of the cluster must see the repository, and this Python, at the same path.

    Args:
        jobs: Jobs at a time, waiting ones among them; at least 1.

    Raises:
        InvalidInputError: submitit is not installed.
        UsageError: There is no Slurm here, or it knows no such option.
    """
    return AwayLauncher(project, sweep, jobs, _Slurm(project, options or SlurmOptions()))


def load_submitit() -> Any:
    """Give the module `submitit`.

    Raises:
        InvalidInputError: It is not installed.
    """
    try:
        import submitit  # noqa: PLC0415  # few have it
    except ImportError:
        raise InvalidInputError(
            "submitit is not installed here", hint="`pip install 'git-repro[slurm]'`"
        ) from None
    return submitit


def _cloudpickle() -> Any:
    import cloudpickle  # noqa: PLC0415  # comes with submitit

    return cloudpickle


def _parameters(options: SlurmOptions) -> dict[str, Any]:
    """As submitit's executor for Slurm takes them."""
    limit = options.time_min
    given = {
        "partition": options.partition,
        "account": options.account,
        "qos": options.qos,
        "cpus_per_task": options.cpus_per_task,
        "gpus_per_task": options.gpus_per_task,
        "mem": options.mem,
        "setup": list(options.setup) or None,
    }
    extra: dict[str, Any] = {"no-requeue": True, **options.extra}
    return {
        **{name: value for name, value in given.items() if value is not None},
        "time": limit,  # None is what the partition gives, in place of submitit's five minutes
        "signal_delay_s": _WARN_S if limit is None else min(_WARN_S, limit * 15),
        "additional_parameters": extra,
        "stderr_to_stdout": True,
    }


def _local_parameters(options: SlurmOptions) -> dict[str, Any]:
    return {"timeout_min": options.time_min or _YEAR_MIN}


def _last_line(error: Exception) -> str:
    lines = [line.strip(" -") for line in str(error).splitlines()]
    return escape(next((line for line in reversed(lines) if line), type(error).__name__)[:_SHOWN])


class _Slurm:
    """Slurm, as its programs on this machine speak for it (an `Engine`)."""

    label = "Slurm"

    def __init__(self, project: Project, options: SlurmOptions) -> None:
        submitit = self._submitit = load_submitit()
        self._is_local = options.is_local
        if self._is_local:
            self.label = "a process of this machine"
        elif shutil.which("sbatch") is None or shutil.which("srun") is None:
            raise UsageError(
                "there is no Slurm here: `sbatch` and `srun` are not on the PATH",
                hint="run it on a login node, or add `-l local=true` to try it out without Slurm",
            )
        logging.getLogger("submitit").setLevel(logging.CRITICAL)  # it says what we say better
        self._folder = log_folder(project.repository)
        executor = submitit.LocalExecutor if self._is_local else submitit.SlurmExecutor
        self._executor = executor(folder=self._folder)
        self._parameters = _local_parameters(options) if self._is_local else _parameters(options)
        self._asked_at = monotonic()
        self._states: dict[str, str] = {}
        # What is submitted is this module itself, for a Python without repro.
        _cloudpickle().register_pickle_by_value(errand)

    def start(self, folder: str, name: str) -> Any:
        try:
            named = {} if self._is_local else {"job_name": name}
            self._executor.update_parameters(**self._parameters, **named)
            return self._executor.submit(errand.run_errand, folder)
        except (RuntimeError, ValueError, self._submitit.core.utils.FailedJobError) as error:
            raise UsageError(
                f"Slurm refuses the job: {_last_line(error)}",
                hint="`sinfo` shows the partitions; `-l NAME=VALUE` sets an option of sbatch",
            ) from error

    def ended(self, jobs: Sequence[Any], timeout_s: float) -> list[Any]:
        end = monotonic() + timeout_s
        while True:
            found = [job for job in jobs if self._is_over(job)] or self._find_gone(jobs)
            if found or monotonic() >= end:
                return found
            sleep(max(0.0, min(_LOOK_S, end - monotonic())))

    def _is_over(self, job: Any) -> bool:
        if self._is_local:
            return bool(job.done())
        # A folder that is touched is looked at anew on network drives.
        with suppress(OSError):
            self._folder.chmod(0o700)
        return bool(job.paths.result_pickle.exists())

    def _find_gone(self, jobs: Sequence[Any]) -> list[Any]:
        """Jobs that Slurm does not have any more, and that left no result.

        `sacct`, which submitit asks, knows nothing where there is no accounting.
        """
        if self._is_local or monotonic() - self._asked_at < _ASK_S:
            return []
        self._asked_at = monotonic()
        words = ["squeue", "--noheader", "--me", "--states=all", "--format=%A %T"]
        try:
            listed = self._submitit.core.utils.CommandFunction(words, verbose=False)()
        except (self._submitit.core.utils.FailedJobError, OSError):
            return []  # it will answer later
        self._states = dict(line.split(maxsplit=1) for line in listed.splitlines() if " " in line)
        return [
            job
            for job in jobs
            if self._states.get(job.job_id, _GONE) in _OVER and not self._is_over(job)
        ]

    def answer(self, job: Any) -> Mapping[str, Any]:
        if not self._is_local and not self._is_over(job):  # submitit would wait for ever
            state = self._states.get(job.job_id, _GONE).lower().replace("_", " ")
            raise Failed(f"job {escape(str(job.job_id))} is {escape(state)}")
        try:
            answer = job.result()
        except Exception as error:
            raise Failed(_last_line(error)) from error
        return answer if isinstance(answer, dict) else {}

    def cancel(self, job: Any, *, is_hard: bool) -> None:  # noqa: ARG002  Slurm kills what goes on
        with suppress(OSError, RuntimeError):
            job.cancel(check=False)

    def close(self) -> None:
        _cloudpickle().unregister_pickle_by_value(errand)
        shutil.rmtree(self._folder, ignore_errors=True)

"""Trials that an engine of somebody else runs, on machines that see this repository."""

import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Protocol

from repro.atomic import storage_errors, write_file
from repro.core.project import Project
from repro.core.sweep import errand
from repro.core.sweep.killing import GRACE_S
from repro.core.sweep.messages import format_job, parse_end
from repro.core.sweep.protocols import Task, TrialEnd
from repro.core.sweep.salvage import salvage_run
from repro.errors import ReproError, StorageError, UsageError
from repro.model.canonical import Json, format_json
from repro.model.ids import is_id
from repro.model.sweep import Sweep
from repro.model.text import escape
from repro.store.git import Repository
from repro.store.own_python import resolve_own_python

JOBS = "sweep-jobs"  # of the private folder

_PROGRAM = """
import sys
from repro.cli.main import main
sys.argv = ["repro", "sweep", "work"]
main()
"""
# What the machine that runs a trial knows better than this one.
_MINE = (
    "CUDA_VISIBLE_DEVICES",
    "GPU_DEVICE_ORDINAL",
    "HIP_VISIBLE_DEVICES",
    "HOSTNAME",
    "NVIDIA_VISIBLE_DEVICES",
    "RAY_",
    "ROCR_VISIBLE_DEVICES",
    "SLURM",
    "TMPDIR",
    "XDG_RUNTIME_DIR",
    "ZE_AFFINITY_MASK",
)
_CLOSING_S = 15.0  # for trials that were told to end
_OLD_S = 7 * 86400.0


class Failed(Exception):  # noqa: N818  an answer, not an error of ours
    """What became of a job that gave no answer, in one line."""


class Engine(Protocol):
    """Runs `run_errand(folder)` on some machine; `job` stands for one such call.

    Attributes:
        label: What messages call it.
    """

    label: str

    def start(self, folder: str, name: str) -> Any:
        """Have it run, and give the job.

        Raises:
            ReproError: It was refused.
        """

    def ended(self, jobs: Sequence[Any], timeout_s: float) -> list[Any]:
        """Those that are over; an empty list once so much time has passed."""

    def answer(self, job: Any) -> Mapping[str, Any]:
        """What a job that is over gave.

        Raises:
            Failed: It gave nothing.
        """

    def cancel(self, job: Any, *, is_hard: bool) -> None:
        """Take back one that waits; one that runs only with `is_hard`."""

    def close(self) -> None:
        """Let go of the engine."""


class AwayLauncher:
    """Runs so many tasks of a sweep at a time by an engine (a `Launcher`)."""

    def __init__(self, project: Project, sweep: Sweep, jobs: int, engine: Engine) -> None:
        """Start nothing yet.

        Args:
            jobs: Tasks at a time, at least 1.

        Raises:
            UsageError: This Python is none that other machines could start.
            StorageError: The private folder cannot be written.
        """
        self._argv = resolve_own_python(_PROGRAM)
        self._project = project
        self._sweep = sweep
        self._jobs = jobs
        self._engine = engine
        self._busy: dict[str, Any] = {}
        self._failed: list[TrialEnd] = []
        self._folder = project.repository.private / JOBS
        with storage_errors("the folder of the sweep's jobs"):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._sweep_out_old()

    def n_free(self) -> int:
        """How many tasks it would start at once now."""
        return max(0, self._jobs - len(self._busy))

    def submit(self, task: Task) -> None:
        """Start a task; where the engine refuses it, it has ended with that error."""
        try:
            folder = self._write_job(task)
            self._busy[task.run] = self._engine.start(str(folder), f"repro-{task.number}")
        except (ReproError, OSError) as error:
            self._forget(task.run)
            self._failed.append(_refused(task, error))

    def _write_job(self, task: Task) -> Path:
        project = self._project
        folder = self._folder / task.run
        with storage_errors("the folder of a job"):
            folder.mkdir(mode=0o700)
        job: dict[str, Json] = {
            "argv": list(self._argv),
            "cwd": str(project.repository.root),
            "environ": {
                name: text for name, text in project.environ.items() if not name.startswith(_MINE)
            },
            "mine": list(_MINE),
            "stdin": format_job(self._sweep, task),
            "child": str(project.live / task.run / "child.json"),
        }
        # The environment may hold secrets: it goes by this file alone, and by no engine.
        write_file(folder / errand.JOB, format_json(job))
        (folder / errand.JOB).chmod(0o600)
        return folder

    def wait(self, timeout_s: float) -> list[TrialEnd]:
        """Those that ended since; an empty list once so much time has passed."""
        failed, self._failed = self._failed, []
        if failed:
            return failed
        if not self._busy:
            sleep(timeout_s)
            return []
        return [self._take(job) for job in self._engine.ended([*self._busy.values()], timeout_s)]

    def stop(self, run: str, *, is_hard: bool = False) -> None:
        """Tell a task to end, by SIGTERM or by SIGKILL; nothing where it has ended."""
        if run not in self._busy:
            return
        folder = self._folder / run
        with suppress(OSError):
            (folder / (errand.KILL if is_hard else errand.STOP)).touch()
        if not (folder / errand.STARTED).exists():
            self._engine.cancel(self._busy[run], is_hard=False)

    def close(self) -> None:
        """End all that runs, its runs sealed, and let go of the engine."""
        for is_hard, patience_s in ((False, GRACE_S), (True, _CLOSING_S)):
            for run in self._busy:
                self.stop(run, is_hard=is_hard)
            end = monotonic() + patience_s
            while self._busy and monotonic() < end:
                for job in self._engine.ended([*self._busy.values()], end - monotonic()):
                    self._take(job)
        for run, job in [*self._busy.items()]:
            self._engine.cancel(job, is_hard=True)
            salvage_run(self._project, run)
            self._forget(run)
        self._engine.close()
        with suppress(OSError):
            self._folder.rmdir()

    def _take(self, job: Any) -> TrialEnd:
        run = next(run for run, one in self._busy.items() if one is job)
        try:
            end = self._read(run, self._engine.answer(job))
        except Failed as failure:
            end = TrialEnd(
                run=run,
                status=salvage_run(self._project, run),
                error=f"{self._engine.label} lost it: {escape(str(failure))}",
            )
        self._forget(run)
        return end

    def _read(self, run: str, answer: Mapping[str, Any]) -> TrialEnd:
        """How a task ended whose job gave an answer."""
        host = escape(str(answer.get("host")))
        problem = answer.get("problem")
        root = self._project.repository.root
        if problem == errand.UNSEEN:
            return TrialEnd(
                run=run,
                error=f"the machine `{host}` does not see the repository at `{root}`",
                hint="each machine must have it at the same path, such as by a network drive",
                slug=UsageError.slug,
            )
        if problem == errand.NO_PROGRAM:
            said = escape(str(answer.get("err")))
            return TrialEnd(
                run=run,
                error=f"the machine `{host}` cannot start `{self._argv[0]}` in `{root}`: {said}",
                hint="each machine must have this Python at the same path",
                slug=UsageError.slug,
            )
        if problem is not None:
            why = "it was to end before it began" if problem == errand.STOPPED else "it died there"
            return TrialEnd(
                run=run, status=salvage_run(self._project, run), error=f"on `{host}` {why}"
            )
        with suppress(ReproError):
            return parse_end(str(answer.get("out")))
        lines = str(answer.get("err") or "").strip().splitlines() or ["it said nothing"]
        return TrialEnd(
            run=run,
            status=salvage_run(self._project, run),
            error=f"on `{host}` it ended with {answer.get('code')}: {escape(lines[-1])}",
        )

    def _forget(self, run: str) -> None:
        self._busy.pop(run, None)
        shutil.rmtree(self._folder / run, ignore_errors=True)

    def _sweep_out_old(self) -> None:
        now = self._project.clock()
        for folder in self._folder.iterdir():
            with suppress(OSError):
                if is_id(folder.name) and now - folder.stat().st_mtime > _OLD_S:
                    shutil.rmtree(folder, ignore_errors=True)


def _refused(task: Task, error: ReproError | OSError) -> TrialEnd:
    if isinstance(error, OSError):
        return TrialEnd(run=task.run, error=str(error), slug=StorageError.slug)
    return TrialEnd.by_error(task.run, error)


def log_folder(repository: Repository) -> Path:
    """Where an engine may write what it says."""
    folder = repository.private / JOBS / f"engine-{os.getpid()}"
    with storage_errors("the folder of the sweep's jobs"):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder

"""Trials on this machine: processes of our own that run them side by side."""

import selectors
from time import monotonic, sleep

from repro.core.isolation import remove_abandoned
from repro.core.project import Project
from repro.core.sweep.killing import GRACE_S, kill_command
from repro.core.sweep.messages import read_end, sweep_message, task_message
from repro.core.sweep.protocols import Task, TrialEnd
from repro.core.sweep.salvage import salvage_run
from repro.errors import ReproError
from repro.model.run import Status
from repro.model.sweep import Sweep
from repro.store.conversation import Conversation
from repro.store.own_python import resolve_own_python

LOG = "sweep.log"  # of the private folder: what the processes wrote to standard error

_PROGRAM = """
from repro.cli.sweepwork import main
main(words)
"""
_CLOSING_S = 10.0  # for the processes to tidy up, once nothing runs in them any more
_KILLED_S = 5.0  # for a command that was killed to be gone
_SHORT_S = 0.02


class LocalLauncher:
    """Runs so many tasks of a sweep at a time on this machine (a `Launcher`).

    Each of its processes has a tree of the frozen code for itself, which it puts back as it was
    between trials. It ends, with the trial in it, when this process does.
    """

    def __init__(self, project: Project, sweep: Sweep, jobs: int) -> None:
        """Start nothing yet.

        Args:
            jobs: Tasks at a time, at least 1.
        """
        self._project = project
        self._sweep = sweep
        self._jobs = jobs
        self._idle: list[Conversation] = []
        self._busy: dict[str, tuple[Conversation, Task]] = {}
        self._failed: list[TrialEnd] = []
        self._argv: list[str] | None = None

    def n_free(self) -> int:
        """How many tasks it would start at once now."""
        return max(0, self._jobs - len(self._busy))

    def submit(self, task: Task) -> None:
        """Start a task; where no process can be started, it has ended with that error."""
        try:
            worker = self._find_idle() or self._start()
        except (ReproError, OSError) as error:
            hint = getattr(error, "hint", None) or "see how many processes you may have"
            end = TrialEnd(run=task.run, error=f"no process can be started: {error}", hint=hint)
            self._failed.append(end)
            return
        self._busy[task.run] = (worker, task)
        worker.say(task_message(task))

    def wait(self, timeout_s: float) -> list[TrialEnd]:
        """Those that ended since; an empty list once so much time has passed."""
        ended, self._failed = self._failed, []
        end = monotonic() + (0.0 if ended else timeout_s)
        while True:
            ended += self._hear(max(0.0, end - monotonic()))
            if ended or monotonic() >= end:
                return ended

    def stop(self, run: str, *, is_hard: bool = False) -> None:
        """Tell a task to end, by SIGTERM or by SIGKILL; nothing where it has ended."""
        if run in self._busy:
            worker, _ = self._busy[run]
            worker.say({"stop": run, "hard": is_hard})

    def close(self) -> None:
        """End all that runs, its runs sealed, and the processes with their trees."""
        workers = [*self._idle, *(worker for worker, _ in self._busy.values())]
        for worker in workers:
            worker.close_input()
        end = monotonic() + GRACE_S + _CLOSING_S
        while self._busy and monotonic() < end:
            self._hear(end - monotonic())
        for worker in workers:
            worker.wait(max(0.0, end - monotonic()))
            worker.end()
        for _, task in [*self._busy.values()]:
            self._recover(task)
        self._busy.clear()
        self._idle.clear()
        remove_abandoned(self._project)

    def _find_idle(self) -> Conversation | None:
        while self._idle:
            worker = self._idle.pop()
            worker.hear()  # nothing but its end, if it has died
            if not worker.is_over:
                return worker
            worker.end()
        return None

    def _start(self) -> Conversation:
        project = self._project
        self._argv = self._argv or resolve_own_python(_PROGRAM)
        worker = Conversation(
            self._argv,
            cwd=project.repository.root,
            environ=project.environ,
            log=project.repository.private / LOG,
        )
        worker.say(sweep_message(self._sweep))
        return worker

    def _hear(self, timeout_s: float) -> list[TrialEnd]:
        """What the busy processes say within a time, or of their death."""
        with selectors.DefaultSelector() as selector:
            for run, (worker, _) in self._busy.items():
                selector.register(worker, selectors.EVENT_READ, run)
            ready = [str(key.data) for key, _ in selector.select(timeout_s)]
        return [end for run in ready if (end := self._take(run)) is not None]

    def _take(self, run: str) -> TrialEnd | None:
        worker, task = self._busy[run]
        for message in worker.hear():
            if "end" in message:
                end = read_end(message)
                del self._busy[run]
                self._idle.append(worker)
                return end
        if not worker.is_over:
            return None
        del self._busy[run]
        how = worker.end()
        status = self._recover(task)
        log = self._project.repository.private / LOG
        return TrialEnd(
            run=run,
            status=status,
            error=f"the process that ran it {how}",
            hint=f"`{log}` may say why; the memory may have been full",
        )

    def _recover(self, task: Task) -> Status | None:
        """Seal the run of a process that died, once its command is gone, too."""
        project = self._project
        end = monotonic() + _KILLED_S
        while kill_command(project.live / task.run) and monotonic() < end:
            sleep(_SHORT_S)
        return salvage_run(project, task.run)

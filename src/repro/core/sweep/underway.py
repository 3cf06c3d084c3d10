"""The attempts that one process of a sweep has under way: started, told to end, and watched."""

from collections import Counter
from contextlib import suppress
from math import inf
from time import monotonic

from repro.core.project import Project
from repro.core.sweep.options import Options
from repro.core.sweep.protocols import Launcher, Suggester, Task
from repro.core.sweep.settle import Cause
from repro.core.sweep.trialwatch import TrialWatch
from repro.core.words import say_pruned
from repro.errors import ReproError
from repro.model.sweep import SweepAt, Trial
from repro.model.sweepspec import SweepSpec

GRACE_S = 10.0  # to write a checkpoint, for a trial that is stopped for good

_PRUNE_S = 0.5  # so often is looked at what trials in progress logged
_GPUS = "CUDA_VISIBLE_DEVICES"


class Underway:
    """What a launcher runs for this process."""

    def __init__(
        self,
        project: Project,
        spec: SweepSpec,
        launcher: Launcher,
        suggester: Suggester,
        options: Options,
    ) -> None:
        self._project = project
        self._spec = spec
        self._launcher = launcher
        self._suggester = suggester
        self._options = options
        self._trials: dict[str, Trial] = {}
        self._gpus: dict[str, str] = {}
        self._causes: dict[str, Cause] = {}
        self._due: dict[str, float] = {}  # when one that was told to end is killed
        self._watches: dict[str, TrialWatch] = {}
        self._pruned_at = -inf

    @property
    def runs(self) -> tuple[str, ...]:
        """The ids of their runs, in the order in which they began."""
        return tuple(self._trials)

    def __contains__(self, run: str) -> bool:
        return run in self._trials

    def begin(self, at: SweepAt, trial: Trial) -> None:
        """Start the attempt of a trial that this process has claimed."""
        run = trial.run
        environ = {}
        if self._options.gpus:
            self._gpus[run] = self._free_gpu()
            environ[_GPUS] = self._gpus[run]
        task = Task(
            sweep=at.sweep.id,
            base=at.sweep.base,
            number=trial.number,
            run=run,
            params=trial.params,
            environ=environ,
            timeout_s=self._options.timeout_s,
            reuse=self._options.reuse,
        )
        self._trials[run] = trial
        if self._spec.early is not None and self._spec.metric is not None:
            self._watches[run] = TrialWatch(self._project, run, self._spec.metric)
        self._launcher.submit(task)

    def _free_gpu(self) -> str:
        """The one that the fewest trials use, the first of these as they were given."""
        used = Counter(self._gpus.values())
        return min(self._options.gpus, key=lambda gpu: used[gpu])

    def end(self, run: str) -> tuple[Trial, Cause] | None:
        """Let go of an attempt that is over; its trial, and why it may have ended early."""
        trial = self._trials.pop(run, None)
        self._gpus.pop(run, None)
        self._due.pop(run, None)
        self._watches.pop(run, None)
        cause = self._causes.pop(run, Cause.ITSELF)
        return None if trial is None else (trial, cause)

    def stop(self, run: str, cause: Cause, *, grace_s: float | None = None) -> None:
        """Tell an attempt to end.

        Args:
            grace_s: After so long it is killed; None never does.
        """
        if run not in self._trials:
            return
        if run not in self._causes:
            self._causes[run] = cause
            self._launcher.stop(run)
        if grace_s is not None:
            self._due[run] = min(self._due.get(run, inf), monotonic() + grace_s)

    def stop_all(self, *, grace_s: float | None = None) -> None:
        """Tell all of them to end, as by an interruption."""
        for run in self.runs:
            self.stop(run, Cause.INTERRUPTED, grace_s=grace_s)

    def kill_due(self) -> None:
        """Kill what was told to end and had its time for that."""
        now = monotonic()
        for run in [run for run, due in self._due.items() if due <= now]:
            del self._due[run]
            self._launcher.stop(run, is_hard=True)

    def prune(self, at: SweepAt) -> None:
        """Stop the trials that are worse than others were at the same step.

        Cost: twice a second a look at the journals of each.
        """
        if not self._watches or monotonic() - self._pruned_at < _PRUNE_S:
            return
        self._pruned_at = monotonic()
        for run, watch in self._watches.items():
            steps = None if run in self._causes else watch.look()
            if steps and self._suggester.should_prune(at.ledger, self._trials[run], steps):
                with suppress(ReproError):  # the ledger says it in any case
                    say_pruned(self._project, run)
                self.stop(run, Cause.PRUNED, grace_s=GRACE_S)

"""Attempts whose process of the sweep is gone: what became of them, once nothing of them runs."""

from time import monotonic

from repro.core.project import Project
from repro.core.record import recover_runs
from repro.core.sweep.killing import kill_left
from repro.core.sweep.protocols import Gone
from repro.core.sweep.settle import Cause, Settled, drop, find_record, lose, settle
from repro.errors import DamagedRecordError
from repro.model.sweep import Trial
from repro.model.sweepspec import SweepSpec
from repro.store.liveness import is_live
from repro.store.process import host_name

_PATIENCE_S = 60.0  # for a run that neither lives nor can be sealed


class Orphans:
    """Settles claims of others that are to be taken over, one by one."""

    def __init__(self, project: Project, spec: SweepSpec, retries: int) -> None:
        self._project = project
        self._spec = spec
        self._retries = retries
        self._seen_at: dict[str, float] = {}

    def settle(self, trial: Trial, gone: Gone) -> Settled | None:
        """What became of the attempt; None while something of it is still alive here.

        A command that outlived the process that ran it is killed: it would be waited for in vain.
        A run that is here counts, whoever ran it: its results, or that it was cut off.
        """
        kill_left(self._project.live / gone.run)
        recover_runs(self._project)
        if self._is_pending(gone.run):
            return None
        try:
            has_record = find_record(self._project, gone.run) is not None
        except DamagedRecordError:
            has_record = False
        if has_record:
            return settle(self._project, self._spec, trial, Cause.ORPHANED, retries=self._retries)
        if gone.is_lost:
            return lose(self._project, trial, gone.why, self._retries)
        return drop(self._project, trial, gone.why)

    def _is_pending(self, run: str) -> bool:
        """Whether the run is in progress here; one that nothing keeps alive, only for a while."""
        folder = self._project.live / run
        if not folder.exists():
            return False
        if is_live(folder, host=host_name(), now=self._project.clock()):
            return True
        now = monotonic()
        return now - self._seen_at.setdefault(run, now) < _PATIENCE_S

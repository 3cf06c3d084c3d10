"""The loop of a sweep: trials claimed, run, and told, with one ledger write for each."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from math import inf
from time import monotonic

from repro.core.project import Project
from repro.core.sweep.claiming import find_next, go_on, is_target_reached
from repro.core.sweep.events import Again, Begun, Ending, Event, Looked, NoMetric, Over
from repro.core.sweep.holding import hold
from repro.core.sweep.options import Options, Outcome, Reason, Stop
from repro.core.sweep.orphans import Orphans
from repro.core.sweep.others import NobodyElse
from repro.core.sweep.protocols import Book, Launcher, Others, TrialEnd
from repro.core.sweep.results import find_value
from repro.core.sweep.settle import Cause, Settled, find_record, settle, tell_result
from repro.core.sweep.suggest import make_suggester
from repro.core.sweep.troubles import all_failed, no_metric
from repro.core.sweep.underway import GRACE_S, Underway
from repro.core.sweep.unknown import Unknown, find_unknown
from repro.errors import DamagedRecordError, ReproError
from repro.model.ids import new_id
from repro.model.run import Status
from repro.model.space import Params
from repro.model.sweep import (
    Agent,
    Asked,
    Beat,
    Dropped,
    Entry,
    Progress,
    SweepAt,
    Told,
    Trial,
    TrialState,
)
from repro.model.text import escape
from repro.store.process import host_name, this_process

_TICK_S = 0.25  # to look for ^C
_MOST_NAMES = 20  # of metrics that are told

Tell = Callable[[Event], None]
ShouldStop = Callable[[], Stop | None]


def run_sweep(
    project: Project,
    book: Book,
    launcher: Launcher,
    options: Options,
    *,
    tell: Tell,
    should_stop: ShouldStop,
    others: Others | None = None,
) -> Outcome:
    """Run trials of a sweep until there is nothing more to do, or it is ended.

    Every claim and every result is in the ledger before the next step, so that all of it can be
    killed at any moment, and goes on when this is called again. The caller closes the launcher,
    which ends what still runs where an error left it.

    Args:
        tell: Called with what happens, between two steps; about four times a second anyway.
        should_stop: Asked as often.
        others: Who else works on it. None is nobody: then the sweep is this process's alone in
            this clone, and claims of others are taken over.

    Raises:
        ConflictError: Another process of this clone runs it.
        InvalidInputError: What its method needs is not installed.
        StorageError: The disk is full or read-only; what ran is not lost.
        RemoteError: The ledger is out of reach.
    """
    at = book.read()
    alone: AbstractContextManager[None] = nullcontext()
    if others is None:
        alone, others = hold(project, at.sweep.id), NobodyElse()
    with alone:
        loop = _Loop(project, book, launcher, options, tell, should_stop, others, at)
        return loop.run()


class _Loop:
    def __init__(
        self,
        project: Project,
        book: Book,
        launcher: Launcher,
        options: Options,
        tell: Tell,
        should_stop: ShouldStop,
        others: Others,
        at: SweepAt,
    ) -> None:
        self._project = project
        self._book = book
        self._launcher = launcher
        self._options = options
        self._tell = tell
        self._should_stop = should_stop
        self._others = others
        self._at = at
        self._spec = at.sweep.spec
        self._suggester = make_suggester(self._spec)
        self._agent = Agent(new_id(project.entropy), host_name(), this_process().as_json())
        self._underway = Underway(project, self._spec, launcher, self._suggester, options)
        self._orphans = Orphans(project, self._spec, options.retries)
        self._unknown: dict[int, Unknown] = {}
        self._settled: dict[str, Settled] = {}  # what the ledger does not know yet
        self._accepted: list[Settled] = []  # of these, what fits the ledger as it is
        self._is_dry = False  # whether the ledger at `_dry_at` leaves nothing to claim
        self._dry_at = ""
        self._ending: Reason | None = None
        self._is_hard = False
        self._error: ReproError | None = None
        self._n_begun = 0
        self._n_failed = 0
        self._has_result = False
        self._has_said_no_metric = False
        self._started_at = monotonic()
        self._looked_at = self._wrote_at = -inf

    def run(self) -> Outcome:
        self._resume()
        self._unknown = find_unknown(self._project, self._at)
        if self._unknown:
            self._others.publish([one.record.run.id for one in self._unknown.values()])
        while True:
            self._heed(self._should_stop())
            self._look()
            self._write()
            reason = self._find_reason()
            if reason is not None:
                return Outcome(self._at, reason, self._n_begun, self._error)
            self._tell(Looked(self._at, self._underway.runs))
            for end in self._launcher.wait(_TICK_S):
                self._take(end)
            self._underway.prune(self._at)

    def _resume(self) -> None:
        options = self._options
        if options.resume or options.retry_failed:
            now = self._project.clock()
            self._at = self._book.write(lambda at: go_on(at.progress, options, now))

    def _heed(self, stop: Stop | None) -> None:
        """Do what the user asks for; a sweep that somebody stopped can be interrupted, too."""
        if stop is None:
            return
        if self._ending is not Reason.INTERRUPTED:
            self._end(Reason.INTERRUPTED, "interrupted", is_hard=True)
        if stop is Stop.NOW:
            self._underway.stop_all(grace_s=0.0)

    def _look(self) -> None:
        """See what time it is, and once a second what others do."""
        self._underway.kill_due()
        now = monotonic()
        limit = self._options.max_time_s
        if limit is not None and not self._is_hard and now - self._started_at >= limit:
            reason = self._ending or Reason.TIME
            self._end(reason, f"it took {limit:g} s", is_hard=True, grace_s=GRACE_S)
        if now - self._looked_at < self._options.look_s:
            return
        self._see(self._book.read())
        for gone in self._others.find_gone(self._at, self._agent.id):
            trial = _attempt(self._at.progress, gone.run)
            settled = None if trial is None else self._orphans.settle(trial, gone)
            if settled is not None:
                self._weigh(settled)
        self._looked_at = monotonic()

    def _see(self, at: SweepAt) -> None:
        """Take in what others wrote into the ledger."""
        self._at = at
        stopped = at.progress.stopped
        if stopped is not None and (self._ending is None or stopped.is_hard > self._is_hard):
            grace_s = GRACE_S if stopped.is_hard else None
            self._end(Reason.STOPPED, stopped.why, is_hard=stopped.is_hard, grace_s=grace_s)
        for run in self._underway.runs:
            if _attempt(at.progress, run) is None:  # the trial is somebody else's by now
                self._underway.stop(run, Cause.INTERRUPTED, grace_s=0.0)

    def _end(
        self, reason: Reason, why: str, *, is_hard: bool = False, grace_s: float | None = None
    ) -> None:
        """Start no trial any more; with `is_hard` tell those that run to end."""
        self._ending, self._is_hard = reason, is_hard
        if is_hard:
            self._underway.stop_all(grace_s=grace_s)
        self._tell(Ending(escape(why), is_hard))

    def _write(self) -> None:
        """Tell what is over and claim what comes next, at once; then start that."""
        if not self._settled and not self._wants_more():
            self._beat()
            return
        # Of a trial that reuses an earlier run it is that one.
        ours = [one.record.run.id for one in self._settled.values() if one.record is not None]
        if ours:
            self._others.publish(ours)
        at = self._book.write(self._decide)
        self._wrote_at = monotonic()
        if self._is_dry:
            self._dry_at = at.commit
        accepted = self._accepted
        self._accepted, self._settled = [], {}
        self._see(at)
        for one in accepted:
            self._note(one)
        for trial in at.progress.trials:
            is_ours = trial.state is TrialState.RUNNING and trial.agent.id == self._agent.id
            if is_ours and trial.run not in self._underway:
                self._n_begun += 1
                self._underway.begin(at, trial)
                self._tell(Begun(trial))

    def _wants_more(self) -> bool:
        if self._dry_at == self._at.commit or not self._may_begin(self._at.progress):
            return False
        return self._n_free() > 0

    def _may_begin(self, progress: Progress) -> bool:
        if self._ending is not None or progress.stopped is not None:
            return False
        return not is_target_reached(self._spec, progress)

    def _n_free(self) -> int:
        free = self._launcher.n_free()
        count = self._options.count
        return free if count is None else min(free, count - self._n_begun)

    def _decide(self, at: SweepAt) -> Sequence[Entry]:
        """The entries that the ledger gets next, whatever others wrote meanwhile."""
        self._accepted = [
            one for run, one in self._settled.items() if _attempt(at.progress, run) is not None
        ]
        self._is_dry = False
        entries: list[Entry] = [one.entry for one in self._accepted]
        ledger = at.ledger.extended(entries)
        free = self._n_free()
        while free > 0 and self._may_begin(ledger.progress):
            following = find_next(self._spec, self._suggester, ledger)
            if following is None:
                self._is_dry = True
                break
            more, settled = self._claim(*following)
            if settled is None:
                free -= 1
            else:
                self._accepted.append(settled)
            entries += more
            ledger = ledger.extended(more)
        return entries

    def _claim(self, number: int, params: Params) -> tuple[list[Entry], Settled | None]:
        """The claim of a trial; with its result, where a run that nobody knew of has done it."""
        unknown = self._unknown.get(number)
        now = self._project.clock()
        if unknown is None:
            run = str(new_id(self._project.entropy))
            return [Asked(number=number, params=params, run=run, agent=self._agent, time=now)], None
        record = unknown.record
        run = record.run.id
        asked = Asked(number=number, params=unknown.params, run=run, agent=self._agent, time=now)
        settled = tell_result(self._project, self._spec, number, run, record, is_found=True)
        return [asked, settled.entry], settled

    def _beat(self) -> None:
        """Show others that this process is alive, where nothing else did for a while."""
        every = self._options.beat_s
        if every is None or not self._underway.runs or monotonic() - self._wrote_at < every:
            return
        beat = Beat(agent=self._agent.id, time=self._project.clock())
        self._see(self._book.write(lambda _: [beat]))
        self._wrote_at = monotonic()

    def _find_reason(self) -> Reason | None:
        """Why there is nothing more to do here; None while there is."""
        if self._underway.runs or self._settled:
            return None
        progress = self._at.progress
        if self._ending is not None:
            return self._ending
        if is_target_reached(self._spec, progress):
            return Reason.TARGET
        if self._options.count is not None and self._n_begun >= self._options.count:
            return Reason.COUNT
        is_over = self._dry_at == self._at.commit and not progress.count(TrialState.RUNNING)
        return Reason.DONE if is_over else None

    def _take(self, end: TrialEnd) -> None:
        """See what became of an attempt that the launcher says is over."""
        known = self._underway.end(end.run)
        if known is None:
            return
        trial, cause = known
        if end.status is Status.KILLED and cause is Cause.ITSELF:
            # What was sent to all of us, as by a scheduler, may have come there first.
            self._heed(self._should_stop())
            cause = Cause.INTERRUPTED if self._ending is Reason.INTERRUPTED else cause
        record = None
        with suppress(DamagedRecordError):  # then nothing was run
            record = find_record(self._project, end.reused) if end.reused else None
        if record is not None:
            settled = tell_result(
                self._project, self._spec, trial.number, trial.run, record, reused=end.reused
            )
        else:
            settled = settle(
                self._project,
                self._spec,
                trial,
                cause,
                retries=self._options.retries,
                end=end,
            )
        self._weigh(settled)

    def _note(self, one: Settled) -> None:
        """Say what became of a trial, now that the ledger has it, and what follows from that."""
        trial = self._at.progress.trials[one.entry.number]
        if isinstance(one.entry, Dropped):
            self._tell(Again(trial, one.why, one.entry.is_lost))
            return
        self._tell(Over(trial, one.why, one.hint, one.is_found))
        if self._ending is None and is_target_reached(self._spec, self._at.progress):
            self._end(Reason.TARGET, f"trial {trial.number} reached the target")

    def _weigh(self, one: Settled) -> None:
        """See what follows from a result, before another trial is claimed."""
        self._settled[one.entry.run] = one
        if isinstance(one.entry, Dropped):
            return
        self._check_metric(one.entry, one)
        if one.entry.state is not TrialState.FAILED:
            self._has_result = True
        elif not self._has_result:
            self._n_failed += 1
            self._check_failures(one)

    def _check_metric(self, told: Told, one: Settled) -> None:
        """Say once that the metric is not logged, and end a strict sweep, also by a crash."""
        metric, record = self._spec.metric, one.record
        is_finished = record is not None and record.run.status is Status.FINISHED
        if metric is None or self._has_said_no_metric or told.state is not TrialState.FAILED:
            return
        if not (is_finished or self._options.is_strict):
            return
        has_any = any(trial.value is not None for trial in self._at.progress.trials)
        if has_any or (record is not None and find_value(self._spec, record) is not None):
            return
        self._has_said_no_metric = True
        names = [] if record is None else [*record.metrics, *record.summary]
        logged = [escape(name) for name in names][:_MOST_NAMES]
        if is_finished:
            trial = self._at.progress.trials[told.number]
            self._tell(NoMetric(trial, escape(metric), tuple(logged)))
        if self._options.is_strict and self._ending is None:
            self._error = no_metric(told, metric, logged, is_finished=is_finished)
            why = f"no `{metric}` was logged"
            self._end(Reason.NO_METRIC, why, is_hard=True, grace_s=GRACE_S)

    def _check_failures(self, one: Settled) -> None:
        """End a sweep of which nothing works."""
        limit = self._options.max_failures
        if not limit or self._n_failed < limit or self._ending is not None:
            return
        self._error = all_failed(limit, one)
        why = f"the first {limit} trials all failed"
        self._end(Reason.FAILURES, why, is_hard=True, grace_s=GRACE_S)


def _attempt(progress: Progress, run: str) -> Trial | None:
    """The trial that waits for the end of this very attempt; None where there is none."""
    running = (one for one in progress.trials if one.state is TrialState.RUNNING)
    return next((trial for trial in running if trial.run == run), None)

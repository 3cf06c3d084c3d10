"""The loop of a sweep: trials claimed, run, and told, with one ledger write for each."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial
from math import inf
from time import monotonic

from repro.core.project import Project
from repro.core.sweep.claiming import go_on, is_target_reached
from repro.core.sweep.closing import Closing
from repro.core.sweep.drafting import Draft, find_attempt
from repro.core.sweep.events import Again, Begun, Event, Looked, Over
from repro.core.sweep.holding import hold
from repro.core.sweep.options import Options, Outcome, Reason, Stop
from repro.core.sweep.orphans import Orphans
from repro.core.sweep.others import NobodyElse
from repro.core.sweep.prospects import Prospects
from repro.core.sweep.protocols import Book, Launcher, Others, TrialEnd
from repro.core.sweep.settle import Cause, Settled, find_record, settle, tell_result
from repro.core.sweep.suggest import make_suggester
from repro.core.sweep.underway import Underway
from repro.core.sweep.unknown import find_unknown
from repro.errors import DamagedRecordError
from repro.model.ids import new_id
from repro.model.run import Status
from repro.model.sweep import Agent, Beat, Dropped, Progress, SweepAt, TrialState
from repro.store.process import host_name, this_process

_TICK_S = 0.25  # to look for ^C

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
        suggester = make_suggester(self._spec)
        self._agent = Agent(new_id(project.entropy), host_name(), this_process().as_json())
        self._underway = Underway(project, self._spec, launcher, suggester, options)
        self._orphans = Orphans(project, self._spec, options.retries)
        self._prospects = Prospects(self._spec, options)
        self._draft = Draft(project, self._spec, suggester, self._agent)
        self._closing = Closing(self._underway, options, tell)
        self._n_begun = 0
        self._looked_at = self._wrote_at = -inf

    def run(self) -> Outcome:
        self._resume()
        unknown = self._draft.unknown = find_unknown(self._project, self._at)
        if unknown:
            self._others.publish([one.record.run.id for one in unknown.values()])
        while True:
            self._closing.heed(self._should_stop())
            self._look()
            self._write()
            reason = self._find_reason()
            if reason is not None:
                return Outcome(self._at, reason, self._n_begun, self._closing.error)
            self._tell(Looked(self._at, self._underway.runs))
            for end in self._launcher.wait(_TICK_S):
                self._take(end)
            self._underway.prune(self._at)

    def _resume(self) -> None:
        options = self._options
        if options.resume or options.retry_failed:
            now = self._project.clock()
            self._at = self._book.write(lambda at: go_on(at.progress, options, now))

    def _look(self) -> None:
        """See what time it is, and once a second what others do."""
        self._underway.kill_due()
        self._closing.check_time()
        if monotonic() - self._looked_at < self._options.look_s:
            return
        self._see(self._book.read())
        for gone in self._others.find_gone(self._at, self._agent.id):
            trial = find_attempt(self._at.progress, gone.run)
            settled = None if trial is None else self._orphans.settle(trial, gone)
            if settled is not None:
                self._weigh(settled)
        self._looked_at = monotonic()

    def _see(self, at: SweepAt) -> None:
        """Take in what others wrote into the ledger."""
        self._at = at
        self._closing.see(at.progress.stopped)
        for run in self._underway.runs:
            if find_attempt(at.progress, run) is None:  # the trial is somebody else's by now
                self._underway.stop(run, Cause.INTERRUPTED, grace_s=0.0)

    def _write(self) -> None:
        """Tell what is over and claim what comes next, at once; then start that."""
        if not self._draft and not self._wants_more():
            self._beat()
            return
        if ours := self._draft.runs:
            self._others.publish(ours)
        at = self._book.write(
            partial(self._draft.decide, free=self._n_free(), may_begin=self._may_begin)
        )
        self._wrote_at = monotonic()
        accepted = self._draft.written(at)
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
        if self._draft.is_dry(self._at) or not self._may_begin(self._at.progress):
            return False
        return self._n_free() > 0

    def _may_begin(self, progress: Progress) -> bool:
        if self._closing.reason is not None or progress.stopped is not None:
            return False
        return not is_target_reached(self._spec, progress)

    def _n_free(self) -> int:
        free = self._launcher.n_free()
        count = self._options.count
        return free if count is None else min(free, count - self._n_begun)

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
        if self._underway.runs or self._draft:
            return None
        progress = self._at.progress
        if self._closing.reason is not None:
            return self._closing.reason
        if is_target_reached(self._spec, progress):
            return Reason.TARGET
        if self._options.count is not None and self._n_begun >= self._options.count:
            return Reason.COUNT
        is_over = self._draft.is_dry(self._at) and not progress.count(TrialState.RUNNING)
        return Reason.DONE if is_over else None

    def _take(self, end: TrialEnd) -> None:
        """See what became of an attempt that the launcher says is over."""
        known = self._underway.end(end.run)
        if known is None:
            return
        trial, cause = known
        if end.status is Status.KILLED and cause is Cause.ITSELF:
            # What was sent to all of us, as by a scheduler, may have come there first.
            self._closing.heed(self._should_stop())
            is_interrupted = self._closing.reason is Reason.INTERRUPTED
            cause = Cause.INTERRUPTED if is_interrupted else cause
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

    def _weigh(self, one: Settled) -> None:
        """See what follows from a result, before another trial is claimed."""
        self._draft.add(one)
        said, hopeless = self._prospects.weigh(one, self._at.progress)
        if said is not None:
            self._tell(said)
        if hopeless is not None:
            self._closing.give_up(hopeless)

    def _note(self, one: Settled) -> None:
        """Say what became of a trial, now that the ledger has it, and what follows from that."""
        trial = self._at.progress.trials[one.entry.number]
        if isinstance(one.entry, Dropped):
            self._tell(Again(trial, one.why, one.entry.is_lost))
            return
        self._tell(Over(trial, one.why, one.hint, one.is_found))
        if is_target_reached(self._spec, self._at.progress):
            self._closing.reach_target(trial.number)

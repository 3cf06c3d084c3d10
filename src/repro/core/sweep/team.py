"""The agents of other clones that work on a sweep: who of them is gone, and what they are given."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from time import monotonic

from repro.core.fetch import fetch_runs
from repro.core.project import Project
from repro.core.push import push_runs
from repro.core.push_plan import choose_to_push, plan_push
from repro.core.sweep.protocols import Gone
from repro.core.sweep.remote_book import RemoteBook
from repro.errors import RemoteError, ReproError, UnknownRunError
from repro.model.readable import format_duration
from repro.model.sharing import Refusal
from repro.model.sweep import Agent, Beat, Entry, SweepAt, TrialState
from repro.model.text import escape
from repro.store.process import boot_id, host_name, is_alive, parse_process
from repro.store.remoterefs import GitRemote

LEASE_S = 300.0
BEATS = 5  # in a lease


class Team:
    """Those who share a sweep over a git remote (an `Others`).

    An agent that was not heard of for the length of the lease is gone, and its claims are free.
    No times of two machines are compared: what counts is how long this process, by its own clock,
    has seen nothing new from it. Of one on this machine it is seen at once whether its process is
    there. A run is on the remote before its result is told, so that of an agent that died in
    between nothing has to be done again.
    """

    def __init__(
        self,
        project: Project,
        remote: GitRemote,
        book: RemoteBook,
        *,
        lease_s: float = LEASE_S,
    ) -> None:
        """Ask nothing yet.

        Args:
            lease_s: The same for all agents of a sweep, and several times as long as each is
                silent at most.
        """
        self._project = project
        self._remote = remote
        self._book = book
        self._lease_s = lease_s
        self._heard: dict[str, tuple[float, float]] = {}  # what an agent said last, and when
        self._refused: dict[str, Refusal] = {}
        self._me: str | None = None

    @property
    def refused(self) -> tuple[Refusal, ...]:
        """Runs that could not be given to the others, and why."""
        return tuple(self._refused.values())

    def find_gone(self, at: SweepAt, me: str) -> Sequence[Gone]:
        """The claims of agents that are gone, each with its run here, where that was pushed."""
        self._me = me
        now = monotonic()
        for agent, beat in at.progress.beats.items():
            if self._heard.get(agent, (None,))[0] != beat:
                self._heard[agent] = (beat, now)
        found = []
        for trial in at.progress.trials:
            if trial.state is not TrialState.RUNNING or trial.agent.id == me:
                continue
            gone = self._judge(trial.run, trial.agent, now)
            if gone is not None and self._bring(trial.run):
                found.append(gone)
        return found

    def _judge(self, run: str, agent: Agent, now: float) -> Gone | None:
        process = parse_process(agent.process)
        is_here = process is not None and (agent.host, process.boot) == (host_name(), boot_id())
        if is_here and process is not None and not is_alive(process):
            return Gone(run, "the process of its agent ended", is_lost=False)
        silent_s = now - self._heard[agent.id][1]
        if silent_s < self._lease_s:
            return None
        where = f"its agent on {escape(agent.host)}"
        why = f"nothing was heard of {where} for {format_duration(silent_s)}"
        return Gone(run, why, is_lost=True)

    def _bring(self, run: str) -> bool:
        """Fetch the run of an attempt that nobody told the end of; whether that could be asked."""
        with suppress(UnknownRunError):  # the agent did not come so far
            try:
                with self._beating():
                    fetch_runs(self._project, self._remote, names=[run])
            except RemoteError:
                return False
        return True

    def publish(self, runs: Sequence[str]) -> None:
        """Push sealed runs; one that is refused stays here, and its result is told nevertheless.

        Raises:
            RemoteError: The remote is out of reach for too long.
        """
        if self._book.silent_s > self._lease_s / 2:
            # After a sleep of the machine others may have done them again.
            trials = self._book.read().progress.trials
            lost = {run for trial in trials for run in trial.earlier}
            lost |= {trial.run for trial in trials if trial.state is TrialState.WAITING}
            runs = [run for run in runs if run not in lost]
        if runs:
            with self._beating():
                self._book.persist(lambda: self._push(runs))

    @contextmanager
    def _beating(self) -> Iterator[None]:
        """Show that this process is alive while it carries runs, which may take an hour.

        It does nothing else meanwhile, so that nobody else uses the ledger.
        """
        is_over = threading.Event()
        thread = threading.Thread(target=self._beat, args=(is_over,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()

    def _beat(self, is_over: threading.Event) -> None:
        me = self._me

        def say(_: SweepAt) -> Sequence[Entry]:
            # Before the first look nothing was claimed.
            return [] if me is None else [Beat(agent=me, time=self._project.clock())]

        while not is_over.wait(self._lease_s / BEATS):
            with suppress(ReproError):  # what carries the runs says so, too
                self._book.write(say)

    def _push(self, runs: Sequence[str]) -> None:
        plan = plan_push(self._project, self._remote, choose_to_push(self._project, runs))
        for refusal in push_runs(self._project, plan).refused:
            self._refused[refusal.run] = refusal

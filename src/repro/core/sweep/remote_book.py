"""The ledger of a sweep on a git remote: appended to by compare-and-swap on the remote's ref."""

import random
from collections.abc import Callable, Sequence
from functools import partial
from math import inf
from time import monotonic, sleep
from typing import TypeVar

from repro.core.project import Project, who_am_i
from repro.core.push_sweeps import plan_sweeps, send_sweeps
from repro.core.sweep_arrivals import fetch_sweeps
from repro.errors import ConflictError, RemoteError, UnknownRunError
from repro.model.sharing import Refusal
from repro.model.sweep import Asked, Entry, SweepAt, TrialState
from repro.store.history import stands_on
from repro.store.objects import reading
from repro.store.outgoing import Outgoing, send_refs
from repro.store.packs import consolidate
from repro.store.quarantine import Quarantine, open_quarantine, publish, write_commits
from repro.store.refs import SWEEPS, RefUpdate, read_ref
from repro.store.remoterefs import GitRemote, ask_ref, list_remote
from repro.store.sweeps import StoredSweep, next_commit, read_sweep
from repro.store.transport_faults import RefFault

PATIENCE_S = 180.0

_TRIES = 50  # others append at the same time; each turn one of them gets through
_LOCAL_TRIES = 10
_ROLL_UP = 32  # looks that brought something, each of which leaves a pack
_PAUSE_S = (0.5, 15.0)  # after the first failure of a connection, and at most
_LOST = RefFault("the connection was lost before it", "run the command again")

T = TypeVar("T")


class _DeclinedError(RemoteError):
    """The remote is there, and takes no entries."""


class RemoteBook:
    """Keeps the ledger of one sweep on a git remote, for agents in many clones (a `Book`).

    What counts is the remote's ref; the one of this clone follows it. Where the remote cannot be
    reached, it is tried again for a while, and trials go on meanwhile.
    """

    def __init__(
        self,
        project: Project,
        remote: GitRemote,
        sweep_id: str,
        *,
        patience_s: float = PATIENCE_S,
        is_stopping: Callable[[], bool] = lambda: False,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Ask nothing yet.

        Args:
            patience_s: So long it is tried to reach the remote. While this process has claims,
                the time runs from the last entry that it wrote, for from then on others wait.
            is_stopping: Whether the user wants an end: then nothing is tried again.
            say: Told once of each time that the remote is out of reach.
        """
        self._project = project
        self._remote = remote
        self._id = sweep_id
        self._ref = SWEEPS + sweep_id
        self._author = who_am_i(project)
        self._patience_s = patience_s
        self._is_stopping = is_stopping
        self._say = say
        self._stored: StoredSweep | None = None
        self._agents: set[str] = set()  # who claims trials through this book
        self._has_contact = False
        self._n_brought = 0
        self._written_at = -inf

    @property
    def silent_s(self) -> float:
        """Seconds since this process last wrote into the ledger."""
        return monotonic() - self._written_at

    def read(self) -> SweepAt:
        """The sweep as the remote has it now.

        Raises:
            UnknownRunError: The remote has no such sweep, or the user removed it here.
            RemoteError: The remote is out of reach for too long.
            ConflictError: What the remote has of it is not sound, or it is another sweep.
        """
        return self.persist(self._read).at

    def write(self, decide: Callable[[SweepAt], Sequence[Entry]]) -> SweepAt:
        """Append what `decide` gives for the sweep as it is; the sweep with it.

        It is asked about the sweep as this process saw it last, so that it costs one connection
        where nobody else wrote meanwhile.

        Raises:
            As `read`.
            ConflictError: Others append all the time.
            StorageError: The disk is full or read-only.
        """
        for attempt in range(_TRIES):
            stored = self._stored or self.persist(self._read)
            entries = decide(stored.at)
            if not entries:
                return stored.at
            tried: list[str] = []
            if self.persist(partial(self._append, stored, entries, tried)):
                if read_ref(self._project.repository.git, self._ref) == tried[-1]:
                    return self._read_here(tried[-1], stored).at
                return self.persist(self._read).at
            sleep(random.uniform(0, 0.05 * min(attempt + 1, 20)))  # noqa: S311  # no secret
            stored = self.persist(self._read)
            # Of a connection that was lost nobody knows what came of it until now.
            git = self._project.repository.git
            if any(stands_on(git, stored.at.commit, one) for one in tried[:-1]):
                return stored.at
        raise ConflictError(
            f"others write into the ledger of sweep `{self._id}` all the time",
            hint="fewer agents with more jobs each (`-j`) write less often",
        )

    def persist(self, action: Callable[[], T]) -> T:
        """Do what needs the remote, again and again while that is out of reach.

        Raises:
            RemoteError: It is out of reach for too long, or was so from the start.
        """
        began_at = monotonic()
        pause_s, most_s = _PAUSE_S
        is_said = False
        while True:
            try:
                result = action()
            except RemoteError as error:
                since = self._written_at if self._is_holding() else began_at
                left_s = since + self._patience_s - monotonic()
                if not self._has_contact or left_s <= 0 or self._is_stopping():
                    raise
                # A rule that never let anything through will not do so soon.
                if isinstance(error, _DeclinedError) and self._written_at == -inf:
                    raise
                if not is_said:
                    self._say(f"{error.message}; it is tried again for {left_s:.0f} s")
                    is_said = True
                sleep(min(pause_s * random.uniform(0.5, 1), left_s))  # noqa: S311  # no secret
                pause_s = min(2 * pause_s, most_s)
            else:
                self._has_contact = True
                return result

    def _is_holding(self) -> bool:
        """Whether this process has claims that others wait for."""
        trials = self._stored.at.progress.trials if self._stored else ()
        return any(
            trial.state is TrialState.RUNNING and trial.agent.id in self._agents for trial in trials
        )

    def _read(self) -> StoredSweep:
        oid = self._ask()
        git = self._project.repository.git
        if read_ref(git, self._ref) != oid:
            self._bring(oid)
            ours = read_ref(git, self._ref)
            if ours is None:
                raise UnknownRunError(
                    f"sweep `{self._id}` was removed from this clone",
                    hint=f"`repro restore {self._id}` brings it back",
                )
            if not stands_on(git, oid, ours):
                oid = self._give()
        if self._stored is None or self._stored.at.commit != oid:
            return self._read_here(oid, self._stored)
        return self._stored

    def _ask(self) -> str:
        # Where pushes go, for what another place shows of it may be old.
        oid = ask_ref(self._project.repository.git, self._remote, self._ref, push=True)
        if oid is None:
            raise UnknownRunError(
                f"`{self._remote.label}` has no sweep `{self._id}`",
                hint=f"`repro push {self._remote.label} {self._id}` in the clone that has it",
            )
        return oid

    def _bring(self, oid: str) -> None:
        """Have a commit of the remote here, vetted, and the ref of this clone at it if it can."""
        taken = fetch_sweeps(self._project, self._remote, {self._id: oid}, push=True)
        self._refuse(taken.refused)
        self._n_brought += 1
        if self._n_brought % _ROLL_UP == 0:  # who only waits for others seals no run that does it
            consolidate(self._project.repository, now=self._project.clock())

    def _give(self) -> str:
        """Push what was said of the sweep in this clone alone, such as a stop; the commit then."""
        refs = list_remote(self._project.repository.git, self._remote, push=True)
        ours = read_ref(self._project.repository.git, self._ref)
        plan = plan_sweeps(self._project, refs, {self._id: ours} if ours else {})
        self._refuse((*plan.refused, *send_sweeps(self._project, self._remote, plan).refused))
        return read_ref(self._project.repository.git, self._ref) or self._ask()

    def _refuse(self, refused: Sequence[Refusal]) -> None:
        for one in refused:
            raise ConflictError(
                f"sweep `{self._id}` here and on `{self._remote.label}`: {one.reason}",
                hint=one.hint or None,
            )

    def _read_here(self, commit: str, before: StoredSweep | None) -> StoredSweep:
        with reading(self._project.repository) as objects:
            self._stored = read_sweep(objects, commit, before)
        return self._stored

    def _append(self, stored: StoredSweep, entries: Sequence[Entry], tried: list[str]) -> bool:
        """Try once to write; whether the entries are in the ledger now.

        Args:
            tried: Gets the commit that was sent.

        Raises:
            RemoteError: The remote is out of reach, or does not take it whoever else writes.
        """
        self._agents |= {entry.agent.id for entry in entries if isinstance(entry, Asked)}
        before = stored.at.commit
        spec = next_commit(stored, entries, when=self._project.clock(), author=self._author)
        git = self._project.repository.git
        with open_quarantine(self._project.repository) as quarantine:
            [commit] = write_commits(quarantine, [spec])
            tried.append(commit)
            began_at = monotonic()
            try:
                outgoing = [Outgoing(self._ref, commit, lease=before)]
                answered = send_refs(git, self._remote, outgoing, env=quarantine.env)
                fault = answered.get(self._ref, _LOST)
            except RemoteError as error:
                # The connection may have been lost behind what it was for.
                if ask_ref(git, self._remote, self._ref, push=True) != commit:
                    raise error from None
                fault = None
            if fault is not None and fault.is_moved:
                return False
            if fault is not None:
                raise _DeclinedError(
                    f"`{self._remote.label}` declined sweep `{self._id}`: {fault.reason}",
                    hint=fault.hint or None,
                )
            self._written_at = began_at
            self._follow(quarantine, commit, before)
        return True

    def _follow(self, quarantine: Quarantine, commit: str, before: str) -> None:
        """Move the ref of this clone to a commit that is the remote's by now, where it fits."""
        git = self._project.repository.git
        for attempt in range(_LOCAL_TRIES):
            ours = read_ref(git, self._ref)
            if ours is not None and not stands_on(git, before, ours):
                return  # somebody else here said something: the next look joins it
            try:
                update = RefUpdate(self._ref, new=commit, old=ours)
                publish(quarantine, tips=[commit], exclude=[before], refs=[update])
                return
            except ConflictError:
                if attempt == _LOCAL_TRIES - 1:
                    raise

"""What happened in a sweep: the entries of its ledger, and the state that they add up to.

The ledger is the truth of a sweep (FORMAT.md, "Sweeps"). Its entries have one order, as whoever
appends one must have seen all before it; everything else, also what a sampler suggests next, is
computed from them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from repro.model.space import Params
from repro.model.sweepspec import SweepSpec

MOST_STEPS = 1000  # values on the way that a ledger keeps of one trial


class TrialState(StrEnum):
    """How far a trial is."""

    WAITING = "waiting"  # asked once, but its attempt was lost or interrupted
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"  # its command failed, or gave no usable value of the metric
    PRUNED = "pruned"  # stopped, for others were better at the same step


OVER = frozenset({TrialState.FINISHED, TrialState.FAILED, TrialState.PRUNED})


@dataclass(frozen=True, slots=True)
class Agent:
    """Who runs trials: one process that claims them.

    Attributes:
        id: Drawn anew by each process, in the form of a run id.
        host: Name of its machine.
        process: As `store.process.Process.as_json` gives it.
    """

    id: str
    host: str
    process: Mapping[str, int | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An attempt of a trial is claimed: from now on `agent` runs it, as the run `run`."""

    number: int
    params: Params
    run: str
    agent: Agent
    time: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A trial is over.

    Attributes:
        run: Of the attempt that is over.
        value: Of the metric; None where there is none that counts.
        steps: Values on the way, each with its step; at most 1000, thinned out evenly.
        reused: An earlier run of the same conditions, whose results are taken; nothing was run.
        why: How it failed, in one line; empty where it did not.
    """

    number: int
    run: str
    state: TrialState
    time: float
    value: float | None = None
    steps: tuple[tuple[int, float], ...] = ()
    duration_s: float | None = None
    reused: str | None = None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """An attempt ended without a result, and the trial waits for another one.

    Attributes:
        is_lost: Whether it counts as a lost attempt; one that the user interrupted does not.
    """

    number: int
    run: str
    why: str
    is_lost: bool
    time: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reopened:
    """A trial that failed waits for another attempt, as if none had been lost before."""

    number: int
    time: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """An agent is alive."""

    agent: str
    time: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """No trial is to be started from now on; with `is_hard` those that run are to end."""

    why: str
    time: float
    is_hard: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """The sweep goes on.

    Attributes:
        run_cap: At most so many trials from now on; None leaves that as it is.
    """

    time: float
    run_cap: int | None = None


Entry = Asked | Told | Dropped | Reopened | Beat | Stopped | Resumed


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One point of the search space.

    Attributes:
        number: From 0, in the order asked.
        run: Of its last attempt, or the earlier one that was reused.
        agent: Whose claim it is, or was.
        asked_at: Seconds since 1970.
        n_lost: How many attempts were lost, since it failed last where it was to be run again.
        n_reopened: How often it failed and was to be run again.
        why: How it failed, in one line; empty where it did not.
        earlier: Runs of the attempts before the last one.
    """

    number: int
    params: Params
    state: TrialState
    run: str
    agent: Agent
    asked_at: float
    value: float | None = None
    steps: tuple[tuple[int, float], ...] = ()
    duration_s: float | None = None
    is_reused: bool = False
    n_lost: int = 0
    n_reopened: int = 0
    why: str = ""
    earlier: tuple[str, ...] = ()

    @property
    def is_over(self) -> bool:
        """Whether nothing will change of it any more."""
        return self.state in OVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What the entries of a ledger add up to.

    Attributes:
        trials: In the order of their numbers, which have no gap.
        beats: When each agent was last heard of, by its id: also by what else it wrote.
        stopped: The last stop, where the sweep was not resumed since.
        run_cap: As the last `Resumed` set it; None where none did.
    """

    trials: tuple[Trial, ...] = ()
    beats: Mapping[str, float] = field(default_factory=dict)
    stopped: Stopped | None = None
    run_cap: int | None = None

    def count(self, *states: TrialState) -> int:
        """How many trials are in one of some states."""
        return sum(trial.state in states for trial in self.trials)


def add_up(entries: Iterable[Entry], before: Progress | None = None) -> Progress:
    """Give the state after `entries`, which follow those that led to `before`.

    An entry that does not fit is left out, so that of two answers for one trial the first counts:
    a result of an attempt that is not the trial's any more, a claim of a trial that runs, that
    one which did not fail is to be tried again.
    """
    start = before or Progress()
    trials = list(start.trials)
    beats = dict(start.beats)
    stopped, cap = start.stopped, start.run_cap
    earlier: dict[int, list[str]] = {}  # put into the trials at the end: a ledger may be hostile
    for entry in entries:
        match entry:
            case Asked():
                if _claim(trials, entry, earlier):
                    beats[entry.agent.id] = entry.time
            case Told() | Dropped():
                _end(trials, entry, beats)
            case Reopened():
                _reopen(trials, entry.number)
            case Beat():
                beats[entry.agent] = entry.time
            case Stopped():
                stopped = entry
            case Resumed():
                stopped = None
                cap = cap if entry.run_cap is None else entry.run_cap
    for number, runs in earlier.items():
        trial = trials[number]
        trials[number] = replace(trial, earlier=(*trial.earlier, *runs))
    return Progress(trials=tuple(trials), beats=beats, stopped=stopped, run_cap=cap)


def _claim(trials: list[Trial], asked: Asked, earlier: dict[int, list[str]]) -> bool:
    if asked.number == len(trials):
        trials.append(
            Trial(
                number=asked.number,
                params=asked.params,
                state=TrialState.RUNNING,
                run=asked.run,
                agent=asked.agent,
                asked_at=asked.time,
            )
        )
        return True
    if not 0 <= asked.number < len(trials):
        return False
    trial = trials[asked.number]
    if trial.state is not TrialState.WAITING:
        return False
    trials[asked.number] = replace(
        trial,
        state=TrialState.RUNNING,
        run=asked.run,
        agent=asked.agent,
        asked_at=asked.time,
    )
    earlier.setdefault(asked.number, []).append(trial.run)
    return True


def _end(trials: list[Trial], entry: Told | Dropped, beats: dict[str, float]) -> None:
    trial = _attempt(trials, entry.number, entry.run)
    if trial is not None:
        trials[entry.number] = _ended(trial, entry)
        beats[trial.agent.id] = entry.time


def _reopen(trials: list[Trial], number: int) -> None:
    if not 0 <= number < len(trials) or trials[number].state is not TrialState.FAILED:
        return
    trial = trials[number]
    trials[number] = replace(
        trial,
        state=TrialState.WAITING,
        value=None,
        steps=(),
        duration_s=None,
        is_reused=False,
        n_lost=0,
        n_reopened=trial.n_reopened + 1,
        why="",
    )


def _attempt(trials: list[Trial], number: int, run: str) -> Trial | None:
    """The trial whose present attempt is `run`; None where there is none."""
    if not 0 <= number < len(trials):
        return None
    trial = trials[number]
    return trial if trial.state is TrialState.RUNNING and trial.run == run else None


def _ended(trial: Trial, entry: Told | Dropped) -> Trial:
    if isinstance(entry, Dropped):
        n_lost = trial.n_lost + entry.is_lost
        return replace(trial, state=TrialState.WAITING, n_lost=n_lost)
    return replace(
        trial,
        state=entry.state,
        run=entry.reused or entry.run,
        value=entry.value,
        steps=entry.steps,
        duration_s=entry.duration_s,
        is_reused=entry.reused is not None,
        why=entry.why,
    )


@dataclass(frozen=True, slots=True)
class Ledger:
    """The entries of a sweep in their order, with what they add up to."""

    entries: tuple[Entry, ...] = ()
    progress: Progress = field(default_factory=Progress)

    def extended(self, entries: Iterable[Entry]) -> "Ledger":
        """The ledger with more entries at its end."""
        more = tuple(entries)
        return Ledger((*self.entries, *more), add_up(more, self.progress))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """A sweep as it was made; nothing of it changes after.

    Attributes:
        base: Commit of the frozen record: code, data, config and environment of every trial.
        created: UTC, RFC 3339.
    """

    id: str
    base: str
    created: str
    user: str
    host: str
    spec: SweepSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepAt:
    """A sweep with its ledger as a commit has it."""

    sweep: Sweep
    commit: str
    ledger: Ledger

    @property
    def progress(self) -> Progress:
        """What happened so far."""
        return self.ledger.progress

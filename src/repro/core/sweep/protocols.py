"""What the loop of a sweep stands on: who suggests, who keeps the ledger, who runs trials."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, Self

from repro.errors import ReproError
from repro.model.run import Status
from repro.model.space import Params
from repro.model.sweep import Entry, Ledger, SweepAt, Trial


class Suggester(Protocol):
    """Chooses params: a function of the spec and the ledger, and of nothing else."""

    def suggest(self, ledger: Ledger) -> Params | None:
        """The params of the trial that comes next; None where the space has no more."""

    def should_prune(
        self, ledger: Ledger, trial: Trial, steps: Sequence[tuple[int, float]]
    ) -> bool:
        """Whether a trial in progress, with these values so far, is to be stopped."""


class Book(Protocol):
    """Keeps the ledger of one sweep, for all who work on it."""

    def read(self) -> SweepAt:
        """The sweep as it is now."""

    def write(self, decide: Callable[[SweepAt], Sequence[Entry]]) -> SweepAt:
        """Append what `decide` gives for the sweep as it is; the sweep with it.

        Where somebody else was faster, `decide` is asked again, with theirs in the ledger.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """An attempt of a trial, to be run.

    Attributes:
        base: Commit of the frozen record.
        run: The id that its run gets.
        environ: Variables beside those of the sweep's own process, such as the GPUs it may see.
        reuse: Whether an earlier run of the very same conditions is taken instead.
    """

    sweep: str
    base: str
    number: int
    run: str
    params: Params
    environ: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float | None = None
    reuse: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialEnd:
    """An attempt that is over.

    Attributes:
        run: The id of the task.
        status: How its run ended; None where none was recorded.
        reused: The id of the earlier run that was taken instead.
        error: Why it could not be run or recorded, in one line.
        hint: What to do about that.
        slug: Of the `ReproError` that said so; empty where its worker was lost.
    """

    run: str
    status: Status | None = None
    reused: str | None = None
    error: str = ""
    hint: str = ""
    slug: str = ""

    @classmethod
    def by_error(cls, run: str, error: ReproError, status: Status | None = None) -> Self:
        """The end of an attempt that could not be run or recorded, as `error` says."""
        said = error.message
        return cls(run=run, status=status, error=said, hint=error.hint or "", slug=error.slug)


class Launcher(Protocol):
    """Runs tasks, several at a time."""

    def n_free(self) -> int:
        """How many tasks it would start at once now."""

    def submit(self, task: Task) -> None:
        """Start a task."""

    def wait(self, timeout_s: float) -> list[TrialEnd]:
        """Those that ended since; an empty list once so much time has passed."""

    def stop(self, run: str, *, is_hard: bool = False) -> None:
        """Tell a task to end, by SIGTERM or by SIGKILL; nothing where it has ended."""

    def close(self) -> None:
        """End all that runs, and give back what was taken for it."""


@dataclass(frozen=True, slots=True)
class Gone:
    """A claim whose agent is taken for dead.

    Attributes:
        run: Of the attempt.
        is_lost: Whether that counts as a lost attempt of the trial.
    """

    run: str
    why: str
    is_lost: bool


class Others(Protocol):
    """Whoever else works on the sweep."""

    def find_gone(self, at: SweepAt, me: str) -> Sequence[Gone]:
        """The claims of others than the agent `me` that are to be taken over, asked each second."""

    def publish(self, runs: Sequence[str]) -> None:
        """Let others have some sealed runs of ours, before their results are told."""

"""What a sweep in progress tells of itself, as it happens."""

from dataclasses import dataclass

from repro.model.sweep import SweepAt, Trial


@dataclass(frozen=True, slots=True)
class Begun:
    """An attempt of a trial was handed to the launcher."""

    trial: Trial


@dataclass(frozen=True, slots=True)
class Over:
    """A trial is over.

    Attributes:
        why: How it failed, in one line, escaped; empty where it did not.
        hint: What to do about that.
        is_found: Whether its run was there already, and the ledger did not know of it.
    """

    trial: Trial
    why: str = ""
    hint: str = ""
    is_found: bool = False


@dataclass(frozen=True, slots=True)
class Again:
    """An attempt ended without a result; its trial waits for another one.

    Attributes:
        is_lost: Whether it counts as a lost attempt.
    """

    trial: Trial
    why: str
    is_lost: bool


@dataclass(frozen=True, slots=True)
class NoMetric:
    """A trial finished and never logged the metric of the sweep; told once.

    Attributes:
        logged: What it did log, the names escaped.
    """

    trial: Trial
    metric: str
    logged: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ending:
    """No trial is started any more.

    Attributes:
        why: In a few words.
        is_hard: Whether those that run are told to end.
    """

    why: str
    is_hard: bool = False


@dataclass(frozen=True, slots=True)
class Looked:
    """Some tenths of a second went by, or something changed.

    Attributes:
        running: The runs that this process has under way.
    """

    at: SweepAt
    running: tuple[str, ...]


Event = Begun | Over | Again | NoMetric | Ending | Looked

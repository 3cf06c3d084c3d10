"""What verifying a rerun says, as values (FORMAT.md section "Verdicts")."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """How the results of a rerun stand to those of its original."""

    IDENTICAL = "identical"
    WITHIN = "within tolerance"
    DIVERGED = "diverged"
    INCOMPARABLE = "incomparable"

    @property
    def is_success(self) -> bool:
        """Whether the result was reproduced."""
        return self in (Outcome.IDENTICAL, Outcome.WITHIN)


class ArtifactState(StrEnum):
    """How an artifact of the rerun stands to that of the original."""

    SAME = "same"
    DIFFERS = "differs"
    MISSING = "missing"  # the rerun has none
    ADDED = "added"  # the original has none


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far apart two finite values may be: `atol + rtol * abs(original)`, both finite, >= 0."""

    rtol: float = 0.0
    atol: float = 0.0


@dataclass(frozen=True, slots=True)
class Deviation:
    """The largest deviation of a metric, and where it is.

    Attributes:
        size: Absolute, in the unit of the metric; or relative to the original's value.
        values: Of the original and of the rerun, at that step.
    """

    size: float
    step: int
    values: tuple[float, float]


@dataclass(frozen=True, slots=True)
class First:
    """The first point that differs; None stands where one side has no point at that step."""

    metric: str
    step: int
    values: tuple[float | None, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricVerdict:
    """How one metric fared.

    Attributes:
        outcome: `INCOMPARABLE` for a metric that only one side has.
        points: How many steps both sides have.
        first: The first point beyond the tolerance; None where there is none.
        largest_absolute: None where all points are the same bit for bit.
        largest_relative: Likewise; points where the original is 0 do not count.
    """

    outcome: Outcome
    points: int
    first: First | None = None
    largest_absolute: Deviation | None = None
    largest_relative: Deviation | None = None


@dataclass(frozen=True, slots=True)
class LineDifference:
    """The first line that differs; None stands where one output had ended.

    Attributes:
        number: Counted from 1.
        texts: Of the original and of the rerun, cut to 200 characters.
    """

    number: int
    texts: tuple[str | None, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputVerdict:
    """How what the command printed fared.

    Attributes:
        lines: Of the longer output.
        masked: Lines that count as equal because they differ only in times, durations, dates,
            addresses, process ids or temporary paths.
        first: The first other line that differs; None where there is none.
        is_cut: Whether a part of an output is not here, and was not compared.
    """

    lines: int
    masked: int = 0
    first: LineDifference | None = None
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Cause:
    """A condition that differs.

    Attributes:
        part: `code`, `command`, `config`, `data`, `randomness`, `environment`, `hardware`; or
            `unknown` where nothing that was recorded differs.
        what: One readable line.
    """

    part: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What verifying a rerun says.

    Attributes:
        run: Id of the rerun; `rerun_of` of the original.
        first: Where the metrics diverged first; None where they did not.
        missing: What could not be compared, each in words.
        ends: How each of both ended, such as `failed, exit code 3`.
        metrics: By name, sorted.
        summary: What the user set beside the metrics, by dotted key, sorted; `INCOMPARABLE` for
            what only one side has. Where only chosen metrics count, those of their names.
        artifacts: By path, sorted; empty where only chosen metrics count.
        output: None where only chosen metrics count.
        causes: Conditions that differ, likeliest first; none for `IDENTICAL`.
    """

    run: str
    rerun_of: str
    outcome: Outcome
    tolerance: Tolerance = Tolerance()
    first: First | None = None
    missing: tuple[str, ...] = ()
    ends: tuple[str, str]
    metrics: Mapping[str, MetricVerdict] = field(default_factory=dict)
    summary: Mapping[str, Outcome] = field(default_factory=dict)
    artifacts: Mapping[str, ArtifactState] = field(default_factory=dict)
    output: OutputVerdict | None = None
    causes: tuple[Cause, ...] = ()

"""A run and the parts of its record, as values (FORMAT.md section "The record")."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

from repro.model.canonical import Json
from repro.model.ids import RunId

if TYPE_CHECKING:
    from repro.model.verdict import Verdict

FORMAT_VERSION = 1


class Status(StrEnum):
    """How far a run came."""

    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    KILLED = "killed"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Omitted:
    """A file that the snapshot left out.

    Attributes:
        path: Relative to the root, with `/`.
        size: Bytes, None where it could not be read.
        reason: `too large`, `total too large`, `looks secret`, `excluded`, `unreadable`,
            `clone of a remote`.
    """

    path: str
    size: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file that a run produced and repro keeps.

    Attributes:
        path: Name in the record, relative, with `/`.
        size: Bytes.
        digest: `sha256:<64 hex>`.
        where: `git` (in the record under `artifacts/`) or `store` (the content store).
    """

    path: str
    size: int
    digest: str
    where: Literal["git", "store"]


@dataclass(frozen=True, slots=True)
class MetricSummary:
    """All points of one metric in a few numbers.

    Min, max and mean leave NaN out; they are None where there is nothing else.
    """

    last: float
    last_step: int
    first: float
    min: float | None
    min_step: int | None
    max: float | None
    max_step: int | None
    mean: float | None
    count: int
    goal: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One execution of a run that was resumed; times as `format_time` writes them."""

    started: str
    ended: str | None
    status: Status
    exit_code: int | None
    host: str
    snapshot: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Curation:
    """Since when a run has its name, note and tags; stamps as `format_time` writes them.

    Attributes:
        name: Of the name that the run has, or of its having none; `note` likewise.
        tags: By each tag that it has.
        untagged: By each tag that was taken off.
        files: By each file of the record that was put there afterwards.
        extra: Keys that this version does not know, kept as they are.
    """

    name: str
    note: str
    tags: Mapping[str, str] = field(default_factory=dict)
    untagged: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What `run.json` says.

    Attributes:
        created: When the run was first started, as `format_time` writes it; `started` is of
            the newest attempt.
        duration_s: Seconds in execution, all attempts together; None while it runs.
        cwd: Relative to the root, `.` for the root itself.
        assigned: Config that was given apart from files and command: with `-c`, or to `init()` of
            a program that no `repro run` leads. None in records that do not tell.
        base: The commit HEAD named at the start; None before the first commit.
        snapshot: The commit whose tree is the working tree of the run; `base` if that was clean.
        dirty: Whether the snapshot differs from the base.
        pruned: Whether it was ended before its time, for others were better: its values are some
            on the way, and no result.
        identity: Hash over all conditions; equal means "we tried this".
        lost_points: Acknowledged points that could not be kept, exactly counted.
        sweep: Id of the sweep whose trial it is.
        trial: Which one, from 0.
        foreign: Of a rerun or a trial: files of the original's tree that it took code from.
        unwatched: Of a rerun or a trial: its programs of which nobody saw where their code came
            from.
        curation: Since when it has its name, note and tags; None where they never changed.
        extra: Keys of a run.json that this version does not know, kept as they are.
    """

    id: RunId
    name: str | None
    status: Status
    created: str
    started: str
    ended: str | None
    duration_s: float | None
    command: tuple[str, ...]
    cwd: str
    assigned: Mapping[str, Any] | None = None
    exit_code: int | None = None
    signal: str | None = None
    pruned: bool = False
    base: str | None = None
    snapshot: str | None = None
    branch: str | None = None
    dirty: bool = False
    user: str
    host: str
    parent: str | None = None
    rerun_of: str | None = None
    sweep: str | None = None
    trial: int | None = None
    tags: tuple[str, ...] = ()
    note: str | None = None
    identity: str | None = None
    omitted: tuple[Omitted, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    lost_points: int = 0
    skipped_lines: int = 0
    warnings: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    unwatched: tuple[str, ...] = ()
    curation: Curation | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


def describe_status(run: Run) -> str:
    """The status as people read it, with a word on a run that was ended for others were better."""
    return f"{run.status.value}, pruned" if run.pruned else run.status.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A run with all parts of its record that are small enough to hold in memory.

    Attributes:
        commit: Object id of the run commit; empty while the record is not written yet.
        config: The whole config, nested, in the order given.
        metrics: Summary of each metric.
        summary: What the user set beside the metrics.
        data: Datasets by name: path, digest, files, bytes, kept.
        environment: Interpreter, packages, hardware, variables.
        verdict: Whether a rerun gave the results of its original; None where nobody asked.
        randomness: Seeds that were drawn, flags that bear on determinism.
        generators: States of generators at `init`, by name, where no seed tells them.
    """

    run: Run
    commit: str = ""
    config: Mapping[str, Json] = field(default_factory=dict)
    metrics: Mapping[str, MetricSummary] = field(default_factory=dict)
    summary: Mapping[str, Json] = field(default_factory=dict)
    data: Mapping[str, Json] = field(default_factory=dict)
    environment: Mapping[str, Json] = field(default_factory=dict)
    artifacts: tuple[Artifact, ...] = ()
    verdict: "Verdict | None" = None
    randomness: Mapping[str, Json] = field(default_factory=dict)
    generators: Mapping[str, Json] = field(default_factory=dict)

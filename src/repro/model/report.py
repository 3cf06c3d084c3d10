"""All that a report of some runs is made from, as values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from repro.model.diff import DataChange, FileChange
from repro.model.importance import Influence
from repro.model.run import Record
from repro.model.sidebyside import Row
from repro.model.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One metric of one run, thinned.

    Attributes:
        run: Its id.
        xs: Steps, increasing; as many as `ys`.
        n_points: How many there were.
    """

    run: str
    xs: Sequence[float]
    ys: Sequence[float]
    n_points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricCurves:
    """The curves of one metric; runs without it have none."""

    metric: str
    curves: tuple[Curve, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeChange:
    """What differs between two code states.

    Attributes:
        letter: Of the code, as in the rows of the report.
        before: The commit that it is compared with; empty for nothing.
        after: The commit whose tree it is.
        is_of_baseline: Whether these are the changes that the baseline had not committed, instead
            of what differs from its code.
        files: All that differ.
        lines: The beginning of the patch.
        is_cut: Whether there is more of it.
        problem: Why it cannot be told; None where it can.
    """

    letter: str
    before: str
    after: str
    is_of_baseline: bool = False
    files: tuple[FileChange, ...] = ()
    lines: tuple[str, ...] = ()
    is_cut: bool = False
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetChange:
    """What differs in a dataset from that of the baseline, for the runs that have it so."""

    runs: tuple[str, ...]
    name: str
    change: DataChange


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Which params go with a metric.

    Attributes:
        n_runs: How many runs have it.
        influences: The least likely to be luck first.
    """

    metric: str
    n_runs: int
    influences: tuple[Influence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """A picture that a run logged.

    Attributes:
        content_type: Of four that hold no script, such as `image/png`.
    """

    run: str
    name: str
    step: int
    caption: str
    content_type: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """The pictures of a report.

    Attributes:
        n_left: How many more there was no room for.
        n_earlier: How many earlier ones of the same names the runs have.
        n_tables: How many tables they have, which a report does not show.
        n_histograms: Likewise how many histograms.
        problems: What could not be read, in words.
    """

    shots: tuple[Shot, ...] = ()
    n_left: int = 0
    n_earlier: int = 0
    n_tables: int = 0
    n_histograms: int = 0
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Runs, and what differs between them.

    Attributes:
        made: When, as `format_time` writes it.
        version: Of the repro that made it.
        command: The words that make it again.
        is_fixed: Whether these are of the same runs whenever they are said.
        where: The filter that chose runs; empty for none.
        sort: What the runs that fit are sorted by; nothing is the newest first.
        has_named: Whether any run was named.
        n_left: How many more runs fit.
        runs: Whole records, the baseline first.
        short: The shortest unique prefix of the id of each run, and of each original of a rerun.
        rows: All items that any of the runs has.
        metrics: Those that are shown.
        n_metrics: How many there are.
        codes: The uncommitted changes of the baseline, then each other code.
        verdicts: Of the runs, and of reruns of them, the newest last.
        problems: What could not be read, in words.
    """

    title: str
    made: str
    version: str
    command: tuple[str, ...]
    is_fixed: bool = True
    where: str = ""
    sort: tuple[str, ...] = ()
    has_named: bool = False
    n_left: int = 0
    runs: tuple[Record, ...]
    short: Mapping[str, str]
    rows: tuple[Row, ...] = ()
    metrics: tuple[str, ...] = ()
    n_metrics: int = 0
    curves: tuple[MetricCurves, ...] = ()
    codes: tuple[CodeChange, ...] = ()
    data: tuple[DatasetChange, ...] = ()
    pictures: Pictures = Pictures()
    verdicts: tuple[Verdict, ...] = ()
    weights: Weights | None = None
    problems: tuple[str, ...] = field(default=())

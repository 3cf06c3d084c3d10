"""A report of some runs: everything that it says is gathered here."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from repro.core.curvecache import CurveCache
from repro.core.curves import CurveWish, read_curves
from repro.core.importance import influence_json
from repro.core.known import describe_problem, open_runs
from repro.core.project import Project
from repro.core.query import list_runs
from repro.core.reportcode import read_code_changes
from repro.core.reportmedia import read_pictures
from repro.core.sidebyside import SideBySide, lay_side_by_side, side_by_side_json
from repro.errors import InvalidInputError, ReproError, UsageError
from repro.model.canonical import Json
from repro.model.condition import Among, Key, Space
from repro.model.counters import find_counters
from repro.model.diff import DataChange
from repro.model.downsample import FEWEST
from repro.model.importance import by_strength, rate_param
from repro.model.nearest import say_meant
from repro.model.readable import shorten
from repro.model.report import (
    CodeChange,
    Curve,
    DatasetChange,
    MetricCurves,
    Report,
    Weights,
)
from repro.model.run import Record
from repro.model.sidebyside import Row
from repro.model.text import escape
from repro.model.times import format_time
from repro.model.values import Value, is_number, is_same
from repro.model.verdict import Verdict
from repro.version import VERSION

MOST_METRICS = 6  # shown where nobody names any
_MOST_POINTS = 16_000  # of all curves together: 130 kB of SVG where they are noise
_MOST_OF_CURVE = 400  # a chart is no wider
_MOST_BYTES = 230_000  # of an HTML report, less its tables
_A_POINT = 8  # bytes, at most
_FEWEST_TO_WEIGH = 8  # runs; with fewer, chance tells as much
_MOST_VERDICTS = 50
_MOST_NAMED = 50  # runs in the command that makes the report again
_LONGEST = 400  # characters of a filter in a sentence
_MOST_DATA = 20  # states of datasets that are compared file by file


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportWish:
    """What a report is to be about.

    Attributes:
        names: Of runs.
        where: A filter for more runs, or for the only ones; blank with no names is every run.
        sort: The order of those that fit; the newest first without it.
        limit: At most so many of those that fit; None is all.
        baseline: The run that the others are compared with; the first one without it.
        metrics: Which ones to show; none is the usual ones of `choose_metrics`.
        title: Empty for one that says which runs.
        choice: Words of the command that choose runs, besides their names.
        looks: Words of it that say what is made of them.
    """

    names: tuple[str, ...] = ()
    where: str = ""
    sort: tuple[str, ...] = ()
    limit: int | None = 20
    baseline: str | None = None
    metrics: tuple[str, ...] = ()
    title: str = ""
    choice: tuple[str, ...] = ()
    looks: tuple[str, ...] = ()


def make_report(project: Project, wish: ReportWish) -> Report:
    """Gather what a report says.

    A run that fits and cannot be read, and a part of a run that cannot, is a problem that the
    report names, and no error.

    Raises:
        FilterError: The filter, or a key to sort by, is wrong.
        UnknownRunError: No run has one of the names.
        AmbiguousRunError: Several have.
        DamagedRecordError: A run that was named cannot be read.
        UsageError: There is no run to report on, or none fits.
        InvalidInputError: No run has one of the metrics.

    Cost: reads the whole record and all points of each run, and the patches of their codes.
    """
    chosen: list[str] = []
    n_left = 0
    problems: list[str] = []
    if wish.where.strip() or not wish.names:
        listing = list_runs(project, where=wish.where, sort=wish.sort, limit=wish.limit)
        if wish.where.strip() and not wish.names and not listing.matching:
            raise UsageError(
                f"no run fits `{escape(shorten(wish.where.strip(), _LONGEST))}`",
                hint="`repro ls` lists the runs that there are",
            )
        chosen = [record.run.id for record in listing.records]
        n_left = listing.matching - len(chosen)
        problems += map(describe_problem, listing.problems)
    found = lay_side_by_side(project, wish.names, chosen=chosen, baseline=wish.baseline, fewest=1)
    metrics = choose_metrics(found.records, wish.metrics)
    curves, unread = _read_curves(project, found.records, metrics.drawn)
    codes = read_code_changes(project, found.records, found.rows)
    data, unknown = _compare_datasets(project, found)
    pictures = read_pictures(project, found.records, _room(curves, codes))
    faults = [*unread, *unknown, *pictures.problems]
    verdicts, short = _read_verdicts(project, found)
    # A filter fits other runs tomorrow, and a name that of a newer one.
    is_fixed = len(found.records) <= _MOST_NAMED
    named = [record.run.id for record in found.records] if is_fixed else [*wish.names, *wish.choice]
    return Report(
        title=wish.title,
        made=format_time(project.clock()),
        version=VERSION,
        command=("repro", "report", *named, *wish.looks),
        is_fixed=is_fixed,
        where=wish.where.strip(),
        sort=wish.sort,
        has_named=bool(wish.names),
        n_left=n_left,
        runs=found.records,
        short=short,
        rows=found.rows,
        metrics=metrics.shown,
        n_metrics=metrics.n_known,
        curves=curves,
        codes=codes,
        data=data,
        pictures=pictures,
        verdicts=verdicts,
        weights=_weigh(found, metrics.shown),
        problems=tuple(dict.fromkeys([*problems, *found.problems, *faults])),
    )


@dataclass(frozen=True, slots=True)
class MetricChoice:
    """The metrics of a report.

    Attributes:
        shown: In the table of runs.
        drawn: Those of them that have a curve.
        n_known: How many the runs have.
    """

    shown: tuple[str, ...]
    drawn: tuple[str, ...]
    n_known: int


def choose_metrics(
    records: Sequence[Record], asked: Sequence[str] = (), searched: Collection[str] = ()
) -> MetricChoice:
    """Choose the metrics that a report of these runs shows.

    Args:
        asked: Names; with none, those with a goal come first, then those that most of the runs
            share, and last those that only count; only those with a goal are drawn, where there
            are any.
        searched: Those that sweeps of the runs search by, which come before all others.

    Raises:
        InvalidInputError: No run has one of them.
    """
    counts: dict[str, int] = {}
    with_goal: set[str] = set()
    for record in records:
        for name, summary in record.metrics.items():
            counts[name] = counts.get(name, 0) + 1
            with_goal |= {name} if summary.goal is not None else set()
    if asked:
        named = tuple(dict.fromkeys(_find_metric(name, counts) for name in asked))
        return MetricChoice(named, named, len(counts))
    counters = find_counters(records) - set(searched)
    usual = sorted(
        counts,
        key=lambda name: (
            name not in searched, name not in with_goal, name in counters, -counts[name],
        ),
    )  # fmt: skip
    shown = tuple(usual[:MOST_METRICS])
    drawn = tuple(one for one in shown if one in with_goal or (with_goal and one in searched))
    return MetricChoice(shown, drawn or shown, len(counts))


def _find_metric(name: str, known: dict[str, int]) -> str:
    for one in (name, name.removeprefix("metrics.")):
        if one in known:
            return one
    raise InvalidInputError(
        f"none of these runs has a metric `{escape(name)}`{say_meant(name, known)}",
        hint="`repro show RUN --metrics` lists those of a run",
    )


def _read_curves(
    project: Project, records: Sequence[Record], metrics: Sequence[str]
) -> tuple[tuple[MetricCurves, ...], list[str]]:
    """The curves of each metric, and which runs could not be read."""
    n_curves = sum(name in record.metrics for record in records for name in metrics)
    most = max(FEWEST, min(_MOST_OF_CURVE, _MOST_POINTS // max(n_curves, 1)))
    found, problems = [], []
    cache = CurveCache()
    for name in metrics:
        runs = tuple(record.run.id for record in records if name in record.metrics)
        wish = CurveWish(runs=runs, metric=name, most=most)
        read = read_curves(project, wish, cache=cache, beside=metrics)
        problems += [f"the points of {one.run}: {one.problem}" for one in read if one.problem]
        curves = tuple(
            Curve(run=one.run, xs=one.x, ys=one.y, n_points=one.n_points) for one in read if one.x
        )
        if curves:
            found.append(MetricCurves(metric=name, curves=curves))
    return tuple(found), problems


def _room(curves: Sequence[MetricCurves], codes: Sequence[CodeChange]) -> int:
    """How many bytes of pictures fit beside curves, patches and tables."""
    n_points = sum(len(curve.xs) for one in curves for curve in one.curves)
    n_chars = sum(len(line) + 1 for one in codes for line in one.lines)
    left = _MOST_BYTES - _A_POINT * n_points - n_chars
    return max(left, 0) * 3 // 4  # base64 has four letters for three bytes


def _compare_datasets(
    project: Project, found: SideBySide
) -> tuple[tuple[DatasetChange, ...], list[str]]:
    """What differs in each dataset from that of the baseline, each state of it once."""
    rows = [row for row in found.rows if row.part == "data" and row.differs]
    states = [(row, place) for row in rows for place in _first_places(row)][:_MOST_DATA]
    changes, problems = [], []
    for row, place in states:
        value = row.values[place]
        try:
            change = _compare_dataset(project, found.records[0], found.records[place], row.key)
        except ReproError as error:
            problems.append(f"dataset `{row.key}`: {error.message}")
            continue
        runs = tuple(
            record.run.id
            for record, other in zip(found.records, row.values, strict=True)
            if is_same(other, value)
        )
        if change is not None:
            changes.append(DatasetChange(runs=runs, name=row.key, change=change))
    return tuple(changes), problems


def _first_places(row: Row) -> list[int]:
    """The first run of each value but the baseline's."""
    seen: list[Value] = [row.values[0]]
    places = []
    for place, value in enumerate(row.values):
        if not any(is_same(value, one) for one in seen):
            seen.append(value)
            places.append(place)
    return places


def _compare_dataset(
    project: Project, before: Record, after: Record, name: str
) -> DataChange | None:
    # Here, for most reports are of no datasets, and would pay 30 ms for SQLite and threads.
    from repro.core.datadiff import compare_data  # noqa: PLC0415

    return compare_data(project, before, after, names=[name]).get(name)


def _read_verdicts(
    project: Project, found: SideBySide
) -> tuple[tuple[Verdict, ...], dict[str, str]]:
    """What verifying said of these runs and of reruns of them, and how to name all of these."""
    ids = tuple(record.run.id for record in found.records)
    with open_runs(project) as runs:
        reruns = Among(Key(Space.FIELD, "rerun_of"), ids)
        records = [*found.records, *runs.index.select(reruns, sort=(), limit=_MOST_VERDICTS)]
        verdicts = {one.run.id: one.verdict for one in records if one.verdict is not None}
        named = {*ids, *verdicts, *(one.rerun_of for one in verdicts.values())}
        short = runs.shorten(named)
    return tuple(verdicts[run_id] for run_id in sorted(verdicts)), short


def _weigh(found: SideBySide, metrics: Sequence[str]) -> Weights | None:
    """Which params go with the first of the metrics, where enough runs tell."""
    row = next(
        (one for one in found.rows if one.part == "metrics" and one.key in metrics[:1]), None
    )
    if row is None:
        return None
    there = [place for place, value in enumerate(row.values) if is_number(value)]
    if len(there) < _FEWEST_TO_WEIGH:
        return None
    ys = [float(value) for value in row.values if is_number(value)]
    params = [one for one in found.rows if one.part == "config" and one.differs]
    rated = [rate_param(one.key, [one.values[place] for place in there], ys) for one in params]
    influences = by_strength([one for one in rated if one is not None])
    return Weights(metric=row.key, n_runs=len(ys), influences=tuple(influences))


def report_json(report: Report) -> dict[str, Json]:
    """What `repro report --json` prints: `repro compare --json`, and what a report has besides."""
    from repro.core.diff import change_json  # noqa: PLC0415  # what writes pages needs it not
    from repro.store.verdicts import encode_verdict  # noqa: PLC0415

    beside = SideBySide(records=report.runs, rows=report.rows, short=dict(report.short))
    return {
        "title": report.title,
        "made": report.made,
        "command": list(report.command),
        "where": report.where,
        "left": report.n_left,
        **side_by_side_json(beside, with_equal=len(report.runs) == 1),
        "metrics": list(report.metrics),
        "curves": [
            {
                "metric": one.metric,
                "runs": [
                    {
                        "run": curve.run,
                        "points": curve.n_points,
                        "steps": list(curve.xs),
                        "values": list(curve.ys),
                    }
                    for curve in one.curves
                ],
            }
            for one in report.curves
        ],
        "code": [
            {
                "letter": one.letter,
                "before": one.before,
                "after": one.after,
                "uncommitted": one.is_of_baseline,
                "files": [{"path": file.path, "status": file.status} for file in one.files],
                "patch": list(one.lines),
                "cut": one.is_cut,
                "problem": one.problem,
            }
            for one in report.codes
        ],
        "data": [
            {"dataset": one.name, "runs": list(one.runs), **change_json(one.change)}
            for one in report.data
        ],
        "pictures": [
            {"run": one.run, "name": one.name, "step": one.step, "caption": one.caption}
            for one in report.pictures.shots
        ],
        "verdicts": [encode_verdict(one) for one in report.verdicts],
        "importance": None if report.weights is None else _weights_json(report.weights),
        "problems": list(report.problems),
    }


def _weights_json(weights: Weights) -> dict[str, Json]:
    return {
        "metric": weights.metric,
        "runs": weights.n_runs,
        "params": [influence_json(one) for one in weights.influences],
    }

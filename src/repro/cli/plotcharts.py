"""What `repro plot` draws: curves with their labels, of runs or of groups of runs, as charts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from repro.cli.plotoptions import Look
from repro.core.curvecache import CurveCache
from repro.core.curves import CurveWish, RunCurve, describe_x, quantity_of, read_curves
from repro.core.groupcurves import GroupCurve, read_group_curves
from repro.core.plotting import Plotted
from repro.core.project import Project
from repro.core.wanted import resolve_keys
from repro.model.canonical import Json
from repro.model.downsample import FEWEST
from repro.model.svgchart import Line, LineChart

_MOST_OF_FILE = 1000  # points of a curve
_PER_COLUMN = 4  # points of a curve for each character of a line: two are seen


@dataclass(frozen=True, slots=True)
class Drawn:
    """One curve.

    Attributes:
        line: As a chart has it.
        raw: The values behind a line that was made smooth; None where it was not.
        json: All of it, for programs.
        problems: Why runs could not be read.
    """

    line: Line
    raw: Sequence[float] | None
    json: dict[str, Json]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plot:
    """The curves of one metric."""

    metric: str
    curves: tuple[Drawn, ...]

    @property
    def is_empty(self) -> bool:
        """Whether none of them has a point."""
        return not any(curve.line.xs for curve in self.curves)


def read_plots(
    project: Project,
    plotted: Plotted,
    look: Look,
    columns: int | None,
    cache: CurveCache,
) -> list[Plot]:
    """The curves of each metric, by run or by group of runs.

    Args:
        columns: Of the terminal that they are drawn in; None where it is none.

    Raises:
        FilterError: No run has what they are to be grouped by.
    """
    usual = _MOST_OF_FILE if columns is None else max(FEWEST, _PER_COLUMN * columns)
    wish = CurveWish(
        runs=tuple(record.run.id for record in plotted.records),
        metric="",
        x=look.x,
        low=look.low,
        high=look.high,
        smoothing=look.smoothing,
        most=look.most or usual,
    )
    if look.group_by is None:
        read = [read_curves(project, replace(wish, metric=one), cache=cache)
                for one in plotted.metrics]  # fmt: skip
        drawn = [
            [_of_run(curve, plotted.labels[curve.run], place) for place, curve in enumerate(each)]
            for each in read
        ]
    else:
        keys = resolve_keys(project, look.group_by) if look.group_by else []
        means = [
            read_group_curves(project, replace(wish, metric=one), keys, band=look.band, cache=cache)
            for one in plotted.metrics
        ]
        drawn = [[_of_group(curve, place) for place, curve in enumerate(each)] for each in means]
    return [Plot(one, tuple(each)) for one, each in zip(plotted.metrics, drawn, strict=True)]


def _of_run(curve: RunCurve, label: str, place: int) -> Drawn:
    is_smooth = curve.smooth is not None
    ys = curve.y if curve.smooth is None else curve.smooth
    json: dict[str, Json] = {
        "run": curve.run,
        "points": _pairs(curve.x, curve.y),
        "smooth": None if curve.smooth is None else list(curve.smooth),
        "n_points": curve.n_points,
        "problem": curve.problem,
    }
    line = Line(
        label=label,
        xs=curve.x if curve.n_points else (),
        ys=ys if curve.n_points else (),
        colour=place,
    )
    return Drawn(line, curve.y if is_smooth else None, json, _told(curve.problem))


def _of_group(one: GroupCurve, place: int) -> Drawn:
    curve = one.curve
    json: dict[str, Json] = {
        "group": dict(one.group.values),
        "runs": list(one.runs),
        "points": _pairs(curve.x, curve.mean),
        "low": list(curve.low),
        "high": list(curve.high),
        "problems": list(one.problems),
    }
    return Drawn(one.as_line(place), None, json, one.problems)


def _pairs(xs: Iterable[float], ys: Iterable[float]) -> list[Json]:
    return [[x, y] for x, y in zip(xs, ys, strict=True)]


def _told(problem: str | None) -> tuple[str, ...]:
    return () if problem is None else (problem,)


def make_charts(plots: Sequence[Plot], look: Look, *, with_raw: bool = False) -> list[LineChart]:
    """A chart of each metric that has points; a run, or a group, has one colour in all of them."""
    charts = []
    for plot in plots:
        if plot.is_empty:
            continue
        shown = [curve for curve in plot.curves if curve.line.xs]
        lines = [curve.line for curve in shown]
        if with_raw:
            lines = [
                *(replace(one.line, ys=one.raw, is_faint=True) for one in shown if one.raw),
                *lines,
            ]
        smoothed = f", smoothed by {look.smoothing:g}" if look.smoothing else ""
        charts.append(
            LineChart(
                lines=lines,
                title=plot.metric + smoothed,
                x_label=describe_x(look.x),
                y_label=plot.metric,
                is_log_x=look.is_log_x,
                is_log_y=look.is_log_y,
                x_quantity=quantity_of(look.x),
            )
        )
    return charts

"""What `repro plot` draws: the points of curves, as charts."""

from collections.abc import Sequence
from dataclasses import replace

from repro.cli.plotoptions import Look
from repro.core.curvecache import CurveCache
from repro.core.curves import CurveWish, RunCurve, describe_x, quantity_of, read_curves
from repro.core.plotting import Plotted
from repro.core.project import Project
from repro.model.downsample import FEWEST
from repro.model.svgchart import Line, LineChart

_MOST_OF_FILE = 1000  # points of a curve
_PER_COLUMN = 4  # points of a curve for each character of a line: two are seen


def read_plotted(
    project: Project,
    plotted: Plotted,
    look: Look,
    columns: int | None,
    cache: CurveCache,
) -> list[list[RunCurve]]:
    """The curves of each metric, by run.

    Args:
        columns: Of the terminal that they are drawn in; None where it is none.
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
    return [
        read_curves(project, replace(wish, metric=metric), cache=cache)
        for metric in plotted.metrics
    ]


def make_charts(
    plotted: Plotted,
    curves: Sequence[Sequence[RunCurve]],
    look: Look,
    *,
    with_raw: bool = False,
) -> list[LineChart]:
    """A chart of each metric that has points; a run has the same colour in all of them."""
    charts = []
    for metric, each in zip(plotted.metrics, curves, strict=True):
        lines = []
        for number, curve in enumerate(each):
            if not curve.n_points:
                continue
            label = plotted.labels[curve.run]
            if curve.smooth is not None and with_raw:
                lines.append(
                    Line(label=label, xs=curve.x, ys=curve.y, colour=number, is_faint=True)
                )
            ys = curve.y if curve.smooth is None else curve.smooth
            lines.append(Line(label=label, xs=curve.x, ys=ys, colour=number))
        if lines:
            smoothed = f", smoothed by {look.smoothing:g}" if look.smoothing else ""
            charts.append(
                LineChart(
                    lines=sorted(lines, key=lambda line: not line.is_faint),
                    title=metric + smoothed,
                    x_label=describe_x(look.x),
                    y_label=metric,
                    is_log_x=look.is_log_x,
                    is_log_y=look.is_log_y,
                    x_quantity=quantity_of(look.x),
                )
            )
    return charts

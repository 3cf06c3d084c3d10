"""`repro plot`: the curves of metrics, of many runs."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from repro.cli import render
from repro.cli.completing import complete_metrics, complete_plotted
from repro.cli.context import given_one, open_here
from repro.cli.outfile import check_target, write_target
from repro.cli.plotoptions import Look, takes_look
from repro.cli.progress import showing_count
from repro.cli.screen import bounded, has_screen, keep_drawing, size
from repro.cli.selection import WHERE, say_problems
from repro.cli.termplot import draw_chart
from repro.cli.watch import interval
from repro.core.curvecache import CurveCache
from repro.core.curves import (
    CurveWish,
    RunCurve,
    describe_x,
    is_empty,
    quantity_of,
    read_curves,
)
from repro.core.plotting import USUAL, Plotted, PlotWish, choose_plotted
from repro.core.project import Project
from repro.core.watch import look_after_runs
from repro.errors import UsageError
from repro.model.downsample import FEWEST
from repro.model.readable import count_runs
from repro.model.svgchart import Line, LineChart, draw_charts
from repro.model.text import escape
from repro.store.raster import svg_to_png

_ENDINGS = (".svg", ".png")
_PLAIN_WIDTH, _HEIGHT = 80, 24
_LEAST_HEIGHT, _MOST_HEIGHT = 10, 30  # lines of one chart
_MOST_OF_FILE = 1000  # points of a curve
_PER_COLUMN = 4  # points of a curve for each character of a line: two are seen


@click.command()
@click.argument("words", nargs=-1, metavar="METRIC… [RUN]…", shell_complete=complete_plotted)
@click.option(
    "-m", "--metric", "metrics", multiple=True, metavar="METRIC", shell_complete=complete_metrics,
    help="A metric; with it, all words are runs. May be repeated.",
)  # fmt: skip
@WHERE
@click.option(
    "--last", type=click.IntRange(min=0), metavar="N",
    help=f"The newest N runs; 0 is all. {USUAL} where no run is named.",
)  # fmt: skip
@takes_look
@click.option("--watch", is_flag=True, help="Draw again whenever a run logs, until all are over.")
@interval
@click.option(
    "-o", "--output", "target", metavar="FILE", type=click.Path(path_type=Path),
    help="Write the charts to FILE, which ends in .svg or .png.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Replace FILE.")
@click.option("--json", "as_json", is_flag=True, help="Print the points as JSON.")
def plot(  # noqa: PLR0913  # click hands over each option by its name
    words: tuple[str, ...],
    metrics: tuple[str, ...],
    where: str,
    last: int | None,
    look: Look,
    interval: float,
    target: Path | None,
    *,
    watch: bool,
    force: bool,
    as_json: bool,
) -> int:
    r"""Draw the curves of metrics, in the terminal or into a file.

    \b
    repro plot loss
    repro plot loss val_loss baseline @ --smooth 0.6
    repro plot loss --where "lr < 1e-3" -x time -o loss.svg

    A word that is the name of a metric is a metric, any other names a run; with -m all words are
    runs. Without a run, the newest ones that have any of the metrics are drawn. Each metric has a
    chart of its own. Points that are NaN are gaps, infinite ones marks at the edge.

    Charts in the terminal and PNGs need `pip install 'git-repro[plot]'`. Exits with 1 where there
    is nothing to draw.
    """
    given_one({"--json": as_json, "--output": target is not None, "--watch": watch})
    if target is not None:
        _check(target, force=force)
    if watch and not has_screen():
        raise UsageError("`--watch` needs a terminal", hint="`repro plot` without it draws once")
    project = open_here()
    wish = PlotWish(words=words, metrics=metrics, x=look.x, where=where, last=last)
    with showing_count("reading runs") as on_progress:
        plotted = choose_plotted(project, wish, on_progress=on_progress)
    say_problems(plotted.problems)
    _say_left_out(plotted, wish)
    if watch:
        shown = _Shown(project, wish, look)
        return _watch(shown, interval)
    columns = None if target or as_json else render.width() or _PLAIN_WIDTH
    curves = _read(project, plotted, look, columns, CurveCache())
    _say_unread(curves)
    if as_json:
        render.data_json([_json(*each, look) for each in zip(plotted.metrics, curves, strict=True)])
    elif is_empty(curves):
        _say_none(plotted)
    elif target is not None:
        _write(target, draw_charts(_charts(plotted, curves, look, with_raw=True)))
        shown_as = escape(str(target))
        render.note(f"repro: {shown_as}: {count_runs(len(plotted.records))}")
    else:
        _print(_charts(plotted, curves, look), columns or _PLAIN_WIDTH)
    return int(is_empty(curves))


def _check(target: Path, *, force: bool) -> None:
    if target.suffix.lower() not in _ENDINGS:
        raise UsageError(
            f"`{escape(str(target))}` ends in neither of {' and '.join(_ENDINGS)}",
            hint="`-o loss.svg`, or `--json` for the points",
        )
    check_target(target, force=force)


def _say_left_out(plotted: Plotted, wish: PlotWish) -> None:
    n_left = plotted.n_fitting - len(plotted.records)
    if n_left > 0 and wish.last is None:
        render.note(
            f"repro: the newest {len(plotted.records)} of {count_runs(plotted.n_fitting)}:"
            " `--last 0` draws all"
        )


def _say_unread(curves: Sequence[Sequence[RunCurve]]) -> None:
    problems = [curve.problem for each in curves for curve in each if curve.problem]
    for problem in dict.fromkeys(problems):
        render.note(f"repro: warning: {escape(problem)}")


def _say_none(plotted: Plotted) -> None:
    metrics = " or ".join(f"`{escape(name)}`" for name in plotted.metrics)
    if not plotted.records:
        render.note(f"no run that fits has {metrics}: `repro ls` lists them")
    else:
        render.note(
            f"{count_runs(len(plotted.records))}, and no point of {metrics} there to draw:"
            " `repro show RUN` lists the metrics of a run"
        )


def _read(
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


def _charts(
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


def _json(metric: str, curves: Sequence[RunCurve], look: Look) -> dict[str, Any]:
    return {
        "metric": metric,
        "x": look.x,
        "curves": [
            {
                "run": curve.run,
                "points": [list(pair) for pair in zip(curve.x, curve.y, strict=True)],
                "smooth": curve.smooth,
                "n_points": curve.n_points,
                "problem": curve.problem,
            }
            for curve in curves
        ],
    }


def _write(target: Path, svg: str) -> None:
    is_svg = target.suffix.lower() == ".svg"
    write_target(target, svg.encode() if is_svg else svg_to_png(svg))


def _print(charts: Sequence[LineChart], width: int) -> None:
    height = _HEIGHT
    if has_screen():
        lines = size()[1] - 2  # of the prompt
        height = min(max(lines // len(charts), _LEAST_HEIGHT), _MOST_HEIGHT)
    drawn = [draw_chart(replace(chart, width=width, height=height)) for chart in charts]
    render.out("\n\n".join("\n".join(lines) for lines in drawn))


class _Shown:
    """Curves that are drawn again and again."""

    def __init__(self, project: Project, wish: PlotWish, look: Look) -> None:
        self._project, self._wish, self._look = project, wish, look
        self._cache = CurveCache()
        self._stamp: str | None = None
        self._charts: list[LineChart] = []
        self.is_over = False

    def frame(self, width: int, height: int, *, is_needed: bool) -> list[str] | None:
        """The lines that show them; None where none are needed, and no run has changed."""
        stamp = look_after_runs(self._project)
        if stamp == self._stamp and not is_needed:
            return None
        self._stamp = stamp
        plotted = choose_plotted(self._project, self._wish)
        curves = _read(self._project, plotted, self._look, width, self._cache)
        self._charts = _charts(plotted, curves, self._look)
        self.is_over = plotted.is_over
        if not self._charts:
            return ["no points yet"]
        each = max(_LEAST_HEIGHT, height // len(self._charts))
        drawn = [draw_chart(replace(one, width=width, height=each)) for one in self._charts]
        return [line for lines in drawn for line in lines]


def _watch(shown: _Shown, interval_s: float) -> int:
    def draw(is_needed: bool) -> Sequence[str] | None:
        return shown.frame(*size(), is_needed=is_needed)

    try:
        keep_drawing(draw, lambda: shown.is_over, bounded(interval_s))
    finally:
        # The screen that they were drawn on is gone; what was last seen stays.
        render.out("\n".join(shown.frame(*size(), is_needed=True) or []))
    return 0

"""`repro plot`: the curves of metrics, of many runs."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from repro.cli import render
from repro.cli.completing import complete_metrics, complete_plotted
from repro.cli.context import given_one, open_here
from repro.cli.numbers import NUMBER_ABOVE_0, WholeNumber
from repro.cli.outfile import check_target, write_target
from repro.cli.plotcharts import Plot, make_charts, read_plots
from repro.cli.plotoptions import Look, takes_look
from repro.cli.progress import showing_count
from repro.cli.screen import has_screen, size
from repro.cli.selection import WHERE, say_problems
from repro.cli.termplot import draw_chart
from repro.core.curvecache import CurveCache
from repro.core.plotting import USUAL, USUAL_OF_MEANS, Plotted, PlotWish, choose_plotted
from repro.errors import UsageError
from repro.model.readable import count_runs
from repro.model.svgchart import LineChart, draw_charts
from repro.model.text import escape
from repro.store.raster import svg_to_png

_ENDINGS = (".svg", ".png")
_PLAIN_WIDTH, _HEIGHT = 80, 24
_LEAST_HEIGHT, _MOST_HEIGHT = 10, 30  # lines of one chart


@click.command()
@click.argument("words", nargs=-1, metavar="METRIC… [RUN]…", shell_complete=complete_plotted)
@click.option(
    "-m", "--metric", "metrics", multiple=True, metavar="METRIC", shell_complete=complete_metrics,
    help="A metric; with it, all words are runs. May be repeated.",
)  # fmt: skip
@WHERE
@click.option(
    "-n", "--limit", type=WholeNumber(min=0), metavar="N",
    help=f"The newest N runs; 0 is all. {USUAL} where no run is named, {USUAL_OF_MEANS} for means.",
)  # fmt: skip
@takes_look
@click.option("--watch", is_flag=True, help="Draw again whenever a run logs, until all are over.")
@click.option(
    "--interval", type=NUMBER_ABOVE_0, default=1.0, show_default=True, metavar="S",
    help="Seconds between two looks for changes, with --watch.",
)  # fmt: skip
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
    limit: int | None,
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
    repro plot loss --group-by lr -o seeds.svg

    A word that is the name of a metric is a metric, any other names a run; with -m all words are
    runs. Without a run, the newest ones that have any of the metrics are drawn. Each metric has a
    chart of its own. Points that are NaN are gaps, infinite ones marks at the edge.

    With --watch, a metric that is named by -m may be logged later.

    Charts in the terminal and PNGs need `pip install 'git-repro[plot]'`. Exits with 1 where there
    is nothing to draw.
    """
    given_one({"--json": as_json, "--output": target is not None, "--watch": watch})
    if target is not None:
        _check(target, force=force)
    if watch and not has_screen():
        raise UsageError("`--watch` needs a terminal", hint="`repro plot` without it draws once")
    project = open_here()
    usual = USUAL if look.group_by is None else USUAL_OF_MEANS
    wish = PlotWish(
        words=words,
        metrics=metrics,
        x=look.x,
        where=where,
        limit=limit,
        usual=usual,
        may_come=watch,
    )
    with showing_count("reading runs") as on_progress:
        plotted = choose_plotted(project, wish, on_progress=on_progress)
    say_problems(plotted.problems)
    _say_left_out(plotted, wish)
    if watch:
        # Here, for it loads what reads journals.
        from repro.cli.plotwatch import keep_plotting  # noqa: PLC0415

        keep_plotting(project, wish, look, interval)
        return 0
    columns = None if target or as_json else render.width() or _PLAIN_WIDTH
    plots = read_plots(project, plotted, look, columns, CurveCache())
    _say_unread(plots)
    is_empty = all(one.is_empty for one in plots)
    if as_json:
        render.data_json([_json(one, look) for one in plots])
    elif is_empty:
        _say_none(plotted)
    elif target is not None:
        _write(target, draw_charts(make_charts(plots, look, with_raw=True)))
        shown_as = escape(str(target))
        render.note(f"repro: {shown_as}: {count_runs(len(plotted.records))}")
    else:
        _print(make_charts(plots, look), columns or _PLAIN_WIDTH)
    return int(is_empty)


def _check(target: Path, *, force: bool) -> None:
    if target.suffix.lower() not in _ENDINGS:
        raise UsageError(
            f"`{escape(str(target))}` ends in neither of {' and '.join(_ENDINGS)}",
            hint="`-o loss.svg`, or `--json` for the points",
        )
    check_target(target, force=force)


def _say_left_out(plotted: Plotted, wish: PlotWish) -> None:
    n_left = plotted.n_fitting - len(plotted.records)
    if n_left > 0 and wish.limit is None:
        render.note(
            f"repro: the newest {len(plotted.records)} of {count_runs(plotted.n_fitting)}:"
            " `--limit 0` draws all"
        )


def _say_unread(plots: Sequence[Plot]) -> None:
    problems = [problem for one in plots for curve in one.curves for problem in curve.problems]
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


def _json(plot: Plot, look: Look) -> dict[str, Any]:
    return {"metric": plot.metric, "x": look.x, "curves": [curve.json for curve in plot.curves]}


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

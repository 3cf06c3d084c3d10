"""Curves drawn again and again, as runs log."""

from collections.abc import Sequence
from dataclasses import replace

from repro.cli import render
from repro.cli.plotcharts import make_charts, read_plots
from repro.cli.plotoptions import Look
from repro.cli.screen import bounded, keep_drawing, size
from repro.cli.termplot import draw_chart
from repro.core.curvecache import CurveCache
from repro.core.plotting import PlotWish, choose_plotted
from repro.core.project import Project
from repro.core.watch import look_after_runs
from repro.model.svgchart import LineChart

_LEAST_HEIGHT = 10  # lines of one chart


def keep_plotting(project: Project, wish: PlotWish, look: Look, interval_s: float) -> None:
    """Draw on the terminal whenever a run changes, until none that is drawn is in progress.

    Args:
        interval_s: Seconds between two looks for changes.
    """
    shown = _Shown(project, wish, look)

    def draw(is_needed: bool) -> Sequence[str] | None:
        width, height = size()
        has_changed = shown.look(width)
        return shown.frame(width, height) if has_changed or is_needed else None

    try:
        keep_drawing(draw, lambda: shown.is_over, bounded(interval_s))
    finally:
        # The screen that they were drawn on is gone; what was last seen stays.
        render.out("\n".join(shown.frame(*size())))


class _Shown:
    """Curves as they were last seen."""

    def __init__(self, project: Project, wish: PlotWish, look: Look) -> None:
        self._project, self._wish, self._look = project, wish, look
        self._cache = CurveCache()
        self._seen: tuple[str, int] | None = None
        self._charts: list[LineChart] = []
        self.is_over = False

    def look(self, width: int) -> bool:
        """Read what changed; whether anything did, the width of the terminal included."""
        seen = look_after_runs(self._project), width
        if seen == self._seen:
            return False
        plotted = choose_plotted(self._project, self._wish)
        plots = read_plots(self._project, plotted, self._look, width, self._cache)
        self._charts = make_charts(plots, self._look)
        self.is_over = plotted.is_over
        self._seen = seen  # last: what failed is tried again
        return True

    def frame(self, width: int, height: int) -> list[str]:
        """The lines that show them."""
        if not self._charts:
            return ["no points yet"]
        each = max(_LEAST_HEIGHT, height // len(self._charts))
        drawn = [draw_chart(replace(one, width=width, height=each)) for one in self._charts]
        return [line for lines in drawn for line in lines]

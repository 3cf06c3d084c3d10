"""`repro watch`: one run in the terminal, followed until it ends."""

import shlex
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import click

from repro.cli import render
from repro.cli.completing import complete_metrics
from repro.cli.context import RUN, open_here
from repro.cli.numbers import NUMBER_ABOVE_0
from repro.cli.screen import bounded, can_show, fit, has_screen, keep_drawing, size
from repro.core.project import Project
from repro.core.query import short_id
from repro.core.watch import View, Watch, choose_watched
from repro.errors import UsageError
from repro.model.cells import format_metric
from repro.model.curve import sample_curve
from repro.model.progress import find_progress, last_step
from repro.model.readable import format_duration
from repro.model.run import MetricSummary, describe_status
from repro.model.sparkline import ASCII, BLOCKS, draw_sparkline
from repro.model.text import escape

_NARROWEST_CURVE, _WIDEST_CURVE = 4, 60
_MOST_OUTPUT = 8  # lines of it, where there is room
_ON_A_LINE = 8  # metrics, where no terminal cuts them
_PLAIN_SIZE = (80, 40)

interval = click.option(
    "--interval", type=NUMBER_ABOVE_0, default=1.0, show_default=True, metavar="S",
    help="Seconds between two looks.",
)  # fmt: skip


@click.command()
@click.argument("name", type=RUN, metavar="[RUN]", required=False)
@click.argument("metrics", nargs=-1, metavar="[METRIC]…", shell_complete=complete_metrics)
@interval
@click.option("--once", is_flag=True, help="Show it as it is now, and end.")
def watch(name: str | None, metrics: tuple[str, ...], interval: float, *, once: bool) -> None:
    """Watch a run in the terminal until it ends.

    RUN is named as in `repro show`; without it, the newest run in progress is watched. Only the
    METRICs named are shown, else all there is room for. Where the output is no terminal, a line is
    printed for each change.

    The exit code is 0 however the run ended.
    """
    interval = bounded(interval)
    project = open_here()
    run_id = choose_watched(project, name)
    shown = _Shown(project, run_id, metrics)
    shown.look()
    shown.check()
    if once:
        width = render.width() or _PLAIN_SIZE[0]
        render.out("\n".join(shown.frame(width, _PLAIN_SIZE[1])))
    elif has_screen():
        _watch_on_screen(shown, interval)
    else:
        _print_changes(shown, interval)


class _Shown:
    """What is shown of a run, as it was when it was last looked at."""

    def __init__(self, project: Project, run_id: str, metrics: Sequence[str]) -> None:
        self._watch = Watch(project, run_id)
        self._project = project
        self._id = run_id
        self._metrics = metrics
        self.short = short_id(project, run_id)
        self.view: View | None = None

    def look(self) -> bool:
        """Look again, and say whether anything has changed."""
        new = self._watch.look()
        self.view = new or self.view
        return new is not None

    def check(self) -> None:
        """Say which of the metrics asked for there are not, as a run in progress may log them yet.

        Raises:
            UsageError: The run is over, and has no such metric.
        """
        if self.view is None:
            return
        logged = self.view.record.metrics
        for name in self._metrics:
            if name in logged:
                continue
            from repro.model.nearest import say_meant  # noqa: PLC0415  # difflib, for typos only

            meant = say_meant(name, logged)
            if self.is_over():
                raise UsageError(
                    f"run `{self.short}` has no metric `{escape(name)}`{meant}",
                    hint=f"`repro show {self.short}` lists those it has",
                )
            render.note(f"repro: no metric `{escape(name)}` yet{meant}")

    def is_over(self) -> bool:
        return self.view is not None and self.view.is_over

    def frame(self, width: int, height: int) -> list[str]:
        """The lines that show it all."""
        view = self.view
        if view is None:  # started anew in this very moment
            return [f"run {self.short}"]
        head = [fit(line, width) for line in self._head(view)]
        if head:
            head[0] = render.colour(head[0], "bold")
        room = height - len(head) - 1
        metrics = self._chosen(view)
        n_output = min(len(view.output), _MOST_OUTPUT, max(0, (room - 3) // 2))
        n_output = max(n_output, min(len(view.output), _MOST_OUTPUT, room - 4 - len(metrics)))
        table = self._table(view, metrics, width, room - (n_output + 2 if n_output else 0))
        lines = [*head, "", *table]
        if n_output:
            title = render.colour(fit("output", width), "bold")
            lines += ["", title, *(fit(line, width) for line in view.output[-n_output:])]
        return lines[:height]

    def line(self) -> str:
        """One line that says where it stands."""
        view = self.view
        if view is None:
            return ""
        chosen = self._chosen(view)
        shown = chosen if self._metrics else chosen[:_ON_A_LINE]
        values = [
            f"{escape(name)} {format_metric(name, one.last if one else None)}"
            for name, one in shown
        ]
        if len(shown) < len(chosen):
            values.append(f"and {len(chosen) - len(shown)} more metrics")
        now = datetime.fromtimestamp(self._project.clock(), UTC).strftime("%H:%M:%S")
        said = f"{now} {self.short} {'  '.join(_facts(view, self._passed_s(view)))}"
        return f"{said}: {', '.join(values)}" if values else said

    def _passed_s(self, view: View) -> float:
        return view.passed_s if view.is_over else self._watch.passed_s(view.record)

    def _head(self, view: View) -> list[str]:
        run = view.record.run
        name = f" ({escape(run.name)})" if run.name else ""
        facts = "  ".join(_facts(view, self._passed_s(view)))
        return [f"run {self.short}{name}  {facts}", escape(shlex.join(run.command))]

    def _chosen(self, view: View) -> list[tuple[str, MetricSummary | None]]:
        """The metrics to show; None of one that has no points."""
        metrics = view.record.metrics
        if self._metrics:
            return [(name, metrics.get(name)) for name in self._metrics]
        # What has a goal is what matters.
        names = sorted(metrics, key=lambda name: metrics[name].goal is None)
        return [(name, metrics[name]) for name in names]

    def _table(
        self,
        view: View,
        metrics: Sequence[tuple[str, MetricSummary | None]],
        width: int,
        height: int,
    ) -> list[str]:
        """The metrics, at most `height` lines with the note on those left out."""
        if not metrics:
            return ["no metrics yet" if not view.is_over else "no metrics"]
        shown = metrics if len(metrics) < height else metrics[: max(1, height - 2)]
        cells = [["metric", "last", "min", "step", "max", "step"]]
        cells += [[escape(name), *_numbers(name, one)] for name, one in shown]
        longest = max(8, width // 3)
        cells = [[fit(row[0], longest), *row[1:]] for row in cells]
        used, room = _columns_in(cells, width)
        lines = []
        for row, name in zip(cells, [None, *(name for name, _ in shown)], strict=True):
            curve = None if name is None else view.curves.get(name)
            drawn = "" if curve is None or not room else _draw(sample_curve(curve, room))
            lines.append([row[0], *([drawn] if room else []), *row[1:used]])
        if room:
            lines[0][1] = ""
        table = render.columns(lines).splitlines()
        if len(shown) < len(metrics):
            hint = "name some of them behind RUN"
            table.append(fit(f"… and {len(metrics) - len(shown)} more metrics: {hint}", width))
        return [fit(line, width) for line in table]


def _facts(view: View, passed_s: float) -> Iterator[str]:
    run = view.record.run
    ending = f", exit code {run.exit_code}" if run.exit_code else ""
    yield describe_status(run) + ending
    yield format_duration(passed_s)
    progress = find_progress(view.record)
    step = last_step(view.record)
    if progress is not None:
        yield f"{progress} ({progress.done * 100 // progress.total} %)"
    elif step is not None:
        yield f"step {step}"


def _numbers(name: str, one: MetricSummary | None) -> list[str]:
    if one is None:
        return ["-"] * 5
    last, low, high = (format_metric(name, value) for value in (one.last, one.min, one.max))
    return [last, low, _whole(one.min_step), high, _whole(one.max_step)]


def _whole(value: int | None) -> str:
    return "-" if value is None else str(value)


def _columns_in(cells: Sequence[Sequence[str]], width: int) -> tuple[int, int]:
    """How many of the columns fit beside a curve, and the places that are left for the curve.

    Max goes before min, and each with its step; the curve goes where there is room for nothing
    but the last value.
    """
    widths = [max(map(render.places, column)) for column in zip(*cells, strict=True)]
    gap = len(render.GAP)
    for used in (6, 4, 2):
        room = width - sum(widths[:used]) - gap * used
        if room >= _NARROWEST_CURVE:
            return used, min(room, _WIDEST_CURVE)
    return 2, 0


def _draw(values: Sequence[float]) -> str:
    return draw_sparkline(values, BLOCKS if can_show(BLOCKS) else ASCII)


def _watch_on_screen(shown: _Shown, interval_s: float) -> None:
    def draw(_: bool) -> Sequence[str]:
        shown.look()
        return shown.frame(*size())

    try:
        keep_drawing(draw, shown.is_over, interval_s)
    finally:
        # The screen that it was drawn on is gone; what was last seen stays.
        render.out("\n".join(shown.frame(*size())))


def _print_changes(shown: _Shown, interval_s: float) -> None:
    has_changed = shown.view is not None
    while True:
        if has_changed:
            render.out(shown.line())
            render.flush()
        if shown.is_over():
            return
        time.sleep(interval_s)
        has_changed = shown.look()

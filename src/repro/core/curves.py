"""Curves of a metric, of many runs, as a chart draws them."""

import math
from dataclasses import dataclass, field

from repro.core.chosen import read_records
from repro.core.project import Project
from repro.core.query import read_points
from repro.errors import UsageError
from repro.model.downsample import FEWEST, downsample
from repro.model.smoothing import smooth
from repro.model.times import parse_time

STEP, TIME, WALL = "step", "time", "wall"


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveWish:
    """What somebody wants to see.

    Attributes:
        runs: Their ids.
        x: `step`; `time`, the seconds since the start of the run; `wall`, those since 1970; else
            the name of a metric, whose value at the same step it is.
        low: Where the window begins, in units of `x`; None is where the curve does.
        high: Where it ends.
        smoothing: Weight of what came before, 0 <= smoothing < 1, as in TensorBoard.
        most: Points of a run, at least 8.
    """

    runs: tuple[str, ...]
    metric: str
    x: str = STEP
    low: float | None = None
    high: float | None = None
    smoothing: float = 0.0
    most: int = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCurve:
    """The curve of one run.

    Attributes:
        run: Its id.
        x: As many as `y`, in the order of the steps; values of a metric may go back and forth.
        y: The values; NaN and infinities among them.
        smooth: The smooth curve over the same `x`; None where none was wanted.
        n_points: How many points there are in the window.
        problem: Why there are none, where the run is gone or cannot be read.
    """

    run: str
    x: list[float] = field(default_factory=list)
    y: list[float] = field(default_factory=list)
    smooth: list[float] | None = None
    n_points: int = 0
    problem: str | None = None


def read_curves(project: Project, wish: CurveWish) -> list[RunCurve]:
    """Give the curve of each run of a wish, in the order of the wish.

    A run without the metric has an empty one.

    Raises:
        UsageError: The smoothing, or the number of points, is out of its range.
    """
    if not 0 <= wish.smoothing < 1:
        raise UsageError("smoothing is a number from 0 to below 1", hint="0.6 is usual")
    if wish.most < FEWEST:
        raise UsageError(f"a curve has at least {FEWEST} points")
    return [_read(project, wish, run_id) for run_id in wish.runs]


def _read(project: Project, wish: CurveWish, run_id: str) -> RunCurve:
    [record] = read_records(project, [run_id])
    series = read_points(project, record)
    points = series.get(wish.metric, [])
    if wish.x == STEP:
        x: list[float] = [point.step for point in points]
    elif wish.x == WALL:
        x = [point.time for point in points]
    elif wish.x == TIME:
        start = parse_time(record.run.started)
        x = [point.time - start for point in points]
    else:
        other = {point.step: point.value for point in series.get(wish.x, [])}
        points = [point for point in points if point.step in other]
        x = [other[point.step] for point in points]
    y = [point.value for point in points]
    smoothed = smooth(y, wish.smoothing) if wish.smoothing else None
    low = -math.inf if wish.low is None else wish.low
    high = math.inf if wish.high is None else wish.high
    inside = [place for place, one in enumerate(x) if low <= one <= high]
    kept = [inside[place] for place in downsample([y[place] for place in inside], wish.most)]
    return RunCurve(
        run=run_id,
        x=[x[place] for place in kept],
        y=[y[place] for place in kept],
        smooth=None if smoothed is None else [smoothed[place] for place in kept],
        n_points=len(inside),
    )

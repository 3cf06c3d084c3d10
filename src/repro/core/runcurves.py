"""All curves of one run, thinned for small charts: its metrics, and its machine."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from repro.core.known import open_runs
from repro.core.naming import find_id
from repro.core.project import Project
from repro.core.query import read_points
from repro.model.downsample import downsample
from repro.model.run import Record
from repro.model.series import Point
from repro.model.times import parse_time
from repro.store.objects import reading
from repro.store.runs import read_system


@dataclass(frozen=True, slots=True)
class SmallCurve:
    """A curve with as many points as a small chart shows; `ys` may hold NaN and infinities."""

    xs: list[float]
    ys: list[float]


def read_run_curves(project: Project, record: Record, *, most: int) -> dict[str, SmallCurve]:
    """Map each metric of a run to its curve over steps.

    Args:
        most: Points of a curve.

    Raises:
        UnknownRunError: It was in progress, and is gone.
        DamagedRecordError: The points cannot be read.
    """
    series = read_points(project, record)
    return {
        name: _thin([point.step for point in points], points, most)
        for name, points in series.items()
        if points
    }


def read_system_curves(project: Project, record: Record, *, most: int) -> dict[str, SmallCurve]:
    """Map each measure of the machine to its curve over seconds since the start.

    Raises:
        UnknownRunError: It was in progress, and is gone.
        DamagedRecordError: It cannot be read.
    """
    start = parse_time(record.run.started)
    return {
        name: _thin([point.time - start for point in points], points, most)
        for name, points in _read_system(project, record).items()
        if any(math.isfinite(point.value) for point in points)
    }


def _read_system(project: Project, record: Record) -> Mapping[str, list[Point]]:
    commit = record.commit
    if not commit:
        with open_runs(project) as runs:
            run_id = find_id(runs, record.run.id)
            if run_id in runs.live:
                return runs.live[run_id].system()
            commit = runs.sealed[run_id]
    with reading(project.repository) as objects:
        return read_system(objects, commit)


def _thin(xs: Sequence[float], points: Sequence[Point], most: int) -> SmallCurve:
    ys = [point.value for point in points]
    kept = downsample(ys, most)
    return SmallCurve([xs[place] for place in kept], [ys[place] for place in kept])

"""Curves of one run, thinned for small charts: its metrics, and its machine."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from repro.core.curvecache import CurveCache
from repro.core.project import Project
from repro.core.query import read_live_or_sealed
from repro.model.downsample import downsample
from repro.model.run import Record
from repro.model.series import Point
from repro.model.seriescolumn import Column
from repro.model.times import parse_time
from repro.store.content import ContentStore
from repro.store.objects import reading
from repro.store.runs import read_system
from repro.store.seriestables import read_columns


@dataclass(frozen=True, slots=True)
class SmallCurve:
    """A curve with as many points as a small chart shows; `ys` may hold NaN and infinities."""

    xs: list[float]
    ys: list[float]


def read_run_curves(
    project: Project, record: Record, names: Sequence[str], *, most: int, cache: CurveCache
) -> dict[str, SmallCurve]:
    """Map each metric that a run has points of to its curve over steps.

    Args:
        names: Of the metrics.
        most: Points of a curve, at least 8.
        cache: What was read is kept there for the next time.

    Raises:
        UnknownRunError: It was in progress, and is gone.
        DamagedRecordError: The points cannot be read.
    """
    columns = _read_columns(project, record, names, cache)
    return {
        name: _thin(columns[name].steps, columns[name].values, most)
        for name in names
        if name in columns and len(columns[name])
    }


def _read_columns(
    project: Project, record: Record, names: Sequence[str], cache: CurveCache
) -> Mapping[str, Column]:
    return read_live_or_sealed(
        project,
        record,
        lambda live: cache.follow(live),
        lambda commit: _columns_of(project, commit, names, cache),
    )


def _columns_of(
    project: Project, commit: str, names: Sequence[str], cache: CurveCache
) -> Mapping[str, Column]:
    found: dict[str, Column] = {}
    missing = []
    for name in names:
        try:
            column = cache.find(commit, name)
        except KeyError:
            missing.append(name)
        else:
            found |= {} if column is None else {name: column}
    if missing:
        content = ContentStore(project.store)
        with reading(project.repository) as objects:
            new = read_columns(objects, commit, missing, stored=content.read)
        for name in missing:
            cache.keep(commit, name, new.get(name))
        found |= new
    return found


def read_system_curves(project: Project, record: Record, *, most: int) -> dict[str, SmallCurve]:
    """Map each measure of the machine to its curve over seconds since the start.

    Raises:
        UnknownRunError: It was in progress, and is gone.
        DamagedRecordError: It cannot be read.
    """
    start = parse_time(record.run.created)
    return {
        name: _thin(
            [point.time - start for point in points], [point.value for point in points], most
        )
        for name, points in _read_system(project, record).items()
        if any(math.isfinite(point.value) for point in points)
    }


def _read_system(project: Project, record: Record) -> Mapping[str, list[Point]]:
    def of_commit(commit: str) -> Mapping[str, list[Point]]:
        with reading(project.repository) as objects:
            return read_system(objects, commit)

    return read_live_or_sealed(project, record, lambda live: live.system(), of_commit)


def _thin(xs: Sequence[float], ys: Sequence[float], most: int) -> SmallCurve:
    kept = downsample(ys, most)
    return SmallCurve([xs[place] for place in kept], [ys[place] for place in kept])

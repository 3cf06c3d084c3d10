"""Runs as points among their params and metrics."""

from collections.abc import Sequence
from dataclasses import dataclass

from repro.core.chosen import read_records
from repro.core.known import open_runs
from repro.core.project import Project
from repro.core.sweep.figures import Axis, parallel_coordinates
from repro.core.sweep.known import find_metrics
from repro.core.tableview import word_of
from repro.model.canonical import Json
from repro.model.columns import choose_keys, title_keys
from repro.model.condition import Key, Space
from repro.model.coordinates import CoordinateAxis, make_axis
from repro.model.goals import agreed_goal
from repro.model.lookup import look_up
from repro.model.run import Record
from repro.model.sweep import SweepAt, TrialState
from repro.model.values import ABSENT

MOST_RUNS = 1000
_MOST_METRICS = 60
_MOST_PARAMS = 60
_MOST_SHOWN = 10  # params drawn at first


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One run.

    Attributes:
        run: Its id.
        label: The shortest unique prefix of that, or the number of a trial.
        name: Empty where it has none.
        status: Of the run, or of the trial.
    """

    run: str
    label: str
    name: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Coordinates:
    """Runs as points among axes.

    Attributes:
        axes: Params first, then metrics; each has as many values as there are points.
        shown: The places of those that are drawn at first.
        points: The runs, in the order asked.
    """

    axes: tuple[CoordinateAxis, ...]
    shown: tuple[int, ...]
    points: tuple[Point, ...]


def read_coordinates(
    project: Project, ids: Sequence[str], metrics: Sequence[str] = ()
) -> Coordinates:
    """Give some runs as points among the params that vary between them, and their metrics.

    Args:
        ids: At most `MOST_RUNS` of them count.
        metrics: Drawn at first; none is what the sweeps of the runs search by, else those with a
            goal, else the one that says most.

    Raises:
        UnknownRunError: One is not there any more.
    """
    records = read_records(project, list(ids)[:MOST_RUNS])
    with open_runs(project) as runs:
        short = runs.shorten(record.run.id for record in records)
    choice = choose_keys(records)
    keys = [*choice.params[:_MOST_PARAMS], *choice.metrics[:_MOST_METRICS]]
    axes = []
    for column in title_keys(keys):
        assert column.key is not None
        axis = _axis(records, column.key, column.title)
        if axis is not None:
            axes.append(axis)
    found = find_metrics(project, (one.run.sweep for one in records if one.run.sweep))
    points = tuple(
        Point(
            run=record.run.id,
            label=short[record.run.id],
            name=record.run.name or "",
            status=record.run.status.value,
        )
        for record in records
    )
    return Coordinates(
        axes=tuple(axes), shown=tuple(_choose_shown(axes, metrics, found)), points=points
    )


def _axis(records: Sequence[Record], key: Key, title: str) -> CoordinateAxis | None:
    is_param = key.space is Space.CONFIG
    return make_axis(
        key,
        [look_up(record, key) for record in records],
        title=title,
        word=word_of(key),
        goal=agreed_goal(records, key),
        scale="auto" if is_param else "linear",
    )


def _choose_shown(
    axes: Sequence[CoordinateAxis], metrics: Sequence[str], searched: Sequence[str]
) -> list[int]:
    params = [n for n, axis in enumerate(axes) if axis.key.space is Space.CONFIG][:_MOST_SHOWN]
    found = [n for n, axis in enumerate(axes) if axis.key.space is Space.METRIC]
    asked = [n for n in found if axes[n].key.name in metrics]
    best = [n for n in found if axes[n].key.name in searched]
    with_goal = [n for n in found if axes[n].goal is not None]
    telling = [n for n in found if axes[n].low != axes[n].high]
    return [*params, *(asked or best or with_goal or telling[:1] or found[:1])]


def sweep_coordinates(at: SweepAt) -> Coordinates:
    """Give the trials of a sweep that are over as points among its params, and its metric."""
    figure = parallel_coordinates(at)
    axes = []
    for place, axis in enumerate(figure.axes):
        made = _axis_of_sweep(at, axis, [line.values[place] for line in figure.lines])
        if made is not None:
            axes.append(made)
    points = tuple(
        Point(
            run=line.run,
            label=f"trial {line.trial}",
            name="",
            status="finished" if line.state is TrialState.FINISHED else line.state.value,
        )
        for line in figure.lines
    )
    return Coordinates(axes=tuple(axes), shown=tuple(range(len(axes))), points=points)


def _axis_of_sweep(at: SweepAt, axis: Axis, values: Sequence[Json]) -> CoordinateAxis | None:
    key = Key(Space.METRIC if axis.is_metric else Space.CONFIG, axis.key)
    return make_axis(
        key,
        [ABSENT if value is None and axis.is_metric else value for value in values],
        title=axis.key,
        word=word_of(key),
        goal=at.sweep.spec.goal if axis.is_metric else None,
        scale="log" if axis.kind == "log" else "linear",
    )

"""Mean curves of a metric, one for each group of runs that share values."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite

from repro.core.curvecache import CurveCache
from repro.core.curves import CurveWish, read_curves
from repro.core.known import open_runs
from repro.core.project import Project
from repro.model.canonical import Json
from repro.model.columns import Column, title_keys
from repro.model.condition import Key
from repro.model.groups import group_runs
from repro.model.meancurve import Band, MeanCurve, mean_curve
from repro.model.readable import count_runs, format_value, shorten
from repro.model.run import Record
from repro.model.svgchart import Line
from repro.model.values import ABSENT, Value

ALL_AS_ONE = "all runs"
_ALL_POINTS = 1 << 62  # a mean is of all points, not of those that a chart shows of each run
_LONGEST = 24  # characters of a value in a label


@dataclass(frozen=True, slots=True)
class RunGroup:
    """Runs that have the same values under the keys of a grouping.

    Attributes:
        values: Those that they share, by name; a key that the runs lack is missing.
        label: What tells it apart in a legend, such as `lr=0.1, opt=adam`.
    """

    values: dict[str, Json]
    label: str
    runs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GroupCurve:
    """The mean of the curves of the runs of a group.

    Attributes:
        curve: Of smooth curves, where the wish has a smoothing.
        runs: Those that have points in the window.
        odd: Those of them with values that are not finite, which no mean has.
        problems: Why runs could not be read.
    """

    group: RunGroup
    curve: MeanCurve
    runs: tuple[str, ...]
    odd: tuple[str, ...]
    problems: tuple[str, ...]

    @property
    def label(self) -> str:
        """The label of the group, with how many runs its mean is of."""
        return f"{self.group.label} ({count_runs(len(self.runs))})"

    def as_line(self, colour: int) -> Line:
        """The line of a chart that shows it, with that place in the palette."""
        one = self.curve
        return Line(
            label=self.label, xs=one.x, ys=one.mean, colour=colour, band=(one.low, one.high)
        )


def make_groups(records: Sequence[Record], keys: Sequence[Column]) -> list[RunGroup]:
    """Put runs that share values into groups, in the order of the values.

    Args:
        keys: Of params and fields; without any there is one group.
    """
    found = group_runs(records, [_key(column) for column in keys]).groups
    names = [column.title for column in keys]  # as they were asked for
    titles = [column.title for column in title_keys(map(_key, keys))]
    return [
        RunGroup(
            {
                name: value
                for name, value in zip(names, group.values, strict=True)
                if value is not ABSENT
            },
            ", ".join(map(_tell, titles, group.values)) or ALL_AS_ONE,
            group.runs,
        )
        for group in found
    ]


def read_group_curves(
    project: Project,
    wish: CurveWish,
    keys: Sequence[Column],
    *,
    band: Band = Band.RANGE,
    cache: CurveCache | None = None,
) -> list[GroupCurve]:
    """Give the mean curve of each group of the runs of a wish, in the order of their values.

    A group without points is there with an empty curve, so that each has the same place in the
    charts of several metrics.

    Args:
        wish: Its `most` is of the means.
        cache: As in `read_curves`.

    Raises:
        UsageError: As `read_curves`.
    """
    with open_runs(project) as runs:
        groups = make_groups(runs.index.records(wish.runs), keys)  # without those that are gone
    whole = replace(wish, most=_ALL_POINTS)
    curves = {curve.run: curve for curve in read_curves(project, whole, cache=cache)}
    found = []
    for group in groups:
        each = [curves[run] for run in group.runs]
        having = [curve for curve in each if curve.n_points]
        points = [(one.x, one.y if one.smooth is None else one.smooth) for one in having]
        found.append(
            GroupCurve(
                group,
                mean_curve(points, most=wish.most, band=band),
                tuple(curve.run for curve in having),
                tuple(curve.run for curve in having if not all(map(isfinite, curve.y))),
                tuple(curve.problem for curve in each if curve.problem),
            )
        )
    return found


def _key(column: Column) -> Key:
    assert column.key is not None  # `find_group_keys` gives none without
    return column.key


def _tell(title: str, value: Value) -> str:
    if value is ABSENT:
        return f"no {title}"
    return f"{title}={shorten(format_value(value), _LONGEST)}"

"""What a trial gave: the value of the sweep's metric, and those on the way to it."""

from collections.abc import Iterable, Sequence
from math import isfinite

from repro.core.project import Project
from repro.core.query import read_points
from repro.model.condition import STATISTICS
from repro.model.run import Record, Status
from repro.model.series import Point
from repro.model.sweep import MOST_STEPS
from repro.model.sweepspec import SweepSpec

Steps = tuple[tuple[int, float], ...]

_PREFIX = "metrics."
_NOT_KEPT = ("bytes of output are not kept: ", "No space left", "no space left")


def read_value(spec: SweepSpec, record: Record) -> float | None:
    """Give what counts of a run: a finite number, or None where there is none."""
    value = find_value(spec, record)
    return value if value is not None and isfinite(value) else None


def find_value(spec: SweepSpec, record: Record) -> float | None:
    """Give the value of the metric as it was logged, NaN included; None where it never was.

    A metric that is called as the spec says counts first, then the statistic of one (`loss.min`),
    then a number that the program set in its summary.
    """
    if spec.metric is None:
        return None
    name, statistic = split_metric(spec.metric, record.metrics)
    summary = record.metrics.get(name)
    if summary is not None:
        value = getattr(summary, statistic)
        # No number is left of a series of NaN.
        return summary.last if value is None else float(value)
    said = record.summary.get(spec.metric.removeprefix(_PREFIX))
    if isinstance(said, str) and said in ("NaN", "Infinity", "-Infinity"):
        return float(said)
    return float(said) if isinstance(said, int | float) and not isinstance(said, bool) else None


def find_loss(spec: SweepSpec, record: Record) -> str:
    """Say what of a finished run could not be kept, where that may be why it has no value.

    Empty where it has a value, or nothing of it was lost: then its program gave none.
    """
    run = record.run
    is_finished = run.status is Status.FINISHED
    if spec.metric is None or not is_finished or read_value(spec, record) is not None:
        return ""
    if run.lost_points:
        return f"{run.lost_points:,} points of it could not be kept"
    if run.skipped_lines:
        return f"{run.skipped_lines:,} lines of its journals are damaged"
    # A program that could not even begin to log says so in its output, which was lost as well.
    return next((text for text in run.warnings if any(one in text for one in _NOT_KEPT)), "")


def split_metric(metric: str, names: Iterable[str]) -> tuple[str, str]:
    """Give the name of the metric that a spec means, and which statistic of it.

    Args:
        names: What a run logged.
    """
    known = set(names)
    plain = metric.removeprefix(_PREFIX)
    for name in (metric, plain):
        if name in known:
            return name, "last"
    before, _, last = plain.rpartition(".")
    if before and last in STATISTICS:
        return before, STATISTICS[last]
    return plain, "last"


def read_steps(project: Project, spec: SweepSpec, record: Record) -> Steps:
    """Give the finite values on the way of a sealed run, thinned out, each with its step.

    Only where trials are stopped early: nothing else asks for them, and the run itself has all.

    Raises:
        DamagedRecordError: They cannot be read.
    """
    if spec.early is None or spec.metric is None:
        return ()
    name, _ = split_metric(spec.metric, record.metrics)
    if name not in record.metrics:
        return ()
    return thin_steps(_as_steps(read_points(project, record).get(name, ())))


def _as_steps(points: Iterable[Point]) -> Steps:
    """Give the points that are numbers, by their steps."""
    return tuple((point.step, point.value) for point in points if isfinite(point.value))


def thin_steps(steps: Sequence[tuple[int, float]], limit: int = MOST_STEPS) -> Steps:
    """Give at most so many of some values on the way, evenly spread; the first and the last stay.

    Args:
        limit: At least 2.
    """
    n = len(steps)
    if n <= limit:
        return tuple(steps)
    return tuple(steps[place * (n - 1) // (limit - 1)] for place in range(limit))

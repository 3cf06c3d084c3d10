"""Results of a rerun judged against those of its original."""

import math
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeGuard

from repro.errors import InvalidInputError
from repro.model.canonical import Json
from repro.model.nearest import say_meant
from repro.model.outputdiff import compare_output
from repro.model.run import Status
from repro.model.series import Point
from repro.model.text import escape
from repro.model.values import is_same
from repro.model.verdict import (
    ArtifactState,
    Deviation,
    First,
    MetricVerdict,
    Outcome,
    OutputVerdict,
    Tolerance,
    Verdict,
)

# What others send; a program that crashes ends by a signal of its own, each time.
FROM_OUTSIDE = {"SIGTERM", "SIGINT", "SIGKILL", "SIGHUP", "SIGQUIT", "SIGXCPU", "SIGALRM"}
_NAMED = 3  # of a list
_LARGE = 1 << 1000  # what is less is finite, and as a float too


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """The results of one of both runs.

    Attributes:
        run: Its id.
        exit_code: Of the command; None where that is not known.
        signal: That killed it, None where none did.
        lost_points: Acknowledged points that are in no series, for they could not be kept.
        summary: What the user set beside the metrics, by dotted key.
        artifacts: Digest by path.
        output: What the command printed.
        is_cut: Whether the middle of the output is not here.
        has_output: False where a program led its own run, whose output nobody kept.
        foreign: Files of another tree, that of the run that this one repeats, which it took code
            from.
        unwatched: Programs of it of which nobody saw where their code came from.
    """

    run: str
    status: Status
    exit_code: int | None = None
    signal: str | None = None
    series: Mapping[str, Sequence[Point]] = field(default_factory=dict)
    lost_points: int = 0
    summary: Mapping[str, Json] = field(default_factory=dict)
    artifacts: Mapping[str, str] = field(default_factory=dict)
    output: bytes = b""
    is_cut: bool = False
    has_output: bool = True
    foreign: Sequence[str] = ()
    unwatched: Sequence[str] = ()


def judge(
    original: Side,
    again: Side,
    *,
    tolerance: Tolerance = Tolerance(),  # noqa: B008  # frozen
    metrics: Sequence[str] = (),
    same_paths: Sequence[tuple[str, str]] = (),
) -> Verdict:
    """Say whether `again` gave the results of `original`; causes are left empty.

    Series are aligned by metric and step; wall times count for nothing. Values are equal bit
    for bit: NaN is NaN, 0.0 is not -0.0, though any tolerance covers that. Artifacts are equal
    by digest, whatever the tolerance. What the user set as summary counts as a metric does. Only
    where neither side has any of these does the output carry the verdict, and the exit code alone
    where nothing was printed either.

    Args:
        metrics: The only ones that count, artifacts and output left out; none is all.
        same_paths: Paths of the original that stand for others in the rerun.

    Raises:
        InvalidInputError: Neither run has one of `metrics`.
    """
    series = _judge_metrics(original, again, tolerance, metrics)
    summary = _judge_summary(original, again, tolerance, metrics)
    artifacts = {} if metrics else _judge_artifacts(original.artifacts, again.artifacts)
    has_output = not metrics and original.has_output and again.has_output
    output = _judge_output(original, again, same_paths) if has_output else None
    first = _find_first(series)
    unfit = find_unfit(original, again)
    missing = (*unfit, *_missing(original, again, series, summary, artifacts))
    outcome = Outcome.DIVERGED
    if unfit:
        outcome = Outcome.INCOMPARABLE
    elif first is None and not _ended_apart(original, again):
        is_bare = not series and not summary and not artifacts
        if is_bare and not metrics:
            missing = (*missing, *_nothing(original, again, output))
        outcome = _weigh(series, summary, artifacts, output if is_bare else None, missing)
    return Verdict(
        run=again.run,
        rerun_of=original.run,
        outcome=outcome,
        tolerance=tolerance,
        first=first,
        missing=missing,
        ends=(_describe_end(original), _describe_end(again)),
        metrics=series,
        summary=summary,
        artifacts=artifacts,
        output=output,
    )


def _weigh(
    series: Mapping[str, MetricVerdict],
    summary: Mapping[str, Outcome],
    artifacts: Mapping[str, ArtifactState],
    output: OutputVerdict | None,
    missing: Sequence[str],
) -> Outcome:
    """The outcome where no metric that both have diverged, and both ended alike.

    Args:
        output: None where it does not count.
    """
    outcomes = [*(one.outcome for one in series.values()), *summary.values()]
    is_other = output is not None and output.first is not None
    if is_other or Outcome.DIVERGED in outcomes or ArtifactState.DIFFERS in artifacts.values():
        return Outcome.DIVERGED
    if missing:
        return Outcome.INCOMPARABLE
    return Outcome.WITHIN if Outcome.WITHIN in outcomes else Outcome.IDENTICAL


def judge_series(
    name: str, original: Sequence[Point], again: Sequence[Point], tolerance: Tolerance
) -> MetricVerdict:
    """Compare the points of one metric, step by step.

    Cost: about 1 µs a point where the series differ, a tenth of that where they do not.
    """
    if _has_same_bits(original, again):
        return MetricVerdict(outcome=Outcome.IDENTICAL, points=len(original))
    before = {point[0]: point[1] for point in original}
    after = {point[0]: point[1] for point in again}
    first: First | None = None
    absolute, relative = _Largest(), _Largest()
    for step in sorted(before.keys() | after.keys()):
        x, y = before.get(step), after.get(step)
        if x is None or y is None:
            first = first or First(name, step, (x, y))
        elif not _is_same(x, y):
            size = abs(x - y) if math.isfinite(x) and math.isfinite(y) else math.inf
            if first is None and not _is_covered(size, x, tolerance):
                first = First(name, step, (x, y))
            absolute.see(size, step)
            if x != 0:
                relative.see(size / abs(x) if math.isfinite(x) else math.inf, step)
    is_off = absolute.step is not None
    outcome = Outcome.DIVERGED if first else Outcome.WITHIN if is_off else Outcome.IDENTICAL
    return MetricVerdict(
        outcome=outcome,
        points=len(before.keys() & after.keys()),
        first=first,
        largest_absolute=absolute.deviation(before, after),
        largest_relative=relative.deviation(before, after),
    )


class _Largest:
    """The largest deviation so far; of equal ones that of the earliest step."""

    __slots__ = ("size", "step")

    def __init__(self) -> None:
        self.size = -1.0
        self.step: int | None = None

    def see(self, size: float, step: int) -> None:
        if size > self.size:
            self.size, self.step = size, step

    def deviation(
        self, before: Mapping[int, float], after: Mapping[int, float]
    ) -> Deviation | None:
        if self.step is None:
            return None
        return Deviation(self.size, self.step, (before[self.step], after[self.step]))


def _has_same_bits(original: Sequence[Point], again: Sequence[Point]) -> bool:
    """Whether all is equal, seen fast; no says nothing, for there are many NaN."""
    if [point[0] for point in original] != [point[0] for point in again]:
        return False
    x = array("d", [point[1] for point in original])
    return x.tobytes() == array("d", [point[1] for point in again]).tobytes()


def _is_same(x: float, y: float) -> bool:
    if x == y:
        return math.copysign(1.0, x) == math.copysign(1.0, y)
    return math.isnan(x) and math.isnan(y)


def _is_covered(size: float, original: float, tolerance: Tolerance) -> bool:
    return math.isfinite(size) and size <= tolerance.atol + tolerance.rtol * abs(original)


def _judge_metrics(
    original: Side, again: Side, tolerance: Tolerance, chosen: Sequence[str]
) -> dict[str, MetricVerdict]:
    names = original.series.keys() | again.series.keys()
    known = names | original.summary.keys() | again.summary.keys()
    for name in chosen:
        if name not in known:
            raise InvalidInputError(
                f"neither run has a metric {name_near(name, names)}",
                hint=f"`repro show {original.run} --metrics` lists those of the original",
            )
    verdicts = {}
    for name in sorted(names & set(chosen) if chosen else names):
        if name in original.series and name in again.series:
            x, y = original.series[name], again.series[name]
            verdicts[name] = judge_series(name, x, y, tolerance)
        else:
            verdicts[name] = MetricVerdict(outcome=Outcome.INCOMPARABLE, points=0)
    return verdicts


def _judge_summary(
    original: Side, again: Side, tolerance: Tolerance, chosen: Sequence[str]
) -> dict[str, Outcome]:
    """What the user set, compared; the summary of a metric follows from its points."""
    names = original.summary.keys() | again.summary.keys()
    if chosen:
        names &= set(chosen)
    return {name: _judge_entry(name, original, again, tolerance) for name in sorted(names)}


def _judge_entry(name: str, original: Side, again: Side, tolerance: Tolerance) -> Outcome:
    if name not in original.summary or name not in again.summary:
        return Outcome.INCOMPARABLE
    x, y = original.summary[name], again.summary[name]
    if not (_is_number(x) and _is_number(y)):
        return Outcome.IDENTICAL if is_same(x, y) else Outcome.DIVERGED
    if x == y and math.copysign(1.0, x) == math.copysign(1.0, y):
        return Outcome.IDENTICAL
    return Outcome.WITHIN if _is_covered(abs(x - y), x, tolerance) else Outcome.DIVERGED


def _is_number(value: Json) -> TypeGuard[float]:
    """Whether a value is a finite number; what is none is compared as a whole."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < _LARGE


def name_near(name: str, names: Iterable[str]) -> str:
    """A name that there is not, with those that may have been meant."""
    return f"`{escape(name)}`{say_meant(name, sorted(names))}"


def _judge_artifacts(
    original: Mapping[str, str], again: Mapping[str, str]
) -> dict[str, ArtifactState]:
    states = {}
    for path in sorted(original.keys() | again.keys()):
        if path not in again:
            states[path] = ArtifactState.MISSING
        elif path not in original:
            states[path] = ArtifactState.ADDED
        else:
            is_same = original[path] == again[path]
            states[path] = ArtifactState.SAME if is_same else ArtifactState.DIFFERS
    return states


def _judge_output(
    original: Side, again: Side, same_paths: Sequence[tuple[str, str]]
) -> OutputVerdict:
    return compare_output(
        original.output,
        again.output,
        same_paths=[*same_paths, (original.run, again.run)],
        is_cut=original.is_cut or again.is_cut,
    )


def _find_first(series: Mapping[str, MetricVerdict]) -> First | None:
    """The earliest step, and of that step the first metric by name."""
    firsts = [one.first for one in series.values() if one.first is not None]
    return min(firsts, key=lambda first: (first.step, first.metric), default=None)


def find_unfit(original: Side, again: Side) -> tuple[str, ...]:
    """Why no result of both can be compared at all, which no condition explains further."""
    reasons = []
    for side, who in ((original, "the original"), (again, "the rerun")):
        if side.status is Status.RUNNING:
            reasons.append(f"{who} is still running")
        elif side.status is Status.LOST:
            reasons.append(f"{who} was lost: nobody knows how it would have ended")
        if side.foreign:
            reasons.append(f"{who} took code from the tree of its original: {_some(side.foreign)}")
        if side.unwatched:
            reasons.append(f"nobody saw which code {who} took: {_some(side.unwatched)}")
    return tuple(reasons)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(f"`{escape(name)}`" for name in names[:_NAMED]) + more


def _missing(
    original: Side,
    again: Side,
    series: Mapping[str, MetricVerdict],
    summary: Mapping[str, Outcome],
    artifacts: Mapping[str, ArtifactState],
) -> tuple[str, ...]:
    reasons = []
    for side, who in ((original, "the original"), (again, "the rerun")):
        if side.lost_points:
            reasons.append(f"{side.lost_points:,} points of {who} could not be kept")
        if side.status is Status.KILLED and side.signal in FROM_OUTSIDE:
            reasons.append(f"{who} was killed ({side.signal}) before its end")
    for name, one in series.items():
        if one.outcome is Outcome.INCOMPARABLE:
            who = "the original" if name in original.series else "the rerun"
            reasons.append(f"only {who} has the metric `{escape(name)}`")
    for name, outcome in summary.items():
        if outcome is Outcome.INCOMPARABLE:
            who = "the original" if name in original.summary else "the rerun"
            reasons.append(f"only {who} has `{escape(name)}` in its summary")
    for path, state in artifacts.items():
        if state in (ArtifactState.MISSING, ArtifactState.ADDED):
            who = "the original" if state is ArtifactState.MISSING else "the rerun"
            reasons.append(f"only {who} has the artifact `{escape(path)}`")
    return tuple(reasons)


def _nothing(original: Side, again: Side, output: OutputVerdict | None) -> tuple[str, ...]:
    """Why nothing that is left can carry a verdict, where the output would have to."""
    if output is None:
        return ("one run has no metric and no artifact, and nobody kept its output",)
    if output.first is not None:
        return ()
    if output.is_cut:
        return ("the middle of an output is not in the content store here",)
    if not output.lines and (original.exit_code is None or again.exit_code is None):
        return ("neither a metric, an artifact, an output nor both exit codes were recorded",)
    return ()


def _ended_apart(original: Side, again: Side) -> bool:
    """Whether both ended in other ways; code without `repro run` around it may know no code."""
    if (original.status, original.signal) != (again.status, again.signal):
        return True
    codes = {original.exit_code, again.exit_code} - {None}
    return len(codes) > 1


def _describe_end(side: Side) -> str:
    code = f", exit code {side.exit_code}" if side.exit_code is not None else ""
    return side.status.value + code + (f", by {side.signal}" if side.signal else "")

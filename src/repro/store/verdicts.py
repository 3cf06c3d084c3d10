"""A verdict as `verdict.json` (FORMAT.md section "Verdicts")."""

from enum import StrEnum
from typing import TypeVar

from repro.model.canonical import Json
from repro.model.ids import is_id
from repro.model.verdict import (
    ArtifactState,
    Cause,
    Deviation,
    First,
    LineDifference,
    MetricVerdict,
    Outcome,
    OutputVerdict,
    Tolerance,
    Verdict,
)
from repro.store.fields import Fields

_E = TypeVar("_E", bound=StrEnum)


def encode_verdict(verdict: Verdict) -> dict[str, Json]:
    """What `verdict.json` says, which is what `--json` prints."""
    first = verdict.first
    return {
        "run": verdict.run,
        "rerun_of": verdict.rerun_of,
        "verdict": verdict.outcome.value,
        "tolerance": {"rtol": verdict.tolerance.rtol, "atol": verdict.tolerance.atol},
        "first": None if first is None else {"metric": first.metric, **_point(first)},
        "missing": list(verdict.missing),
        "ends": list(verdict.ends),
        "metrics": {name: _metric(one) for name, one in verdict.metrics.items()},
        "summary": {name: outcome.value for name, outcome in verdict.summary.items()},
        "artifacts": {path: state.value for path, state in verdict.artifacts.items()},
        "output": None if verdict.output is None else _output(verdict.output),
        "causes": [{"part": cause.part, "what": cause.what} for cause in verdict.causes],
    }


def _point(first: First) -> dict[str, Json]:
    return {"step": first.step, "values": list(first.values)}


def _metric(one: MetricVerdict) -> Json:
    return {
        "verdict": one.outcome.value,
        "points": one.points,
        "first": None if one.first is None else _point(one.first),
        "largest_absolute": _deviation(one.largest_absolute),
        "largest_relative": _deviation(one.largest_relative),
    }


def _deviation(one: Deviation | None) -> Json:
    if one is None:
        return None
    return {"size": one.size, "step": one.step, "values": list(one.values)}


def _output(output: OutputVerdict) -> Json:
    first = output.first
    line: Json = None if first is None else {"line": first.number, "texts": list(first.texts)}
    return {
        "lines": output.lines,
        "masked": output.masked,
        "first": line,
        "cut": output.is_cut,
    }


def decode_verdict(value: Json, name: str) -> Verdict:
    """Read what `encode_verdict` gave; keys that this version does not know are ignored.

    Args:
        name: The file, for messages.

    Raises:
        DamagedRecordError: A key is missing or has another type.
    """
    entry = Fields(value, name)
    tolerance = entry.inner("tolerance")
    run, rerun_of = _id(entry, "run"), _id(entry, "rerun_of")
    metrics, artifacts = entry.inner("metrics"), entry.inner("artifacts")
    summary = _optional(entry, "summary") or Fields({}, entry.name)
    ends = entry.texts("ends")
    if len(ends) != 2:
        raise entry.wrong("ends", "are not two")
    first = _optional(entry, "first")
    output = _optional(entry, "output")
    return Verdict(
        run=run,
        rerun_of=rerun_of,
        outcome=_member(entry, "verdict", Outcome),
        tolerance=Tolerance(tolerance.number("rtol"), tolerance.number("atol")),
        first=None if first is None else _read_first(first, first.text("metric")),
        missing=entry.texts("missing"),
        ends=(ends[0], ends[1]),
        metrics={metric: _read_metric(metrics, metric) for metric in metrics.values},
        summary={key: _member(summary, key, Outcome) for key in summary.values},
        artifacts={path: _member(artifacts, path, ArtifactState) for path in artifacts.values},
        output=None if output is None else _read_output(output),
        causes=tuple(Cause(one.text("part"), one.text("what")) for one in entry.objects("causes")),
    )


def _id(entry: Fields, key: str) -> str:
    value = entry.text(key)
    if not is_id(value):
        raise entry.wrong(key, "is no run id")
    return value


def _member(entry: Fields, key: str, kind: type[_E]) -> _E:
    try:
        return kind(entry.text(key))
    except ValueError as error:
        raise entry.wrong(key, "is none of the words that it can be") from error


def _optional(entry: Fields, key: str) -> Fields | None:
    return None if entry.values.get(key) is None else entry.inner(key)


def _pair(entry: Fields, key: str) -> Fields:
    value = entry.values.get(key)
    if not isinstance(value, list) or len(value) != 2:
        raise entry.wrong(key, "are not two")
    return Fields({"original": value[0], "rerun": value[1]}, f"{entry.name}, {key}")


def _read_first(entry: Fields, metric: str) -> First:
    pair = _pair(entry, "values")
    values = (pair.optional_number("original"), pair.optional_number("rerun"))
    return First(metric, entry.integer("step"), values)


def _read_metric(metrics: Fields, name: str) -> MetricVerdict:
    entry = metrics.inner(name)
    first = _optional(entry, "first")
    return MetricVerdict(
        outcome=_member(entry, "verdict", Outcome),
        points=entry.natural("points"),
        first=None if first is None else _read_first(first, name),
        largest_absolute=_read_deviation(_optional(entry, "largest_absolute")),
        largest_relative=_read_deviation(_optional(entry, "largest_relative")),
    )


def _read_deviation(entry: Fields | None) -> Deviation | None:
    if entry is None:
        return None
    pair = _pair(entry, "values")
    values = (pair.number("original"), pair.number("rerun"))
    return Deviation(entry.number("size"), entry.integer("step"), values)


def _read_output(entry: Fields) -> OutputVerdict:
    first = _optional(entry, "first")
    return OutputVerdict(
        lines=entry.natural("lines"),
        masked=entry.natural("masked"),
        first=None if first is None else _read_line(first),
        is_cut=entry.boolean("cut"),
    )


def _read_line(entry: Fields) -> LineDifference:
    pair = _pair(entry, "texts")
    texts = (pair.optional_text("original"), pair.optional_text("rerun"))
    return LineDifference(entry.natural("line"), texts)

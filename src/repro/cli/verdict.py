"""A verdict as text: one sentence, then what differs in the order in which it matters."""

import math
import re
from collections.abc import Iterator

from repro.cli import render
from repro.errors import UsageError
from repro.model.readable import count_of, format_number
from repro.model.text import escape
from repro.model.verdict import ArtifactState, Outcome, Tolerance, Verdict
from repro.model.verdicttext import describe_values, headline

_SHOWN = 20  # metrics, artifacts; --json has all
_COLOURS = {
    Outcome.IDENTICAL: "green",
    Outcome.WITHIN: "green",
    Outcome.DIVERGED: "red",
    Outcome.INCOMPARABLE: "yellow",
}
_TIMELIKE = re.compile(
    r"time|duration|elapsed|second|latency|throughput|per_s(?:ec)?\b|it/s|/sec|memory|(?:\A|[_/.])"
    r"(?:mem|fps|secs?|ms)(?:\Z|[_/.])",
    re.IGNORECASE,
)


def read_tolerance(rtol: float, atol: float) -> Tolerance:
    """The tolerance of `--rtol` and `--atol`.

    Raises:
        UsageError: One is negative, infinite or no number.
    """
    for option, value in (("--rtol", rtol), ("--atol", atol)):
        if not (math.isfinite(value) and value >= 0):
            raise UsageError(
                f"`{option} {value}` is no tolerance", hint="give a number that is 0 or more"
            )
    return Tolerance(rtol, atol)


def describe_verdict(verdict: Verdict) -> Iterator[str]:
    """The lines that show a verdict whole; the first is `headline`."""
    yield render.colour(headline(verdict), _COLOURS[verdict.outcome])
    if len(verdict.missing) > 1 or (verdict.missing and verdict.outcome is Outcome.DIVERGED):
        yield from _section("not compared", [escape(reason) for reason in verdict.missing])
    if verdict.causes:
        width = max(len(cause.part) for cause in verdict.causes)
        lines = [f"{escape(c.part).ljust(width)}  {escape(c.what)}" for c in verdict.causes]
        yield from _section("what differs, likeliest first", lines)
    if verdict.ends[0] != verdict.ends[1]:
        ends = [f"{sign} {escape(end)}" for sign, end in zip("-+", verdict.ends, strict=True)]
        yield from _section("end", ends)
    yield from _section("metrics", list(_metrics(verdict)))
    summary = [
        f"{escape(key)}  {_SUMMARY[outcome]}"
        for key, outcome in verdict.summary.items()
        if outcome is not Outcome.IDENTICAL
    ]
    yield from _section("summary", summary)
    artifacts = [
        f"{escape(path)}  {_ARTIFACT[state]}"
        for path, state in verdict.artifacts.items()
        if state is not ArtifactState.SAME
    ]
    yield from _section("artifacts", artifacts)
    does_count = not (verdict.metrics or verdict.summary or verdict.artifacts)
    title = "output" if does_count else "output (does not count)"
    yield from _section(title, list(_output(verdict)))


def metric_hint(verdict: Verdict) -> str | None:
    """How to leave out metrics that are measured times, if only such ones diverged; else None."""
    off = [name for name, one in verdict.metrics.items() if one.outcome is Outcome.DIVERGED]
    rest = [name for name in verdict.metrics if name not in off and not _TIMELIKE.search(name)]
    if not off or not rest or not all(map(_TIMELIKE.search, off)):
        return None
    named = " ".join(f"--metric {escape(name)}" for name in rest[:3])
    more = " …" if len(rest) > 3 else ""
    what = ", ".join(f"`{escape(name)}`" for name in off[:3])
    return f"hint: {what} changes with every execution: `{named}{more}` leaves it out"


_SUMMARY = {
    Outcome.WITHIN: "within tolerance",
    Outcome.DIVERGED: "another value",
    Outcome.INCOMPARABLE: "on one side only",
}
_ARTIFACT = {
    ArtifactState.DIFFERS: "other bytes",
    ArtifactState.MISSING: "only the original has it",
    ArtifactState.ADDED: "only the rerun has it",
}


def _metrics(verdict: Verdict) -> Iterator[str]:
    off = {n: one for n, one in verdict.metrics.items() if one.outcome is not Outcome.IDENTICAL}
    if not off:
        return
    rows = []
    for name, one in list(off.items())[:_SHOWN]:
        first = one.first
        where = "-" if first is None else f"step {first.step}: {describe_values(first)}"
        largest = one.largest_relative
        size = "-" if largest is None else f"{format_number(largest.size)} at step {largest.step}"
        what = one.outcome.value if one.outcome is not Outcome.INCOMPARABLE else "on one side only"
        rows.append([name, what, f"{one.points:,}", where, size])
    titles = ["metric", "verdict", "points", "first beyond tolerance", "largest relative deviation"]
    yield from render.table(rows, titles).splitlines()
    if len(off) > _SHOWN:
        yield f"… and {len(off) - _SHOWN:,} more: `--json` has all"
    equal = len(verdict.metrics) - len(off)
    if equal:
        yield f"{count_of(equal, 'other metric')} bit for bit the same"


def _output(verdict: Verdict) -> Iterator[str]:
    output = verdict.output
    if output is None:
        return
    if output.first is not None:
        yield f"line {output.first.number} differs:"
        for sign, text in zip("-+", output.first.texts, strict=True):
            if text is not None:
                yield f"{sign} {escape(text)}"
    if output.masked:
        what = "differs" if output.masked == 1 else "differ"
        yield (
            f"{count_of(output.masked, 'line')} {what} only in times, durations, dates, addresses,"
            " process ids or temporary paths"
        )
    if output.is_cut:
        yield "only its head was compared: the rest is not in the content store here"


def _section(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield f"{title}:"
        yield from (f"  {line}" for line in lines[: 2 * _SHOWN + 2])
        if len(lines) > 2 * _SHOWN + 2:
            yield f"  … and {len(lines) - 2 * _SHOWN - 2:,} more: `--json` has all"

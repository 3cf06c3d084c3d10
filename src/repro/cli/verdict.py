"""A verdict as text: one sentence, then what differs in the order in which it matters."""

import math
import re
from collections.abc import Iterator

from repro.cli import render
from repro.errors import UsageError
from repro.model.readable import format_number
from repro.model.text import escape
from repro.model.verdict import ArtifactState, Deviation, First, Outcome, Tolerance, Verdict

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


def headline(verdict: Verdict) -> str:
    """The verdict in one sentence."""
    say = {
        Outcome.IDENTICAL: _identical,
        Outcome.WITHIN: _within,
        Outcome.DIVERGED: _diverged,
        Outcome.INCOMPARABLE: _incomparable,
    }[verdict.outcome]
    return f"{verdict.outcome.value}{say(verdict)}"


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


def _identical(verdict: Verdict) -> str:
    points = sum(one.points for one in verdict.metrics.values())
    parts = []
    if verdict.metrics:
        parts.append(f"{_count(points, 'point')} of {_count(len(verdict.metrics), 'metric')}")
    if verdict.summary:
        count = len(verdict.summary)
        parts.append(f"{count:,} {'entry' if count == 1 else 'entries'} of the summary")
    if verdict.artifacts:
        parts.append(_count(len(verdict.artifacts), "artifact"))
    ended = "" if verdict.ends[1].startswith("finished") else f"; both {escape(verdict.ends[1])}"
    if parts:
        return f": {', '.join(parts)}, bit for bit{ended}"
    output = verdict.output
    if output is None or not output.lines:
        return f": both {escape(verdict.ends[0])}; nothing else was recorded, not even output"
    masked = f", {output.masked:,} of them but for times and the like" if output.masked else ""
    return f": {_count(output.lines, 'line')} of output{masked}{ended}"


def _within(verdict: Verdict) -> str:
    name, largest, kind = _largest(verdict)
    if largest is None:
        near = [key for key, one in verdict.summary.items() if one is Outcome.WITHIN]
        return f": `{escape(near[0])}` in the summary deviates" if near else ""
    x, y = largest.values
    return (
        f": largest {kind} deviation {format_number(largest.size)},"
        f" at step {largest.step} of `{escape(name)}` ({x!r} against {y!r})"
    )


def _largest(verdict: Verdict) -> tuple[str, Deviation | None, str]:
    """The largest relative deviation of all; where the originals are 0, the absolute one."""
    relative = [
        (one.largest_relative.size, name, one.largest_relative)
        for name, one in verdict.metrics.items()
        if one.largest_relative is not None
    ]
    if relative:
        _, name, largest = max(relative, key=lambda entry: entry[0])
        return name, largest, "relative"
    for name, one in verdict.metrics.items():
        if one.largest_absolute is not None:
            return name, one.largest_absolute, "absolute"
    return "", None, ""


def _diverged(verdict: Verdict) -> str:
    if verdict.first is not None:
        first = verdict.first
        return f" at step {first.step} of `{escape(first.metric)}`: {_values(first)}"
    before, after = map(escape, verdict.ends)
    if before != after:
        return f": the original {before}; the rerun {after}"
    other = [key for key, one in verdict.summary.items() if one is Outcome.DIVERGED]
    if other:
        more = f" and {len(other) - 1} more" if len(other) > 1 else ""
        return f": `{escape(other[0])}`{more} in the summary is another"
    differing = [p for p, state in verdict.artifacts.items() if state is ArtifactState.DIFFERS]
    if differing:
        more = f" and {len(differing) - 1} more" if len(differing) > 1 else ""
        return f": the artifact `{escape(differing[0])}`{more} has other bytes"
    if verdict.output is not None and verdict.output.first is not None:
        line = verdict.output.first
        return f" at line {line.number} of the output: {_texts(line.texts)}"
    return ""


def _values(first: First) -> str:
    x, y = ("no point" if value is None else repr(value) for value in first.values)
    return f"{x} against {y}"


def _texts(texts: tuple[str | None, str | None]) -> str:
    x, y = ("no such line" if text is None else f"`{escape(text)}`" for text in texts)
    return f"{x} against {y}"


def _incomparable(verdict: Verdict) -> str:
    if not verdict.missing:
        return ""
    more = len(verdict.missing) - 1
    return f": {escape(verdict.missing[0])}" + (f", and {more} more" if more else "")


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
        where = "-" if first is None else f"step {first.step}: {_values(first)}"
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
        yield f"{_count(equal, 'other metric')} bit for bit the same"


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
            f"{_count(output.masked, 'line')} {what} only in times, durations, dates, addresses,"
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


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"

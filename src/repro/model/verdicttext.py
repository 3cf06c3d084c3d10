"""A verdict in one sentence."""

from repro.model.readable import count_of, format_number
from repro.model.text import escape
from repro.model.verdict import ArtifactState, Deviation, First, Outcome, Verdict


def headline(verdict: Verdict) -> str:
    """The verdict in one sentence."""
    say = {
        Outcome.IDENTICAL: _identical,
        Outcome.WITHIN: _within,
        Outcome.DIVERGED: _diverged,
        Outcome.INCOMPARABLE: _incomparable,
    }[verdict.outcome]
    return f"{verdict.outcome.value}{say(verdict)}"


def _identical(verdict: Verdict) -> str:
    points = sum(one.points for one in verdict.metrics.values())
    parts = []
    if verdict.metrics:
        parts.append(f"{count_of(points, 'point')} of {count_of(len(verdict.metrics), 'metric')}")
    if verdict.summary:
        count = len(verdict.summary)
        parts.append(f"{count:,} {'entry' if count == 1 else 'entries'} of the summary")
    if verdict.artifacts:
        parts.append(count_of(len(verdict.artifacts), "artifact"))
    ended = "" if verdict.ends[1].startswith("finished") else f"; both {escape(verdict.ends[1])}"
    if parts:
        return f": {', '.join(parts)}, bit for bit{ended}"
    output = verdict.output
    if output is None or not output.lines:
        return f": both {escape(verdict.ends[0])}; nothing else was recorded, not even output"
    masked = f", {output.masked:,} of them but for times and the like" if output.masked else ""
    return f": {count_of(output.lines, 'line')} of output{masked}{ended}"


def _within(verdict: Verdict) -> str:
    name, largest, kind = _largest(verdict)
    if largest is None:
        near = [key for key, one in verdict.summary.items() if one is Outcome.WITHIN]
        return f": `{escape(near[0])}` in the summary deviates" if near else ""
    x, y = largest.values
    return (
        f": largest {kind} deviation {format_number(largest.size)},"
        f" at step {largest.step} of `{escape(name)}` ({_tell_apart(x, y)})"
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
        return f" at step {first.step} of `{escape(first.metric)}`: {describe_values(first)}"
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


def describe_values(first: First) -> str:
    """Both values of the first point that differs; a side may have no point there."""
    x, y = first.values
    if x is None or y is None:
        return " against ".join("no point" if value is None else repr(value) for value in (x, y))
    return _tell_apart(x, y)


def _tell_apart(x: float, y: float) -> str:
    """Both values, in no more digits than it takes to see how they differ, but in all then."""
    short = [float(f"{value:.5g}") for value in (x, y)]
    shown = (x, y) if short[0] == short[1] else short
    return f"{shown[0]!r} against {shown[1]!r}"


def _texts(texts: tuple[str | None, str | None]) -> str:
    x, y = ("no such line" if text is None else f"`{escape(text)}`" for text in texts)
    return f"{x} against {y}"


def _incomparable(verdict: Verdict) -> str:
    if not verdict.missing:
        return ""
    more = len(verdict.missing) - 1
    return f": {escape(verdict.missing[0])}" + (f", and {more} more" if more else "")

"""A run in progress looked at again and again, at the cost of what it logged in between."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from repro.core.events import (
    Entry,
    Events,
    begin_events,
    drop_shadowed,
    order_records,
    take_entries,
)
from repro.core.started import Started
from repro.model.run import MetricSummary
from repro.model.running import Running, extend_running, summarise_running
from repro.model.series import Point, merge_rows, summarise
from repro.store.collector import no_collection
from repro.store.journal_reader import Journal, read_on
from repro.store.livestate import LiveState, Said

# Kinds of records whose order counts among themselves, and that a summary of the run shows.
_SAID = {
    "artifact", "config", "data", "define", "environment", "name", "note", "summary", "tags",
    "untag",
}  # fmt: skip


_PIECE = 1 << 22  # bytes of a journal: some 30,000 lines


@dataclass(frozen=True, slots=True)
class Look:
    """What a run in progress logged.

    Attributes:
        events: All but the points, and what no record shows of a run in progress.
        metrics: Summary of all points so far, by metric.
        points: Those that are new, by metric.
        is_whole: Whether all of it was read, so that `points` are all there are.
        state: For the next look; None where that must read all of it.
    """

    events: Events
    metrics: Mapping[str, MetricSummary]
    points: Mapping[str, list[Point]]
    is_whole: bool
    state: LiveState | None


def look_at(folder: Path, started: Started, state: LiveState | None) -> Look:
    """Read what is new in the journals of a run.

    The answer is the same without a state. Where new points come before old ones in the order of
    steps, or journals say things in another order than they were read, all of it is read.

    Args:
        folder: Its folder `live/<id>`.

    Raises:
        NewerFormatError: A journal was written by a newer repro.
        DamagedRecordError: A journal cannot be read at all.

    Cost: proportional to what is new, about 5 µs a line.
    """
    nothing = _begin(started)
    if state is not None and state.attempt == nothing.attempt:
        look = _look_on(folder, started, state, is_whole=False)
        if look is not None:
            return look
    look = _look_on(folder, started, nothing, is_whole=True)
    assert look is not None, "no older points can be missing"
    return look


def summarise_on(folder: Path, started: Started, state: LiveState | None) -> Look:
    """As `look_at`, for who needs no points: of a long journal never all are in memory at once.

    Its `points` are some of the new ones.

    Cost: proportional to what is new, about 3 µs a point.
    """
    nothing = _begin(started)
    if state is None or state.attempt != nothing.attempt:
        state = nothing
    while True:
        look = _look_on(folder, started, state, is_whole=False, most=_PIECE)
        if look is None or look.state is None:
            return look_at(folder, started, None)
        if look.state.places == state.places:
            return look
        state = look.state


def _begin(started: Started) -> LiveState:
    """The state before anything was read."""
    attempt = f"{started.run.id} {started.run.started} {started.journal}"
    return LiveState(attempt, (), {}, None, {}, _said(begin_events(started)))


@no_collection()
def _look_on(
    folder: Path, started: Started, state: LiveState, *, is_whole: bool, most: int = -1
) -> Look | None:
    """What is new, added to the state; None where what was read before is needed again.

    Args:
        most: Bytes of each journal that are read; -1 is all.
    """
    places = {place.name: place for place in state.places}
    found = read_on(folder, places, most=most)
    if found is None:
        return None
    journals = [journal for journal, _ in found]
    read = {name: place.records for name, place in places.items()}
    ordered = order_records(started, journals, moments=state.moments, read=read)
    logged = [entry for entry in ordered.entries if entry.record.get("k") == "log"]
    said = [entry for entry in ordered.entries if _kind(entry) in _SAID]
    if said and _key(said[0]) < _newest(state, journals):
        return None
    events = _events(state.said)
    take_entries(events, said)
    take_entries(events, logged)
    points = merge_rows(events.rows)
    running: dict[str, Running | None] = {**state.metrics}
    for name, new in points.items():
        running[name] = extend_running(running.get(name), new)
    summaries = _summaries(running, points if is_whole else {})
    if summaries is None:
        return None
    kept = {name: one for name, one in running.items() if one is not None}
    newest = _noted(said[-1], journals) if said else state.newest
    now = LiveState(
        state.attempt,
        tuple(place for _, place in found),
        ordered.moments,
        newest,
        kept,
        _said(events),
    )
    drop_shadowed(events)
    return Look(events, summaries, points, is_whole, now if len(kept) == len(running) else None)


def _summaries(
    running: Mapping[str, Running | None], points: Mapping[str, list[Point]]
) -> dict[str, MetricSummary] | None:
    """The summary of each metric, from its points where nothing shorter has it."""
    summaries = {}
    for name in sorted(running):
        one = running[name]
        summary = None if one is None else summarise_running(one)
        if summary is None:
            if name not in points:
                return None
            [summary] = summarise({name: points[name]}).values()
        summaries[name] = summary
    return summaries


def _kind(entry: Entry) -> object:
    kind = entry.record.get("k")
    return kind if type(kind) is str else None


def _key(entry: Entry) -> tuple[float, int, int, int]:
    return entry.time, *entry.order


def _newest(state: LiveState, journals: list[Journal]) -> tuple[float, int, int, int]:
    if state.newest is None:
        return float("-inf"), 0, 0, 0
    time, rank, name, number = state.newest
    return time, rank, [journal.name for journal in journals].index(name), number


def _noted(entry: Entry, journals: list[Journal]) -> tuple[float, int, str, int]:
    rank, writer, number = entry.order
    return entry.time, rank, journals[writer].name, number


def _said(events: Events) -> Said:
    return Said(
        config=events.config,
        summary=events.summary,
        goals=events.goals,
        artifacts=list(events.artifacts.values()),
        data=events.data,
        environment=events.environment,
        tags=list(events.tags),
        name=events.name,
        note=events.note,
    )


def _events(said: Said) -> Events:
    return Events(
        config=said.config,
        summary=dict(said.summary),
        goals=dict(said.goals),
        artifacts={artifact.path: artifact for artifact in said.artifacts},
        data=dict(said.data),
        environment=said.environment,
        tags=list(said.tags),
        name=said.name,
        note=said.note,
    )

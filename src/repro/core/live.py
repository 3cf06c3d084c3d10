"""Runs in progress, as far as their live folders tell."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from repro.core.events import Events, read_events
from repro.core.project import Project
from repro.core.started import Started, read_start
from repro.errors import ReproError
from repro.model.config import merge_config
from repro.model.ids import is_id
from repro.model.run import Record
from repro.model.series import Point, merge_rows, summarise
from repro.store.index import Problem
from repro.store.journal import read_journals
from repro.store.refs import RUNS


@dataclass(frozen=True, slots=True)
class LiveRuns:
    """The runs in progress by id, and those whose folder cannot be read."""

    started: Mapping[str, Started]
    problems: tuple[Problem, ...]


def list_live(project: Project, sealed: Mapping[str, str]) -> LiveRuns:
    """Find the runs in progress.

    Args:
        sealed: Refs of sealed runs; one of these is over, unless it is being continued.
    """
    started: dict[str, Started] = {}
    problems: list[Problem] = []
    for name in _folders(project.live):
        try:
            found = read_start(project.live / name)
        except ReproError as error:
            problems.append(Problem(name, error))
            continue
        if found is not None and sealed.get(RUNS + name) == found.resumed:
            started[name] = found
    return LiveRuns(started, tuple(problems))


def _folders(live: Path) -> list[str]:
    try:
        return sorted(name for name in os.listdir(live) if is_id(name))
    except OSError:  # no run was ever started here
        return []


def brief_record(started: Started) -> Record:
    """The record of a run in progress as it started, without points."""
    return Record(run=started.run, config=started.config, data=started.data)


def live_record(project: Project, started: Started) -> Record:
    """The record of a run in progress with all that it logged so far.

    Cost: reads its journals whole.
    """
    events = _events(project, started)
    summaries = summarise(merge_rows(events.rows))
    return Record(
        run=replace(started.run, name=events.name, note=events.note, tags=_unique(events.tags)),
        config=merge_config(started.config, events.config),
        metrics={
            name: replace(summary, goal=events.goals.get(name))
            for name, summary in summaries.items()
        },
        summary=events.summary,
        data=started.data,
        environment={**started.environment, **events.environment},
        artifacts=tuple(events.artifacts.values()),
    )


def _unique(tags: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tags))


def live_series(project: Project, run_id: str) -> dict[str, list[Point]]:
    """All points of a run in progress so far, by metric."""
    started = read_start(project.live / run_id)
    return merge_rows(_events(project, started).rows) if started else {}


def _events(project: Project, started: Started) -> Events:
    return read_events(started, read_journals(project.live / started.run.id))

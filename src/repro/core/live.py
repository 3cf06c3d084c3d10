"""Runs in progress, as far as their live folders tell."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from repro.core.project import Project
from repro.core.started import Started, read_start
from repro.errors import ReproError
from repro.model.canonical import Json
from repro.model.config import merge_config
from repro.model.ids import is_id
from repro.model.run import Record
from repro.model.series import Point, Row, merge_rows, summarise
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
    config: Mapping[str, Json] = started.config
    summary: dict[str, Json] = {}
    for _, record in _records(project, started.run.id):
        if record.get("k") == "config":
            config = merge_config(config, record["c"])
        elif record.get("k") == "summary":
            summary.update(record["s"])
    return replace(
        brief_record(started),
        config=config,
        metrics=summarise(live_series(project, started.run.id)),
        summary=summary,
        environment=started.environment,
    )


def live_series(project: Project, run_id: str) -> dict[str, list[Point]]:
    """All points of a run in progress so far, by metric."""
    return merge_rows(
        Row(record["s"], record["t"], {n: float(v) for n, v in record["m"].items()}, order)
        for order, record in _records(project, run_id)
        if record.get("k") == "log"
    )


def _records(
    project: Project, run_id: str
) -> Iterator[tuple[tuple[int, int, int], Mapping[str, Any]]]:
    for writer, journal in enumerate(read_journals(project.live / run_id)):
        rank = int(journal.header.get("rank", 0))
        for number, record in enumerate(journal.records):
            yield (rank, writer, number), record

"""Runs in progress, as they started."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from repro.core.project import Project
from repro.core.started import Started, read_start
from repro.errors import ReproError
from repro.model.ids import is_id
from repro.model.run import Record
from repro.store.index import Problem
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

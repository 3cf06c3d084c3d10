"""Runs in progress, as far as their live folders tell."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from repro.core.events import Events, read_events
from repro.core.started import Started, read_start
from repro.errors import ReproError
from repro.model.config import merge_config
from repro.model.randomness import describe_randomness
from repro.model.run import Record, Run
from repro.model.series import Point, merge_rows, summarise
from repro.store.index import Problem
from repro.store.journal import read_journals
from repro.store.random_reports import read_reports
from repro.store.refs import RunRefs


@dataclass(frozen=True, slots=True)
class InProgress:
    """A run in progress.

    Attributes:
        folder: Its folder `live/<id>`.
    """

    folder: Path
    started: Started

    @property
    def run(self) -> Run:
        """What `run.json` would have said when it started."""
        return self.started.run

    def brief_record(self) -> Record:
        """Its record as it started, without points, environment and artifacts."""
        return Record(run=self.run, config=self.started.config, data=self.started.data)

    def record(self) -> Record:
        """Its record with all that it logged so far.

        Cost: reads its journals whole, as `series` does.
        """
        events = self._events()
        summaries = summarise(merge_rows(events.rows))
        tags = tuple(dict.fromkeys(events.tags))
        return Record(
            run=replace(self.run, name=events.name, note=events.note, tags=tags),
            config=merge_config(self.started.config, events.config),
            metrics={
                name: replace(summary, goal=events.goals.get(name))
                for name, summary in summaries.items()
            },
            summary=events.summary,
            data={**self.started.data, **events.data},
            environment={**self.started.environment, **events.environment},
            artifacts=tuple(events.artifacts.values()),
            randomness=describe_randomness(
                self.started.randomness, read_reports(self.folder).processes, events.randomness
            ),
        )

    def stamp(self) -> str:
        """Another text whenever its journals have more to read."""
        parts = []
        with os.scandir(self.folder) as entries:
            for entry in entries:
                if entry.is_file(follow_symlinks=False):
                    status = entry.stat(follow_symlinks=False)
                    parts.append(f"{entry.name} {status.st_size} {status.st_mtime_ns}")
        return "\n".join(sorted(parts))

    def series(self) -> dict[str, list[Point]]:
        """All points so far, by metric."""
        return merge_rows(self._events().rows)

    def _events(self) -> Events:
        return read_events(self.started, read_journals(self.folder))


def read_live(
    folders: Iterable[Path], sealed: RunRefs
) -> tuple[dict[str, InProgress], list[Problem]]:
    """Give the runs in progress by id, and those whose folder cannot be read.

    Args:
        folders: Each named by the id of its run.
        sealed: The sealed runs; one of these is over, unless it is being continued.
    """
    found: dict[str, InProgress] = {}
    problems: list[Problem] = []
    for folder in folders:
        try:
            started = read_start(folder)
        except ReproError as error:
            problems.append(Problem(folder.name, error))
            continue
        if started is not None and sealed.get(folder.name) == started.resumed:
            found[folder.name] = InProgress(folder, started)
    return found, problems

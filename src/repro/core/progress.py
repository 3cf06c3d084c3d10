"""What a run in progress logged so far."""

from dataclasses import replace

from repro.core.events import Events, read_events
from repro.core.project import Project
from repro.core.started import Started, read_start
from repro.model.config import merge_config
from repro.model.run import Record
from repro.model.series import Point, merge_rows, summarise
from repro.store.journal import read_journals


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

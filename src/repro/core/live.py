"""Runs in progress, as far as their live folders tell."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from repro.core.events import Events, read_events
from repro.core.growing import Look, look_at, summarise_on
from repro.core.started import Started, read_start
from repro.errors import DamagedRecordError, ReproError
from repro.model.config import merge_config
from repro.model.medium import Medium
from repro.model.objective import find_goal_of
from repro.model.randomness import describe_randomness
from repro.model.run import MetricSummary, Record, Run
from repro.model.series import Point, merge_rows, summarise
from repro.store.index import Problem
from repro.store.journal import read_journals
from repro.store.journal_reader import stamp_journals
from repro.store.livestate import LiveState, decode_state, encode_state
from repro.store.random_reports import read_reports


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

    def record(self) -> Record:
        """Its record with all that it logged so far.

        Cost: reads its journals whole, as `series` does.
        """
        events = self._events()
        record = self._make_record(events, summarise(merge_rows(events.rows)))
        processes = read_reports(self.folder).processes
        randomness = describe_randomness(self.started.randomness, processes, events.randomness)
        return replace(record, randomness=randomness)

    def _make_record(self, events: Events, metrics: Mapping[str, MetricSummary]) -> Record:
        tags = tuple(dict.fromkeys(events.tags))
        return Record(
            run=replace(self.run, name=events.name, note=events.note, tags=tags),
            config=merge_config(self.started.config, events.config),
            metrics={
                name: replace(summary, goal=find_goal_of(name, events.goals))
                for name, summary in metrics.items()
            },
            summary=events.summary,
            data={**self.started.data, **events.data},
            environment={**self.started.environment, **events.environment},
            artifacts=tuple(events.artifacts.values()),
        )

    def look(self, state: LiveState | None = None) -> Look:
        """What it logged so far, at the cost of what is new since `state`.

        Raises:
            NewerFormatError: A journal was written by a newer repro.
            DamagedRecordError: A journal cannot be read at all.
        """
        return look_at(self.folder, self.started, state)

    def brief_of(self, look: Look) -> Record:
        """Its record with all that it logged, less what is told of randomness."""
        return self._make_record(look.events, look.metrics)

    def stamp(self) -> str:
        """A text that changes whenever its journals do; empty once its folder is gone."""
        return stamp_journals(self.folder)

    def read_brief(self, state: bytes | None) -> tuple[Record, bytes]:
        """Its record with all that it logged, less what is told of randomness.

        Args:
            state: What this gave the last time; None the first time.

        Returns:
            The record, and the state for the next time.

        Raises:
            NewerFormatError: A journal was written by a newer repro.
            DamagedRecordError: A journal cannot be read at all.

        Cost: proportional to what is new since `state`, about 3 µs a point.
        """
        look = summarise_on(self.folder, self.started, decode_state(state) if state else None)
        return self.brief_of(look), encode_state(look.state) if look.state else b""

    def manifests(self) -> dict[str, str]:
        """The tree of the pages of each dataset so far, by name."""
        return {**self.started.manifests, **self._events().manifests}

    def media(self) -> list[Medium]:
        """All media so far, by name, step and place."""
        media = self._events().media
        return [one for key in sorted(media) for one in media[key]]

    def series(self) -> dict[str, list[Point]]:
        """All points so far, by metric."""
        return merge_rows(self._events().rows)

    def system(self) -> dict[str, list[Point]]:
        """What was sampled of the machine so far, by name."""
        return merge_rows(self._events().system)

    def _events(self) -> Events:
        return read_events(self.started, read_journals(self.folder))


def read_live(
    folders: Iterable[Path], sealed: Mapping[str, str]
) -> tuple[dict[str, InProgress], list[Problem]]:
    """Give the runs in progress by id, and those whose folder cannot be read.

    Args:
        folders: Each named by the id of its run.
        sealed: What the own refs of the runs name; one that has such a ref is over, unless it
            is being continued. What a remote says of it does not count.
    """
    found: dict[str, InProgress] = {}
    problems: list[Problem] = []
    for folder in folders:
        try:
            started = read_start(folder)
            if started is not None and started.run.id != folder.name:
                raise DamagedRecordError(
                    f"it says it is `{started.run.id}`", hint=f"if it is a copy, remove `{folder}`"
                )
        except ReproError as error:
            problems.append(Problem(folder.name, error))
            continue
        if started is not None and sealed.get(folder.name) in (None, started.resumed):
            found[folder.name] = InProgress(folder, started)
    return found, problems

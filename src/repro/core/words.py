"""What others say of a run that is in progress: written beside its journals, for the seal to take.

It counts by the time at which it was said, among what the run says of itself.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from repro.core.events import begin_events, order_records, take_entries
from repro.core.project import Project
from repro.core.sealing import sealing
from repro.core.started import Started, read_start
from repro.model.canonical import Json
from repro.model.run import Run
from repro.store.journal import read_journals
from repro.store.refs import LIVE, RUNS, list_refs
from repro.store.words import append_words

_KINDS = ("name", "note", "tags", "untag")
_TICK = 1e-6  # seconds


def say_of_live(project: Project, run_id: str, change: Callable[[Run], Run]) -> Run | None:
    """Give a run in progress another name, note or tags; None where it is not, or no more.

    Nothing is said of it while it is sealed: what this wrote is in the record then.

    Args:
        change: Called with what the run is called by now.

    Raises:
        NewerFormatError: A journal was written by a newer repro.
        DamagedRecordError: `start.json` or a journal cannot be read.
        StorageError: The disk is full, read-only or forbidden.

    Cost: reads its journals, about 2 µs a line.
    """
    folder = project.live / run_id
    try:
        with sealing(folder) as is_ours:
            started = read_start(folder) if is_ours else None
            if started is None or _is_sealed(project, started):
                return None
            return _say(project, folder, started, change)
    except FileNotFoundError:  # somebody deletes files in `.git`
        return None


def say_pruned(project: Project, run_id: str) -> None:
    """Have the record of a run in progress say that it is ended for others were better.

    Nothing happens where it is in progress no more.

    Raises:
        DamagedRecordError: `start.json` cannot be read.
        StorageError: The disk is full, read-only or forbidden.
    """
    folder = project.live / run_id
    try:
        with sealing(folder) as is_ours:
            if is_ours and read_start(folder) is not None:
                append_words(folder, [{"k": "pruned"}], project.clock())
    except FileNotFoundError:
        return


def _is_sealed(project: Project, started: Started) -> bool:
    """Whether only the clean-up is left, as of a seal that was killed."""
    places = LIVE + started.run.id, RUNS + started.run.id
    live, sealed = map(list_refs(project.repository.git, *places).get, places)
    return live is None and sealed is not None and sealed != started.resumed


def _say(project: Project, folder: Path, started: Started, change: Callable[[Run], Run]) -> Run:
    ordered = order_records(started, read_journals(folder))
    said = [entry for entry in ordered.entries if entry.record.get("k") in _KINDS]
    events = begin_events(started)
    take_entries(events, said)
    tags = tuple(dict.fromkeys(events.tags))
    before = replace(started.run, name=events.name, note=events.note, tags=tags)
    after = change(before)
    records = list(_differences(before, after))
    if records:
        # It is the newest of all, however far apart the clocks of two machines are.
        newest = max((entry.time for entry in said), default=0.0)
        append_words(folder, records, max(project.clock(), newest + _TICK))
    return after


def _differences(before: Run, after: Run) -> Iterator[Mapping[str, Json]]:
    if after.name != before.name:
        yield {"k": "name", "v": after.name or ""}
    if after.note != before.note:
        yield {"k": "note", "v": after.note or ""}
    if gone := [tag for tag in before.tags if tag not in after.tags]:
        yield {"k": "untag", "v": [*gone]}
    if added := [tag for tag in after.tags if tag not in before.tags]:
        yield {"k": "tags", "v": [*added]}

"""Runs that a choice found, read when they are asked for: their records, or columns of values."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from repro.core.choosing import Choice, choose_runs
from repro.core.known import open_runs
from repro.core.project import Project
from repro.errors import UnknownRunError
from repro.model.binding import resolve_name
from repro.model.condition import Key, Space
from repro.model.run import Record
from repro.model.values import Value
from repro.model.wanted import find_columns
from repro.store.index import OnProgress, Problem

_PIECE = 1000  # records in memory at a time


@dataclass(frozen=True, slots=True)
class Chosen:
    """The runs that fit, in their order.

    Attributes:
        ids: Of all of them.
        first: The records of the first ones, environment and artifacts left out.
        problems: Runs that cannot be read; they hide no other.
        matching: How many fit, before the limit.
    """

    ids: tuple[str, ...]
    first: list[Record]
    problems: tuple[Problem, ...]
    matching: int


def find_chosen(
    project: Project,
    choice: Choice,
    *,
    limit: int | None = None,
    n_first: int = 0,
    on_progress: OnProgress | None = None,
) -> Chosen:
    """Find the runs that fit, and read the first of them.

    Args:
        limit: At most so many; None is all.
        n_first: Of how many the record is given.
        on_progress: Told how many of how many records are read, where these are many.

    Raises:
        FilterError: The filter, or a key to sort by, is wrong.

    Cost: reads the records that are new since the last time, and `n_first` documents.
    """
    with open_runs(project, on_progress=on_progress) as runs:
        condition, sort = choose_runs(runs.index, choice, now=project.clock())
        ids = runs.index.select_ids(condition, sort=sort, limit=limit)
        first = runs.index.records(ids[:n_first])
        matching = len(ids) if len(ids) != limit else runs.index.matching(condition)
        return Chosen(tuple(ids), first, runs.problems, matching)


class ChosenRecords:
    """The records of runs that were found, some of them in memory at a time.

    Each walk through them reads them anew; a run that is gone meanwhile is left out.
    """

    def __init__(self, project: Project, found: Chosen) -> None:
        """Take what `find_chosen` gave."""
        self._project = project
        self._found = found
        self.n_chosen = len(found.ids)
        self.n_fitting = found.matching

    def __iter__(self) -> Iterator[Record]:
        """Read them, environment and artifacts left out."""
        ids, first = self._found.ids, self._found.first
        yield from first
        for start in range(len(first), len(ids), _PIECE):
            # Nothing stays open: whoever reads the output may take all day.
            with open_runs(self._project) as runs:
                piece = runs.index.records(ids[start : start + _PIECE])
            yield from piece

    def shorten(self) -> dict[str, str]:
        """The shortest unique prefix of the id of each."""
        with open_runs(self._project) as runs:
            return runs.shorten(self._found.ids)


def read_records(project: Project, ids: Sequence[str]) -> list[Record]:
    """Give the records of some runs, environment and artifacts left out.

    Raises:
        UnknownRunError: One is not there any more.
        NewerFormatError: A newer repro wrote one of them.
        DamagedRecordError: The record of one breaks FORMAT.md.
    """
    with open_runs(project) as runs:
        found = runs.index.records(ids)
        there = {record.run.id for record in found}
        gone = next((run_id for run_id in ids if run_id not in there), None)
        if gone is not None:
            runs.refuse_unreadable(gone)
    if gone is not None:
        raise UnknownRunError(
            f"run `{gone}` is not there any more", hint="`repro ls` lists the runs"
        )
    return found


def read_columns(project: Project, ids: Sequence[str], keys: Sequence[Key]) -> list[list[Value]]:
    """Give the values that some runs have under each key; None where one has none.

    Tags are a list, sorted.

    Cost: reads the values of all runs under these keys, and of records no more than has lists.
    """
    with open_runs(project) as runs:
        return runs.index.columns(keys, ids)


def list_names(project: Project) -> dict[Space, list[str]]:
    """The names that runs have values of, by space."""
    with open_runs(project) as runs:
        return {space: runs.index.names(space) for space in Space}


def resolve_names(project: Project, words: Sequence[str]) -> list[tuple[str, Key]]:
    """Give what names of the query language, and patterns of these, stand for, with their names.

    Raises:
        FilterError: A name is unknown or ambiguous.
        UsageError: A pattern fits nothing.
    """
    with open_runs(project) as runs:
        index = runs.index
        found = [(word, column) for word in words for column in find_columns(word, index)]
        # A column of the command line that is no name of the language: here a metric is meant.
        return [
            (column.title, resolve_name(word, index) if column.key is None else column.key)
            for word, column in found
        ]

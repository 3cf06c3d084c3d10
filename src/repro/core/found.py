"""Runs that a query found, read when they are asked for: their records, or columns of values."""

from collections.abc import Sequence
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
from repro.store.index import Problem


@dataclass(frozen=True, slots=True)
class Found:
    """The runs that fit, in their order.

    Attributes:
        ids: Of all of them.
        records: Theirs, environment and artifacts left out; None where there are too many.
        problems: Runs that cannot be read; they hide no other.
    """

    ids: tuple[str, ...]
    records: list[Record] | None
    problems: tuple[Problem, ...]


def find_runs(
    project: Project, choice: Choice, *, limit: int | None = None, most: int = 0
) -> Found:
    """Find the runs that fit, and read their records if they are few.

    Args:
        limit: At most so many; None is all.
        most: Up to how many runs the records are read.

    Raises:
        FilterError: The filter, or a key to sort by, is wrong.

    Cost: reads the records that are new since the last time, and at most `most` of the index.
    """
    with open_runs(project) as runs:
        condition, sort = choose_runs(runs.index, choice, now=project.clock())
        ids = runs.index.select_ids(condition, sort=sort, limit=limit)
        records = runs.index.records(ids) if len(ids) <= most else None
        return Found(tuple(ids), records, runs.problems)


def read_records(project: Project, ids: Sequence[str]) -> list[Record]:
    """Give the records of some runs, environment and artifacts left out.

    Raises:
        UnknownRunError: One is not there any more.
    """
    with open_runs(project) as runs:
        found = runs.index.records(ids)
    if len(found) < len(ids):
        there = {record.run.id for record in found}
        gone = next(run_id for run_id in ids if run_id not in there)
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

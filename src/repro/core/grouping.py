"""Runs that a choice found in groups of the same values, by the run index and without records."""

from collections.abc import Sequence
from dataclasses import dataclass

from repro.core.choosing import Choice, choose_runs
from repro.core.known import open_runs
from repro.core.project import Project
from repro.model.columns import name_params
from repro.model.condition import Condition, Key, Space
from repro.model.groups import Group, Grouping, rank_value, summarise_values
from repro.store.index import CellGroup, OnProgress, Problem, RunIndex

_LOOKED_AT = 50  # newest runs, in whose order metrics are shown


@dataclass(frozen=True, slots=True)
class FoundGroups:
    """The groups of the runs that fit.

    Attributes:
        matching: How many runs that are.
        problems: Runs that cannot be read; they hide no other.
    """

    grouping: Grouping
    matching: int
    problems: tuple[Problem, ...]


def group_chosen(
    project: Project,
    choice: Choice,
    keys: Sequence[Key],
    *,
    on_progress: OnProgress | None = None,
) -> FoundGroups:
    """Give the groups with all their metrics, as `group_runs` does of records.

    Args:
        choice: Its order is of no use here.
        on_progress: Told how many of how many records are read, where these are many.

    Raises:
        FilterError: The filter is wrong.
    """
    with open_runs(project, on_progress=on_progress) as runs:
        index = runs.index
        condition, _ = choose_runs(index, choice, now=project.clock())
        found = find_groups(index, keys, index.names(Space.METRIC), condition)
        ids = index.select_ids(condition)
        places = {run_id: place for place, run_id in enumerate(ids)}
        groups = [
            Group(
                group.values,
                tuple(sorted(index.ids_of(group), key=places.__getitem__)),
                {name: summarise_values(values) for name, values in group.metrics.items()},
            )
            for group in found
        ]
        _, usual = name_params(index.records(ids[:_LOOKED_AT]))
        names = {name for group in groups for name in group.metrics}
        ordered = dict.fromkeys((*(name for name in usual if name in names), *sorted(names)))
        goals = {name: index.goals(name, condition) for name in ordered}
        return FoundGroups(
            Grouping(
                groups,
                {name: goals[name].copy().pop() if len(goals[name]) == 1 else None
                 for name in sorted(goals, key=lambda one: not goals[one])},
            ),
            len(ids),
            runs.problems,
        )  # fmt: skip


def find_groups(
    index: RunIndex, keys: Sequence[Key], metrics: Sequence[str], condition: Condition | None
) -> list[CellGroup]:
    """Give the groups in the order of their values, with the last values of some metrics."""
    groups = index.groups(keys, metrics, condition)
    return sorted(groups, key=lambda group: tuple(map(rank_value, group.values)))

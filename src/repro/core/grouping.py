"""Runs that a choice found in groups of the same values, by the run index and without records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from repro.core.choosing import Choice, choose_runs
from repro.core.known import open_runs
from repro.core.project import Project
from repro.errors import UsageError
from repro.model.binding import parse_sort
from repro.model.columns import Column, name_params
from repro.model.condition import Condition, Key, Space, Vocabulary
from repro.model.groups import Group, Grouping, GroupOrder, rank_value, summarise_values
from repro.model.text import escape
from repro.model.wanted import Wanted, find_columns, split_names
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
        metrics = index.names(Space.METRIC)
        found = find_groups(index, keys, metrics, condition, with_numbers=True)
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
    index: RunIndex,
    keys: Sequence[Key],
    metrics: Sequence[str],
    condition: Condition | None,
    *,
    with_numbers: bool = False,
) -> list[CellGroup]:
    """Give the groups in the order of their values, with the last values of some metrics."""
    groups = index.groups(keys, metrics, condition, with_numbers=with_numbers)
    return sorted(groups, key=lambda group: tuple(map(rank_value, group.values)))


def find_group_keys(text: str, vocabulary: Vocabulary) -> list[Column]:
    """Read a list of names to group by; patterns are replaced by all that fit.

    Raises:
        FilterError: No run has that name, or it stands for several things.
        UsageError: A pattern fits nothing, or it is `step`.
    """
    found = [column for word in split_names(text) for column in find_columns(word, vocabulary)]
    if not found or any(column.key is None for column in found):
        raise UsageError(
            f"`{escape(text)}` is nothing to group by",
            hint="name params, such as `--group-by lr,optimizer`",
        )
    return found


def find_group_orders(words: Sequence[str], vocabulary: Vocabulary) -> list[GroupOrder]:
    """Read what groups are to be sorted by: names, and `runs` for their number.

    Raises:
        FilterError: No run has that name, or it stands for several things.
    """
    orders = []
    for word in words:
        descending = word.startswith("-")
        if word.removeprefix("-") == "runs":
            orders.append(GroupOrder(None, descending))
        else:
            [sort] = parse_sort([word], vocabulary)
            orders.append(GroupOrder(sort.key, sort.descending))
    return orders


def choose_metrics(goals: Mapping[str, str | None], wanted: Wanted) -> dict[str, str | None]:
    """The metrics to show of groups, with their goals, as somebody asked for them.

    Args:
        goals: Of all metrics that the groups have.

    Raises:
        UsageError: One is no metric, or another number of it than its last value.
    """
    usual = [Column(name, Key(Space.METRIC, name)) for name in goals]
    chosen = {}
    for column in wanted.apply(usual if wanted.is_change else []):
        key = column.key
        if key is None or key.space is not Space.METRIC or key.statistic != "last":
            raise UsageError(
                f"groups have no column `{escape(column.title)}`",
                hint="they show the last values of metrics: `--columns METRIC,…`",
            )
        chosen[key.name] = goals.get(key.name)
    return chosen

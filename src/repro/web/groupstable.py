"""The table of groups of runs as its template shows it."""

from collections.abc import Sequence
from dataclasses import dataclass

from repro.core.tableview import TableColumn, TableGroup, TableView
from repro.model.cells import format_cells, format_statistics
from repro.model.condition import Space
from repro.model.goals import best_places
from repro.model.values import ABSENT, Value
from repro.web.runstable import Cell, Head, make_cell, sort_head, title_in_band
from repro.web.runsview import RunsView


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupLine:
    """One group.

    Attributes:
        keys: The values that its runs share.
        address: Where its runs are listed; None where no filter finds them.
        cells: Mean and deviation of each metric.
    """

    keys: tuple[Cell, ...]
    n_runs: int
    address: str | None
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LaidGroups:
    """The table.

    Attributes:
        keys: The heads of what the runs are grouped by.
        heads: Of the metrics.
    """

    keys: tuple[Head, ...]
    runs: Head
    heads: tuple[Head, ...]
    lines: tuple[GroupLine, ...]


def lay_groups(table: TableView, view: RunsView, now: float) -> LaidGroups:
    """Lay a page of groups out.

    Args:
        now: Seconds since 1970.
    """
    groups = table.groups or ()
    keys, metrics = table.columns[: table.n_keys], table.columns[table.n_keys :]
    values = [[group.values[place] for group in groups] for place in range(table.n_keys)]
    key_cells = []
    for column, shared in zip(keys, values, strict=True):
        laid = format_cells(shared, column.key, now)
        pairs = zip(laid.texts, shared, strict=True)
        key_cells.append([make_cell(text, one, is_right=laid.is_right) for text, one in pairs])
    metric_cells = [
        _lay_metric(groups, column.key.name, column.goal) for column in metrics if column.key
    ]
    return LaidGroups(
        keys=tuple(_key_head(one, view) for one in keys),
        runs=sort_head("runs", "runs", view, is_descending=True, is_right=True),
        heads=tuple(_metric_head(one, view) for one in metrics),
        lines=tuple(
            GroupLine(
                keys=tuple(column[place] for column in key_cells),
                n_runs=group.n_runs,
                address=_address(view, group),
                cells=tuple(column[place] for column in metric_cells),
            )
            for place, group in enumerate(groups)
        ),
    )


def _key_head(column: TableColumn, view: RunsView) -> Head:
    is_param = column.key is not None and column.key.space is Space.CONFIG
    title = title_in_band(column.key) if column.key is not None and is_param else column.title
    return sort_head(title, column.word, view, is_descending=False)


def _metric_head(column: TableColumn, view: RunsView) -> Head:
    title = column.title if column.key is None else title_in_band(column.key)
    is_descending = column.goal == "maximize"
    return sort_head(
        title, column.word, view, is_descending=is_descending, goal=column.goal, is_right=True
    )


def _address(view: RunsView, group: TableGroup) -> str | None:
    return None if group.where is None else view.address(where=group.where, group="", sort=())


def _lay_metric(groups: Sequence[TableGroup], name: str, goal: str | None) -> list[Cell]:
    means = [_mean(group, name) for group in groups]
    best = best_places(means, goal)
    return [
        make_cell(
            format_statistics(name, group.metrics.get(name), group.n_runs),
            mean,
            is_right=True,
            is_best=place in best,
        )
        for place, (group, mean) in enumerate(zip(groups, means, strict=True))
    ]


def _mean(group: TableGroup, name: str) -> Value:
    found = group.metrics.get(name)
    return ABSENT if found is None or found.mean is None else found.mean

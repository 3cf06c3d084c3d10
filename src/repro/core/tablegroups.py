"""One page of the table of all runs where these are grouped."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from repro.core.grouping import choose_metrics, find_group_keys, find_group_orders, find_groups
from repro.core.known import KnownRuns
from repro.core.tableview import (
    TableColumn,
    TableGroup,
    TableView,
    TableWish,
    are_numbers,
    offer,
    word_of,
)
from repro.model.columns import Column, choose_keys, title_keys
from repro.model.condition import Condition, Key, Space
from repro.model.goals import agreed_goal
from repro.model.groups import GroupOrder, Statistics, sort_groups, summarise_values
from repro.model.nextword import quote_text
from repro.model.run import Record
from repro.model.values import ABSENT, Value, is_nan
from repro.model.wanted import parse_columns
from repro.store.collector import no_collection
from repro.store.index import CellGroup, RunIndex

_LOOKED_AT = 50  # newest runs, of which the usual metrics are
_MOST_METRICS = 4  # that are shown where nobody asks for any: each costs a walk through all runs


@no_collection()
def read_groups(runs: KnownRuns, wish: TableWish, condition: Condition | None) -> TableView:
    """Give a page of groups of the runs that fit.

    Raises:
        FilterError: A name is unknown or ambiguous.
        UsageError: It is nothing to group by, no metric, or nothing to sort groups by.

    Cost: of 100,000 runs 50 ms for each key, for each metric that groups are sorted by, and,
        where the groups of the page have thousands of runs, for each metric that is shown.
    """
    index = runs.index
    by = find_group_keys(",".join(wish.group_by), index)
    keys = [column.key for column in by if column.key is not None]
    newest = index.records(index.select_ids(condition, limit=_LOOKED_AT))
    metrics = _choose_metrics(index, wish, newest)
    orders = find_group_orders(wish.sort, index)
    sorted_by = _sorted_by(orders, keys)
    found = find_groups(index, keys, sorted_by, condition, with_numbers=True)
    first = (wish.page - 1) * wish.per_page
    page = slice(first, first + wish.per_page)
    if orders:
        measured = [_measure(one, sorted_by) for one in found]
        shown = [one.cells for one in sort_groups(measured, keys, orders)[page]]
    else:
        shown = found[page]
    index.put_metrics(shown, [name for name in metrics if name not in sorted_by])
    values = [[group.values[place] for group in shown] for place in range(len(keys))]
    return TableView(
        columns=(
            *(_key_column(one, cells) for one, cells in zip(by, values, strict=True)),
            *(_metric_column(name, newest) for name in metrics),
        ),
        rows=(),
        groups=tuple(_group(one, keys, metrics, wish.where) for one in shown),
        n_keys=len(keys),
        n_groups=len(found),
        matching=index.matching(condition),
        total=runs.count(),
        problems=runs.problems,
        hidden=offer(
            title_keys(Key(Space.METRIC, name) for name in index.names(Space.METRIC)),
            {Key(Space.METRIC, name) for name in metrics},
        ),
        constant=(),
    )


@dataclass(frozen=True, slots=True)
class _Measured:
    """A group with those of its metrics in numbers that groups are sorted by."""

    cells: CellGroup
    values: tuple[Value, ...]
    n_runs: int
    metrics: Mapping[str, Statistics]


def _measure(group: CellGroup, metrics: Sequence[str]) -> _Measured:
    found = {n: summarise_values(group.metrics[n]) for n in metrics if n in group.metrics}
    return _Measured(group, group.values, group.n_runs, found)


def _group(group: CellGroup, keys: Sequence[Key], metrics: Sequence[str], where: str) -> TableGroup:
    return TableGroup(
        values=group.values,
        n_runs=group.n_runs,
        metrics=_measure(group, metrics).metrics,
        where=_filter_for(keys, group.values, where),
    )


def _choose_metrics(index: RunIndex, wish: TableWish, newest: Sequence[Record]) -> list[str]:
    usual = [key.name for key in choose_keys(newest).metrics][:_MOST_METRICS]
    if wish.columns is None:
        return usual
    wanted = parse_columns(",".join(wish.columns), index)
    return list(choose_metrics(dict.fromkeys(usual), wanted))


def _sorted_by(orders: Sequence[GroupOrder], keys: Sequence[Key]) -> list[str]:
    return [
        order.by.name
        for order in orders
        if order.by is not None and order.by not in keys and order.by.space is Space.METRIC
    ]


def _key_column(column: Column, values: Sequence[Value]) -> TableColumn:
    return TableColumn(
        title=column.title, word=word_of(column.key), key=column.key, goal=None,
        is_number=are_numbers(values),
    )  # fmt: skip


def _metric_column(name: str, newest: Sequence[Record]) -> TableColumn:
    key = Key(Space.METRIC, name)
    [column] = title_keys([key])
    return TableColumn(
        title=column.title, word=word_of(key), key=key, goal=agreed_goal(newest, key),
        is_number=True,
    )  # fmt: skip


def _filter_for(keys: Sequence[Key], values: Sequence[Value], where: str) -> str | None:
    """The filter for the runs of a group; several tags are no value of their own."""
    if any(
        key.space is Space.TAG and value is not ABSENT
        for key, value in zip(keys, values, strict=True)
    ):
        return None
    tests = [_test(key, value) for key, value in zip(keys, values, strict=True)]
    return " and ".join([*([f"({where})"] if where.strip() else []), *tests])


def _test(key: Key, value: Value) -> str:
    word = word_of(key)
    if value is ABSENT or value is None:
        return f"{word} is null"
    if isinstance(value, bool):
        return f"{word} = {str(value).lower()}"
    if is_nan(value):
        return f"{word} is nan"
    if isinstance(value, int | float):
        return f"{word} = {value!r}"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"{word} = {quote_text(text)}"

"""Filters to begin with, of names that the runs in a table have."""

from collections.abc import Callable, Sequence
from statistics import median

from repro.core.tableview import TableColumn, TableView
from repro.model.condition import Space
from repro.model.values import Value, is_number

_ALWAYS = (
    "status = running or tag is not null",
    "age < 7d and duration > 1h",
    "name ~ '^base' or note is not null",
)


def give_examples(table: TableView | None) -> list[str]:
    """Give a handful of filters; of a number it is one that about half of the runs fit."""
    if table is None or table.groups is not None:
        return list(_ALWAYS)
    below = _first(table, Space.CONFIG, _below)
    equal = _first(table, Space.CONFIG, _equal)
    best = _first(table, Space.METRIC, _below)
    params = [one for one in (below, equal) if one]
    metrics = [best, f"{best} or {below}" if below else f"not {best}"] if best else []
    return [*([" and ".join(params)] if params else []), *metrics, *_ALWAYS]


def _first(
    table: TableView, space: Space, write: Callable[[TableColumn, Sequence[Value]], str]
) -> str:
    for place, column in enumerate(table.columns):
        if column.key is not None and column.key.space is space:
            written = write(column, [row.values[place] for row in table.rows])
            if written:
                return written
    return ""


def _below(column: TableColumn, values: Sequence[Value]) -> str:
    numbers = [value for value in values if is_number(value)]
    return f"{column.word} < {median(numbers):.2g}" if column.is_number and numbers else ""


def _equal(column: TableColumn, values: Sequence[Value]) -> str:
    texts = [value for value in values if isinstance(value, str) and value.isidentifier()]
    return f"{column.word} = '{texts[0]}'" if texts else ""

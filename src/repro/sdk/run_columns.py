"""The columns that a data frame of runs has: which ones, and with what in them."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from repro.core.chosen import list_names, read_columns, resolve_names
from repro.core.project import Project
from repro.model.canonical import carriable_text
from repro.model.condition import STATISTICS, Key, Kind, Space
from repro.model.config import flatten_config
from repro.model.fields import FIELDS
from repro.model.lookup import look_up
from repro.model.run import Record
from repro.model.values import ABSENT, Value
from repro.sdk.table import (
    Column,
    Type,
    measure_column,
    moment_column,
    plain_column,
    status_column,
    texts_column,
)

_NAMED = (Space.CONFIG, Space.METRIC, Space.SUMMARY)
_COUNTS = ("count", "last_step", "min_step", "max_step")
_TAGS = Key(Space.TAG, "")


def make_columns(
    project: Project,
    ids: Sequence[str],
    records: Sequence[Record] | None,
    words: Sequence[str] | None,
    *,
    statistics: bool,
) -> list[Column]:
    """Give the columns of some runs.

    Args:
        ids: Of the runs.
        records: Of the same runs; None where they are so many that none shall be read.
        words: Names of the query language; None is whatever the runs have.
        statistics: Whether that is all statistics of metrics, or their last values alone.

    Raises:
        FilterError: A name is unknown or ambiguous.
        UsageError: A pattern fits nothing.
    """
    if words is not None:
        wanted = resolve_names(project, words)
    else:
        names = list_names(project) if records is None else _names_in(records)
        wanted = list(_all_columns(names, statistics=statistics))
    found = _values(project, ids, records, [key for _, key in wanted])
    columns: dict[str, Column] = {}
    for name, key in wanted:
        values = found[key]
        is_empty = all(value is None or value is ABSENT for value in values)
        if words is not None or key.space in (Space.FIELD, Space.TAG) or not is_empty:
            title = carriable_text(name)
            columns.setdefault(title, _column(title, key, values))
    return list(columns.values())


def _all_columns(
    names: Mapping[Space, Sequence[str]], *, statistics: bool
) -> Iterator[tuple[str, Key]]:
    yield from ((name, Key(Space.FIELD, name)) for name in FIELDS)
    yield "tags", _TAGS
    for space in _NAMED:
        yield from ((f"{space}.{name}", Key(space, name)) for name in names[space])
    if statistics:
        for name in names[Space.METRIC]:
            for one in STATISTICS.values():
                if one != "last":
                    yield f"{Space.METRIC}.{name}.{one}", Key(Space.METRIC, name, one)


def _names_in(records: Sequence[Record]) -> dict[Space, list[str]]:
    parts = {
        Space.CONFIG: (flatten_config(record.config) for record in records),
        Space.METRIC: (record.metrics for record in records),
        Space.SUMMARY: (flatten_config(record.summary) for record in records),
    }
    return {space: sorted({*chain.from_iterable(names)}) for space, names in parts.items()}


def _values(
    project: Project, ids: Sequence[str], records: Sequence[Record] | None, keys: Sequence[Key]
) -> dict[Key, list[Value]]:
    if records is None:
        return dict(zip(keys, read_columns(project, ids, keys), strict=True))
    # Records of a list come without their environments.
    inner = [key for key in keys if key.space is Space.ENV]
    found = dict(zip(inner, read_columns(project, ids, inner), strict=True)) if inner else {}
    return {key: found.get(key) or [_value(record, key) for record in records] for key in keys}


def _value(record: Record, key: Key) -> Value:
    return [*sorted(record.run.tags)] if key == _TAGS else look_up(record, key)


def _column(title: str, key: Key, values: Sequence[Value]) -> Column:
    if key.space is Space.TAG:
        texts = [value if isinstance(value, list) else [] for value in values]
        return texts_column(title, [[str(text) for text in tags] for tags in texts])
    if key.space is Space.METRIC:
        if key.statistic in _COUNTS:
            return plain_column(title, values, empty=Type.INTEGER)
        return measure_column(title, values)
    if key.space is Space.FIELD:
        return _field(title, key.name, values)
    return plain_column(title, values)


def _field(title: str, name: str, values: Sequence[Value]) -> Column:
    field = FIELDS[name]
    if field.is_moment:
        return moment_column(title, values)
    if name == "status":
        return status_column(title, values)
    if field.unit:
        return measure_column(title, values)
    is_number = field.kind is Kind.NUMBER
    return plain_column(title, values, empty=Type.INTEGER if is_number else Type.TEXT)

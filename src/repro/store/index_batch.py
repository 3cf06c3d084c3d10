"""What the run index is to hold of several runs, by the columns of its tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from repro.model.canonical import carriable_text
from repro.store.index_rows import (
    Cell,
    Row,
    encode_document,
    field_cells,
    series_cells,
    value_cells,
)

# Cells are `Any` here, as msgspec knows no type that is text or bytes.


@dataclass(frozen=True, slots=True)
class Head:
    """What a run is known by.

    Attributes:
        live, environment: As in `Row`.
        cells: When it was created, then its other fields.
    """

    id: str
    commit: str
    live: str | None
    environment: str | None
    cells: list[Any]


@dataclass(slots=True)
class Column:
    """The values under one key.

    Attributes:
        runs: Places of the runs that have one, from 0 on, ascending.
        cells: The value of each.
    """

    runs: list[int] = field(default_factory=list)
    cells: list[Any] = field(default_factory=list)


@dataclass(slots=True)
class Series:
    """What there is of one metric beside its last values; `cells` as `series_cells` gives them."""

    runs: list[int] = field(default_factory=list)
    cells: list[list[Any]] = field(default_factory=list)


@dataclass(slots=True)
class Batch:
    """Several runs; they are named by their places in `heads`.

    Attributes:
        documents: As `encode_document` gives them.
        states: Of who reads the journals of one in progress.
        values: By space, then by name.
        series: By metric.
        tags: Each tag with the run that has it.
    """

    heads: list[Head] = field(default_factory=list)
    documents: list[bytes] = field(default_factory=list)
    states: list[bytes | None] = field(default_factory=list)
    values: dict[str, dict[str, Column]] = field(default_factory=dict)
    series: dict[str, Series] = field(default_factory=dict)
    tags: list[tuple[int, str]] = field(default_factory=list)


def make_batch(rows: Sequence[Row], *, many: bool) -> Batch:
    """Give the columns of `rows`.

    Args:
        many: Whether so many are read that the import of a faster encoder pays off.
    """
    batch = Batch()
    for place, row in enumerate(rows):
        record, run = row.record, row.record.run
        cells = [run.created, *field_cells(record)]
        batch.heads.append(Head(run.id, row.commit, row.live, row.environment, cells))
        batch.documents.append(encode_document(record, fast=many and row.is_plain))
        batch.states.append(row.state)
        for space, values in value_cells(record).items():
            _add_values(batch.values.setdefault(space.value, {}), place, values)
        for name, summary in record.metrics.items():
            series = batch.series.get(name)
            if series is None:
                series = batch.series[name] = Series()
            series.runs.append(place)
            series.cells.append(series_cells(summary))
        batch.tags += [(place, carriable_text(tag)) for tag in run.tags]
    return batch


def _add_values(columns: dict[str, Column], place: int, values: Mapping[str, Cell]) -> None:
    for name, value in values.items():
        column = columns.get(name)
        if column is None:
            column = columns[name] = Column()
        column.runs.append(place)
        column.cells.append(value)

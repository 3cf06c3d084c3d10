"""Tables as data frames of Polars."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from repro.model.canonical import carriable_text
from repro.model.run import Status
from repro.model.series import Point
from repro.sdk.table import Column, Type, as_json, plain_column, seconds_column

try:
    import polars
except ImportError as error:
    raise ImportError(
        "Polars is not installed here: `pip install 'git-repro[polars]'`", name="polars"
    ) from error

if TYPE_CHECKING:
    from polars import DataFrame as DataFrame

_DTYPES: Mapping[Type, Any] = {
    Type.BOOL: polars.Boolean(),
    Type.INTEGER: polars.Int64(),
    Type.FLOAT: polars.Float64(),
    Type.MEASURE: polars.Float64(),
    Type.TEXT: polars.String(),
    Type.STATUS: polars.Enum([status.value for status in Status]),
    Type.MOMENT: polars.Datetime("us", "UTC"),
    Type.TEXTS: polars.List(polars.String()),
}
_ITEMS = (Type.BOOL, Type.INTEGER, Type.FLOAT, Type.TEXT)


def frame_columns(columns: Sequence[Column]) -> "DataFrame":
    """A data frame with a row for each value of the columns."""
    return polars.DataFrame([_convert(column) for column in columns])


def frame_series(series: Mapping[str, Sequence[Point]], *, long: bool) -> "DataFrame":
    """The points of a run: a row a step with a column a metric, or a row a point."""
    if long:
        named = [(name, point) for name, points in series.items() for point in points]
        return frame_columns(
            [
                Column("metric", Type.TEXT, [name for name, _ in named]),
                _steps([point.step for _, point in named]),
                Column("value", Type.MEASURE, [point.value for _, point in named]),
                seconds_column("time", [point.time for _, point in named]),
            ]
        )
    steps = sorted({point.step for points in series.values() for point in points})
    columns = [_steps(steps)]
    for name, points in series.items():
        found = {point.step: point.value for point in points}
        # Polars has no index apart from its columns, so a metric cannot be called as that is.
        title = f"metrics.{name}" if name == "step" else name
        columns.append(
            Column(carriable_text(title), Type.MEASURE, [found.get(step) for step in steps])
        )
    return frame_columns(columns)


def _steps(steps: Sequence[int]) -> Column:
    return plain_column("step", steps, empty=Type.INTEGER)


def _convert(column: Column) -> "polars.Series":
    if column.type is Type.LIST:
        return _lists(column)
    if column.type is Type.MIXED:
        return polars.Series(column.title, list(map(_as_text, column.values)), polars.String())
    return polars.Series(column.title, column.values, _DTYPES[column.type])


def _lists(column: Column) -> "polars.Series":
    """Lists of one type of item as that; others as JSON."""
    lists = [value for value in column.values if isinstance(value, list)]
    items = plain_column("", list(chain.from_iterable(lists)))
    if items.type not in _ITEMS:
        texts = [None if value is None else as_json(value) for value in column.values]
        return polars.Series(column.title, texts, polars.String())
    plain = iter(items.values)
    found = [
        [next(plain) for _ in value] if isinstance(value, list) else None for value in column.values
    ]
    return polars.Series(column.title, found, polars.List(_DTYPES[items.type]))


def _as_text(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else as_json(value)

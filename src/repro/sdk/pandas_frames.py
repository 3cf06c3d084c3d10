"""Tables as data frames of pandas."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from repro.model.run import Status
from repro.model.series import Point
from repro.sdk.table import Column, Type, seconds_column

try:
    import numpy
    import pandas
except ImportError as error:
    raise ImportError(
        "pandas is not installed here: `pip install 'git-repro[pandas]'`", name="pandas"
    ) from error

if TYPE_CHECKING:
    from pandas import DataFrame as DataFrame

# Where each row has a value, and where some lack one.
_DTYPES = {
    Type.BOOL: ("bool", "boolean"),
    Type.INTEGER: ("int64", "Int64"),
    Type.TEXT: ("string", "string"),
}
_STATUSES = [status.value for status in Status]


def frame_columns(columns: Sequence[Column]) -> "DataFrame":
    """A data frame with a row for each value of the columns, numbered from 0."""
    return pandas.DataFrame({column.title: _convert(column) for column in columns})


def frame_rows(titles: Sequence[str], rows: Sequence[Sequence[object]]) -> "DataFrame":
    """A data frame of rows as they are, numbered from 0."""
    return pandas.DataFrame([list(row) for row in rows], columns=list(titles))


def frame_series(series: Mapping[str, Sequence[Point]], *, long: bool) -> "DataFrame":
    """The points of a run: indexed by step with a column a metric, or a row a point."""
    if long:
        return _long(series)
    columns = {}
    for name, points in series.items():
        index = pandas.Index(_steps([point.step for point in points]), name="step")
        columns[name] = pandas.Series([point.value for point in points], index, dtype="float64")
    steps = sorted({point.step for points in series.values() for point in points})
    return pandas.DataFrame(columns, index=pandas.Index(_steps(steps), name="step"))


def _long(series: Mapping[str, Sequence[Point]]) -> "DataFrame":
    named = [(name, point) for name, points in series.items() for point in points]
    return pandas.DataFrame(
        {
            "metric": pandas.array([name for name, _ in named], dtype="string"),
            "step": _steps([point.step for _, point in named]),
            "value": numpy.array([point.value for _, point in named], "float64"),
            "time": _convert(seconds_column("time", [point.time for _, point in named])),
        }
    )


def _steps(steps: Sequence[int]) -> Any:
    try:
        return numpy.array(steps, "int64")
    except OverflowError:
        return numpy.array(steps, object)  # integers of any size


def _convert(column: Column) -> Any:
    values = column.values
    missing = numpy.array([value is None for value in values], bool)
    if column.type is Type.MEASURE or (column.type is Type.FLOAT and not missing.any()):
        return numpy.array([numpy.nan if value is None else value for value in values], "float64")
    if column.type is Type.FLOAT:
        # With a mask of its own: NaN stays a value, and is not missing.
        held = numpy.array([0.0 if value is None else value for value in values], "float64")
        return pandas.arrays.FloatingArray(held, missing)
    if column.type is Type.MOMENT:
        return _moments(values)
    if column.type is Type.STATUS:
        return pandas.Categorical(values, categories=_STATUSES)
    if column.type in _DTYPES:
        return pandas.array(list(values), dtype=_DTYPES[column.type][bool(missing.any())])
    return pandas.Series(list(values), dtype=object)


def _moments(values: Sequence[Any]) -> Any:
    # In microseconds, which hold every year that a record can name; nanoseconds end in 2262.
    naive = [None if value is None else value.replace(tzinfo=None) for value in values]
    return pandas.Series(numpy.array(naive, "datetime64[us]")).dt.tz_localize("UTC")

"""What stands in the columns of a table of runs."""

import difflib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from repro.errors import UsageError
from repro.model.canonical import Json
from repro.model.config import flatten_config
from repro.model.fields import FIELDS
from repro.model.run import Record
from repro.model.text import escape
from repro.model.values import ABSENT, Value, is_same

_STATISTICS = ("last", "first", "min", "max", "mean", "count", "last_step", "min_step", "max_step")


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its title, where its values come from, and how to get at one."""

    title: str
    kind: Literal["field", "config", "metric"]
    value: Callable[[Record], Value]


_COLUMNS: dict[str, Callable[[Record], Value]] = {
    **{name: field.value for name, field in FIELDS.items()},
    "tags": lambda record: ", ".join(record.run.tags) or ABSENT,
}


def _optional(value: Json) -> Value:
    return ABSENT if value is None else value


def field_column(name: str) -> Column:
    """The column of a field of `model/fields.py`, or of `tags`."""
    return Column(name, "field", _COLUMNS[name])


def config_column(key: str, title: str | None = None) -> Column:
    """The column of the param with the dotted key."""
    return Column(title or key, "config", lambda record: _param(record, key))


def _param(record: Record, key: str) -> Value:
    return _find_param(record.config, key)


def _find_param(config: Mapping[str, Json], key: str) -> Value:
    """A param by its dotted key, without flattening the whole config for it."""
    if key in config:
        value = config[key]
        return ABSENT if isinstance(value, dict) and value else value
    dot = key.find(".")
    while dot >= 0:
        inner = config.get(key[:dot])
        found = _find_param(inner, key[dot + 1 :]) if isinstance(inner, dict) else ABSENT
        if found is not ABSENT:
            return found
        dot = key.find(".", dot + 1)
    return ABSENT


def metric_column(name: str, statistic: str = "last", title: str | None = None) -> Column:
    """The column of one statistic of a metric."""

    def value(record: Record) -> Value:
        summary = record.metrics.get(name)
        return ABSENT if summary is None else _optional(getattr(summary, statistic))

    return Column(title or name, "metric", value)


def find_column(records: Sequence[Record], key: str) -> Column:
    """Give the column that `key` names in these runs.

    A field of the run (`created`, `duration`, …), `config.KEY`, `metrics.NAME` (its last
    value; `.min`, `.max`, `.first`, `.mean`, `.count` behind it for the others), or bare when
    only one of them fits.

    Raises:
        UsageError: None of the runs has it, or a param and a metric have the same name.
    """
    if key in _COLUMNS:
        return field_column(key)
    found = _matching(records, key)
    if len({column.kind for column in found}) > 1:
        raise UsageError(
            f"`{escape(key)}` is a param and a metric",
            hint=f"write `config.{escape(key)}` or `metrics.{escape(key)}`",
        )
    if found:
        return found[0]
    if not records:
        return Column(key, "field", lambda _: ABSENT)
    names = [*_COLUMNS, *_params(records), *_metrics(records)]
    near = difflib.get_close_matches(key, names, n=3)
    meant = " or ".join(f"`{escape(name)}`" for name in near)
    raise UsageError(
        f"no run here has `{escape(key)}`" + (f"; did you mean {meant}?" if near else ""),
        hint="`repro show RUN` lists the params and metrics of one",
    )


def _matching(records: Sequence[Record], key: str) -> list[Column]:
    params, metrics = set(_params(records)), set(_metrics(records))
    found = []
    if key.startswith("config.") and key[7:] in params:
        found.append(config_column(key[7:], key))
    if key in params:
        found.append(config_column(key))
    name, _, statistic = key.rpartition(".")
    if key in metrics:
        found.append(metric_column(key))
    elif key.removeprefix("metrics.") in metrics:
        found.append(metric_column(key.removeprefix("metrics."), title=key))
    elif statistic in _STATISTICS and name.removeprefix("metrics.") in metrics:
        found.append(metric_column(name.removeprefix("metrics."), statistic, key))
    return found


def _params(records: Iterable[Record]) -> list[str]:
    return list(dict.fromkeys(key for record in records for key in flatten_config(record.config)))


def _metrics(records: Iterable[Record]) -> list[str]:
    return list(dict.fromkeys(name for record in records for name in record.metrics))


def choose_columns(records: Sequence[Record]) -> list[Column]:
    """The columns worth showing beside the fields, most telling first.

    Params that differ between the runs, then metrics with a goal, then other metrics.
    """
    flat = [flatten_config(record.config) for record in records]
    keys = dict.fromkeys(key for config in flat for key in config)
    differing = [
        key
        for key in keys
        if not all(is_same(config.get(key, ABSENT), flat[0].get(key, ABSENT)) for config in flat)
    ]
    goals = {name for record in records for name, summary in record.metrics.items() if summary.goal}
    metrics = sorted(_metrics(records), key=lambda name: name not in goals)
    return [*map(config_column, differing), *map(metric_column, metrics)]


def sort_records(records: Iterable[Record], column: Column, *, descending: bool) -> list[Record]:
    """The runs in the order of a column; those without a value, and NaN, are last either way."""
    having: list[tuple[tuple[int, float, str], Record]] = []
    lacking: list[Record] = []
    for record in records:
        value = column.value(record)
        is_nan = isinstance(value, float) and math.isnan(value)
        if value is ABSENT or is_nan:
            lacking.append(record)
        else:
            having.append((_rank(value), record))
    having.sort(key=lambda entry: entry[0], reverse=descending)
    return [*(record for _, record in having), *lacking]


def _rank(value: Value) -> tuple[int, float, str]:
    """Numbers before texts, so that a column of both has an order."""
    if isinstance(value, (bool, int, float)):
        return 0, value, ""
    return 1, 0.0, value if isinstance(value, str) else repr(value)

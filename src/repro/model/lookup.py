"""What a run has under a name of the query language."""

from collections.abc import Callable, Mapping
from operator import attrgetter

from repro.model.canonical import Json
from repro.model.condition import Key, Space
from repro.model.fields import FIELDS
from repro.model.run import Record
from repro.model.values import ABSENT, Value


def look_up(record: Record, key: Key) -> Value:
    """Give the value that `record` has under `key`; `ABSENT` where it has none.

    Tags are one text, `a, b`. Of a record of a list, which comes without its environment, nothing
    is found there unless the list was asked for it.
    """
    return reader(key)(record)


def reader(key: Key) -> Callable[[Record], Value]:
    """Give what gives the value of each of many records under `key`, as `look_up` does."""
    name = key.name
    match key.space:
        case Space.FIELD:
            return FIELDS[name].value if name in FIELDS else lambda _record: ABSENT
        case Space.TAG:
            return lambda record: ", ".join(record.run.tags) or ABSENT
        case Space.CONFIG:
            return lambda record: _entry(record.config, name)
        case Space.METRIC:
            return _metric_reader(name, key.statistic)
        case Space.SUMMARY:
            return lambda record: _entry(record.summary, name)
        case Space.ENV:
            return lambda record: _entry(record.environment, name)
        case Space.DATA:
            return lambda record: _of_dataset(record.data, name)


def _metric_reader(name: str, statistic: str) -> Callable[[Record], Value]:
    statistic_of = attrgetter(statistic)

    def read(record: Record) -> Value:
        summary = record.metrics.get(name)
        value: Value = None if summary is None else statistic_of(summary)
        return ABSENT if value is None else value

    return read


def _entry(mapping: Mapping[str, Json], key: str) -> Value:
    """An entry by its dotted key, without flattening the whole mapping for it."""
    if key in mapping:
        value = mapping[key]
        return ABSENT if isinstance(value, dict) and value else value
    dot = key.find(".")
    while dot >= 0:
        inner = mapping.get(key[:dot])
        found = _entry(inner, key[dot + 1 :]) if isinstance(inner, dict) else ABSENT
        if found is not ABSENT:
            return found
        dot = key.find(".", dot + 1)
    return ABSENT


def _of_dataset(data: Mapping[str, Json], key: str) -> Value:
    """A fact of a dataset, `train.files`; by its name alone its digest."""
    if key in data:
        entry = data[key]
        return entry.get("digest", ABSENT) if isinstance(entry, dict) else ABSENT
    return _entry(data, key)

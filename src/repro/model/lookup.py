"""What a run has under a name of the query language."""

from collections.abc import Mapping

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
    match key.space:
        case Space.FIELD:
            return FIELDS[key.name].value(record) if key.name in FIELDS else ABSENT
        case Space.TAG:
            return ", ".join(record.run.tags) or ABSENT
        case Space.CONFIG:
            return _entry(record.config, key.name)
        case Space.METRIC:
            summary = record.metrics.get(key.name)
            value = None if summary is None else getattr(summary, key.statistic)
            return ABSENT if value is None else value
        case Space.SUMMARY:
            return _entry(record.summary, key.name)
        case Space.ENV:
            return _entry(record.environment, key.name)
        case Space.DATA:
            return _of_dataset(record.data, key.name)


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

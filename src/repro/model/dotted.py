"""Dotted keys led to the entries of nested mappings that they name."""

from collections.abc import Mapping, Sequence
from itertools import accumulate

from repro.model.canonical import Json


def find_path(config: Mapping[str, Json], key: str) -> tuple[str, ...] | None:
    """Give the keys that lead to the entry `key`, None where there is none.

    The keys of a mapping may hold dots themselves: `a.b` is found as `{"a": {"b": …}}` and as
    `{"a.b": …}`.

    Cost: at most the entries of the mapping for each level.
    """
    if key in config:
        return (key,)
    for own in accumulate(key.split("."), lambda head, part: f"{head}.{part}"):
        below = config.get(own)
        if isinstance(below, Mapping):
            rest = find_path(below, key[len(own) + 1 :])
            if rest is not None:
                return (own, *rest)
    return None


def value_at(config: Mapping[str, Json], path: Sequence[str]) -> Json:
    """Give the entry at the end of a path that `find_path` gave."""
    value: Json = dict(config)
    for key in path:
        value = value[key] if isinstance(value, Mapping) else None
    return value


def with_value(config: Mapping[str, Json], path: Sequence[str], value: Json) -> dict[str, Json]:
    """Give the mapping with another value at the end of a path that `find_path` gave."""
    key, *rest = path
    below = config.get(key)
    changed = with_value(below, rest, value) if rest and isinstance(below, Mapping) else value
    return {**config, key: changed}

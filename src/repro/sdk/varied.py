"""Params that a rerun varied: they win over what the program sets, and reads of them are noted."""

import math
from collections.abc import Callable, ItemsView, Iterator, Mapping, ValuesView
from contextlib import suppress
from typing import Any

from repro.errors import UsageError
from repro.model.canonical import Json
from repro.model.config import merge_config, nest_config
from repro.model.configfile import format_config
from repro.model.dotted import find_path, value_at, with_value
from repro.model.values import is_same
from repro.model.varied import VARIABLE, parse_varied
from repro.sdk.mappings import Config, Record
from repro.sdk.notices import warn


def read_varied(environ: Mapping[str, str]) -> dict[str, Json]:
    """Give the varied params by their dotted keys; a wrong variable is ignored with a warning."""
    text = environ.get(VARIABLE)
    if not text:
        return {}
    try:
        return parse_varied(text)
    except ValueError as error:
        warn(f"`{VARIABLE}` is ignored: {error}")
        return {}


def vary_config(config: Mapping[str, Json], varied: Mapping[str, Json]) -> dict[str, Json]:
    """Give the config with the varied params in it, those that it lacks as well."""
    missing = {key: value for key, value in varied.items() if find_path(config, key) is None}
    return merge_config(_replace(config, varied, ""), nest_config(missing))


def open_config(
    config: Mapping[str, Json], varied: Mapping[str, Json], record: Callable[..., None]
) -> Config:
    """Give the config of a run; what varied params change in it is recorded.

    Args:
        record: Writes an event: `config` with changes `c`, with `y` as in `config.yaml` where
            JSON lacks one of their numbers, and `varied` with the dotted key of
            each varied param, `v`, once the program read it.
    """

    def change(values: Mapping[str, Json]) -> None:
        if all(map(_is_finite, values.values())):
            record("config", c=values)
        else:  # which a journal has only texts for, and texts are no numbers to a filter
            record("config", c=values, y=format_config(values).decode())

    if not varied:
        return Config(config, change)
    opened = VariedConfig(vary_config(config, varied), change, _Watch(varied, record), "")
    changed = {key: value for key, value in varied.items() if not _says(config, key, value)}
    if changed:
        change(nest_config(changed))
    return opened


def _is_finite(value: Json) -> bool:
    if isinstance(value, Mapping):
        return all(map(_is_finite, value.values()))
    if isinstance(value, list):
        return all(map(_is_finite, value))
    return not isinstance(value, float) or math.isfinite(value)


def _replace(given: Mapping[str, Json], varied: Mapping[str, Json], prefix: str) -> dict[str, Json]:
    for key, value in varied.items():
        path = find_path(given, key.removeprefix(prefix)) if key.startswith(prefix) else None
        if path is not None:
            given = with_value(given, path, value)
    return dict(given)


def _says(config: Mapping[str, Json], key: str, value: Json) -> bool:
    path = find_path(config, key)
    return path is not None and is_same(value_at(config, path), value)


class _Watch:
    """The varied params of a run, and which of them were read."""

    def __init__(self, values: Mapping[str, Json], record: Callable[..., None]) -> None:
        self.values = values
        self._record = record
        self._read: set[str] = set()

    def read(self, key: str) -> None:
        if key in self.values and key not in self._read:
            self._read.add(key)
            with suppress(UsageError):  # reading is no error when the run is over
                self._record("varied", v=[key])


class VariedConfig(Config):
    """The config of a run with varied params, which the program reads and cannot change.

    Every way to an entry counts as reading it: items, attributes, `get`, `items()`, `**config`,
    copies, JSON. Only to list the keys does not.
    """

    def __init__(
        self, values: Mapping[str, Json], record: Record, watch: _Watch, prefix: str
    ) -> None:
        object.__setattr__(self, "_watch", watch)
        object.__setattr__(self, "_prefix", prefix)
        super().__init__(values, record)

    def _admit(self, values: dict[str, Json]) -> dict[str, Json]:
        return _replace(values, self._watch.values, self._prefix)

    def _open_section(self, key: str) -> Config:
        return VariedConfig(
            {}, lambda inner: self._record({key: inner}), self._watch, f"{self._prefix}{key}."
        )

    def __getitem__(self, key: str) -> Any:
        value = super().__getitem__(key)
        self._watch.read(f"{self._prefix}{key}")
        return value

    def get(self, key: str, default: Any = None) -> Any:
        """The entry, else `default`."""
        try:
            return self[key]
        except KeyError:
            return default

    def __iter__(self) -> Iterator[str]:
        # That it is there has `dict(config)` and `**config` ask for each entry.
        return super().__iter__()

    def items(self) -> Any:
        """All keys with their entries."""
        return ItemsView(self)

    def values(self) -> Any:
        """All entries."""
        return ValuesView(self)

    def copy(self) -> dict[str, Any]:
        """A plain dict of the entries."""
        return dict(self)

    def __or__(self, other: Any) -> Any:
        return dict(self) | other

    def __ror__(self, other: Any) -> Any:
        return other | dict(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return Config, (self.as_dict(),)

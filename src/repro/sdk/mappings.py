"""A run's config and summary as dicts whose changes go into the record."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn, Self

from repro.model.canonical import Json
from repro.model.config import merge_config, plain_value

Record = Callable[[dict[str, Json]], None]


def _nothing(_: dict[str, Json]) -> None:
    """What a copy in another process records."""


def plain_mapping(value: object, *, what: str) -> dict[str, Json]:
    """`value`, a mapping, a namespace or a dataclass, as plain nested values.

    Raises:
        TypeError: It is none of these.
    """
    plain = {} if value is None else plain_value(value)
    if not isinstance(plain, dict):
        raise TypeError(f"{what} takes names and values, not {type(value).__qualname__}")
    return plain


def _unknown(_: str) -> None:
    """What a copy knows of the metrics."""


class Recorded(dict[str, Any]):
    """A dict whose entries are attributes as well, and whose changes are recorded."""

    def __init__(self, values: Mapping[str, Json], record: Record = _nothing) -> None:
        super().__init__()
        object.__setattr__(self, "_record", record)
        self._take(values)

    def _take(self, values: Mapping[str, Json]) -> None:
        """Put plain values in without recording them."""
        for key, value in values.items():
            super().__setitem__(key, value)

    def _admit(self, values: dict[str, Json]) -> dict[str, Json]:
        """What is taken of the values that the program sets."""
        return values

    def __setitem__(self, key: str, value: object) -> None:
        self.update({key: value})

    def update(
        self,
        *args: Any,
        allow_val_change: bool | None = None,  # noqa: ARG002  a word of W&B
        **values: Any,
    ) -> None:
        """Set several entries.

        Args:
            args: At most one mapping, namespace, dataclass or iterable of pairs.
            allow_val_change: Accepted for W&B's sake; values may always change.
        """
        for given in [*args, values]:
            is_pairs = isinstance(given, Iterable) and not hasattr(given, "keys")
            pairs = dict(given) if is_pairs and not hasattr(given, "flag_values_dict") else given
            plain = self._admit(plain_mapping(pairs, what="update()"))
            if plain:
                self._take(plain)
                self._record(plain)

    def setdefaults(self, values: Any) -> None:
        """Set those entries that are not there yet."""
        plain = plain_mapping(values, what="setdefaults()")
        self.update({key: value for key, value in plain.items() if key not in self})

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The entry, set to `default` first if there is none."""
        if key not in self:
            self[key] = default
        return self[key]

    def __ior__(self, other: Any) -> Self:  # type: ignore[override, misc]  # as update()
        self.update(other)
        return self

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError:
            kind = type(self).__name__.lower()
            raise AttributeError(f"the {kind} of this run has no `{name}`") from None

    def __setattr__(self, name: str, value: object) -> None:
        self[name] = value

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("what is recorded stays: entries can be changed, not removed")

    __delitem__ = __delattr__ = pop = popitem = clear = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy, for instance in a worker process, records nothing."""
        return type(self), (self.as_dict(),)

    def as_dict(self) -> dict[str, Json]:
        """All entries as plain nested values."""
        return merge_config(self)


class Config(Recorded):
    """The config of a run: items and attributes, nested; every change is recorded.

    A nested mapping is merged into what is there, as the record does.
    """

    def _take(self, values: Mapping[str, Json]) -> None:
        for key, value in values.items():
            if isinstance(value, Mapping):
                self._take_section(key, value)
            else:
                dict.__setitem__(self, key, value)

    def _take_section(self, key: str, value: Mapping[str, Json]) -> None:
        section = dict.get(self, key)
        if not isinstance(section, Config):
            section = self._open_section(key)
            dict.__setitem__(self, key, section)
        section._take(value)

    def _open_section(self, key: str) -> "Config":
        return Config({}, lambda inner: self._record({key: inner}))


class Summary(Recorded):
    """What the user says about the run as a whole; else the last value of a metric."""

    def __init__(
        self,
        values: Mapping[str, Json],
        record: Record = _nothing,
        last: Callable[[str], float | None] = _unknown,
    ) -> None:
        super().__init__(values, record)
        object.__setattr__(self, "_last", last)

    def __missing__(self, key: str) -> float:
        value = self._last(key)
        if value is None:
            raise KeyError(key)
        return float(value)

    def get(self, key: str, default: Any = None) -> Any:
        """The entry, else the last value of that metric, else `default`."""
        try:
            return self[key]
        except KeyError:
            return default

"""A JSON object of a record, read key by key with its types checked."""

import re
from collections.abc import Callable
from math import isfinite

from repro.errors import DamagedRecordError
from repro.model.canonical import Json
from repro.model.times import parse_time

_SHA256 = re.compile(r"sha256:[0-9a-f]{64}\Z")
_XXH3 = re.compile(r"xxh3:[0-9a-f]{32}\Z")
_NOT_FINITE = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
_LARGEST = 1 << 63


class Fields:
    """The object `values` of the file `name`; each method gives one key or says what is wrong.

    Raises:
        DamagedRecordError: The value is no object; in the methods: no such key, another type.
    """

    __slots__ = ("name", "values")

    def __init__(self, value: Json, name: str) -> None:
        if not isinstance(value, dict):
            raise DamagedRecordError(f"`{name}` holds something else where an object belongs")
        self.values = value
        self.name = name

    def wrong(self, key: str, reason: str) -> DamagedRecordError:
        """The error that says that `key` is wrong."""
        return DamagedRecordError(f"`{key}` in `{self.name}` {reason}")

    def text(self, key: str) -> str:
        """A string."""
        value = self.values.get(key)
        if not isinstance(value, str):
            raise self.wrong(key, "is not a text")
        return value

    def optional_text(self, key: str, check: Callable[[str], bool] | None = None) -> str | None:
        """A string that `check` accepts, or null."""
        if self.values.get(key) is None:
            return None
        value = self.text(key)
        if check is not None and not check(value):
            raise self.wrong(key, "is malformed")
        return value

    def time(self, key: str) -> str:
        """A point in time, as `format_time` writes it."""
        value = self.text(key)
        try:
            parse_time(value)
        except ValueError as error:
            raise self.wrong(key, "is not a time") from error
        return value

    def optional_time(self, key: str) -> str | None:
        """A point in time, or null."""
        return None if self.values.get(key) is None else self.time(key)

    def boolean(self, key: str) -> bool:
        """True or false."""
        value = self.values.get(key)
        if not isinstance(value, bool):
            raise self.wrong(key, "is neither true nor false")
        return value

    def integer(self, key: str) -> int:
        """An integer of at most 64 bits."""
        value = self.values.get(key)
        if type(value) is int and -_LARGEST < value < _LARGEST:  # bool is a subclass of int
            return value
        raise self.wrong(key, "is not an integer")

    def optional_integer(self, key: str) -> int | None:
        """An integer of at most 64 bits, or null."""
        return None if self.values.get(key) is None else self.integer(key)

    def number(self, key: str) -> float:
        """A number; the texts `NaN`, `Infinity`, `-Infinity` are numbers too."""
        value = self.values.get(key)
        if isinstance(value, float):
            return value
        if isinstance(value, str) and value in _NOT_FINITE:
            return _NOT_FINITE[value]
        return float(self.integer(key))

    def optional_number(self, key: str) -> float | None:
        """A number, or null."""
        value = self.values.get(key)
        return value if value is None or isinstance(value, float) else self.number(key)

    def optional_finite(self, key: str) -> float | None:
        """A number that is finite, or null."""
        value = self.optional_number(key)
        if value is not None and not isfinite(value):
            raise self.wrong(key, "is not finite")
        return value

    def sha256(self, key: str) -> str:
        """A digest `sha256:<64 hex>`."""
        value = self.text(key)
        if not _SHA256.match(value):
            raise self.wrong(key, "is no sha256 digest")
        return value

    def xxh3(self, key: str) -> str:
        """A digest `xxh3:<32 hex>`."""
        value = self.text(key)
        if not _XXH3.match(value):
            raise self.wrong(key, "is no xxh3 digest")
        return value

    def natural(self, key: str) -> int:
        """An integer of at most 64 bits, 0 or more."""
        value = self.integer(key)
        if value < 0:
            raise self.wrong(key, "is negative")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings; none where the key is absent."""
        value = self._list(key)
        texts = tuple(item for item in value if isinstance(item, str))
        if len(texts) != len(value):
            raise self.wrong(key, "holds something that is not a text")
        return texts

    def objects(self, key: str) -> "list[Fields]":
        """A list of objects; none where the key is absent."""
        return [Fields(item, f"{self.name}, {key}") for item in self._list(key)]

    def inner(self, key: str) -> "Fields":
        """An object."""
        return Fields(self.values.get(key), f"{self.name}, {key}")

    def _list(self, key: str) -> list[Json]:
        value = self.values.get(key, [])
        if not isinstance(value, list):
            raise self.wrong(key, "is not a list")
        return value

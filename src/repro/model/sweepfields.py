"""A mapping of a sweep file, read key by key; each error names the file, the line, the place."""

from collections.abc import Iterable, Mapping
from math import isfinite

from repro.errors import InvalidInputError
from repro.model.canonical import Json
from repro.model.kinds import name_kind
from repro.model.nearest import nearest_names
from repro.model.text import escape

Keys = tuple[str | int, ...]

_LONGEST_SHOWN = 200  # characters


class Section:
    """The mapping `value` at the place `keys` of a file.

    Args:
        name: What to call the file.
        lines: The line of each value by the keys that lead to it; empty where none are known.

    Raises:
        InvalidInputError: The value is no mapping; in the methods: the entry is absent or has
            another type.
    """

    def __init__(
        self,
        value: Json,
        *,
        name: str,
        keys: Keys = (),
        lines: Mapping[Keys, int] | None = None,
        example: str = "",
    ) -> None:
        self.name, self.keys, self.lines = name, keys, lines or {}
        if not isinstance(value, dict):
            what = f"`{self.place()}`" if keys else "the file"
            raise self.wrong(f"{what} must be a mapping, not {name_kind(value)}", example)
        self.values: dict[str, Json] = value

    def place(self, key: str | None = None) -> str:
        """The dotted place of an entry, or of the section itself, safe to show."""
        keys = self.keys if key is None else (*self.keys, key)
        return escape(".".join(str(part)[:_LONGEST_SHOWN] for part in keys))

    def wrong(self, reason: str, hint: str, key: str | None = None) -> InvalidInputError:
        """The error that an entry, or the section itself, is wrong."""
        keys = self.keys if key is None else (*self.keys, key)
        prefixes = (keys[:length] for length in range(len(keys), 0, -1))
        line = next((self.lines[prefix] for prefix in prefixes if prefix in self.lines), None)
        where = f"`{escape(self.name)}`" if line is None else f"`{escape(self.name)}` line {line}"
        return InvalidInputError(f"{where}: {reason}", hint=hint)

    def wrong_type(self, key: str, wanted: str, hint: str) -> InvalidInputError:
        """The error that an entry is not what it must be."""
        found = name_kind(self.values[key])
        return self.wrong(f"`{self.place(key)}` must be {wanted}, not {found}", hint, key)

    def check_keys(self, known: Iterable[str], elsewhere: Mapping[str, str] | None = None) -> None:
        """Refuse keys that mean nothing.

        Args:
            known: Those that mean something.
            elsewhere: For keys that mean something in W&B only, what to do instead.
        """
        known = list(known)
        for key in self.values:
            if key in known:
                continue
            if elsewhere and key in elsewhere:
                reason = f"`{self.place(key)}` is not supported"
                raise self.wrong(reason, elsewhere[key], key)
            near = nearest_names(key, known)
            listed = ", ".join(f"`{one}`" for one in known)
            hint = f"did you mean `{near[0]}`?" if near else f"the keys are {listed}"
            raise self.wrong(f"unknown key `{self.place(key)}`", hint, key)

    def has(self, key: str) -> bool:
        """Whether the entry is there, and not null."""
        return self.values.get(key) is not None

    def inner(self, key: str, example: str) -> "Section":
        """The mapping in an entry."""
        return Section(
            self.values.get(key),
            name=self.name,
            keys=(*self.keys, key),
            lines=self.lines,
            example=example,
        )

    def text(self, key: str) -> str | None:
        """A text that is not empty, or None where there is none."""
        if not self.has(key):
            return None
        value = self.values[key]
        if not isinstance(value, str):
            raise self.wrong_type(key, "text", "put quotes around it")
        if not value.strip():
            raise self.wrong(f"`{self.place(key)}` is empty", "take it out, or fill it in", key)
        return value

    def one_of(self, key: str, known: Iterable[str]) -> str | None:
        """One of some words, or None where there is none."""
        word = self.text(key)
        known = list(known)
        if word is None or word in known:
            return word
        near = nearest_names(word, known)
        listed = ", ".join(f"`{one}`" for one in known)
        raise self.wrong(
            f"`{self.place(key)}` cannot be `{escape(word[:80])}`",
            f"did you mean `{near[0]}`?" if near else f"it is one of {listed}",
            key,
        )

    def integer(self, key: str) -> int | None:
        """A whole number, or None where there is none."""
        if not self.has(key):
            return None
        value = self.values[key]
        if type(value) is not int:  # bool is a subclass of int
            if isinstance(value, float):
                reason = f"`{self.place(key)}` must be a whole number, not {value}"
                raise self.wrong(reason, "write it without a dot or exponent", key)
            raise self.wrong_type(key, "a whole number", "write it without quotes")
        return value

    def number(self, key: str) -> int | float | None:
        """A finite number, or None where there is none."""
        if not self.has(key):
            return None
        value = self.values[key]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong_type(key, "a number", "write it as `0.1` or `1e-3`, without quotes")
        if abs(value) > 1e308 or not isfinite(value):
            shown = value if isinstance(value, float) else "that large"
            reason = f"`{self.place(key)}` must be finite, not {shown}"
            raise self.wrong(reason, "give a number that can be reached", key)
        return value

    def items(self, key: str) -> list[Json]:
        """A list."""
        value = self.values.get(key)
        if not isinstance(value, list):
            raise self.wrong_type(key, "a list", f"write it as `{escape(key)}: [A, B]`")
        return value

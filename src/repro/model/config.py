"""Config: what parametrised a run, as nested mappings of plain values."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence, Set
from contextlib import suppress
from enum import Enum
from math import prod
from types import SimpleNamespace
from typing import NamedTuple

from repro.errors import UsageError
from repro.model.canonical import TOO_LARGE, Json, carriable_text, decode_json
from repro.model.launchers import program_arguments

MOST_PARTS = 32  # of a dotted key; deeper than any config, shallower than what a record may nest

_INT = re.compile(r"[+-]?(?:0|[1-9][0-9]{0,4298})\Z")
_FLOAT = re.compile(
    r"(?=.*[.eE])[+-]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\Z"
)
_WORDS: dict[str, Json] = {
    **dict.fromkeys(("true", "True"), True),
    **dict.fromkeys(("false", "False"), False),
    **dict.fromkeys(("null", "none", "None"), None),
    **dict.fromkeys(("nan", "NaN"), float("nan")),
    **dict.fromkeys(("inf", "+inf", "Infinity"), float("inf")),
    **dict.fromkeys(("-inf", "-Infinity"), float("-inf")),
}
_DEEPEST_VALUE = 8  # of lists and objects written on a command line

_DEEPEST_OBJECT = 32
_MOST_VALUES = 200_000  # of one object, however often it holds the same part
_MOST_ELEMENTS = 1000  # of an array; a larger one is data, not config
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")

_ASSIGNMENT = re.compile(r"\+{0,2}([A-Za-z_][\w.@/-]*)=(?!=)(.*)\Z", re.DOTALL)
_SHORT_WITH_NUMBER = re.compile(r"-([A-Za-z])(-?[0-9.].*)\Z", re.DOTALL)
# Flags of Hydra itself: what follows them is an assignment of its own, never their value.
_HYDRA_FLAGS = {"-m", "--multirun", "-r", "--run", "--resolve", "--hydra-help"}
_HYDRA_OWN = ("hydra.", "hydra/")


def parse_value(text: str) -> Json:
    """Give what a program most likely makes of `text` on its command line.

    Numbers as in JSON and with `1e-3`, `.5`, `5.`, `inf`, `nan`; `true`, `True`, `none`,
    `null` and the like; JSON lists, objects and quoted strings. All else stays text, so also
    `017`, `1_000` and `yes`.
    """
    if text in _WORDS:
        return _WORDS[text]
    if _INT.match(text):
        return int(text)
    if _FLOAT.match(text):
        return float(text)
    if text[:1] in {"[", "{", '"'}:
        with suppress(ValueError):
            return decode_json(text.encode(), max_depth=_DEEPEST_VALUE, nan=True)
    return text


def parse_assignment(text: str) -> tuple[str, Json]:
    """Read `key=value`; the key may be dotted.

    Raises:
        UsageError: There is no `=`, or the key is not a name.
    """
    key, equals, value = text.partition("=")
    key = key.strip()
    if not equals:
        raise UsageError(f"`{text}` is not `key=value`", hint="write it as `-c lr=0.1`")
    if not key or key.startswith("-") or "" in key.split(".") or key.count(".") >= MOST_PARTS:
        raise UsageError(
            f"`{key}` in `{text}` is not a config key", hint="write it as `-c model.width=3`"
        )
    return key, parse_value(value)


def merge_config(*layers: Mapping[str, Json]) -> dict[str, Json]:
    """Lay mappings over one another: the later value wins, the first place is kept.

    Where both have a mapping these are merged in turn; nothing of the layers is shared.
    """
    merged: dict[str, Json] = {}
    for layer in layers:
        for key, value in layer.items():
            if isinstance(value, Mapping):
                before = merged.get(key)
                under = before if isinstance(before, dict) else {}
                merged[key] = merge_config(under, value)
            else:
                merged[key] = list(value) if isinstance(value, list) else value
    return merged


def flatten_config(config: Mapping[str, Json]) -> dict[str, Json]:
    """Give every param by its dotted key, in order; an empty mapping stays as a value."""
    flat: dict[str, Json] = {}
    for key, value in config.items():
        if isinstance(value, Mapping) and value:
            for below, item in flatten_config(value).items():
                flat[f"{key}.{below}"] = item
        else:
            flat[key] = value
    return flat


def nest_config(flat: Mapping[str, Json]) -> dict[str, Json]:
    """Nest dotted keys, later ones winning.

    A key that cannot be split, such as `.5` or `a..b`, stays whole.
    """
    layers: list[dict[str, Json]] = []
    for key, value in flat.items():
        parts = key.split(".")
        if "" in parts or len(parts) > MOST_PARTS:
            parts = [key]
        nested = value
        for part in reversed(parts):
            nested = {part: nested}
        if isinstance(nested, dict):
            layers.append(nested)
    return merge_config(*layers)


def config_from_command(argv: Sequence[str]) -> dict[str, Json]:
    """Read the config off a command: `--key value`, `--key=value`, `-b 32`, Hydra's `key=value`.

    Launchers' own flags are left out: config starts behind the script or module. Dashes in an
    option become underscores, dots nest. An option without a value is true, one that is given
    several numbers or is repeated is a list. Other words are not config.
    """
    return nest_config(_read_command(argv).flat)


class Given(NamedTuple):
    """A place of a command that gives a param.

    Attributes:
        key: As the config has it, with dots.
        value: What it gives alone; true for an option without a value.
        start: Index of its first word.
        stop: Index behind its last word.
    """

    key: str
    value: Json
    start: int
    stop: int


def find_given(argv: Sequence[str]) -> list[Given]:
    """Give the places of a command that its config comes from, in order."""
    return _read_command(argv).given


def _read_command(argv: Sequence[str]) -> "_Reader":
    reader = _Reader(program_arguments(argv), len(argv))
    while reader.rest:
        reader.read_next()
    return reader


class _Reader:
    """One pass over the arguments of a program, the last words of a command of `length` words."""

    def __init__(self, words: Sequence[str], length: int) -> None:
        self.rest = list(reversed(words))
        self.length = length
        self.start = 0
        self.flat: dict[str, Json] = {}
        self.given: list[Given] = []
        self.repeated: set[str] = set()
        self.options_ended = False

    def read_next(self) -> None:
        self.start = self.length - len(self.rest)
        word = self.rest.pop()
        if word == "--":
            self.options_ended = True
        elif _is_option(word) and not self.options_ended:
            self.read_option(word)
        elif (match := _ASSIGNMENT.match(word)) and not match[1].startswith(_HYDRA_OWN):
            self.flat[match[1]] = parse_value(match[2])
            self.note(match[1], self.flat[match[1]])

    def read_option(self, word: str) -> None:
        if match := _SHORT_WITH_NUMBER.match(word):
            self.set(match[1], parse_value(match[2]))
            return
        name, equals, value = word.partition("=")
        key = name.lstrip("-").replace("-", "_")
        if not key or word in _HYDRA_FLAGS:
            return
        self.set(key, parse_value(value) if equals else self.take_values())

    def take_values(self) -> Json:
        """What follows an option: one word, or all numbers in a row."""
        if not self.rest or _is_option(self.rest[-1]) or _ASSIGNMENT.match(self.rest[-1]):
            return True
        values = [parse_value(self.rest.pop())]
        while _is_number(values[0]) and self.rest and _is_number(parse_value(self.rest[-1])):
            values.append(parse_value(self.rest.pop()))
        return values if len(values) > 1 else values[0]

    def note(self, key: str, value: Json) -> None:
        self.given.append(Given(key, value, self.start, self.length - len(self.rest)))

    def set(self, key: str, value: Json) -> None:
        self.note(key, value)
        before = self.flat.get(key)
        if key not in self.flat or (value is True and before is True):
            self.flat[key] = value
            return
        earlier = before if isinstance(before, list) and key in self.repeated else [before]
        self.repeated.add(key)
        self.flat[key] = [*earlier, value]


def _is_option(word: str) -> bool:
    return word.startswith("-") and word != "-" and not _is_number(parse_value(word))


def _is_number(value: Json) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def plain_value(value: object) -> Json:
    """Give any object of a program as the plain value that says the same; never fails.

    Mappings, namespaces, dataclasses, named tuples and objects of the same shape become
    mappings; tuples, sets (sorted) and arrays of up to 1,000 elements lists; scalars of numpy
    and torch numbers; enum members their value; paths, functions and classes their name. All
    else becomes its `repr` without addresses, so that equal objects of two runs are equal.
    """
    return _Plain().convert(value)


class _Plain:
    """One conversion, which ends whatever it is given: cycles, endless sharing, raising code."""

    def __init__(self) -> None:
        self.left = _MOST_VALUES
        self.above: list[int] = []

    def convert(self, value: object) -> Json:
        self.left -= 1
        if value is None or type(value) is bool:
            return value
        # Objects of the program run their own code here, which may raise anything.
        try:
            if isinstance(value, (str, int, float)) and not isinstance(value, Enum):
                return _plain_scalar(value)
            if id(value) in self.above or len(self.above) >= _DEEPEST_OBJECT or self.left < 0:
                return f"<{type(value).__name__}>"
            self.above.append(id(value))
            try:
                return self.convert_object(value)
            finally:
                self.above.pop()
        except Exception:  # noqa: BLE001
            return f"<{type(value).__name__}>"

    def convert_object(self, value: object) -> Json:
        if isinstance(value, Enum):
            return self.convert(value.value)
        if isinstance(value, (type, os.PathLike)) or _is_large(value):
            return _describe(value)
        fields = _fields_of(value)
        if fields is not None:
            return {_plain_key(key): self.convert(item) for key, item in fields.items()}
        items = _items_of(value)
        if items is None:
            return self.convert_array(value)
        return [self.convert(item) for item in items]

    def convert_array(self, value: object) -> Json:
        to_list = getattr(value, "tolist", None)
        return self.convert(to_list()) if callable(to_list) else _describe(value)


def _is_large(value: object) -> bool:
    shape = getattr(value, "shape", None)
    return isinstance(shape, tuple) and prod(shape) > _MOST_ELEMENTS


def _plain_scalar(value: str | int | float) -> Json:
    if isinstance(value, str):
        return carriable_text(str.__str__(value))
    if isinstance(value, float):
        return float(value)
    return int(value) if abs(int(value)) < TOO_LARGE else hex(value)


def _plain_key(key: object) -> str:
    if isinstance(key, Enum):
        key = key.value
    return carriable_text(key) if isinstance(key, str) else str(_Plain().convert(key))


def _fields_of(value: object) -> Mapping[object, object] | None:
    """The parts of an object that has named ones."""
    if isinstance(value, Mapping):
        return dict(value.items())
    names = _field_names(value)
    if names is not None:
        return {name: getattr(value, name) for name in names}
    if isinstance(value, SimpleNamespace) or type(value).__name__ == "Namespace":
        return dict(vars(value).items())
    flags = getattr(value, "flag_values_dict", None)
    if callable(flags):  # of absl
        return dict(flags())
    keys, item = getattr(value, "keys", None), getattr(value, "__getitem__", None)
    if callable(keys) and callable(item):  # a mapping that does not say so
        return {key: item(key) for key in keys()}
    return None


def _field_names(value: object) -> Iterable[str] | None:
    """Fields of named tuples, dataclasses, pydantic and attrs, without importing any."""
    kind = type(value)
    if issubclass(kind, tuple):
        return getattr(kind, "_fields", None)
    attributes = getattr(kind, "__attrs_attrs__", None)
    if attributes is not None:
        return [attribute.name for attribute in attributes]
    return getattr(kind, "__dataclass_fields__", None) or getattr(kind, "model_fields", None)


def _items_of(value: object) -> Iterable[object] | None:
    if isinstance(value, Set):
        return sorted(value, key=lambda item: (type(item).__name__, repr(item)))
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray, memoryview)):
        return value
    return None


def _describe(value: object) -> str:
    if isinstance(value, os.PathLike):
        return carriable_text(os.fsdecode(value))
    if _is_large(value):
        sizes = ", ".join(str(size) for size in getattr(value, "shape", ()))
        return f"<{type(value).__name__} of {getattr(value, 'dtype', '?')} ({sizes})>"
    name = getattr(value, "__qualname__", None)
    if isinstance(name, str):  # a class or a function
        return f"{getattr(value, '__module__', '?')}.{name}"
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    return carriable_text(_ADDRESS.sub("", repr(value)))

"""What a filter over runs says, once each of its names is known to stand for something.

`model/binding.py` makes these values from the text of a filter, the run index turns them into SQL,
and they are the only thing that both know. Logic is three-valued, as in SQL: a comparison with a
value that is missing or null is neither true nor false, so neither it nor its negation holds.

Of values that are there:

- `=` is by type and value: 1 is 1.0, but true is not 1, and the text "1" is no number; NaN equals
  nothing. `!=` is the opposite.
- An ordering of two numbers is by value, of two texts by code points; between other types, and with
  NaN, it is false.
- A list or a mapping counts as the text of its JSON, an integer of more than 64 bits as the
  nearest float.
- Tags know no unknown: what is asked of a run without any is false, but `IsNull`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol, get_args

Scalar = bool | int | float | str
Operator = Literal["=", "!=", "<", "<=", ">", ">="]
Statistic = Literal[
    "last", "first", "min", "max", "mean", "count", "last_step", "min_step", "max_step"
]
STATISTICS: Mapping[str, Statistic] = {name: name for name in get_args(Statistic)}


class Space(StrEnum):
    """Where a name in a filter has its value from."""

    FIELD = "field"  # of the run itself: `duration`, `status`; see model/fields.py
    TAG = "tag"  # the tags of a run: a comparison holds if it does for any of them
    CONFIG = "config"
    METRIC = "metrics"
    SUMMARY = "summary"
    ENV = "env"
    DATA = "data"


class Kind(StrEnum):
    """What type a value has; of a missing value there is none."""

    NUMBER = "number"
    TEXT = "text"
    BOOL = "bool"
    NULL = "null"


@dataclass(frozen=True, slots=True)
class Key:
    """What a name stands for.

    Attributes:
        name: Of a field, a metric or a dataset; dotted key of a param, of an entry of the summary
            or of the environment; empty for tags.
        statistic: Of a metric; nothing else has another than `last`.
    """

    space: Space
    name: str
    statistic: Statistic = "last"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Whether a value compares so with a constant."""

    key: Key
    operator: Operator
    value: Scalar


@dataclass(frozen=True, slots=True)
class Among:
    """Whether a value equals one of several constants."""

    key: Key
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Matches:
    """Whether a text fits a pattern; of another type of value it is false.

    Attributes:
        style: `regex` is found anywhere, as by `re.search`; `like` is SQL's, of the whole text,
            `%` any characters, `_` one; `ilike` is that whatever the case.
    """

    key: Key
    style: Literal["regex", "like", "ilike"]
    pattern: str


@dataclass(frozen=True, slots=True)
class IsNull:
    """Whether a value is missing or null; never unknown.

    Attributes:
        or_missing: False to ask for a null that is there; filters do not tell them apart.
    """

    key: Key
    or_missing: bool = True


@dataclass(frozen=True, slots=True)
class IsNan:
    """Whether a value is NaN; unknown where it is missing or null."""

    key: Key


@dataclass(frozen=True, slots=True)
class All:
    """Whether all parts hold; there is at least one."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Some:
    """Whether any part holds; there is at least one."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Negation:
    """Whether a part does not hold; unknown where that is."""

    part: "Condition"


Condition = Comparison | Among | Matches | IsNull | IsNan | All | Some | Negation


def keys_in(condition: Condition) -> Iterator[Key]:
    """What a condition is about, in its order."""
    if isinstance(condition, (All, Some)):
        for part in condition.parts:
            yield from keys_in(part)
    elif isinstance(condition, Negation):
        yield from keys_in(condition.part)
    else:
        yield condition.key


@dataclass(frozen=True, slots=True)
class SortKey:
    """Runs in the order of a value: numbers, texts, false, true; without one, or with NaN, last."""

    key: Key
    descending: bool = False


class Vocabulary(Protocol):
    """The names that some runs have; the run index is one, a test has another."""

    def has(self, space: Space, name: str) -> bool:
        """Whether any run has that name in `space`."""

    def names(self, space: Space) -> list[str]:
        """All names in `space`, in their order."""

    def kinds(self, key: Key) -> set[Kind]:
        """The types of the values that runs have under `key`; NaN is a number."""

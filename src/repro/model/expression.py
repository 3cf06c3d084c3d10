"""What the text of a filter says, before anybody asks whether its names stand for something.

`model/parsing.py` reads it from a text, `model/binding.py` makes a condition of it. Each part knows
where it stands: `start` and `end` count characters of the text.
"""

from dataclasses import dataclass, field
from typing import Literal

from repro.model.condition import Operator

Style = Literal["regex", "like", "ilike"]


@dataclass(frozen=True, slots=True)
class Name:
    """A name of a value.

    Attributes:
        text: Without its quotes.
        quoted: From where to where in `text` there were quotes around it: a dot in there parts
            nothing. None where there were none.
    """

    text: str
    quoted: tuple[int, int] | None = None
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Constant:
    """A value as it is written.

    Attributes:
        text: Without its quotes.
        is_bare: Whether it had none, so that `0.1` is a number and `true` no text.
    """

    text: str
    is_bare: bool
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Compared:
    """`name < value`."""

    name: Name
    operator: Operator
    constant: Constant


@dataclass(frozen=True, slots=True)
class Listed:
    """`name in (value, …)`."""

    name: Name
    constants: tuple[Constant, ...]


@dataclass(frozen=True, slots=True)
class Fitting:
    """`name ~ pattern`, `name like pattern`."""

    name: Name
    style: Style
    pattern: Constant


@dataclass(frozen=True, slots=True)
class Null:
    """`name is null`."""

    name: Name


@dataclass(frozen=True, slots=True)
class Nan:
    """`name is nan`."""

    name: Name


@dataclass(frozen=True, slots=True)
class Alone:
    """`name`, of something that is true or false."""

    name: Name


@dataclass(frozen=True, slots=True)
class And:
    """Two parts or more, all of them."""

    parts: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Two parts or more, any of them."""

    parts: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of a part; `!~`, `not in` and `is not` are written so, too."""

    part: "Expression"


Term = Compared | Listed | Fitting | Null | Nan | Alone
Expression = Term | And | Or | Not

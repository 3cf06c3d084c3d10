"""What the text of a filter says, before anybody asks whether its names stand for something.

`model/parsing.py` reads it from a text, `model/binding.py` makes a condition of it. Named tuples:
data classes would take longer to define than the filter to read.
"""

from typing import Literal, NamedTuple

# `alone` is a name without anything behind it; `in` has any number of constants, `null`, `nan` and
# `alone` have none, all else has one.
Test = Literal[
    "=", "!=", "<", "<=", ">", ">=", "in", "regex", "like", "ilike", "null", "nan", "alone"
]


class Name(NamedTuple):
    """A name of a value, from `start` to before `end` in the filter.

    Attributes:
        text: Without its quotes.
        quoted: From where to where in `text` there were quotes around it: a dot in there parts
            nothing. None where there were none.
    """

    text: str
    start: int
    end: int
    quoted: tuple[int, int] | None = None


class Constant(NamedTuple):
    """A value as it is written, from `start` to before `end` in the filter.

    Attributes:
        text: Without its quotes.
        is_bare: Whether it had none, so that `0.1` is a number and `true` no text.
    """

    text: str
    start: int
    end: int
    is_bare: bool = True


class Term(NamedTuple):
    """What is asked of one value: `lr < 1`, `lr in (1, 2)`, `lr is null`, `dirty`."""

    name: Name
    test: Test
    constants: tuple[Constant, ...] = ()


class Group(NamedTuple):
    """Parts of which all hold (`and`) or any does (`or`), two or more; or one that does not.

    `!~`, `not in` and `is not` are `not` around what they negate.
    """

    word: Literal["and", "or", "not"]
    parts: tuple["Expression", ...]


Expression = Term | Group

"""One row of the table of hostile inputs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tests.hostile.making import Maker

Make = Callable[[Maker, str], str]
"""Writes the objects of a run with the id given; gives its commit."""

Outcome = Literal["refused", "accepted"]
Plain = Literal["refused", "written", "either"]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A run that somebody made to do harm.

    Attributes:
        id: As in the list of the threat model.
        what: The input, in Markdown.
        forms: Ways to write it; all have the same outcome.
        vetted: Whether the run comes in when it is fetched.
        says: What the reason of a refusal matches.
        plain: What `checkout -w` does where it came in by a plain `git fetch`.
        then: How it is handled where it is not refused, or why it is not.
    """

    id: str
    what: str
    forms: tuple[Make, ...]
    vetted: Outcome = "refused"
    says: str = ""
    plain: Plain = "refused"
    then: str = ""


@dataclass(frozen=True, kw_only=True)
class Elsewhere:
    """An input that is no run, with the tests that give it.

    Attributes:
        id, what: As of a `Case`.
        outcome: What becomes of it, in Markdown.
        tests: Names of test functions, `<file>::<function>`; none where a later part has it.
    """

    id: str
    what: str
    outcome: str
    tests: tuple[str, ...]


Row = Case | Elsewhere

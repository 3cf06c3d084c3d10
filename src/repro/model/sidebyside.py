"""Dozens of runs side by side: what each has of all that differs between them."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from repro.model.canonical import Json
from repro.model.condition import Key, Space
from repro.model.config import flatten_config
from repro.model.diff import Surroundings, diff_flat, split_environment
from repro.model.goals import agreed_goal, best_places
from repro.model.lookup import look_up
from repro.model.randomdiff import fold_randomness
from repro.model.run import Record
from repro.model.values import ABSENT, Value, is_same

PARTS = ("metrics", "summary", "config", "code", "data", "environment", "hardware", "randomness")

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Code:
    """The code of one run, beside that of the others.

    Attributes:
        letter: The same for the same code: `A`, …, `Z`, `AA`, ….
        n_files: How many files differ from those of the first run; None where nobody can tell.
    """

    letter: str
    n_files: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One item of all runs, in their order.

    Attributes:
        part: Of `PARTS`.
        key: Dotted, or a name; empty for the code.
        values: What each run has, `ABSENT` where it has nothing; of code the letter.
        goal: `minimize` or `maximize`; None of what has none, or where the runs disagree.
        n_files: Of code only: how many files differ from those of the first run.
        follows: Whether it differs for no reason of its own, such as the seed of one generator,
            which follows from that of the run.
    """

    part: str
    key: str
    values: tuple[Value, ...]
    goal: str | None = None
    n_files: tuple[int | None, ...] = ()
    follows: bool = False

    @property
    def tells(self) -> bool:
        """Whether it tells two runs apart: it differs, and for a reason of its own."""
        return self.differs and not self.follows

    @property
    def differs(self) -> bool:
        """Whether any two runs differ in it."""
        return not all(is_same(value, self.values[0]) for value in self.values[1:])

    def best(self) -> set[int]:
        """The positions of the best values by the goal; none where all are the same."""
        return best_places(self.values, self.goal) if self.differs else set()

    def differences(self) -> list[float | None]:
        """Each value less the first one; None where either is no finite number."""
        start = self.values[0]
        return [_difference(value, start) for value in self.values]


def _difference(value: Value, start: Value) -> float | None:
    if not (_is_finite(value) and _is_finite(start)):
        return None
    assert isinstance(value, (int, float))
    assert isinstance(start, (int, float))
    return float(value) - float(start)


def _is_finite(value: Value) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def lay_out(records: Sequence[Record], codes: Sequence[Code | None]) -> list[Row]:
    """Give a row for each item that any of the runs has, part by part.

    Args:
        records: At least one; whole, else what they lack is taken as not there.
        codes: The code of each run; None where it is lost.

    Cost: grows with runs times items.
    """
    around = [split_environment(one.environment, one.randomness) for one in records]
    rows = [
        *_metrics(records),
        *_rows("summary", [flatten_config(one.summary) for one in records]),
        *_rows("config", [flatten_config(one.config) for one in records]),
    ]
    if any(codes):
        letters = tuple(ABSENT if code is None else code.letter for code in codes)
        n_files = tuple(None if code is None else code.n_files for code in codes)
        rows.append(Row(part="code", key="", values=letters, n_files=n_files))
    rows += _rows("data", [{name: _pin(one.data[name]) for name in one.data} for one in records])
    for part, facts in _SURROUNDINGS.items():
        rows += _rows(part, [facts(one) for one in around])
    telling = _telling_randomness(records, around)
    return [
        replace(row, follows=row.differs and row.key not in telling)
        if row.part == "randomness"
        else row
        for row in rows
    ]


def _telling_randomness(records: Sequence[Record], around: Sequence[Surroundings]) -> set[str]:
    """What of the randomness differs from the first run for a reason of its own, in any run."""
    first, start = records[0], around[0]
    return {
        key
        for record, one in zip(records[1:], around[1:], strict=True)
        for key in fold_randomness(
            diff_flat(start.randomness, one.randomness), first.randomness, record.randomness
        )
    }


_SURROUNDINGS: Mapping[str, Callable[[Surroundings], Mapping[str, Json]]] = {
    "environment": lambda one: one.environment,
    "hardware": lambda one: one.hardware,
    "randomness": lambda one: one.randomness,
}


def _rows(part: str, facts: Sequence[Mapping[str, Json]]) -> list[Row]:
    keys = dict.fromkeys(key for one in facts for key in one)
    return [
        Row(part=part, key=key, values=tuple(one.get(key, ABSENT) for one in facts)) for key in keys
    ]


def _metrics(records: Sequence[Record]) -> list[Row]:
    """Last values; metrics with a goal first."""
    names = dict.fromkeys(name for one in records for name in one.metrics)
    rows = []
    for name in names:
        key = Key(Space.METRIC, name)
        values = tuple(look_up(one, key) for one in records)
        goal = agreed_goal(records, key)
        rows.append(Row(part="metrics", key=name, values=values, goal=goal))
    return sorted(rows, key=lambda row: row.goal is None)


def _pin(entry: Json) -> Json:
    """What tells a dataset from another: its digest, or its whole entry where that has none."""
    digest = entry.get("digest") if isinstance(entry, dict) else None
    return entry if digest is None else digest


def name_codes(trees: Sequence[str | None], n_files: Mapping[str, int | None]) -> list[Code | None]:
    """Give the same letter to the same code, in the order in which they come.

    Args:
        trees: The code of each run, None where it is lost.
        n_files: By tree, how many files differ from those of the first run.
    """
    letters: dict[str, str] = {}
    for tree in trees:
        if tree is not None and tree not in letters:
            letters[tree] = _letter(len(letters))
    return [None if tree is None else Code(letters[tree], n_files.get(tree)) for tree in trees]


def _letter(number: int) -> str:
    text = ""
    number += 1
    while number:
        number, digit = divmod(number - 1, len(_LETTERS))
        text = _LETTERS[digit] + text
    return text

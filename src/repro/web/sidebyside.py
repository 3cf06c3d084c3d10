"""Runs side by side as a table of texts, which a template lays out."""

from collections.abc import Sequence
from dataclasses import dataclass

from repro.core.sidebyside import SideBySide
from repro.model.readable import format_duration, plain_text
from repro.model.rowtext import describe_difference, is_numeric, row_texts
from repro.model.sidebyside import PARTS, Row
from repro.model.values import is_same

_MOST_ITEMS = 1_000  # of one part
_MOST_AROUND = 20  # rows of one part of the surroundings: an upgrade changes many at once
_AROUND = ("environment", "hardware", "randomness")
_LONGEST = 2_000  # characters of a value that is shown whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What one run has of one item.

    Attributes:
        whole: The whole value, where `text` is cut; else empty.
        change: By how much it differs from the baseline, in words; empty where it cannot be said.
    """

    text: str
    whole: str = ""
    is_best: bool = False
    differs: bool = False
    change: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item of all runs, in their order."""

    title: str
    cells: tuple[Cell, ...]
    is_number: bool = False
    goal: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The items of one part, and how many more there are."""

    title: str
    items: tuple[Item, ...]
    n_left: int = 0


def lay_parts(found: SideBySide, *, everything: bool) -> list[Part]:
    """Give what differs between the runs, part by part; `everything` also what does not."""
    parts = [Part(title="run", items=tuple(_facts(found)))]
    for part in PARTS:
        rows = [row for row in found.rows if row.part == part and (everything or row.tells)]
        most = _MOST_AROUND if part in _AROUND and not everything else _MOST_ITEMS
        if rows:
            items = tuple(map(_item, rows[:most]))
            parts.append(Part(title=part, items=items, n_left=len(rows) - len(items)))
    return parts


def say_equal(found: SideBySide) -> str:
    """What all of them share, counted by part."""
    same = [row.part for row in found.rows if not row.differs]
    counts = [(part, same.count(part)) for part in PARTS if part in same]
    return ", ".join(part if part == "code" else f"{count:,} of {part}" for part, count in counts)


def _facts(found: SideBySide) -> list[Item]:
    runs = [one.run for one in found.records]
    durations = _plain([format_duration(one.duration_s) for one in runs])
    return [Item(title="duration", cells=durations, is_number=True)]


def _plain(texts: Sequence[str]) -> tuple[Cell, ...]:
    return tuple(Cell(text=text) for text in texts)


def _item(row: Row) -> Item:
    best = row.best()
    changes = row.differences() if row.part == "metrics" else [None] * len(row.values)
    cells = []
    for place, (text, value, change) in enumerate(
        zip(row_texts(row), row.values, changes, strict=True)
    ):
        whole = plain_text(value)[:_LONGEST] if "…" in text or row.part == "data" else ""
        cells.append(
            Cell(
                text=text,
                whole=whole,
                is_best=place in best,
                differs=not is_same(value, row.values[0]),
                change=describe_difference(row.key, change, row.values[0]).strip()
                if change
                else "",
            )
        )
    return Item(
        title=row.key or row.part, cells=tuple(cells), is_number=is_numeric(row), goal=row.goal
    )

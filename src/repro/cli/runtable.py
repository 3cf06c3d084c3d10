"""Runs as a table for a person: aligned, cut to the terminal, the best of each metric marked."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from repro.cli import render
from repro.model.cells import Cells, format_cells
from repro.model.columns import Column
from repro.model.condition import Key, Space
from repro.model.goals import agreed_goal, best_places
from repro.model.progress import find_progress
from repro.model.readable import format_value, shorten
from repro.model.run import Record, Status, describe_status
from repro.model.text import escape
from repro.model.times import parse_time
from repro.model.values import ABSENT, Value

_COLOURS = {
    Status.RUNNING: "cyan", Status.FAILED: "red", Status.KILLED: "red", Status.LOST: "red"
}  # fmt: skip
_BEST = "green"
_NAMED = 5  # columns without room
_BEFORE_DURATION = 4  # values that are shown before how long a run took is
_FOOTER = 100  # places for the line of constants, where the output goes to no terminal


@dataclass(frozen=True, slots=True)
class LaidColumn:
    """One column of a table of anything, laid out.

    Attributes:
        texts: Its cells.
        colours: Of some of them, by their place.
        best: The places of the best of them.
    """

    title: str
    texts: list[str]
    is_right: bool = False
    colours: Mapping[int, str] | None = None
    best: frozenset[int] | set[int] = frozenset()


def lay_out(columns: Sequence[LaidColumn], *, width: int = 0) -> tuple[str, int]:
    """Give the table, and how many of its columns fit into `width` places; 0 is no limit."""
    is_coloured = render.has_colour()
    columns = [column if is_coloured else _starred(column) for column in columns]
    shown = columns[: _fitting(columns, width)]
    colours = {
        (place + 1, number): colour
        for number, column in enumerate(shown)
        for place, colour in (
            *(column.colours or {}).items(), *((place, _BEST) for place in column.best)
        )
    }  # fmt: skip
    rows = [
        [shorten(column.title) for column in shown],
        *zip(*(column.texts for column in shown), strict=True),
    ]
    right = {number for number, column in enumerate(shown) if column.is_right}
    return render.columns(rows, right=right, colours=colours), len(shown)


def _starred(column: LaidColumn) -> LaidColumn:
    """A column whose best cells have a star instead of a colour."""
    if not column.best:
        return column
    texts = [
        text + ("*" if place in column.best else " ") for place, text in enumerate(column.texts)
    ]
    return LaidColumn(f"{column.title} ", texts, column.is_right, column.colours)


def _width(column: LaidColumn) -> int:
    if not render.has_colour():
        column = _starred(column)
    return render.widest([shorten(column.title), *column.texts])


def _fitting(columns: Sequence[LaidColumn], width: int) -> int:
    """How many columns fit into a terminal; at least one."""
    if not width:
        return len(columns)
    used = 0
    for number, column in enumerate(columns):
        used += render.widest([shorten(column.title), *column.texts])
        if used > width:
            return max(number, 1)
        used += len(render.GAP)
    return len(columns)


def lay_column(
    column: Column, records: Sequence[Record], short: Mapping[str, str], now: float
) -> LaidColumn:
    """Give one column of a table of runs.

    Args:
        short: Short forms of ids.
        now: Seconds since 1970.
    """
    key = column.key
    if key == Key(Space.FIELD, "id"):
        return LaidColumn(
            column.title, [short.get(record.run.id, record.run.id) for record in records]
        )
    values = _values(column, records, now)
    cells = format_cells(values, key, now)
    if key is None:
        cells = Cells([*map(_step, records, cells.texts)], is_right=True)
    colours = {}
    if key == Key(Space.FIELD, "status"):
        runs = [record.run for record in records]
        statuses = ((place, run.status) for place, run in enumerate(runs) if not run.pruned)
        colours = {place: _COLOURS[status] for place, status in statuses if status in _COLOURS}
        cells = replace(cells, texts=[*map(describe_status, runs)])
    best = set() if key is None else best_places(values, agreed_goal(records, key))
    return LaidColumn(column.title, cells.texts, cells.is_right, colours, best)


def _step(record: Record, text: str) -> str:
    """The last step of a run, and of how many where that is known."""
    progress = find_progress(record)
    return text if progress is None else str(progress)


def _values(column: Column, records: Sequence[Record], now: float) -> list[Value]:
    """What runs have in a column; one in progress has lasted up to now."""
    values = column.values(records)
    if column.key == _DURATION:
        for place, record in enumerate(records):
            if values[place] is ABSENT and record.run.status is Status.RUNNING:
                values[place] = max(now - parse_time(record.run.started), 0.0)
    return values


_DURATION = Key(Space.FIELD, "duration")


def choose_columns(
    laid: Mapping[Column, LaidColumn], width: int, asked: Collection[Key] = ()
) -> list[Column]:
    """The columns that a terminal has room for, in their order.

    Which run it is comes first, then by turns a metric and a param, each in their own order: a
    dozen metrics leave room for what the runs differ in. What tells little comes last. One that is
    too wide hides no other.

    Args:
        laid: All columns.
        asked: What the runs are sorted and chosen by, which comes before all other values.
    """
    left = width
    kept: set[Column] = set()
    for column in _by_turns(list(laid), asked):
        places = _width(laid[column])
        if not kept or places <= left:
            kept.add(column)
            left -= places + len(render.GAP)
    return [column for column in laid if column in kept]


def _by_turns(columns: Sequence[Column], asked: Collection[Key]) -> list[Column]:
    fields = [one for one in columns if one.key is None or one.key.space is Space.FIELD]
    first = [one for one in columns if one not in fields and one.key in asked]
    rest = [one for one in columns if one not in fields and one not in first]
    minor = [one for one in rest if one.is_minor]
    values = [*first, *_take_turns([one for one in rest if not one.is_minor]), *_take_turns(minor)]
    last = [one for one in fields if one.key == _DURATION and _DURATION not in asked]
    return [
        *(one for one in fields if one not in last), *values[:_BEFORE_DURATION],
        *last, *values[_BEFORE_DURATION:],
    ]  # fmt: skip


def _take_turns(columns: Sequence[Column]) -> list[Column]:
    """A metric, then one of the others, and so on."""
    metrics = [one for one in columns if one.key is not None and one.key.space is Space.METRIC]
    turns = zip_longest(metrics, (one for one in columns if one not in metrics))
    return [one for turn in turns for one in turn if one is not None]


def say_hidden(titles: Sequence[str], way: str) -> None:
    """Name the columns that a narrow terminal has no room for.

    Args:
        way: The option that shows them.
    """
    if titles:
        named = ", ".join(shorten(escape(title)) for title in titles[:_NAMED])
        more = f" and {len(titles) - _NAMED} more" if len(titles) > _NAMED else ""
        render.note(f"… no room for {named}{more}: `{way}` shows them")


def describe_constants(constant: Sequence[tuple[Key, Value]], n_runs: int) -> str:
    """The params that all runs share, in one line as wide as the terminal."""
    before = f"same in all {n_runs:,}: " if n_runs > 1 else "config: "
    width = (render.width() or _FOOTER) - len(before)
    words: list[str] = []
    used = 0
    for number, (key, value) in enumerate(constant):
        word = f"{shorten(escape(key.name))}={format_value(value)}"
        rest = f", … and {len(constant) - number} more"
        is_last = number == len(constant) - 1
        if words and used + 2 + render.places(word) + (0 if is_last else len(rest)) > width:
            return before + ", ".join(words) + rest
        words.append(word)
        used += (2 if used else 0) + render.places(word)
    return before + ", ".join(words)

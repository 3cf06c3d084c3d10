"""The table of runs as its template shows it: heads, cells, and where each of them leads."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from zlib import crc32

from repro.core.tableview import TableColumn, TableRow, TableView
from repro.model.cells import format_cells
from repro.model.columns import keep_room
from repro.model.condition import Key, Space
from repro.model.fields import FIELDS
from repro.model.goals import best_places
from repro.model.progress import Progress
from repro.model.readable import shorten
from repro.model.times import parse_time
from repro.model.values import ABSENT, Value, is_nan
from repro.web.runsview import HIDEABLE, RunsView

MOST_USUAL = 40  # columns that nobody asked for
_LONGEST = 120  # characters of a cell
_SEEN = 24  # of which at least so many are seen; more have a title
_DURATION = Key(Space.FIELD, "duration")
_BANDS: Mapping[Space | None, str] = {
    Space.FIELD: "run", None: "run", Space.CONFIG: "params", Space.METRIC: "metrics",
    Space.SUMMARY: "summary", Space.DATA: "data", Space.ENV: "environment", Space.TAG: "run",
}  # fmt: skip
_ORDER = list(dict.fromkeys(_BANDS.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The head of a column.

    Attributes:
        address: Where the runs are sorted by it, the other way round, or no more; None where
            nothing is sorted by it.
        order: `ascending`, `descending`, or None.
        place: Which of several sort keys it is, from 1 on; None of a single one.
        goal: What is better of its values, where runs say so.
    """

    title: str
    word: str
    address: str | None = None
    order: str | None = None
    place: int | None = None
    goal: str | None = None
    is_right: bool = False


@dataclass(frozen=True, slots=True)
class Band:
    """Columns beside each other that are of one kind."""

    title: str
    n_columns: int


@dataclass(frozen=True, slots=True)
class Cell:
    """One value.

    Attributes:
        kind: Words of classes: `number`, `best`, `nan`, `none`.
        whole: The text of it, where not all of it may be seen.
    """

    text: str
    kind: str
    whole: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One run.

    Attributes:
        stamp: Changes when anything that the line says has changed.
        step: The last one of a run in progress of which no more is known.
        brief: A metric with its value, where there is room for nothing else.
        colour: Its place in the palette, if it has one of its own.
        pin_address: Where it has one, or no more.
    """

    row: TableRow
    cells: tuple[Cell, ...]
    stamp: int
    progress: Progress | None
    step: str | None
    brief: str
    colour: int | None
    pin_address: str
    is_chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LaidTable:
    """The table.

    Attributes:
        columns: What `heads` are of.
        fixed: The heads of what each row says anyway, by its name.
        n_of_run: Columns beside each other that say what the run is, but for its id.
        bands: Those behind them.
        n_left_out: Columns that would be too many.
    """

    columns: tuple[TableColumn, ...]
    n_of_run: int
    bands: tuple[Band, ...]
    heads: tuple[Head, ...]
    lines: tuple[Line, ...]
    fixed: Mapping[str, Head]
    n_left_out: int


def lay_table(
    table: TableView, view: RunsView, progress: Mapping[str, Progress], now: float
) -> LaidTable:
    """Lay a page of single runs out.

    Args:
        progress: Of runs in progress, by id.
        now: Seconds since 1970.
    """
    columns, n_left_out = _choose_places(table, view)
    shown = [table.columns[place] for place in columns]
    cells = []
    for place, column in zip(columns, shown, strict=True):
        values = [_value(row, place, column.key, now) for row in table.rows]
        cells.append(_lay_column(column, values, now))
    names = [name for name in ("name", "status", "created") if name not in view.hidden]
    fixed = {name: _fixed_head(name, view) for name in names}
    steps = _last_steps(table, progress)
    briefs = _say_briefly(shown, cells, len(table.rows))
    bands = [Band(title, len(list(same))) for title, same in groupby(shown, key=_band)]
    return LaidTable(
        columns=tuple(shown),
        n_of_run=len(fixed) + (bands.pop(0).n_columns if bands and bands[0].title == "run" else 0),
        bands=tuple(bands),
        heads=tuple(_head(one, view) for one in shown),
        lines=tuple(
            Line(
                row=row,
                cells=tuple(column[place] for column in cells),
                stamp=_stamp(row),
                progress=progress.get(row.id),
                step=steps.get(row.id),
                brief=briefs[place],
                colour=view.pins.get(row.id),
                pin_address=view.address(pins=view.toggle_pin(row.id), page=view.page),
                is_chosen=row.id in view.chosen,
            )
            for place, row in enumerate(table.rows)
        ),
        fixed=fixed,
        n_left_out=n_left_out,
    )


def _choose_places(table: TableView, view: RunsView) -> tuple[list[int], int]:
    """The columns of the table that are shown, in their order, and how many more there are."""
    columns = [n for n, one in enumerate(table.columns) if not _is_marked(one.key, view)]
    if view.columns:
        return columns, 0
    # A column of steps comes and goes with the runs in progress: their status has them.
    columns = [n for n in columns if table.columns[n].key is not None]
    # What the runs are sorted by shall not jump to the front, and what tells little not push the
    # rest out of sight.
    columns.sort(key=lambda n: (table.columns[n].is_minor, _ORDER.index(_band(table.columns[n]))))
    kept = keep_room([table.columns[n].key for n in columns], MOST_USUAL)
    return [columns[n] for n in kept], len(columns) - len(kept)


def _last_steps(table: TableView, progress: Mapping[str, Progress]) -> dict[str, str]:
    """The last step of each run in progress of which no more is known, by id."""
    place = next((n for n, one in enumerate(table.columns) if one.key is None), None)
    if place is None:
        return {}
    return {
        row.id: str(row.values[place])
        for row in table.rows
        if row.status == "running" and row.id not in progress and row.values[place] is not ABSENT
    }


def _say_briefly(
    columns: Sequence[TableColumn], cells: Sequence[Sequence[Cell]], n_rows: int
) -> list[str]:
    """The metric of each row that says most: the first one with a goal, or else the first one."""
    metrics = [
        (column, laid)
        for column, laid in zip(columns, cells, strict=True)
        if column.key is not None and column.key.space is Space.METRIC
    ]
    metrics.sort(key=lambda pair: pair[0].goal is None)
    if not metrics:
        return [""] * n_rows
    column, laid = metrics[0]
    return ["" if "none" in cell.kind else f"{column.title} {cell.text}" for cell in laid]


def sort_head(
    title: str, word: str, view: RunsView, *, is_descending: bool, goal: str | None = None,
    is_right: bool = False,
) -> Head:  # fmt: skip
    """The head of a column that runs, or groups, can be sorted by.

    Args:
        is_descending: Whether that is what people want first.
    """
    first, second = (f"-{word}", word) if is_descending else (word, f"-{word}")
    order = next((one for one in view.sort if one.removeprefix("-") == word), None)
    following: tuple[str, ...] = (first,)
    if order is not None and view.sort[0] == order:
        following = (second,) if order == first else ()
    return Head(
        title=title,
        word=word,
        address=view.address(sort=following),
        order=order and ("descending" if order.startswith("-") else "ascending"),
        place=view.sort.index(order) + 1 if order is not None and len(view.sort) > 1 else None,
        goal=goal,
        is_right=is_right,
    )


def _fixed_head(name: str, view: RunsView) -> Head:
    return sort_head(name, name, view, is_descending=name == "created")


def _head(column: TableColumn, view: RunsView) -> Head:
    if column.key is None:
        return Head(title=column.title, word=column.word, is_right=True)
    return sort_head(
        title_in_band(column.key),
        _sort_word(column, view),
        view,
        is_descending=column.goal == "maximize" or _is_moment(column.key),
        goal=column.goal,
        is_right=column.is_number,
    )


def _sort_word(column: TableColumn, view: RunsView) -> str:
    """The word that the address sorts by already, where that is this column's title."""
    given = {one.removeprefix("-") for one in view.sort}
    return column.title if column.title in given else column.word


def title_in_band(key: Key) -> str:
    """What a key is called under a heading that says what kind it is of."""
    return key.name if key.statistic == "last" else f"{key.name}.{key.statistic}"


def _band(column: TableColumn) -> str:
    return _BANDS[None if column.key is None else column.key.space]


def _is_marked(key: Key | None, view: RunsView) -> bool:
    """Whether each row says it anyway."""
    if key is None or key.space not in (Space.FIELD, Space.TAG):
        return False
    name = "tags" if key.space is Space.TAG else key.name
    return name == "id" or (name in HIDEABLE and name not in view.hidden)


def _is_moment(key: Key) -> bool:
    return key.space is Space.FIELD and FIELDS[key.name].is_moment


def _value(row: TableRow, place: int, key: Key | None, now: float) -> Value:
    """What a run has in a column; a run in progress has lasted up to now."""
    value = row.values[place]
    if value is ABSENT and key == _DURATION and row.status == "running":
        return max(now - parse_time(row.created), 0.0)
    return value


def _lay_column(column: TableColumn, values: Sequence[Value], now: float) -> list[Cell]:
    laid = format_cells(values, column.key, now)
    best = best_places(values, column.goal)
    is_right = laid.is_right or column.key is None
    return [
        make_cell(text, value, is_right=is_right, is_best=place in best)
        for place, (text, value) in enumerate(zip(laid.texts, values, strict=True))
    ]


def make_cell(text: str, value: Value, *, is_right: bool, is_best: bool = False) -> Cell:
    """One cell, of which the text is cut where it is long."""
    words = [
        word
        for word, holds in (
            ("number", is_right),
            ("best", is_best),
            ("nan", is_nan(value)),
            ("none", value is ABSENT or value is None),
        )
        if holds
    ]
    cut = shorten(text, _LONGEST)
    return Cell(cut, " ".join(words), text[:2000] if len(text) > _SEEN else None)


def _stamp(row: TableRow) -> int:
    said: Iterable[object] = (row.name, row.status, row.tags, row.note, row.values)
    return crc32(repr(said).encode(errors="surrogatepass"))

"""One page of the table of all runs, by what somebody wishes to see of it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from repro.core.choosing import Choice, choose_runs
from repro.core.known import KnownRuns, open_runs
from repro.core.project import Project
from repro.core.tablegroups import read_groups
from repro.core.tableview import (
    MOST_PER_PAGE,
    OfferedColumn,
    TableColumn,
    TableRow,
    TableView,
    TableWish,
    are_numbers,
    offer,
    word_of,
)
from repro.errors import UsageError
from repro.model.columns import TAGS, Column, choose_keys, default_columns, keep_room, title_keys
from repro.model.condition import Condition, Key, SortKey, Space, keys_in
from repro.model.goals import agreed_goal
from repro.model.run import Record
from repro.model.values import ABSENT, Value
from repro.model.wanted import parse_columns
from repro.store.index import RunIndex

_LAST_PAGE = 1_000_000_000  # more than any repository has, less than SQLite counts
_MOST_USUAL = 200  # columns that nobody asked for, of those that one odd run may bring
_LOOKED_AT = 50  # newest runs, of which the usual columns are


def read_table(project: Project, wish: TableWish) -> TableView:
    """Give the page of the table that somebody wishes to see.

    Raises:
        FilterError: The filter, a key to sort by or a column is wrong; it has the place.
        UsageError: There is no such page, a pattern of columns fits nothing, or groups have no
            such column or order.
    """
    if not 1 <= wish.page <= _LAST_PAGE or not 1 <= wish.per_page <= MOST_PER_PAGE:
        raise UsageError(
            f"there is no page {wish.page} of {wish.per_page} rows",
            hint=f"pages begin at 1, and have up to {MOST_PER_PAGE} rows",
        )
    with open_runs(project) as runs:
        choice = Choice(where=wish.where, sort=() if wish.group_by else wish.sort)
        condition, sort = choose_runs(runs.index, choice, now=project.clock())
        if wish.group_by:
            view = read_groups(runs, wish, condition)
        else:
            view = _read_rows(runs, wish, condition, sort)
        return replace(view, is_old=runs.index.is_old)


def _read_rows(
    runs: KnownRuns, wish: TableWish, condition: Condition | None, sort: Sequence[SortKey]
) -> TableView:
    index = runs.index
    offset = (wish.page - 1) * wish.per_page
    ids = index.select_ids(condition, sort=sort, limit=wish.per_page, offset=offset)
    records = index.records(ids)
    asked = (*(one.key for one in sort), *(keys_in(condition) if condition else ()))
    # Of the newest runs, too: the next page has the same columns, and maybe some more.
    newest = index.select_ids(condition, limit=_LOOKED_AT)
    others = index.records([one for one in newest if one not in ids])
    known: dict[str, Record] = {record.run.id: record for record in (*others, *records)}
    seen = [
        *(known[one] for one in newest if one in known),
        *(one for one in records if one.run.id not in newest),
    ]
    choice = choose_keys(seen)
    usual = [one for one in default_columns(seen, choice, asked) if not _is_fixed(one)]
    usual = [usual[n] for n in keep_room([one.key for one in usual], _MOST_USUAL)]
    columns = _apply(runs, wish.columns, usual)
    short = runs.shorten(ids)
    shown = {column.key for column in columns}
    values = _read_values(index, columns, records)
    return TableView(
        columns=tuple(
            TableColumn(
                title=column.title,
                word=word_of(column.key),
                key=column.key,
                goal=None if column.key is None else agreed_goal(seen, column.key),
                is_number=are_numbers(cells),
                is_minor=column.is_minor,
            )
            for column, cells in zip(columns, values, strict=True)
        ),
        rows=tuple(
            _row(record, short, [cells[place] for cells in values])
            for place, record in enumerate(records)
        ),
        groups=None,
        n_keys=0,
        n_groups=0,
        matching=index.matching(condition),
        total=runs.count(),
        problems=runs.problems,
        hidden=_hidden(runs, shown),
        constant=tuple(pair for pair in choice.constant if pair[0] not in shown),
    )


def _row(record: Record, short: Mapping[str, str], values: Sequence[Value]) -> TableRow:
    run = record.run
    return TableRow(
        id=run.id, short=short[run.id], name=run.name, status=run.status.value,
        pruned=run.pruned, created=run.created, tags=run.tags, note=run.note,
        values=tuple(values),
    )  # fmt: skip


def _is_fixed(column: Column) -> bool:
    """Whether each row says it anyway."""
    key = column.key
    return key is not None and key.space is Space.FIELD and key.name in _FIXED


_FIXED = ("id", "name", "status", "created")


def _apply(runs: KnownRuns, words: Sequence[str] | None, usual: Sequence[Column]) -> list[Column]:
    if words is None:
        return list(usual)
    wanted = parse_columns(",".join(words), runs.index)
    return wanted.apply(usual if wanted.is_change else [])


def _read_values(
    index: RunIndex, columns: Sequence[Column], records: Sequence[Record]
) -> list[list[Value]]:
    """The values of each column; those of the environment are in no record of a list."""
    keys = [one.key for one in columns if one.key is not None and one.key.space is Space.ENV]
    found = index.columns(keys, [record.run.id for record in records]) if keys else []
    of_environment = dict(zip(keys, found, strict=True))
    return [
        [ABSENT if value is None else value for value in of_environment[column.key]]
        if column.key is not None and column.key in of_environment
        else [column.value(record) for record in records]
        for column in columns
    ]


def _hidden(runs: KnownRuns, shown: set[Key | None]) -> tuple[OfferedColumn, ...]:
    spaces = (Space.FIELD, Space.CONFIG, Space.METRIC, Space.SUMMARY)
    keys = [Key(space, name) for space in spaces for name in runs.index.names(space)]
    return offer((one for one in title_keys([*keys, TAGS]) if not _is_fixed(one)), shown)

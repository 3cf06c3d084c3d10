"""One page of the table of all runs, by what somebody wishes to see of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from repro.core.choosing import Choice, choose_runs
from repro.core.known import KnownRuns, open_runs
from repro.core.project import Project
from repro.errors import UsageError
from repro.model.columns import TAGS, Column, choose_keys, default_columns, title_keys
from repro.model.condition import Condition, Key, SortKey, Space, keys_in
from repro.model.goals import agreed_goal
from repro.model.groups import Statistics, group_runs
from repro.model.resolving import quote_name
from repro.model.run import Record
from repro.model.text import escape
from repro.model.values import ABSENT, Value
from repro.model.wanted import find_columns, parse_columns
from repro.store.index import Problem

MOST_PER_PAGE = 1000
_LAST_PAGE = 1_000_000_000  # more than any repository has, less than SQLite counts


@dataclass(frozen=True, slots=True, kw_only=True)
class TableWish:
    """What somebody wishes to see.

    Attributes:
        where: A filter (docs/reference/query.md); blank is every run.
        sort: Keys, ascending, `-KEY` descending; the newest run comes first where all tie.
        columns: Words of `ls --columns`; None for what tells the runs apart.
        page: From 1 on; one behind the last is empty.
        per_page: Rows of a page, at most `MOST_PER_PAGE`.
        group_by: Names; then the rows are groups of runs with the same values.
    """

    where: str = ""
    sort: tuple[str, ...] = ()
    columns: tuple[str, ...] | None = None
    page: int = 1
    per_page: int = 50
    group_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TableColumn:
    """One column.

    Attributes:
        word: Its name as a filter, `sort` and `columns` take it.
        key: None for the last step of a run, by which nothing is sorted.
        goal: `minimize` or `maximize`, where the runs agree on one.
        is_number: Whether all its values on this page are numbers, and there are some.
    """

    title: str
    word: str
    key: Key | None
    goal: str | None
    is_number: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedColumn:
    """A column that could be shown.

    Attributes:
        word: Its name as `columns` takes it.
        space: What it is: a field, a param, a metric and so on.
    """

    title: str
    word: str
    space: Space


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """One run.

    Attributes:
        short: The shortest unique prefix of its id.
        values: One for each column; `ABSENT` where it has none.
    """

    id: str
    short: str
    name: str | None
    status: str
    created: str
    tags: tuple[str, ...]
    note: str | None
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableGroup:
    """Runs with the same values under the keys that they are grouped by.

    Attributes:
        values: One for each of those keys; `ABSENT` where the runs have none.
        metrics: The last values in these runs, by name; only those that columns show.
    """

    values: tuple[Value, ...]
    n_runs: int
    metrics: Mapping[str, Statistics]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableView:
    """One page.

    Attributes:
        columns: Of groups first those that they are grouped by, then one for each metric.
        rows: The runs of this page; none where they are grouped.
        groups: The groups of this page; None where the runs are not grouped.
        n_keys: Of how many columns the values of a group are.
        n_groups: How many groups there are on all pages.
        matching: How many runs fit.
        total: How many runs there are.
        problems: Runs that cannot be read; they hide no other.
        hidden: What else could be shown.
        constant: Params that are the same in all runs of the page, with their values.
    """

    columns: tuple[TableColumn, ...]
    rows: tuple[TableRow, ...]
    groups: tuple[TableGroup, ...] | None
    n_keys: int
    n_groups: int
    matching: int
    total: int
    problems: tuple[Problem, ...]
    hidden: tuple[OfferedColumn, ...]
    constant: tuple[tuple[Key, Value], ...]


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
            return _read_groups(runs, wish, condition)
        return _read_rows(runs, wish, condition, sort)


def word_of(key: Key) -> str:
    """The name of a key as a filter, and all that names columns, takes it."""
    if key.space is Space.TAG:
        return "tags"
    if key.space is Space.FIELD:
        return key.name
    statistic = "" if key.statistic == "last" else f".{key.statistic}"
    return f"{key.space}.{quote_name(key.name)}{statistic}"


def _read_rows(
    runs: KnownRuns, wish: TableWish, condition: Condition | None, sort: Sequence[SortKey]
) -> TableView:
    index = runs.index
    offset = (wish.page - 1) * wish.per_page
    ids = index.select_ids(condition, sort=sort, limit=wish.per_page, offset=offset)
    records = index.records(ids)
    asked = (*(one.key for one in sort), *(keys_in(condition) if condition else ()))
    choice = choose_keys(records)
    usual = [one for one in default_columns(records, choice, asked) if not _is_fixed(one)]
    columns = _apply(runs, wish.columns, usual)
    short = runs.shorten(ids)
    shown = {column.key for column in columns}
    values = [[_value(column, record, runs) for record in records] for column in columns]
    return TableView(
        columns=tuple(
            TableColumn(
                title=column.title,
                word="step" if column.key is None else word_of(column.key),
                key=column.key,
                goal=None if column.key is None else agreed_goal(records, column.key),
                is_number=_is_number(cells),
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
        created=run.created, tags=run.tags, note=run.note, values=tuple(values),
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


def _value(column: Column, record: Record, runs: KnownRuns) -> Value:
    key = column.key
    if key is None or key.space is not Space.ENV:
        return column.value(record)
    [[value]] = runs.index.columns([key], [record.run.id])
    return ABSENT if value is None else value


def _is_number(values: Sequence[Value]) -> bool:
    there = [value for value in values if value is not ABSENT and value is not None]
    return bool(there) and all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in there
    )


def _hidden(runs: KnownRuns, shown: set[Key | None]) -> tuple[OfferedColumn, ...]:
    spaces = (Space.FIELD, Space.CONFIG, Space.METRIC, Space.SUMMARY)
    keys = [Key(space, name) for space in spaces for name in runs.index.names(space)]
    possible = [one for one in title_keys([*keys, TAGS]) if not _is_fixed(one)]
    return tuple(
        OfferedColumn(title=one.title, word=word_of(one.key), space=one.key.space)
        for one in possible
        if one.key is not None and one.key not in shown
    )


def _read_groups(runs: KnownRuns, wish: TableWish, condition: Condition | None) -> TableView:
    index = runs.index
    columns = [column for word in wish.group_by for column in find_columns(word, index)]
    keys = [column.key for column in columns if column.key is not None]
    if len(keys) < len(columns):
        raise UsageError(
            f"`{escape(','.join(wish.group_by))}` is nothing to group by",
            hint="name params, such as `lr,optimizer`",
        )
    grouping = group_runs(index.select(condition), keys)
    first = (wish.page - 1) * wish.per_page
    return TableView(
        columns=(),
        rows=(),
        groups=tuple(
            TableGroup(values=group.values, n_runs=len(group.runs), metrics=group.metrics)
            for group in grouping.groups[first : first + wish.per_page]
        ),
        n_keys=len(keys),
        n_groups=len(grouping.groups),
        matching=index.matching(condition),
        total=runs.count(),
        problems=runs.problems,
        hidden=(),
        constant=(),
    )

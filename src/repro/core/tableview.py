"""What somebody wishes to see of the table of all runs, and what there is to see, as values."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from repro.model.columns import Column
from repro.model.condition import Key, Space
from repro.model.groups import Statistics
from repro.model.resolving import quote_name
from repro.model.values import ABSENT, Value
from repro.store.index import Problem

MOST_PER_PAGE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class TableWish:
    """What somebody wishes to see.

    Attributes:
        where: A filter (docs/reference/query.md); blank is every run.
        sort: Keys, ascending, `-KEY` descending; the newest run comes first where all tie.
        columns: Words of `ls --columns`; None for what tells the runs apart.
        page: From 1 on; one behind the last is empty.
        per_page: Rows of a page, at most `MOST_PER_PAGE`.
        group_by: Names; then there is a row for all runs with the same values. Such rows are
            sorted by these names, by metrics for their mean, and by `runs` for their number, and
            their columns are metrics.
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
        is_minor: Whether it tells little about the runs, and others need the room first.
    """

    title: str
    word: str
    key: Key | None
    goal: str | None
    is_number: bool
    is_minor: bool = False


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
        pruned: Whether it was ended before its time, for others were better.
        values: One for each column; `ABSENT` where it has none.
    """

    id: str
    short: str
    name: str | None
    status: str
    pruned: bool
    created: str
    tags: tuple[str, ...]
    note: str | None
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableGroup:
    """Runs with the same values under the keys that they are grouped by.

    Attributes:
        values: One for each of those keys; `ABSENT` where the runs have none.
        metrics: The last values in these runs, by name: of those that columns show, and that any
            of the runs has.
        where: A filter for these runs; None where none says which they are.
    """

    values: tuple[Value, ...]
    n_runs: int
    metrics: Mapping[str, Statistics]
    where: str | None


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
        is_old: Whether what is newest may be missing, for another process writes the run index.
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
    is_old: bool = False


def word_of(key: Key | None) -> str:
    """The name of a key as a filter, and all that names columns, takes it."""
    if key is None:
        return "step"
    if key.space is Space.TAG:
        return "tags"
    if key.space is Space.FIELD:
        return key.name
    statistic = "" if key.statistic == "last" else f".{key.statistic}"
    return f"{key.space}.{quote_name(key.name)}{statistic}"


def offer(columns: Iterable[Column], shown: Collection[Key | None]) -> tuple[OfferedColumn, ...]:
    """Those of some columns that are not shown."""
    return tuple(
        OfferedColumn(title=one.title, word=word_of(one.key), space=one.key.space)
        for one in columns
        if one.key is not None and one.key not in shown
    )


def are_numbers(values: Iterable[Value]) -> bool:
    """Whether all that there is are numbers, and there is some."""
    there = [value for value in values if value is not ABSENT and value is not None]
    return bool(there) and all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in there
    )

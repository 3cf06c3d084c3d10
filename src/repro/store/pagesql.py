"""The order of runs as SQL over the tables of `index_schema.py`: which come first, which are asked.

The runs that fit a filter are the numbers in `temp.fitting`, all of them where there is no filter.
"""

from collections.abc import Callable, Sequence

from repro.model.condition import Key, SortKey, Space
from repro.store.filtersql import Sql, column, field_column, table
from repro.store.index_rows import NAN, Cell

KeyNumber = Callable[[Space, str], int]

_NEWEST = "run.created DESC, run.id DESC"
_NEVER_NULL = ("id", "created", "status")


def _cell_of(key: Key, number: KeyNumber) -> Sql:
    """The cell of the row `run` under a key; of several tags the first."""
    if key.space == Space.FIELD:
        return Sql(field_column(key.name))
    if key.space == Space.TAG:
        return Sql("(SELECT min(s.v) FROM tag s WHERE s.run = run.num)")
    values = (number(key.space, key.name),)
    if key.space == Space.ENV:
        return Sql("(SELECT s.v FROM env_value s WHERE s.key = ? AND s.env = run.env)", values)
    query = f"SELECT s.{column(key)} FROM {table(key)} s WHERE s.key = ? AND s.run = run.num"  # noqa: S608
    return Sql(f"({query})", values)


def page(
    sort: Sequence[SortKey], number: KeyNumber, *, fitting: str, limit: int, offset: int = 0
) -> Sql:
    """The query for the numbers of some runs in a row, all that fit being looked at.

    Args:
        fitting: `all`, `few` (the query starts from those) or `many` (it goes through all runs).
        limit: At most so many; -1 is all.
        offset: Behind so many.
    """
    order, values = _order(sort, number)
    source = "temp.fitting f CROSS JOIN run ON run.num = f.num" if fitting == "few" else "run"
    if fitting != "few" and not sort:
        source += " INDEXED BY run_created"  # from the newest on, until there are enough
    where = _fits("run.num") if fitting == "many" else "1"
    query = f"SELECT run.num FROM {source} WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?"  # noqa: S608
    return Sql(query, (*values, limit, offset))


class Having:
    """The runs that have a number, a text or a bool to sort by, as cells of one table.

    Those of a page are found by the cells alone: which is the first and which the last one on it.
    Only the runs from the one to the other are then looked up and put in order.
    """

    def __init__(self, sort: Sequence[SortKey], number: KeyNumber, *, fitting: str) -> None:
        """Make queries.

        Args:
            sort: The first key is one for which `is_in_cells` holds.
            fitting: `all` or `many`.
        """
        first, *rest = sort
        self._rest, self._number = rest, number
        self._direction = " DESC" if first.descending else ""
        self._before, self._after = (">", "<") if first.descending else ("<", ">")
        self._cell = f"s.{column(first.key)}"
        is_last = table(first.key) == "value"
        self._source = "value s INDEXED BY value_v" if is_last else "series s NOT INDEXED"
        where = _fits("s.run") if fitting == "many" else "1"
        self._where = f"s.key = ? AND {self._cell} < ? AND {where}"
        self._values: tuple[Cell, ...] = (number(first.key.space, first.key.name), NAN)

    def count(self) -> Sql:
        """The query for their number."""
        return Sql(f"SELECT count(*) FROM {self._source} WHERE {self._where}", self._values)  # noqa: S608

    def cells(self, *, limit: int, offset: int) -> Sql:
        """The query for the cells of a page, in their order."""
        query = (
            f"SELECT {self._cell} FROM {self._source} WHERE {self._where}"  # noqa: S608
            f" ORDER BY {self._cell}{self._direction} LIMIT ? OFFSET ?"
        )
        return Sql(query, (*self._values, limit, offset))

    def before(self, cell: Cell) -> Sql:
        """The query for how many runs come before those that have `cell`."""
        counted = self.count()
        query = f"{counted.text} AND {self._cell} {self._before} ?"
        return Sql(query, (*counted.values, cell))

    def page(self, start: Cell, end: Cell, *, limit: int, offset: int) -> Sql:
        """The query for the numbers of some of the runs from `start` to `end`."""
        order, values = _order(self._rest, self._number)
        query = (
            f"SELECT s.run FROM {self._source} CROSS JOIN run ON run.num = s.run"  # noqa: S608
            f" WHERE {self._where} AND {self._cell} {self._after}= ?"
            f" AND {self._cell} {self._before}= ?"
            f" ORDER BY {self._cell}{self._direction}, {order} LIMIT ? OFFSET ?"
        )
        return Sql(query, (*self._values, start, end, *values, limit, offset))


def lacking_page(
    sort: Sequence[SortKey], number: KeyNumber, *, fitting: str, limit: int, offset: int
) -> Sql:
    """What comes behind the runs of `Having`: those that have nothing to sort by, or NaN."""
    first, *rest = sort
    order, values = _order(rest, number)
    where = _fits("run.num") if fitting == "many" else "1"
    query = (
        f"SELECT run.num FROM run WHERE {where} AND NOT EXISTS (SELECT 1"  # noqa: S608
        f" FROM {table(first.key)} s WHERE s.key = ? AND s.run = run.num"
        f" AND s.{column(first.key)} < ?) ORDER BY {order} LIMIT ? OFFSET ?"
    )
    key = number(first.key.space, first.key.name)
    return Sql(query, (key, NAN, *values, limit, offset))


def is_in_cells(sort: Sequence[SortKey]) -> bool:
    """Whether the first key is one whose values are a table by themselves."""
    return bool(sort) and sort[0].key.space not in (Space.FIELD, Space.ENV, Space.TAG)


def _fits(run: str) -> str:
    return f"EXISTS (SELECT 1 FROM temp.fitting f WHERE f.num = {run})"  # noqa: S608


def _order(sort: Sequence[SortKey], number: KeyNumber) -> tuple[str, tuple[str | int | bytes, ...]]:
    terms = []
    values: list[str | int | bytes] = []
    for one in sort:
        found = _cell_of(one.key, number)
        text = found.text
        if one.key.space not in (Space.FIELD, Space.TAG):
            text = f"nullif({text}, ?)"
            values += [*found.values, NAN]  # type: ignore[list-item]  # the number of a key
        if one.descending:
            terms.append(f"{text} DESC")
        elif one.key.space == Space.FIELD and one.key.name in _NEVER_NULL:
            terms.append(text)
        else:
            terms.append(f"{text} NULLS LAST")
    return ", ".join([*terms, _NEWEST]), tuple(values)

"""The order of runs as SQL over the tables of `index_schema.py`: which come first, which are asked.

The runs that fit a filter are the numbers in `temp.fitting`, all of them where there is no filter.
"""

from collections.abc import Callable, Sequence

from repro.model.condition import Key, SortKey, Space
from repro.store.filtersql import Sql, column, field_column, table
from repro.store.index_rows import NAN

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


def page(sort: Sequence[SortKey], number: KeyNumber, *, fitting: str, limit: int) -> Sql:
    """The query for the numbers of the first runs, all that fit being looked at.

    Args:
        fitting: `all`, `few` (the query starts from those) or `many` (it goes through all runs).
        limit: At most so many; -1 is all.
    """
    order, values = _order(sort, number)
    source = "temp.fitting f CROSS JOIN run ON run.num = f.num" if fitting == "few" else "run"
    if fitting != "few" and not sort:
        source += " INDEXED BY run_created"  # from the newest on, until there are enough
    where = _FITS if fitting == "many" else "1"
    query = f"SELECT run.num FROM {source} WHERE {where} ORDER BY {order} LIMIT ?"  # noqa: S608
    return Sql(query, (*values, limit))


def first_page(sort: Sequence[SortKey], number: KeyNumber, *, fitting: str, limit: int) -> Sql:
    """As `page`, of those that have a value to sort by, read off an index in its order.

    Args:
        sort: The first key is one for which `is_indexed` holds.
    """
    first, *rest = sort
    order, values = _order(rest, number)
    direction = " DESC" if first.descending else ""
    query = (
        "SELECT s.run FROM value s INDEXED BY value_v CROSS JOIN run ON run.num = s.run"  # noqa: S608
        f" WHERE s.key = ? AND s.v IS NOT NULL AND s.v < ? AND {_where(fitting)}"
        f" ORDER BY s.v{direction}, {order} LIMIT ?"
    )
    key = number(first.key.space, first.key.name)
    return Sql(query, (key, NAN, *values, limit))


def last_page(sort: Sequence[SortKey], number: KeyNumber, *, fitting: str, limit: int) -> Sql:
    """What comes behind `first_page`: those that have no value to sort by."""
    first, *rest = sort
    order, values = _order(rest, number)
    query = (
        f"SELECT run.num FROM run WHERE {_where(fitting)} AND NOT EXISTS (SELECT 1 FROM value s"  # noqa: S608
        f" WHERE s.key = ? AND s.run = run.num AND s.v < ?) ORDER BY {order} LIMIT ?"
    )
    key = number(first.key.space, first.key.name)
    return Sql(query, (key, NAN, *values, limit))


def is_indexed(sort: Sequence[SortKey]) -> bool:
    """Whether an index has the order of the first key."""
    if not sort:
        return False
    key = sort[0].key
    return key.statistic == "last" and key.space not in (Space.FIELD, Space.ENV, Space.TAG)


_FITS = "EXISTS (SELECT 1 FROM temp.fitting f WHERE f.num = run.num)"


def _where(fitting: str) -> str:
    return "1" if fitting == "all" else _FITS


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

"""A condition as one merge of the runs that each of its parts holds for.

Each part is a walk through the cells of a key, which are in the order of the runs, so SQLite merges
walks without a table in between. Where many runs fit, that takes a tenth of the time of a look for
the cells of each run, as the tests of `filtersql.py` are.
"""

from collections.abc import Sequence

from repro.model.condition import IsNull, Key, Matches, Space
from repro.store.filtersql import (
    Compiler,
    Junction,
    Literal,
    Normal,
    Sql,
    Stored,
    by_key,
    column,
    is_cell,
    table,
)

_MOST_WALKS = 50  # SQLite takes up to 500 in one query
_IN_CELLS = (Space.CONFIG, Space.METRIC, Space.SUMMARY, Space.DATA)


def merge(condition: Normal, compiler: Compiler) -> Sql | None:
    """The query for the numbers of the runs that fit, in their order, each once.

    Args:
        condition: Parts that are junctions are `Stored`.
        compiler: Of a query whose runs are `run.num`.

    Returns:
        None where a test of each run is as good, or better.
    """
    is_all = not isinstance(condition, Junction) or condition.word == "AND"
    parts = condition.parts if isinstance(condition, Junction) else (condition,)
    if is_all and any(map(_is_searched, parts)):
        return None
    walks, without, rest = [], [], []
    for key, group in by_key(parts):
        literal = group[0]
        if key is None or not isinstance(literal, Literal) or key.space not in _IN_CELLS:
            stored = [one for one in group if isinstance(one, Stored)]
            walks += [Sql(f"SELECT num FROM temp.{one.table}") for one in stored]  # noqa: S608
            rest += [one for one in group if not isinstance(one, Stored)]
        elif not isinstance(literal.leaf, IsNull):
            test = compiler.cell_test(group, "AND" if is_all else "OR", f"s.{column(key)}")
            walks.append(_walk(key, test, compiler))
        elif literal.holds != literal.leaf.or_missing:
            walks.append(_known(key, literal.leaf, compiler))
        elif is_all:
            without.append(_known(key, literal.leaf, compiler))
        else:
            rest.append(literal)
    if not (walks or without) or len(walks) + len(without) > _MOST_WALKS:
        return None
    if rest or not walks:
        walks.append(_scan(rest, "AND" if is_all else "OR", compiler))
    return _merged(walks, without, "INTERSECT" if is_all else "UNION")


def _merged(walks: Sequence[Sql], without: Sequence[Sql], word: str) -> Sql:
    text = f" {word} ".join(walk.text for walk in walks)
    text += "".join(f" EXCEPT {walk.text}" for walk in without)
    values = tuple(value for walk in (*walks, *without) for value in walk.values)
    return Sql(f"{text} ORDER BY 1", values)


def _walk(key: Key, test: Sql, compiler: Compiler) -> Sql:
    query = f"SELECT s.run FROM {table(key)} s NOT INDEXED WHERE s.key = ? AND {test.text}"  # noqa: S608
    return Sql(query, (compiler.number(key.space, key.name), *test.values))


def _known(key: Key, leaf: IsNull, compiler: Compiler) -> Sql:
    """The runs that have what `leaf` asks whether they lack it, or a null where it asks that."""
    is_null = "IS NOT NULL" if leaf.or_missing else "IS NULL"
    return _walk(key, Sql(f"s.{column(key)} {is_null}"), compiler)


def _scan(parts: Sequence[Normal], word: str, compiler: Compiler) -> Sql:
    """The runs for which other parts hold, each tested by itself; all where there are none."""
    test = compiler.test(Junction(word, tuple(parts))) if parts else Sql("1")
    return Sql(f"SELECT run.num FROM run NOT INDEXED WHERE {test.text}", test.values)  # noqa: S608


def _is_searched(part: Normal) -> bool:
    """Whether it is a pattern that is best searched in what little is left."""
    if not isinstance(part, Literal) or not isinstance(part.leaf, Matches):
        return False
    return not is_cell(part.leaf.key)

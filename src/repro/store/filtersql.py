"""Conditions over runs as SQL over the tables of `index_schema.py`.

Names only ever become numbers of keys, values only parameters; the text of a query is put
together from the words of this module. A condition becomes a test that is true or not: what is
unknown in three-valued logic holds neither itself nor negated, so negations are pushed down to
the comparisons, each of which knows both of its forms.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from repro.model.condition import (
    All,
    Among,
    Comparison,
    Condition,
    IsNan,
    IsNull,
    Key,
    Matches,
    Negation,
    Operator,
    Scalar,
    Some,
    Space,
)
from repro.model.fields import FIELDS
from repro.store.index_rows import NAN, STATISTICS, Cell, cell

Leaf = Comparison | Among | Matches | IsNan | IsNull

_OPERATORS: Mapping[Operator, str] = {
    "=": "=", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="
}  # fmt: skip
_MOST_MARKS = 16  # values of a list that stand in the query; more are in a table beside it
_NEVER, _KNOWN, _NULL = "0", "{v} IS NOT NULL", "{v} IS NULL"
# The limit, which is none, keeps SQLite from searching before it knows which texts are the same.
_SEARCHED = (
    "SELECT t.v FROM (SELECT DISTINCT v FROM value INDEXED BY value_v"
    " WHERE key = ? AND v >= '' AND v < x'' LIMIT -1) t WHERE fits(?, t.v)"
)
_TEXT = "CAST(? AS TEXT)"  # of a text that has no UTF-8


@dataclass(frozen=True, slots=True)
class Sql:
    """A piece of SQL with the values of its marks, in their order."""

    text: str
    values: tuple[Cell, ...] = ()


@dataclass(frozen=True, slots=True)
class Literal:
    """A part of a condition, without a negation in it: whether a leaf holds, or its negation."""

    leaf: Leaf
    holds: bool


@dataclass(frozen=True, slots=True)
class Junction:
    """Parts of which all, or any, are to hold."""

    word: str
    parts: tuple["Normal", ...]


@dataclass(frozen=True, slots=True)
class Stored:
    """A part that holds for the runs whose numbers are in a table of `temp`."""

    table: str


Normal = Literal | Junction | Stored


@dataclass(slots=True)
class Compiler:
    """Turns parts of conditions into tests of a run.

    Attributes:
        number: Gives the number of a key, 0 for one that no run has.
        patterns: What the function `fits(place, text)` is to search, by place.
        lists: Long lists of values; each is to be the column `v` of `temp.list_<place>`.
        run: The expression that is the number of the run in the query.
        reads_run: Whether a test names columns of the table `run`.
        searches_first: Whether all texts under a key are searched for a pattern, each once, before
            the runs are looked at; else those of the runs that are left.
    """

    number: Callable[[Space, str], int]
    patterns: list[re.Pattern[str]] = field(default_factory=list)
    lists: list[tuple[Cell, ...]] = field(default_factory=list)
    run: str = "run.num"
    reads_run: bool = False
    searches_first: bool = False

    def test(self, part: Normal) -> Sql:
        """A test that is true where `part` holds, else false or null."""
        if isinstance(part, Literal):
            return self._exists(part.leaf.key, [part], "AND")
        if isinstance(part, Stored):
            return Sql(f"({self.run} IN (SELECT num FROM temp.{part.table}))")  # noqa: S608
        tests = []
        for key, group in by_key(part.parts):
            if key is None:
                tests += [self.test(inner) for inner in group]
            else:
                tests.append(self._exists(key, group, part.word))
        return _join(tests, part.word)

    def cell_test(self, literals: Iterable[Normal], word: str, v: str = "s.v") -> Sql:
        """A test of the cell `v`, which is one of a key that all `literals` are about."""
        tests = [
            self._cell_test(part.leaf, holds=part.holds)
            for part in literals
            if isinstance(part, Literal)
        ]
        joined = _join(tests, word)
        return Sql(joined.text.replace("{v}", v), joined.values)

    def _exists(self, key: Key, group: Sequence[Normal], word: str) -> Sql:
        """A test of the one cell that a run has under `key`; tags are several."""
        literal = group[0]
        assert isinstance(literal, Literal)  # by `by_key`
        if isinstance(literal.leaf, IsNull):
            found = self._has(key, Sql(_KNOWN if literal.leaf.or_missing else _NULL))
            if literal.holds != literal.leaf.or_missing:
                return found
            return Sql(f"NOT {found.text}", found.values)
        if key.space == Space.TAG and not literal.holds:
            found = self._has(key, self._cell_test(literal.leaf, holds=True))
            return Sql(f"NOT {found.text}", found.values)
        tests = [
            self._cell_test(part.leaf, holds=part.holds)
            for part in group
            if isinstance(part, Literal)
        ]
        return self._has(key, _join(tests, word))

    def _has(self, key: Key, test: Sql) -> Sql:
        """Whether a run has a cell under `key` that passes `test`; never null."""
        if key.space == Space.FIELD:
            self.reads_run = True
            text = test.text.replace("{v}", field_column(key.name))
            return Sql(f"({text}) IS TRUE", test.values)
        text = test.text.replace("{v}", f"s.{column(key)}")
        if key.space == Space.TAG:
            query = f"SELECT 1 FROM tag s WHERE s.run = {self.run} AND {text}"  # noqa: S608
            return Sql(f"EXISTS ({query})", test.values)
        number = self.number(key.space, key.name)
        if key.space == Space.ENV:
            self.reads_run = True
            query = f"SELECT s.env FROM env_value s WHERE s.key = ? AND {text}"  # noqa: S608
            return Sql(f"(run.env IN ({query})) IS TRUE", (number, *test.values))
        query = f"SELECT 1 FROM {table(key)} s WHERE s.key = ? AND s.run = {self.run} AND {text}"  # noqa: S608
        return Sql(f"EXISTS ({query})", (number, *test.values))

    def _cell_test(self, leaf: Leaf, *, holds: bool) -> Sql:
        found = self._holds(leaf)
        if holds:
            return found
        # Of a cell that is there, every test below is true or false.
        return Sql(f"({_KNOWN} AND NOT {found.text})", found.values)

    def _holds(self, leaf: Leaf) -> Sql:
        if isinstance(leaf, Comparison):
            return _compare(leaf.operator, leaf.value)
        if isinstance(leaf, Among):
            return self._among(leaf.values)
        if isinstance(leaf, Matches):
            is_regex = leaf.style == "regex"
            self.patterns.append(re.compile(leaf.pattern) if is_regex else like_pattern(leaf))
            place = len(self.patterns) - 1
            if self.searches_first and is_cell(leaf.key):
                number = self.number(leaf.key.space, leaf.key.name)
                return Sql(f"({{v}} IN ({_SEARCHED}))", (number, place))
            return Sql("(typeof({v}) = 'text' AND fits(?, {v}))", (place,))
        if isinstance(leaf, IsNan):
            return Sql("({v} = ?)", (NAN,))
        return Sql(f"({_NULL})")

    def _among(self, values: Sequence[Scalar]) -> Sql:
        cells = tuple(dict.fromkeys(_constant(value) for value in values if value == value))
        encodable = tuple(one for one in cells if not isinstance(one, Text))
        if len(encodable) <= _MOST_MARKS:
            return Sql(f"({{v}} IN ({', '.join('?' * len(encodable))}))", encodable)
        self.lists.append(encodable)
        return Sql(f"({{v}} IN (SELECT v FROM temp.list_{len(self.lists) - 1}))")  # noqa: S608


class Text(bytes):
    """A text with halves of surrogate pairs, which no stored text equals."""


def normalise(condition: Condition) -> Normal:
    """The same condition without negations of more than a leaf, and without nested junctions."""
    return _normalise(condition, holds=True)


def _normalise(condition: Condition, *, holds: bool) -> Normal:
    if isinstance(condition, Negation):
        return _normalise(condition.part, holds=not holds)
    if isinstance(condition, All | Some):
        word = "AND" if isinstance(condition, All) == holds else "OR"
        parts: list[Normal] = []
        for part in condition.parts:
            inner = _normalise(part, holds=holds)
            if isinstance(inner, Junction) and inner.word == word:
                parts += inner.parts
            else:
                parts.append(inner)
        return Junction(word, tuple(parts))
    return Literal(condition, holds)


def table(key: Key) -> str:
    """The table that has the cells under `key`, by run; of params, metrics and the like only."""
    return "series" if key.statistic in STATISTICS else "value"


def column(key: Key) -> str:
    """The column of that table; the names of statistics are this program's own."""
    return key.statistic if key.statistic in STATISTICS else "v"


def is_cell(key: Key) -> bool:
    """Whether what is under the key is in the table `value`."""
    return key.statistic == "last" and key.space not in (Space.FIELD, Space.ENV, Space.TAG)


def field_column(name: str) -> str:
    """The column of the table `run` that is a field; of no field, no run has a value."""
    return f'run."{name}"' if name in FIELDS else "NULL"


def find_drivers(condition: Normal) -> list[tuple[Key, tuple[Literal, ...]]]:
    """The parts of a condition, none of which it holds without, that an index finds by itself.

    Each is the literals about one key, which all are to hold.
    """
    parts = condition.parts if isinstance(condition, Junction) else (condition,)
    if isinstance(condition, Junction) and condition.word == "OR":
        return []
    found = []
    for key, group in by_key(parts):
        literals = tuple(part for part in group if isinstance(part, Literal))
        if (
            key is not None
            and (is_cell(key) or key.space is Space.TAG)
            and any(map(is_range, literals))
        ):
            found.append((key, literals))
    return found


def is_range(literal: Literal) -> bool:
    """Whether the cells by which a literal holds are a part of an index."""
    leaf = literal.leaf
    if isinstance(leaf, Among):
        return literal.holds and len(leaf.values) <= _MOST_MARKS
    if isinstance(leaf, IsNan):
        return literal.holds
    return literal.holds and isinstance(leaf, Comparison) and leaf.operator != "!="


def by_key(parts: Sequence[Normal]) -> list[tuple[Key | None, list[Normal]]]:
    """The parts about one key together, as they are about one cell; None for all others."""
    groups: dict[Key | None, list[Normal]] = {}
    alone: list[tuple[Key | None, list[Normal]]] = []
    for part in parts:
        if not isinstance(part, Literal):
            groups.setdefault(None, []).append(part)
        elif part.leaf.key.space == Space.TAG or isinstance(part.leaf, IsNull):
            alone.append((part.leaf.key, [part]))
        else:
            groups.setdefault(part.leaf.key, []).append(part)
    return [*groups.items(), *alone]


def _join(tests: Sequence[Sql], word: str) -> Sql:
    """All tests in one, as a balanced tree: SQLite limits how deep an expression may be."""
    if len(tests) == 1:
        return tests[0]
    middle = len(tests) // 2
    left, right = _join(tests[:middle], word), _join(tests[middle:], word)
    return Sql(f"({left.text} {word} {right.text})", (*left.values, *right.values))


def _compare(operator: Operator, value: Scalar) -> Sql:
    constant = _constant(value)
    if constant == NAN and isinstance(value, float):
        return Sql(f"({_KNOWN})" if operator == "!=" else _NEVER)
    mark = _TEXT if isinstance(constant, Text) else "?"
    test = f"{{v}} {_OPERATORS[operator]} {mark}"
    if operator in ("=", "!="):
        return Sql(f"({test})", (constant,))
    if isinstance(value, bool):
        return Sql(_NEVER)
    # Both ends, so that an index is read from one to the other; numbers, texts, blobs.
    if isinstance(value, str):
        end = "{v} >= ''" if operator in ("<", "<=") else "{v} < x''"
        return Sql(f"({test} AND {end})", (constant,))
    return Sql(f"({test})" if operator in ("<", "<=") else f"({test} AND {{v}} < '')", (constant,))


def _constant(value: Scalar) -> Cell:
    if isinstance(value, str) and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            return Text(value.encode(errors="surrogatepass"))
        return value
    return cell(value)


def like_pattern(leaf: Matches) -> re.Pattern[str]:
    """What is searched for a pattern of `like`, or of `ilike`."""
    first, *rest = ("".join(map(_one, part)) for part in leaf.pattern.split("%"))
    # Each part where it stands first, for good: whatever the text, the time is not exponential.
    inner = "".join(f"(?>.*?{part})" for part in rest[:-1] if part)
    last = f".*{rest[-1]}" if rest else ""
    flags = re.DOTALL | (re.IGNORECASE if leaf.style == "ilike" else re.NOFLAG)
    return re.compile(rf"\A{first}{inner}{last}\Z", flags)


def _one(char: str) -> str:
    return "." if char == "_" else re.escape(char)

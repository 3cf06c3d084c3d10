"""A filter, or a sort order, as a condition over the names that runs have.

docs/reference/query.md is what users read of it.
"""

import re
import warnings
from collections.abc import Collection, Sequence
from typing import Literal

from repro.errors import FilterError
from repro.model.canonical import Json
from repro.model.condition import (
    All,
    Among,
    Comparison,
    Condition,
    IsNan,
    IsNull,
    Key,
    Kind,
    Matches,
    Negation,
    Operator,
    Scalar,
    Some,
    SortKey,
    Space,
    Vocabulary,
)
from repro.model.expression import Constant, Expression, Name, Term
from repro.model.fields import FIELDS
from repro.model.ids import is_id, is_id_prefix
from repro.model.lexing import check_text, read_token, shorten
from repro.model.literals import parse_duration, parse_number, parse_size
from repro.model.moments import EARLIEST, LATEST, Span, parse_span
from repro.model.parsing import MOST_TERMS, UNITS, parse_expression
from repro.model.resolving import AGE, Resolver
from repro.model.run import Status
from repro.model.times import format_time, is_moment

LONGEST_PATTERN = 10_000

_AGES = 1e15  # seconds; no run is older
_STATUS, _CREATED = Key(Space.FIELD, "status"), Key(Space.FIELD, "created")
_SWEEP = Key(Space.FIELD, "sweep")
_STATUSES = [status.value for status in Status]
_ORDERINGS = {"<", "<=", ">", ">="}
_IDS = {"id", "parent", "rerun_of", "sweep"}  # fields that name a run or a sweep
# A run is old where it was created early.
_OF_AGE: dict[Operator, Operator] = {
    "=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<=",
}  # fmt: skip
_BOOLS = {"true": True, "false": False}
_KIND_NAMES = {Kind.NUMBER: "a number", Kind.TEXT: "a text", Kind.BOOL: "true or false"}


def parse_filter(text: str, vocabulary: Vocabulary, *, now: float) -> Condition | None:
    """Give what a filter asks for; None, which every run fits, where the text is blank.

    Args:
        vocabulary: The names that runs have.
        now: Seconds since 1970, for `age`, `today` and the like.

    Raises:
        FilterError: It is no filter; a name stands for nothing, or for several things; a value is
            of a type that no run has there.

    Cost: linear in the text, and one question to the vocabulary for each space and name.
    """
    expression = parse_expression(text)
    return None if expression is None else _Binder(text, vocabulary, now).bind(expression)


def parse_sort(words: Sequence[str], vocabulary: Vocabulary) -> tuple[SortKey, ...]:
    """Give the order that the words ask for, the first one deciding first.

    Args:
        words: Names as in a filter; ascending, or with a `-` before them descending.

    Raises:
        FilterError: A name stands for nothing, or for several things, or for the tags.
    """
    return tuple(_sort_key(word, vocabulary) for word in words)


def resolve_name(text: str, vocabulary: Vocabulary) -> Key:
    """Give what one name stands for, written as in a filter; quotes are needed for no name here.

    Raises:
        FilterError: It stands for nothing, or for several things.
    """
    return Resolver(text, vocabulary).resolve(_whole_name(text, 0))


def _sort_key(word: str, vocabulary: Vocabulary) -> SortKey:
    is_descending = word.startswith("-")
    name = _whole_name(word, 1 if is_descending else 0)
    key = Resolver(word, vocabulary).resolve(name)
    if key.space is Space.TAG:
        raise FilterError(
            "a run has any number of tags: they have no order", text=word, start=name.start,
            end=name.end, hint="sort by a field, a param or a metric",
        )  # fmt: skip
    is_age = key == _CREATED and _is_age(name)
    return SortKey(key, is_descending != is_age)


def _whole_name(text: str, place: int) -> Name:
    """All of a text from `place` on as one name, which needs no quotes."""
    check_text(text)
    if not text[place:].strip():
        raise FilterError("a name is missing", text=text, start=place, end=len(text))
    if '"' in text or "`" in text:
        token = read_token(text, place)
        if token.end == len(text) and token.quoted is not None:
            return Name(token.text, place, token.end, token.quoted)
    return Name(text[place:].strip(), place, len(text))


class _Binder:
    def __init__(self, text: str, vocabulary: Vocabulary, now: float) -> None:
        self._text = text
        self._vocabulary = vocabulary
        self._now = now
        self._names = Resolver(text, vocabulary)
        self._kinds: dict[Key, set[Kind]] = {}
        self._n_spans = 0

    def bind(self, node: Expression) -> Condition:
        if isinstance(node, Term):
            return self._term(node)
        parts = tuple([self.bind(part) for part in node.parts])
        if node.word == "not":
            return Negation(parts[0])
        return All(parts) if node.word == "and" else Some(parts)

    def _term(self, term: Term) -> Condition:
        key = self._names.resolve(term.name)
        match term.test:
            case "null":
                return IsNull(key)
            case "nan":
                return self._nan(term.name, key)
            case "alone":
                return self._alone(term.name, key)
            case "in":
                return self._list(term, key)
            case "regex" | "like" | "ilike":
                return self._fitting(term, term.test, key)
            case operator:
                return self._comparison(term.name, key, operator, term.constants[0])

    def _comparison(
        self, name: Name, key: Key, operator: Operator, constant: Constant
    ) -> Condition:
        if key == _CREATED and _is_age(name):
            return self._age(operator, constant)
        if _is_moment(key):
            return _within(key, operator, self._span(constant))
        value = self._value(name, key, constant)
        if operator in _ORDERINGS and isinstance(value, bool):
            raise self._error(constant, "true and false have no order", hint="write `=`")
        if key.space is Space.TAG and operator == "!=":
            return Negation(Comparison(key, "=", value))
        if operator in {"=", "!="} and _is_short_id(key, value):
            return _starting(key, operator, str(value))
        return Comparison(key, operator, value)

    def _list(self, term: Term, key: Key) -> Condition:
        if not _is_moment(key):
            values = [self._value(term.name, key, one) for one in term.constants]
            whole = tuple([one for one in values if not _is_short_id(key, one)])
            short = [_starting(key, "=", str(one)) for one in values if _is_short_id(key, one)]
            if len(short) > MOST_TERMS:
                message = f"a list has at most {MOST_TERMS:,} beginnings of ids"
                raise self._error(term.constants[-1], message, hint="write whole ids")
            return (
                Some((*([Among(key, whole)] if whole else []), *short))
                if short
                else Among(key, whole)
            )
        self._n_spans += len(term.constants)
        if self._n_spans > MOST_TERMS:
            message = f"a filter has at most {MOST_TERMS:,} moments"
            raise self._error(term.constants[-1], message, hint="write a range")
        parts = [self._comparison(term.name, key, "=", one) for one in term.constants]
        return Some(tuple(parts))

    def _fitting(self, term: Term, style: Literal["regex", "like", "ilike"], key: Key) -> Condition:
        is_age = key == _CREATED and _is_age(term.name)
        kinds = {Kind.NUMBER} if is_age else self._kinds_of(key)
        if kinds and Kind.TEXT not in kinds:
            name = shorten(term.name.text)
            raise self._error(
                term.name, f"`{name}` is {name_kinds(kinds)} in every run: no pattern fits it",
                hint=f"compare it, as in `{name} = …`",
            )  # fmt: skip
        [pattern] = term.constants
        if style == "regex":
            self._check_pattern(pattern)
        return Matches(key, style, pattern.text)

    def _check_pattern(self, pattern: Constant) -> None:
        if len(pattern.text) > LONGEST_PATTERN:
            message = f"a pattern has at most {LONGEST_PATTERN:,} characters"
            raise self._error(pattern, message, hint="many texts are shorter as `in (…)`")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of what a later Python may read otherwise
                re.compile(pattern.text)
        except (re.error, RecursionError, OverflowError) as error:
            raise self._error(
                pattern, f"`{shorten(pattern.text)}` is no regular expression: {error}",
                hint="characters such as `(` stand for themselves behind a `\\`; or write `like`",
            ) from None  # fmt: skip

    def _nan(self, name: Name, key: Key) -> Condition:
        kinds = self._kinds_of(key)
        if kinds and Kind.NUMBER not in kinds:
            message = f"`{shorten(name.text)}` is {name_kinds(kinds)} in every run, never NaN"
            raise self._error(name, message, hint="`is null` finds what is missing")
        return IsNan(key)

    def _alone(self, name: Name, key: Key) -> Condition:
        kinds = self._kinds_of(key)
        if kinds and kinds != {Kind.BOOL}:
            written = shorten(name.text)
            hint = f"compare it, as in `{written} = …`, or write `{written} is not null`"
            raise self._error(name, f"`{written}` alone is neither true nor false", hint=hint)
        return Comparison(key, "=", value=True)

    def _age(self, operator: Operator, constant: Constant) -> Condition:
        seconds = _number(constant.text) if constant.is_bare else None
        if seconds is None:
            raise self._error(
                constant, f"an age is a duration, not `{shorten(constant.text)}`",
                hint="such as `age < 7d`; a date is compared with `created`",
            )  # fmt: skip
        moment = self._now - max(-_AGES, min(seconds, _AGES))
        beyond = EARLIEST if moment < 0 else LATEST
        text = format_time(moment) if is_moment(moment) else beyond
        return Comparison(_CREATED, _OF_AGE[operator], text)

    def _span(self, constant: Constant) -> Span:
        try:
            span = parse_span(constant.text, self._now)
        except ValueError as error:
            message = f"`{shorten(constant.text)}` is no date: {error}"
            raise self._error(constant, message, hint=_DATES) from None
        if span is None:
            is_age = constant.is_bare and parse_duration(constant.text) is not None
            hint = f"write `age < {constant.text}`" if is_age else _DATES
            message = f"`{shorten(constant.text)}` is no date"
            raise self._error(constant, message, hint=hint)
        return span

    def _status(self, constant: Constant) -> str:
        status = constant.text.lower()
        if status not in _STATUSES:
            raise self._error(
                constant, f"no run has the status `{shorten(constant.text)}`",
                hint="`pruned` alone is a condition"
                if status == "pruned"
                else f"there are {', '.join(_STATUSES)}",
            )  # fmt: skip
        return status

    def _value(self, name: Name, key: Key, constant: Constant) -> Scalar:
        """A value of a type that some run has under this key."""
        if key == _STATUS:
            return self._status(constant)
        if key == _SWEEP and not is_id_prefix(constant.text):
            raise self._error(
                constant, f"`{shorten(constant.text)}` is no id of a sweep",
                hint="`repro sweep ls` has the id of the sweep of that name",
            )  # fmt: skip
        kinds = self._kinds_of(key)
        value = _read(constant, kinds, is_text=_is_text(key))
        if kinds and kind_of(value) not in kinds:
            raise self._wrong_kind(name, kinds, constant, value)
        return value

    def _kinds_of(self, key: Key) -> set[Kind]:
        """The types of its values; nothing where all are null, or none is known."""
        if key.space is Space.FIELD:
            return {FIELDS[key.name].kind}
        if key.space in {Space.TAG, Space.METRIC}:
            return {Kind.TEXT if key.space is Space.TAG else Kind.NUMBER}
        if key not in self._kinds:
            self._kinds[key] = self._vocabulary.kinds(key) - {Kind.NULL}
        return self._kinds[key]

    def _wrong_kind(
        self, name: Name, kinds: set[Kind], constant: Constant, value: Scalar
    ) -> FilterError:
        written = shorten(constant.text)
        what = {str: "text", bool: "a bool"}.get(type(value), "a number")
        is_number = not constant.is_bare and _number(constant.text) is not None
        if Kind.NUMBER in kinds and is_number:
            hint = f"take the quotes off: {written}"
        elif Kind.BOOL in kinds:
            hint = "compare it with true or false"
        elif Kind.TEXT in kinds:
            hint = f"compare it with a text: '{written}'"
        elif constant.text[:1].isdigit():
            hint = UNITS
        else:
            hint = "compare it with a number; a filter knows no other names behind an operator"
        message = (
            f"`{shorten(name.text)}` is {name_kinds(kinds)} in every run, and `{written}` is {what}"
        )
        return self._error(constant, message, hint=hint)

    def _error(self, at: Name | Constant, message: str, *, hint: str) -> FilterError:
        return FilterError(message, text=self._text, start=at.start, end=at.end, hint=hint)


_DATES = "such as 2026-11-01, 2026-11-01T12:30, today"


def _read(constant: Constant, kinds: set[Kind], *, is_text: bool) -> Scalar:
    word = constant.text
    if not constant.is_bare or is_text:
        return word
    if len(word) < 6 and word.lower() in _BOOLS:
        return _BOOLS[word.lower()]
    number = parse_number(word)
    if number is None and (Kind.NUMBER in kinds or Kind.TEXT not in kinds):
        # `4h` is a text where all values are: of a param, who knows.
        number = _with_unit(word)
    return word if number is None else number


def _number(word: str) -> int | float | None:
    number = parse_number(word)
    return _with_unit(word) if number is None else number


def _with_unit(word: str) -> float | None:
    seconds = parse_duration(word)
    return parse_size(word) if seconds is None else seconds


def kind_of(value: Json) -> Kind:
    """The type that a value counts as: lists and mappings as the text of their JSON."""
    if value is None:
        return Kind.NULL
    if isinstance(value, bool):
        return Kind.BOOL
    return Kind.NUMBER if isinstance(value, (int, float)) else Kind.TEXT


def name_kinds(kinds: Collection[Kind]) -> str:
    """Types in words, such as `a number or a text`."""
    return " or ".join(name for kind, name in _KIND_NAMES.items() if kind in kinds)


def _is_text(key: Key) -> bool:
    """Whether every value is a text, in runs to come as well: `tag = 2026` needs no quotes."""
    if key.space is Space.FIELD:
        return FIELDS[key.name].kind is Kind.TEXT
    return key.space is Space.TAG


def _is_moment(key: Key) -> bool:
    return key.space is Space.FIELD and FIELDS[key.name].is_moment


def _is_short_id(key: Key, value: Scalar) -> bool:
    """Whether a text is the beginning of an id, as tables show ids, and not all of it."""
    is_of_ids = key.space is Space.FIELD and key.name in _IDS
    return is_of_ids and isinstance(value, str) and is_id_prefix(value) and not is_id(value)


def _starting(key: Key, operator: Operator, start: str) -> Condition:
    """Whether an id starts so."""
    after = start[:-1] + chr(ord(start[-1]) + 1)
    inside = All((Comparison(key, ">=", start), Comparison(key, "<", after)))
    return inside if operator == "=" else Negation(inside)


def _is_age(name: Name) -> bool:
    """Whether a name that stands for `created` asks for the age."""
    return name.text.rpartition(".")[2] == AGE


def _within(key: Key, operator: Operator, span: Span) -> Condition:
    """How a moment compares with all those that a date names."""
    match operator:
        case "<":
            return Comparison(key, "<", span.start)
        case "<=":
            return Comparison(key, "<", span.end)
        case ">":
            return Comparison(key, ">=", span.end)
        case ">=":
            return Comparison(key, ">=", span.start)
    inside = All((Comparison(key, ">=", span.start), Comparison(key, "<", span.end)))
    return inside if operator == "=" else Negation(inside)

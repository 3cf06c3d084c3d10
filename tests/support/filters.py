"""Expressions of filters, any there are; vocabularies made by hand."""

from collections.abc import Mapping
from typing import get_args

from hypothesis import strategies as st

from repro.model.condition import Key, Kind, Operator, Space
from repro.model.expression import (
    Alone,
    And,
    Compared,
    Constant,
    Expression,
    Fitting,
    Listed,
    Name,
    Nan,
    Not,
    Null,
    Or,
    Style,
)

NUMBER, TEXT, BOOL, NULL = {Kind.NUMBER}, {Kind.TEXT}, {Kind.BOOL}, {Kind.NULL}


class Known:
    """A vocabulary of names with the types of their values."""

    def __init__(self, **spaces: Mapping[str, set[Kind]]) -> None:
        """Say what is known, by the value of its space: `config={"lr": NUMBER}`."""
        self._spaces = {space: dict(spaces.get(space.value, {})) for space in Space}

    def has(self, space: Space, name: str) -> bool:
        return name in self._spaces[space]

    def names(self, space: Space) -> list[str]:
        return sorted(self._spaces[space])

    def kinds(self, key: Key) -> set[Kind]:
        return set(self._spaces[key.space].get(key.name, set()))


# Texts that a filter can hold; what else there is, it refuses.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
_BARE_NAMES = st.sampled_from(
    ["lr", "val/loss", "top-5", "a.b.c", "学習率", "x_1", "metrics.a.min"]
)
_BARE_VALUES = st.sampled_from(
    ["1", "-1.5e-3", "inf", "4h", "10MiB", "2026-11-01T12:30", "true", "adam", "v2", "%x%", "a/b"]
)


def expressions() -> st.SearchStrategy[Expression]:
    """Any expression."""
    terms = (
        st.builds(Compared, _names(), st.sampled_from(get_args(Operator)), _constants())
        | st.builds(Listed, _names(), st.lists(_constants(), min_size=1, max_size=3).map(tuple))
        | st.builds(Fitting, _names(), st.sampled_from(get_args(Style)), _constants())
        | st.builds(Null, _names())
        | st.builds(Nan, _names())
        | st.builds(Alone, _names())
    )
    return st.recursive(
        terms,
        lambda inner: (
            st.builds(Not, inner)
            | st.lists(inner, min_size=2, max_size=3).flatmap(
                lambda parts: st.sampled_from([And(tuple(parts)), Or(tuple(parts))])
            )
        ),
        max_leaves=8,
    )


def _names() -> st.SearchStrategy[Name]:
    quoted = TEXTS.map(lambda text: Name(text, (0, len(text))))
    part = st.builds(
        lambda inner, after: Name(f"metrics.{inner}{after}", (8, 8 + len(inner))),
        TEXTS,
        st.sampled_from(["", ".min"]),
    )
    return _BARE_NAMES.map(Name) | quoted | part


def _constants() -> st.SearchStrategy[Constant]:
    return st.builds(Constant, TEXTS, is_bare=st.just(value=False)) | st.builds(
        Constant, _BARE_VALUES, is_bare=st.just(value=True)
    )


def write_expression(node: Expression) -> str:  # noqa: PLR0911  # one for each kind
    """A filter that says `node`, with no more brackets than it needs to."""
    match node:
        case And(parts):
            return " and ".join(_within(part, (And, Or)) for part in parts)
        case Or(parts):
            return " or ".join(_within(part, (Or,)) for part in parts)
        case Not(part):
            return f"not {_within(part, (And, Or))}"
        case Compared(name, operator, constant):
            return f"{_write_name(name)} {operator} {_write_constant(constant)}"
        case Listed(name, constants):
            return f"{_write_name(name)} in ({', '.join(map(_write_constant, constants))})"
        case Fitting(name, style, pattern):
            operator = "~" if style == "regex" else style
            return f"{_write_name(name)} {operator} {_write_constant(pattern)}"
        case Null(name):
            return f"{_write_name(name)} is null"
        case Nan(name):
            return f"{_write_name(name)} is nan"
        case Alone(name):
            return _write_name(name)


def _within(node: Expression, weaker: tuple[type, ...]) -> str:
    text = write_expression(node)
    return f"({text})" if isinstance(node, weaker) else text


def _write_name(name: Name) -> str:
    if name.quoted is None:
        return name.text
    start, end = name.quoted
    inner = name.text[start:end].replace("`", "``")
    return f"{name.text[:start]}`{inner}`{name.text[end:]}"


def _write_constant(constant: Constant) -> str:
    if constant.is_bare:
        return constant.text
    escaped = constant.text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"

"""Expressions of filters, any there are; vocabularies made by hand."""

from collections.abc import Mapping, Sequence
from typing import get_args

from hypothesis import strategies as st

from repro.model.condition import Key, Kind, Space
from repro.model.expression import Constant, Expression, Group, Name, Term, Test

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
    values = st.lists(_constants(), min_size=1, max_size=3).map(tuple)
    one_value = sorted({*get_args(Test)} - {"in", "null", "nan", "alone"})
    terms = (
        st.builds(Term, _names(), st.sampled_from(one_value), st.tuples(_constants()))
        | st.builds(Term, _names(), st.just("in"), values)
        | st.builds(Term, _names(), st.sampled_from(["null", "nan", "alone"]), st.just(()))
    )
    return st.recursive(
        terms,
        lambda inner: (
            st.builds(Group, st.just("not"), st.tuples(inner))
            | st.builds(
                Group,
                st.sampled_from(["and", "or"]),
                st.lists(inner, min_size=2, max_size=3).map(tuple),
            )
        ),
        max_leaves=8,
    )


def _names() -> st.SearchStrategy[Name]:
    quoted = TEXTS.map(lambda text: Name(text, 0, 0, (0, len(text))))
    part = st.builds(
        lambda inner, after: Name(f"metrics.{inner}{after}", 0, 0, (8, 8 + len(inner))),
        TEXTS,
        st.sampled_from(["", ".min"]),
    )
    return _BARE_NAMES.map(lambda text: Name(text, 0, 0)) | quoted | part


def _constants() -> st.SearchStrategy[Constant]:
    return TEXTS.map(lambda text: Constant(text, 0, 0, is_bare=False)) | _BARE_VALUES.map(
        lambda text: Constant(text, 0, 0)
    )


def without_places(node: Expression) -> Expression:
    """The same expression as if all of it stood at the beginning."""
    if isinstance(node, Group):
        return Group(node.word, tuple(map(without_places, node.parts)))
    constants = [one._replace(start=0, end=0) for one in node.constants]
    return Term(node.name._replace(start=0, end=0), node.test, tuple(constants))


def write_expression(node: Expression) -> str:
    """A filter that says `node`, with no more brackets than it needs to."""
    if isinstance(node, Term):
        values = ", ".join(map(_write_constant, node.constants))
        asked = _WRITTEN.get(node.test, f"{node.test} {{}}").format(values)
        return f"{_write_name(node.name)} {asked}"
    parts = [_within(part, _WEAKER[node.word]) for part in node.parts]
    return f"not {parts[0]}" if node.word == "not" else f" {node.word} ".join(parts)


_WEAKER = {"not": ("and", "or"), "and": ("and", "or"), "or": ("or",)}
_WRITTEN = {
    "in": "in ({})", "regex": "~ {}", "null": "is null", "nan": "is nan", "alone": "",
}  # fmt: skip


def _within(node: Expression, weaker: Sequence[str]) -> str:
    text = write_expression(node)
    return f"({text})" if isinstance(node, Group) and node.word in weaker else text


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

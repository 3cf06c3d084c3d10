"""Expressions and conditions of filters, any there are; odd runs that they are asked of."""

import math
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

from hypothesis import strategies as st

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
    Some,
    SortKey,
    Space,
    Statistic,
)
from repro.model.expression import Constant, Expression, Group, Name, Term, Test
from repro.model.fields import FIELDS
from repro.model.ids import new_id
from repro.model.resolving import quote_name
from repro.model.run import MetricSummary, Record
from repro.model.times import format_time
from tests.support.records import NOW, a_summary, make_record

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


# Values that a config or a summary may have, with neighbours that are nearly the same.
ODD_VALUES: list[Any] = [
    *(0, 1, -1, 2, 0.0, -0.0, 1.0, 0.5, 1e-4, 1e308, 5e-324, math.nan, math.inf, -math.inf),
    *(2**53, 2**53 + 1, float(2**53), 2**63 - 1, 2**63, -(2**63), 10**30, 10**400, -(10**400)),
    *(True, False, None, "", "a", "A", "adam", "Adam", "ab", "1", "0.5", "true", "null", "NaN"),
    *("é", "É", "😀", "日本", "a\nb", "a\0b", "100%", "a_b", "%", "\\", "'", "x" * 300, "\uffff"),
    *([], [1, "a", None], [[], {"b": 1}], {}, {"a": {}, "b c": 1}, {"a": {"deep": [True]}}),
]
_CONFIG = ["lr", "n", "text", "flag", "mixed", "deep.a", "学習率", "a b", "`", "status", "x.min"]
_METRICS = ["loss", "val/loss", "x", "x.min", "a b"]
_TAGS = ["v2", "V2", "a b", "é", "1"]


def make_odd_records(n: int, seed: int = 0) -> list[Record]:
    """Runs that have, and lack, all there is; the same ones each time."""
    chance = random.Random(seed)
    return [_odd_record(chance) for _ in range(n)]


def _odd_record(chance: random.Random) -> Record:
    def some(names: Sequence[str], value: Callable[[], Any]) -> dict[str, Any]:
        return {name: value() for name in names if chance.random() < 0.7}

    def odd() -> Any:
        return chance.choice(ODD_VALUES)

    config = some(_CONFIG, odd) | some(["n"], lambda: chance.choice([0, 1, 1.0, 2, 3]))
    config |= some(["text"], lambda: chance.choice(["a", "A", "ab", "é", ""]))
    config |= some(["flag"], lambda: chance.random() < 0.5)
    config |= some(["lr"], lambda: chance.choice([1e-5, 1e-4, 0.1, 1]))
    created = format_time(NOW + chance.choice([0, 0, 1, 1, 2, 86_400, 2e11]))
    return make_record(
        id=new_id(chance.randbytes),
        created=created,
        config=config,
        summary=some(["best", "mixed", "lr"], odd),
        metrics=some(_METRICS, lambda: _odd_summary(chance)),
        data=some(["train", "val"], lambda: _odd_dataset(chance)),
        environment=_odd_environment(chance),
        tags=tuple(tag for tag in _TAGS if chance.random() < 0.3),
        status=chance.choice(["finished", "failed", "killed", "lost"]),
        dirty=chance.random() < 0.5,
        command=("python", chance.choice(["a.py", "é.py", "b c.py"])),
        lost_points=chance.choice([0, 0, 7]),
        **some(["name", "note", "branch", "signal", "sweep"], lambda: chance.choice(_TAGS)),
        **some(["duration_s"], lambda: chance.choice([0.0, 1.5, 3600.0, 1e9])),
        **some(["exit_code"], lambda: chance.choice([0, 1, 137])),
    )


def _odd_summary(chance: random.Random) -> MetricSummary:
    def number() -> float:
        return chance.choice([0.0, -0.0, 0.5, 1.0, 2.0, 5e-324, math.inf, -math.inf, math.nan])

    last = number()
    if math.isnan(last):
        nothing = dict.fromkeys(["min", "min_step", "max", "max_step", "mean"])
        return a_summary(last, **nothing, count=chance.choice([1, 3]))
    return a_summary(last, first=number(), last_step=chance.choice([0, 5, 2**62]))


def _odd_dataset(chance: random.Random) -> dict[str, Any]:
    return {
        "path": chance.choice(["data", "é"]),
        "digest": chance.choice(["xxh3:00", "xxh3:ff"]),
        "files": chance.choice([0, 1, 2**40]),
        "bytes": chance.choice([0, 2**62]),
        "kept": chance.random() < 0.5,
    }


def _odd_environment(chance: random.Random) -> dict[str, Any]:
    if chance.random() < 0.2:
        return {}
    versions = {"numpy": ["1.26.4", "2.0"], "a.b": ["1"]}
    listed = [
        {"name": name, "version": chance.choice(some)}
        for name, some in versions.items()
        if chance.random() < 0.7
    ]
    return {
        "interpreter": {"version": chance.choice(["3.11", "3.12"]), "n": chance.choice([1, True])},
        "packages": {"digest": "sha256:0", "list": listed},
        "variables": {"A": chance.choice(["", "1", None])},
    }


ODD_KEYS = [
    *(Key(Space.FIELD, name) for name in FIELDS),
    *(
        Key(Space.CONFIG, name)
        for name in [*_CONFIG, "mixed.a.deep", "mixed.b c", "nosuch", "\ud800"]
    ),
    *(Key(Space.METRIC, name, one) for name in _METRICS for one in get_args(Statistic)),
    *(Key(Space.METRIC, "nosuch"), Key(Space.METRIC, "nosuch", "min")),
    *(Key(Space.SUMMARY, name) for name in ["best", "mixed", "lr", "nosuch"]),
    *(Key(Space.ENV, name) for name in ["interpreter.version", "interpreter.n", "variables.A"]),
    *(Key(Space.ENV, name) for name in ["packages.numpy", "packages.a.b", "packages.digest", "no"]),
    *(Key(Space.DATA, name) for name in ["train", "train.digest", "train.files", "val.bytes"]),
    *(Key(Space.DATA, name) for name in ["train.kept", "val.path", "nosuch", "nosuch.files"]),
]
# Drawn often, so that parts of one condition are about the same.
_USUAL_KEYS = [
    *(Key(Space.TAG, ""), Key(Space.CONFIG, "n"), Key(Space.CONFIG, "mixed")),
    *(Key(Space.METRIC, "loss"), Key(Space.FIELD, "status")),
]
_USUAL_SCALARS: list[bool | int | float | str] = [0, 1, 1.0, True, "a", "v2", "finished"]
_ODD_SCALARS = [one for one in ODD_VALUES if isinstance(one, bool | int | float | str)]
_FIELD_VALUES: list[bool | int | float | str] = [
    *(
        "finished",
        "lost",
        "v2",
        format_time(NOW),
        format_time(NOW + 1),
        1.5,
        7,
        137,
    ),
    *("[]", '[1, "a", null]', "xxh3:ff", "1.26.4", "engine", ":", 2**62, 2**40),
]
_SCALARS: list[bool | int | float | str] = [*_ODD_SCALARS, *_FIELD_VALUES]
_PATTERNS = ["", "a", "^a$", "[0-9]+", "é", "(?i)ADAM", r"\d", ".", "^.b", "\\[", "\0", "$", "b c"]
_LIKE = [
    "",
    "%",
    "a%",
    "%a%",
    "_",
    "A_B",
    "100%",
    "é%",
    "É",
    "%%_",
    "a_b",
    "[%",
    "😀",
    "a\nb",
    "\\",
]


def conditions() -> st.SearchStrategy[Condition]:
    """Any condition about odd records, whether or not a filter can say it."""
    keys = st.sampled_from(_USUAL_KEYS) | st.sampled_from(ODD_KEYS)
    scalars = st.sampled_from(_USUAL_SCALARS) | st.sampled_from(_SCALARS)
    leaves = (
        st.builds(Comparison, keys, st.sampled_from(get_args(Operator)), scalars)
        | st.builds(Among, keys, st.lists(scalars, min_size=1, max_size=4).map(tuple))
        | st.builds(Matches, keys, st.just("regex"), st.sampled_from(_PATTERNS))
        | st.builds(Matches, keys, st.sampled_from(["like", "ilike"]), st.sampled_from(_LIKE))
        | st.builds(IsNull, keys)
        | st.builds(IsNan, keys)
    )
    return st.recursive(
        leaves,
        lambda inner: (
            st.builds(Negation, inner)
            | st.builds(All, st.lists(inner, min_size=1, max_size=4).map(tuple))
            | st.builds(Some, st.lists(inner, min_size=1, max_size=4).map(tuple))
        ),
        max_leaves=8,
    )


def random_condition(chance: random.Random, depth: int = 4) -> Condition:
    """One of `conditions()`, drawn without Hypothesis: many times faster."""
    if not depth or chance.random() < 0.45:
        return _random_leaf(chance)
    if chance.random() < 0.3:
        return Negation(random_condition(chance, depth - 1))
    parts = tuple(random_condition(chance, depth - 1) for _ in range(chance.randint(1, 3)))
    return All(parts) if chance.random() < 0.5 else Some(parts)


def _random_leaf(chance: random.Random) -> Condition:
    key = chance.choice(_USUAL_KEYS if chance.random() < 0.5 else ODD_KEYS)
    values = [_random_scalar(chance) for _ in range(chance.randint(1, 4))]
    match chance.randint(0, 9):
        case 0:
            return IsNull(key)
        case 1:
            return IsNan(key)
        case 2:
            return Matches(key, "regex", chance.choice(_PATTERNS))
        case 3:
            return Matches(key, chance.choice(["like", "ilike"]), chance.choice(_LIKE))
        case 4 | 5:
            return Among(key, tuple(values))
    return Comparison(key, chance.choice(get_args(Operator)), values[0])


def _random_scalar(chance: random.Random) -> bool | int | float | str:
    return chance.choice(_USUAL_SCALARS if chance.random() < 0.5 else _SCALARS)


def texts_about_odd_runs() -> st.SearchStrategy[str]:
    """Filters as somebody writes them, most of them right ones."""
    keys = st.sampled_from([key for key in ODD_KEYS if key.name.isprintable()])
    names = keys.map(_write_key) | st.sampled_from(["tag", "age", "n", "mixed", "loss.min"])
    numbers = [one for one in _ODD_SCALARS if isinstance(one, int | float) and one == one]
    values = (
        st.sampled_from(["adam", "v2", "finished", "true", "4h", "1MiB", "today", "2025-11-24"])
        | st.sampled_from([repr(one) for one in numbers if abs(one) < 10**40])
        | st.sampled_from(["'a'", "'A'", "''", "'2025-11-24T16:00'", "'it''s'", '"é"', "'1'"])
    )
    terms = (
        st.builds("{} {} {}".format, names, st.sampled_from([*get_args(Operator), "like"]), values)
        | st.builds("{} in ({}, {})".format, names, values, values)
        | st.builds("{} not in ({})".format, names, values)
        | st.builds("{} is {}".format, names, st.sampled_from(["null", "not null", "nan"]))
        | st.builds("{} < {} <= {}".format, values, names, values)
        | names
    )
    return st.recursive(
        terms,
        lambda inner: (
            st.builds("not ({})".format, inner)
            | st.builds("{} and {}".format, inner, inner)
            | st.builds("({} or {})".format, inner, inner)
        ),
        max_leaves=4,
    )


def _write_key(key: Key) -> str:
    prefix = "run" if key.space is Space.FIELD else key.space.value
    return f"{prefix}.{quote_name(key.name)}" + (
        f".{key.statistic}" if key.statistic != "last" else ""
    )


def sort_keys() -> st.SearchStrategy[SortKey]:
    """Any order of odd records."""
    keys = st.sampled_from(_USUAL_KEYS[1:]) | st.sampled_from(ODD_KEYS)
    return st.builds(SortKey, keys, st.booleans())

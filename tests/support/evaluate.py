"""Whether a filter holds for a record, word for word as `model/condition.py` says it; slow."""

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from operator import ge, gt, le, lt
from typing import Any, assert_never

from repro.model.canonical import carriable_text
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
    Some,
    SortKey,
    Space,
)
from repro.model.config import flatten_config
from repro.model.fields import FIELDS
from repro.model.run import Record
from repro.model.values import ABSENT

Truth = bool | None
_ORDERINGS = {"<": lt, "<=": le, ">": gt, ">=": ge}
_PARTS = ("digest", "files", "bytes", "kept", "path")


def holds(condition: Condition, record: Record) -> Truth:
    """Whether it does; None where that is unknown."""
    match condition:
        case All(parts):
            return _all(holds(part, record) for part in parts)
        case Some(parts):
            return _not(_all(_not(holds(part, record)) for part in parts))
        case Negation(part):
            return _not(holds(part, record))
        case IsNull(Key(Space.TAG)):
            return not record.run.tags
        case IsNull(key):
            return value_of(key, record) is ABSENT
        case Comparison(key) | Among(key) | Matches(key) | IsNan(key):
            if key.space is Space.TAG:
                return any(_fits(condition, tag) for tag in record.run.tags)
            value = value_of(key, record)
            return None if value is ABSENT else _fits(condition, value)
        case _:
            assert_never(condition)


def select(
    records: Iterable[Record],
    condition: Condition | None = None,
    sort: Sequence[SortKey] = (),
    limit: int | None = None,
) -> list[str]:
    """The ids of the records that fit, in their order."""
    found = [one for one in records if condition is None or holds(condition, one) is True]
    found.sort(key=lambda record: (record.run.created, record.run.id), reverse=True)
    for one in reversed(sort):
        having = [record for record in found if _rank(one.key, record) is not None]
        lacking = [record for record in found if _rank(one.key, record) is None]
        having.sort(key=partial(_rank, one.key), reverse=one.descending)
        found = having + lacking
    return [record.run.id for record in found[:limit]]


def _rank(key: Key, record: Record) -> Any:
    value = value_of(key, record)
    if value is ABSENT or value != value:
        return None
    if isinstance(value, bool):
        return 2, value
    return (1, value) if isinstance(value, str) else (0, value)


def value_of(key: Key, record: Record) -> Any:
    """What the record has there, `ABSENT` for null as well."""
    match key.space:
        case Space.FIELD:
            value: Any = FIELDS[key.name].value(record)
        case Space.CONFIG:
            value = flatten_config(record.config).get(key.name)
        case Space.SUMMARY:
            value = flatten_config(record.summary).get(key.name)
        case Space.METRIC:
            summary = record.metrics.get(key.name)
            value = None if summary is None else getattr(summary, key.statistic)
        case Space.ENV:
            value = _environment(record).get(key.name)
        case Space.DATA:
            value = _data(record).get(key.name)
        case Space.TAG:
            raise AssertionError("a run has any number of tags")
    return ABSENT if value is None else _counted(value)


def _environment(record: Record) -> dict[str, Any]:
    found = dict(record.environment)
    packages = found.pop("packages", {})
    versions = {package["name"]: package["version"] for package in packages.get("list", [])}
    rest = {key: value for key, value in packages.items() if key != "list"}
    return flatten_config({**found, "packages": {**rest, **versions}})


def _data(record: Record) -> dict[str, Any]:
    found = {}
    for name, facts in record.data.items():
        found[name] = facts.get("digest")
        found |= {f"{name}.{part}": facts.get(part) for part in _PARTS}
    return found


def _counted(value: Any) -> Any:
    if isinstance(value, Mapping | list | tuple):
        return carriable_text(json.dumps(value, ensure_ascii=False))
    if isinstance(value, str):
        return carriable_text(value)
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return _nearest_float(value)
    return value


def _nearest_float(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _fits(condition: Comparison | Among | Matches | IsNan, value: Any) -> bool:
    match condition:
        case Comparison(_, operator, constant):
            return _compares(value, operator, _counted(constant))
        case Among(_, constants):
            return any(_equals(value, _counted(constant)) for constant in constants)
        case Matches(_, "regex", pattern):
            return isinstance(value, str) and re.search(pattern, value) is not None
        case Matches(_, style, pattern):
            return isinstance(value, str) and _is_like(value, pattern, any_case=style == "ilike")
        case IsNan():
            return bool(value != value)


def _compares(value: Any, operator: str, constant: Any) -> bool:
    if operator == "=":
        return _equals(value, constant)
    if operator == "!=":
        return not _equals(value, constant)
    if isinstance(value, bool) or isinstance(constant, bool):
        return False
    if isinstance(value, str) != isinstance(constant, str):
        return False
    return bool(_ORDERINGS[operator](value, constant))


def _equals(value: Any, constant: Any) -> bool:
    if isinstance(value, bool) or isinstance(constant, bool):
        return value is constant
    return bool(value == constant)


def _is_like(text: str, pattern: str, *, any_case: bool) -> bool:
    if not pattern:
        return not text
    if pattern[0] == "%":
        rest = pattern.lstrip("%")
        return any(_is_like(text[n:], rest, any_case=any_case) for n in range(len(text) + 1))
    if not text:
        return False
    flags = re.IGNORECASE if any_case else re.NOFLAG
    fits = pattern[0] == "_" or re.fullmatch(re.escape(pattern[0]), text[0], flags)
    return bool(fits) and _is_like(text[1:], pattern[1:], any_case=any_case)


def _all(truths: Iterable[Truth]) -> Truth:
    seen = list(truths)
    if False in seen:
        return False
    return None if None in seen else True


def _not(truth: Truth) -> Truth:
    return None if truth is None else not truth

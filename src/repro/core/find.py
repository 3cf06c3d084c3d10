"""Runs whose config has certain values, or comes nearest to that."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from repro.core.known import KnownRuns, open_runs
from repro.core.project import Project
from repro.core.query import run_json
from repro.errors import UsageError
from repro.model.binding import kind_of, name_kinds
from repro.model.canonical import Json
from repro.model.condition import All, Comparison, Condition, IsNan, IsNull, Key, Kind, Space
from repro.model.config import flatten_config
from repro.model.diff import Change
from repro.model.differences import Difference, diff_params, distance
from repro.model.nearest import say_meant
from repro.model.run import Record
from repro.model.text import escape
from repro.model.values import ABSENT
from repro.store.index import Problem

_POOL = 500  # runs that are ranked
_BESIDE = 50  # of these, with the next greater and the next smaller value of each number
_PREFIX = "config."  # of a param in a filter
_SHOWN = 80  # characters of a name that no run has


@dataclass(frozen=True, slots=True)
class Near:
    """A run that is not the same, and why not."""

    record: Record
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was tried.

    Attributes:
        exact: Runs that are the same, newest first, at most as many as were wanted.
        matching: How many of these there are; None where nobody counted them.
        near: Those that differ least, the nearest first.
        short: The shortest unique prefix of each run's id.
        problems: Runs that cannot be read; they hide no other.
        why: What makes sure that no run has a value, such as its type.
    """

    exact: tuple[Record, ...]
    matching: int | None = None
    near: tuple[Near, ...]
    short: Mapping[str, str]
    problems: tuple[Problem, ...]
    why: tuple[str, ...] = ()


def find_params(
    project: Project, asked: Mapping[str, Json], *, near: bool = False, limit: int | None
) -> Found:
    """Give the runs whose config has some values; where none has, those that differ in fewest.

    Args:
        asked: Nested or by dotted key.
        near: Give the nearest ones also where some run has all values.
        limit: At most so many of either; None is all that fit, and the nearest hundreds.

    Raises:
        UsageError: There are runs, and none has such a param; near names are given.
    """
    flat = flatten_config(asked)
    with open_runs(project) as runs:
        _check_known(runs, flat)
        condition: Condition = All(tuple(_has(key, value) for key, value in flat.items()))
        fitting = runs.index.select(condition, limit=limit)
        exact = [record for record in fitting if not diff_params(flat, record.config)]
        nearest: list[Near] = []
        if near or not exact:
            pool = runs.index.alike(flat, limit=_POOL, beside=_BESIDE, differing=True)
            nearest = _nearest_params(flat, pool)[:limit]
        return Found(
            exact=tuple(exact),
            matching=runs.index.matching(condition),
            near=tuple(nearest),
            short=shorten(runs, exact, nearest),
            problems=runs.problems,
            why=() if exact else tuple(_wrong_kinds(runs, flat)),
        )


def found_json(found: Found) -> dict[str, Json]:
    """What was found as `--json` prints it."""
    return {
        "exact": [run_json(record) for record in found.exact],
        "near": [
            {
                "run": run_json(one.record),
                "differences": [
                    {
                        "part": difference.part,
                        "what": difference.what,
                        "key": difference.key,
                        "values": None if difference.values is None else _pair(difference.values),
                    }
                    for difference in one.differences
                ],
            }
            for one in found.near
        ],
    }


def _pair(change: Change) -> list[Json]:
    return [None if value is ABSENT else value for value in change]


def shorten(runs: KnownRuns, exact: Sequence[Record], near: Sequence[Near]) -> Mapping[str, str]:
    """The shortest unique prefix of the id of each run."""
    return runs.shorten(one.run.id for one in (*exact, *(one.record for one in near)))


def _check_known(runs: KnownRuns, asked: Mapping[str, Json]) -> None:
    for key in asked if runs.count() else ():
        if runs.index.has(Space.CONFIG, key):
            continue
        meant = say_meant(key, runs.index.names(Space.CONFIG))
        hint = "`repro show RUN --config` shows the params of one"
        bare = key.removeprefix(_PREFIX)
        if bare != key and runs.index.has(Space.CONFIG, bare):
            meant = f"; did you mean `{escape(bare)}`?"
        if runs.index.has(Space.METRIC, key):
            hint = f"it is a metric: `repro ls --where '{escape(key)} < 1'` filters by it"
        raise UsageError(f"no run has a param `{escape(key[:_SHOWN])}`{meant}", hint=hint)


def _wrong_kinds(runs: KnownRuns, asked: Mapping[str, Json]) -> Iterator[str]:
    """The params that have values of another type than is asked for, wherever they have any."""
    for key, value in asked.items():
        kinds = runs.index.kinds(Key(Space.CONFIG, key)) - {Kind.NULL}
        if value is not None and kinds and kind_of(value) not in kinds:
            yield f"`{escape(key)}` is {name_kinds(kinds)} in every run"


def _has(key: str, value: Json) -> Condition:
    """That a param has a value, as the index has it: lists and mappings as their JSON."""
    param = Key(Space.CONFIG, key)
    if value is None:
        return IsNull(param)
    if isinstance(value, float) and math.isnan(value):
        return IsNan(param)
    if isinstance(value, (list, dict)):
        return Comparison(param, "=", json.dumps(value, ensure_ascii=False))
    return Comparison(param, "=", value)


def _nearest_params(asked: Mapping[str, Json], pool: Iterable[Record]) -> list[Near]:
    """Those of the pool that have any of the params, by how many differ, then by how much."""
    found = []
    for record in pool:
        differences = diff_params(asked, record.config)
        if not differences:
            continue
        if any(one.values and one.values[1] is not ABSENT for one in differences) or len(
            differences
        ) < len(asked):
            found.append(Near(record, differences))
    found.sort(key=lambda one: (one.record.run.created, one.record.run.id), reverse=True)
    found.sort(key=lambda one: (len(one.differences), distance(one.differences)))
    return found

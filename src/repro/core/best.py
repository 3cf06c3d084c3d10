"""The runs that are best in a metric."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from repro.core.known import open_runs
from repro.core.metricname import find_metric
from repro.core.project import Project
from repro.errors import UsageError
from repro.model.binding import parse_filter
from repro.model.condition import (
    All,
    Among,
    Comparison,
    Condition,
    IsNan,
    Key,
    Negation,
    SortKey,
    Space,
)
from repro.model.objective import GOALS, Goal
from repro.model.run import Record
from repro.model.text import escape
from repro.store.index import Problem, RunIndex

_PRUNED = Comparison(Key(Space.FIELD, "pruned"), "=", True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """The best runs.

    Attributes:
        records: The best one first; of equal ones the newest. Environment and artifacts left out.
        key: What they are best in.
        goal: Whether a small or a large value is.
        n_fitting: How many runs have a finite number there, of those that fit.
        n_broken: How many have NaN or an infinity there.
        n_pruned: How many have a finite number on the way there, and no result, for they were
            pruned.
        total: How many runs there are, chosen or not.
        short: The shortest unique prefix of each run's id.
        problems: Runs that cannot be read; they hide no other.
    """

    records: list[Record]
    key: Key
    goal: Goal
    n_fitting: int
    n_broken: int
    n_pruned: int
    total: int
    short: Mapping[str, str]
    problems: tuple[Problem, ...]


def find_best(
    project: Project,
    metric: str,
    *,
    where: str = "",
    goal: Goal | None = None,
    limit: int | None = 1,
) -> Best:
    """Give the runs with the best value of a metric, which is a finite number.

    A loss of minus infinity is one that broke, as is NaN: neither is ever best. Nor is a run that
    was pruned, whose last value is one on the way.

    Args:
        metric: Its name, for its last value; with `.min` and the like behind, that of all.
        where: Only runs that fit this filter; empty is all.
        goal: None for the one that these runs set for the metric.
        limit: At most so many; None is all.

    Raises:
        FilterError: The filter is wrong, or no run has the metric.
        UsageError: Nobody said what is better, or the runs disagree.

    Cost: the index sorts and cuts; the records of `limit` runs are read.
    """
    with open_runs(project) as runs:
        index = runs.index
        key = find_metric(metric, index)
        wished = parse_filter(where, index, now=project.clock())
        n_broken = sum(index.matching(_with(wished, one)) for one in _broken(key))
        condition = _with(wished, _is_finite(key))
        n_pruned = index.matching(_with(condition, _PRUNED))
        if n_pruned:
            condition = _with(condition, Negation(_PRUNED))
        n_fitting = index.matching(condition)
        # Of no runs nobody can have said it, and the answer is the same: there is none.
        wanted = goal or (_agreed_goal(index, key, condition, metric) if n_fitting else "minimize")
        order = [SortKey(key, descending=wanted == "maximize")]
        records = index.select(condition, sort=order, limit=limit) if n_fitting else []
        return Best(
            records=records,
            key=key,
            goal=wanted,
            n_fitting=n_fitting,
            n_broken=n_broken,
            n_pruned=n_pruned,
            total=runs.count(),
            short=runs.shorten(record.run.id for record in records),
            problems=runs.problems,
        )


def _is_finite(key: Key) -> Condition:
    """Whether there is a finite number under `key`, which neither NaN nor a text is."""
    return All((Comparison(key, ">", -math.inf), Comparison(key, "<", math.inf)))


def _broken(key: Key) -> tuple[Condition, ...]:
    """What else a number can be, as conditions of which an index finds each by itself."""
    return IsNan(key), Among(key, (math.inf, -math.inf))


def _with(wished: Condition | None, other: Condition) -> Condition:
    return other if wished is None else All((wished, other))


def _agreed_goal(index: RunIndex, key: Key, condition: Condition, metric: str) -> Goal:
    shown = escape(metric)
    goals = index.goals(key.name, condition) if key.space is Space.METRIC else set()
    if len(goals) > 1:
        raise UsageError(
            f"the runs disagree whether `{shown}` is to be small or large",
            hint="`--min` or `--max` says it; `--where` leaves some of the runs out",
        )
    known = GOALS.get(goals.pop()) if goals else None
    if known is None:
        raise UsageError(
            f"nobody said whether `{shown}` is to be small or large",
            hint="`--min` or `--max` says it; `run.define_metric(NAME, goal=…)` does once for all",
        )
    return known

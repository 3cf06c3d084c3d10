"""Which way a number is better: the smaller or the larger one."""

from collections.abc import Mapping
from typing import Literal

Goal = Literal["minimize", "maximize"]
GOALS: Mapping[str, Goal] = {"minimize": "minimize", "maximize": "maximize"}


def sign_of(goal: Goal) -> float:
    """What a number is multiplied with so that the better one is the smaller one."""
    return -1.0 if goal == "maximize" else 1.0


def find_goal_of(name: str, goals: Mapping[str, str]) -> str | None:
    """The goal of a metric: its own, else that of the longest `prefix*` that fits its name."""
    if name in goals:
        return goals[name]
    prefixes = [one for one in goals if one.endswith("*") and name.startswith(one[:-1])]
    return goals[max(prefixes, key=len)] if prefixes else None

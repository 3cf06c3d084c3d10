"""Which of two numbers is better: the smaller or the larger one."""

from collections.abc import Mapping
from typing import Literal

Goal = Literal["minimize", "maximize"]
GOALS: Mapping[str, Goal] = {"minimize": "minimize", "maximize": "maximize"}


def sign_of(goal: Goal) -> float:
    """What a number is multiplied with so that the better one is the smaller one."""
    return -1.0 if goal == "maximize" else 1.0

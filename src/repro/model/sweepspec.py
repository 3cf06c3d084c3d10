"""What a sweep shall do, as a frozen value."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from repro.model.objective import Goal
from repro.model.space import Distribution


class Method(StrEnum):
    """How the params of the next trial are chosen."""

    GRID = "grid"
    RANDOM = "random"
    TPE = "tpe"
    GP = "gp"
    CMAES = "cmaes"


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyStop:
    """How trials that go badly are told apart while they run.

    Attributes:
        kind: By which method.
        min_iter: No trial ends before it logged the metric so often.
        max_iter: How often a whole trial logs it; None where that is not known.
        eta: Hyperband: one trial in so many goes on at each rung.
        n_startup: Median: trials that end by themselves before any other is stopped.
    """

    kind: Literal["hyperband", "median"]
    min_iter: int = 1
    max_iter: int | None = None
    eta: int = 3
    n_startup: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepSpec:
    """A search space, and how it is searched.

    Attributes:
        space: By dotted key, in the order given.
        command: Words with macros such as `${args}` still in them.
        is_macro: Whether the words say themselves where params go: then none are added.
        metric: What counts; with `.min` or `.max` behind its name the best value on the way, else
            the last one. None only for a grid or a random search that ranks nothing.
        target: The sweep ends when a trial is as good as that.
        run_cap: At most so many trials; None is all of a grid, else without end.
        seed: What random choices are drawn from.
    """

    method: Method
    space: Mapping[str, Distribution]
    command: tuple[str, ...] = ()
    is_macro: bool = False
    metric: str | None = None
    goal: Goal = "minimize"
    target: float | None = None
    run_cap: int | None = None
    early: EarlyStop | None = None
    seed: int = 0
    name: str | None = None
    note: str | None = None

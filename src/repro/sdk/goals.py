"""Which way a metric is better, in our words and in those of W&B."""

from repro.model.objective import Goal

_GOALS: dict[str, Goal] = {"min": "minimize", "max": "maximize"}
_SUMMARIES = {"min", "max", "mean", "last", "first", "best", "copy", "none"}


def find_goal(goal: Goal | None, summary: str | None) -> Goal | None:
    """The goal that is meant, None where nothing says one.

    Args:
        summary: As in W&B; `min` and `max` stand for a goal.

    Raises:
        ValueError: `goal` or `summary` is no word for it.
    """
    if goal not in (None, "minimize", "maximize"):
        raise ValueError(f"the goal of a metric is `minimize` or `maximize`, not {goal!r}")
    words = [word.strip() for word in (summary or "").split(",") if word.strip()]
    if unknown := [word for word in words if word not in _SUMMARIES]:
        raise ValueError(f"a summary is one of {sorted(_SUMMARIES)}, not {unknown[0]!r}")
    found = [goal] if goal else [_GOALS[word] for word in words if word in _GOALS]
    return found[0] if found else None

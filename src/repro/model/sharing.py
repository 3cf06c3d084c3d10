"""What two clones tell each other of runs: values that pushing, fetching and bundling share."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """A run or a sweep that was not taken in, or not given away, while the others were.

    Attributes:
        run: Its id; the last part of its ref where that is no id. Nothing is escaped.
        reason: One line, lower case, without a period.
        hint: What to do next; empty where nothing helps.
        kind: What it is, `run` or `sweep`.
    """

    run: str
    reason: str
    hint: str = ""
    kind: str = "run"


@dataclass(frozen=True, slots=True)
class Overruled:
    """A word of one clone that gave way to a later one of another; the history has both.

    Attributes:
        run: Its id.
        what: `name` or `note`.
    """

    run: str
    what: str

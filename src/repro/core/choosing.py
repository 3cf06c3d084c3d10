"""Which runs somebody wants, and in which order: words of a face as a condition of the index."""

from collections.abc import Sequence
from dataclasses import dataclass

from repro.model.condition import (
    All,
    Comparison,
    Condition,
    Key,
    SortKey,
    Space,
    Vocabulary,
)
from repro.model.run import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which runs, in the words of who asks; all of them by default, the newest first.

    Attributes:
        where: A filter (docs/reference/query.md); blank is every run.
        sort: Keys, ascending, `-KEY` descending; the newest run comes first where all tie.
        name: Only runs with exactly this name.
        in_progress: Only runs that are in progress.
    """

    where: str = ""
    sort: Sequence[str] = ()
    status: str | None = None
    name: str | None = None
    tag: str | None = None
    in_progress: bool = False


def choose_runs(
    vocabulary: Vocabulary, choice: Choice, *, now: float
) -> tuple[Condition | None, tuple[SortKey, ...]]:
    """Give the condition that the wanted runs fulfil, None for all, and their order.

    Args:
        now: Seconds since 1970.

    Raises:
        FilterError: The filter, or a key to sort by, is wrong.
    """
    parts: list[Condition] = []
    keys: tuple[SortKey, ...] = ()
    if choice.where.strip() or choice.sort:
        # A list of the newest runs starts without the language.
        from repro.model.binding import parse_filter, parse_sort  # noqa: PLC0415

        condition = parse_filter(choice.where, vocabulary, now=now)
        parts += [] if condition is None else [condition]
        keys = parse_sort(choice.sort, vocabulary)
    wanted = {"status": choice.status, "name": choice.name}
    parts += [
        Comparison(Key(Space.FIELD, field), "=", value)
        for field, value in wanted.items()
        if value is not None
    ]
    if choice.in_progress:
        parts.append(Comparison(Key(Space.FIELD, "status"), "=", Status.RUNNING.value))
    if choice.tag is not None:
        parts.append(Comparison(Key(Space.TAG, ""), "=", choice.tag))
    return (All(tuple(parts)) if parts else None), keys

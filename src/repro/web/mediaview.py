"""Media of a run as its page shows them: by name, each as it was at one step."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from repro.model.medium import Medium

_MOST_NAMES = 40  # of a page
_MOST_SHOWN = 24  # of one name at one step, where others stand beside it
_MOST_ALONE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedMedia:
    """What was logged under one name at one step.

    Attributes:
        n_there: How many there are at that step.
        n_steps: How many steps have any.
        earlier: The step before, which has some; None of the first one.
        later: The step behind; None of the last one.
    """

    name: str
    step: int
    shown: tuple[Medium, ...]
    n_there: int
    n_steps: int
    earlier: int | None
    later: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaView:
    """A page of media.

    Attributes:
        names: The newest of each name, no newer than the step that was asked for.
        first: The lowest step that has any, and `last` the highest.
        step: The step that they are shown at.
        is_newest: Whether nobody asked for a step.
        next: From where on there are more names; None where there are none.
    """

    names: tuple[NamedMedia, ...]
    first: int
    last: int
    step: int
    is_newest: bool
    next: int | None


def view_media(
    media: Sequence[Medium], *, step: int | None = None, name: str | None = None, start: int = 0
) -> MediaView:
    """Choose what is shown.

    Args:
        media: All of a run, by name, step and place.
        step: None for the newest of each name; a name that has none so early shows its first.
        name: This one alone.
        start: The place of the first name.
    """
    found = [
        (key, list(group))
        for key, group in groupby(media, key=lambda one: one.name)
        if name is None or key == name
    ]
    steps = [one.step for _, group in found for one in (group[0], group[-1])]
    first, last = min(steps, default=0), max(steps, default=0)
    most = _MOST_SHOWN if name is None else _MOST_ALONE
    chosen = found[start : start + _MOST_NAMES]
    return MediaView(
        names=tuple(_at(key, group, step, most) for key, group in chosen),
        first=first,
        last=last,
        step=last if step is None else step,
        is_newest=step is None,
        next=start + _MOST_NAMES if start + _MOST_NAMES < len(found) else None,
    )


def _at(name: str, media: Sequence[Medium], wanted: int | None, most: int) -> NamedMedia:
    steps = list(dict.fromkeys(one.step for one in media))
    before = [n for n, step in enumerate(steps) if wanted is None or step <= wanted]
    place = before[-1] if before else 0
    there = [one for one in media if one.step == steps[place]]
    return NamedMedia(
        name=name,
        step=steps[place],
        shown=tuple(there[:most]),
        n_there=len(there),
        n_steps=len(steps),
        earlier=steps[place - 1] if place else None,
        later=steps[place + 1] if place + 1 < len(steps) else None,
    )


def number_columns(rows: Sequence[Sequence[object]]) -> Iterator[bool]:
    """For each column of a table, whether its first row has a number there."""
    for cell in rows[0] if rows else ():
        yield isinstance(cell, int | float) and not isinstance(cell, bool)

"""Which runs a comparison is about: named ones, and those that fit a filter."""

from collections.abc import Sequence
from dataclasses import dataclass

from repro.core.choosing import Choice
from repro.core.chosen import find_chosen
from repro.core.naming import find_ids
from repro.core.project import Project

MOST_COMPARED = 1000


@dataclass(frozen=True, slots=True)
class Compared:
    """Runs to compare.

    Attributes:
        ids: Those that were named in their order, then those that fit, the newest first.
        n_left: How many more fit, and are left out.
    """

    ids: tuple[str, ...]
    n_left: int = 0


def choose_compared(
    project: Project, names: Sequence[str], where: str | None, *, most: int = MOST_COMPARED
) -> Compared:
    """Find the runs to compare; one that is named twice counts once.

    Args:
        names: As a person writes them.
        where: A filter for more runs; blank is every run, None is no more.
        most: How many at most.

    Raises:
        UnknownRunError, AmbiguousRunError: A name is none of a run.
        FilterError: The filter is wrong.
    """
    named = list(dict.fromkeys(find_ids(project, names)))
    if where is None:
        return Compared(tuple(named[:most]), max(len(named) - most, 0))
    found = find_chosen(project, Choice(where=where), limit=most)
    ids = tuple(dict.fromkeys([*named, *found.ids]))
    left = max(found.matching - len(found.ids), 0) + max(len(ids) - most, 0)
    return Compared(ids[:most], left)

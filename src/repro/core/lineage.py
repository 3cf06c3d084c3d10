"""The runs that a run comes from, and those that come from it."""

from collections.abc import Sequence
from dataclasses import dataclass

from repro.core.project import Project
from repro.core.query import list_runs
from repro.errors import ReproError
from repro.model.run import Record

MOST = 200  # runs that come from one


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """Where a run stands among others; records are those of a list.

    Attributes:
        parent: The run that it went on from; None where it has none, or that is not here.
        origin: The run that it does again; likewise.
        children: Runs that went on from it, the newest first.
        reruns: Runs that did it again, the newest first, with their verdicts.
        previous: The run that was created before it.
    """

    parent: Record | None = None
    origin: Record | None = None
    children: tuple[Record, ...] = ()
    reruns: tuple[Record, ...] = ()
    previous: Record | None = None


def read_lineage(project: Project, record: Record) -> Lineage:
    """Give the relatives of a run that are in this repository.

    Cost: at most three questions to the index.
    """
    run = record.run
    origins = [f"id = '{one}'" for one in (run.parent, run.rerun_of) if one is not None]
    # Asked for by themselves: among many children, which are newer, they would be cut off.
    before: dict[str, Record] = {one.run.id: one for one in _find(project, record, origins)}
    after = _find(project, record, [f"parent = '{run.id}'", f"rerun_of = '{run.id}'"])
    return Lineage(
        parent=before.get(run.parent) if run.parent else None,
        origin=before.get(run.rerun_of) if run.rerun_of else None,
        children=tuple(one for one in after if one.run.parent == run.id),
        reruns=tuple(one for one in after if one.run.rerun_of == run.id),
        previous=_previous(project, record),
    )


def _find(project: Project, record: Record, conditions: Sequence[str]) -> list[Record]:
    """The other runs of which one of the conditions holds, the newest first."""
    if not conditions:
        return []
    found = list_runs(project, where=" or ".join(conditions), limit=MOST).records
    return [one for one in found if one.run.id != record.run.id]


def _previous(project: Project, record: Record) -> Record | None:
    created = record.run.created
    try:
        before = list_runs(project, where=f"created < {created}", limit=1).records
    except ReproError:  # a moment that no filter can name
        return None
    return before[0] if before else None

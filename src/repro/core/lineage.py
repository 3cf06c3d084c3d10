"""The runs that a run comes from, and those that come from it."""

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

    Cost: two questions to the index.
    """
    run = record.run
    asked = [f"parent = '{run.id}'", f"rerun_of = '{run.id}'"]
    asked += [f"id = '{one}'" for one in (run.parent, run.rerun_of) if one is not None]
    found = [
        one
        for one in list_runs(project, where=" or ".join(asked), limit=MOST).records
        if one.run.id != run.id
    ]
    by_id: dict[str, Record] = {one.run.id: one for one in found}
    return Lineage(
        parent=by_id.get(run.parent) if run.parent else None,
        origin=by_id.get(run.rerun_of) if run.rerun_of else None,
        children=tuple(one for one in found if one.run.parent == run.id),
        reruns=tuple(one for one in found if one.run.rerun_of == run.id),
        previous=_previous(project, record),
    )


def _previous(project: Project, record: Record) -> Record | None:
    created = record.run.created
    try:
        before = list_runs(project, where=f"created < {created}", limit=1).records
    except ReproError:  # a moment that no filter can name
        return None
    return before[0] if before else None

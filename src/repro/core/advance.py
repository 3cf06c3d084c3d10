"""How far some runs in progress have come."""

from collections.abc import Sequence

from repro.core.known import open_runs
from repro.core.project import Project
from repro.model.progress import Progress, find_progress


def read_progress(project: Project, ids: Sequence[str]) -> dict[str, Progress]:
    """Give the progress of those runs of `ids` of which it is known; it is of none that is over.

    Cost: reads what the index has of them, no journal.
    """
    if not ids:
        return {}
    with open_runs(project) as runs:
        records = runs.index.records(ids)
    found = ((record.run.id, find_progress(record)) for record in records)
    return {run_id: progress for run_id, progress in found if progress is not None}

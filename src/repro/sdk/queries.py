"""The runs of a repository as a list of records."""

import os
import time
from pathlib import Path

from repro.core.project import open_project
from repro.core.query import describe_problem, list_runs
from repro.core.record import recover_runs
from repro.model.run import Record
from repro.sdk.notices import warn


def runs(
    *,
    limit: int | None = None,
    status: str | None = None,
    name: str | None = None,
    tag: str | None = None,
) -> list[Record]:
    """List the runs of the repository around the current folder, newest first.

    Runs in progress are among them; runs whose process died are sealed first.

    Args:
        limit: At most so many; None is all.
        status: Only runs with this status, such as `finished`.
        name: Only runs with exactly this name.
        tag: Only runs with this tag.

    Raises:
        NotARepositoryError: There is no repository here.
    """
    project = open_project(Path.cwd(), environ=os.environ, clock=time.time, entropy=os.urandom)
    for problem in recover_runs(project).problems:
        warn(problem)
    listing = list_runs(project, limit=None if name else limit, status=status, tag=tag)
    for found in listing.problems:
        warn(describe_problem(found))
    records = [record for record in listing.records if name is None or record.run.name == name]
    return records[:limit]

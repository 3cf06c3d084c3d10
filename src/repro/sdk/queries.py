"""The runs of a repository, asked for from Python."""

from repro.core.project import Project
from repro.core.query import describe_problem, list_runs, resolve_run
from repro.core.record import recover_runs
from repro.sdk.here import find_project
from repro.sdk.notices import warn
from repro.sdk.record import Record
from repro.sdk.runlist import RunList


def runs(
    *,
    limit: int | None = None,
    status: str | None = None,
    name: str | None = None,
    tag: str | None = None,
) -> RunList:
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
    project = _open()
    listing = list_runs(project, limit=None if name else limit, status=status, tag=tag)
    for found in listing.problems:
        warn(describe_problem(found))
    records = [record for record in listing.records if name is None or record.run.name == name]
    root = project.repository.root
    return RunList([Record(record, root) for record in records[:limit]])


def get_run(name: str) -> Record:
    """Give one run by anything the command line calls it.

    Args:
        name: An id or its first characters, a name, `@` for the newest run, `@{1}` for the one
            before it, `RUN~1` for the parent of another run.

    Raises:
        UnknownRunError: Nothing is called that.
        AmbiguousRunError: Several ids start like that.
        NotARepositoryError: There is no repository here.
        DamagedRecordError: Its record cannot be read.
    """
    project = _open()
    return Record(resolve_run(project, name), project.repository.root, is_whole=True)


def _open() -> Project:
    project, _ = find_project()
    for problem in recover_runs(project).problems:
        warn(problem)
    return project

"""The runs of a repository, asked for from Python."""

import operator
from collections.abc import Sequence

from repro.core.choosing import Choice
from repro.core.chosen import find_chosen
from repro.core.known import describe_problem
from repro.core.project import Project
from repro.core.query import resolve_run
from repro.core.record import recover_runs
from repro.model.run import Status
from repro.model.text import escape
from repro.sdk import runlist
from repro.sdk.here import find_project
from repro.sdk.notices import warn
from repro.sdk.places import showing_place
from repro.sdk.record import Record
from repro.sdk.runlist import RunList

_STATUSES = [one.value for one in Status]


def runs(
    where: str = "",
    *,
    sort: str | Sequence[str] = (),
    limit: int | None = None,
    status: str | None = None,
    name: str | None = None,
    tag: str | None = None,
) -> RunList:
    """List the runs of the repository around the current folder, newest first.

    Runs in progress are among them; runs whose process died are sealed first.

    Args:
        where: A filter in the query language, such as `val_loss < .2 and lr < 1e-4`.
        sort: A name, or several, that the first counts most of: `val_loss` ascending,
            `-val_loss` descending.
        limit: At most so many; None is all.
        status: Only runs with this status, such as `finished`.
        name: Only runs with exactly this name.
        tag: Only runs with this tag.

    Raises:
        FilterError: The filter, or a name to sort by, is wrong; its text shows the place.
        NotARepositoryError: There is no repository here.
        TypeError: An argument is no text, or no whole number.
        ValueError: There is no such status, or the limit is negative.
    """
    _check_texts(where=where, status=status or "", name=name or "", tag=tag or "")
    if status is not None and status not in _STATUSES:
        raise ValueError(f"`{escape(status)}` is no status: it is one of {', '.join(_STATUSES)}")
    limit = None if limit is None else operator.index(limit)
    if limit is not None and limit < 0:
        raise ValueError(f"the limit is {limit}; None is all runs")
    keys = (sort,) if isinstance(sort, str) else tuple(sort)
    for key in keys:
        _check_texts(sort=key)
    project = _open()
    choice = Choice(where=where, sort=keys, status=status, name=name, tag=tag)
    with showing_place():
        found = find_chosen(project, choice, limit=limit, n_first=runlist.CHUNK)
    for problem in found.problems:
        warn(describe_problem(problem))
    root = project.repository.root
    return RunList(root, found.ids, [Record(parts, root) for parts in found.first])


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
        TypeError: `name` is no text.
    """
    _check_texts(name=name)
    project = _open()
    return Record(resolve_run(project, name), project.repository.root, is_whole=True)


def _check_texts(**given: object) -> None:
    """Refuse what would be looked for, and never found, or end deep inside."""
    for what, value in given.items():
        if not isinstance(value, str):
            raise TypeError(f"`{what}` is a text, not {type(value).__name__}")


def _open() -> Project:
    project, _ = find_project()
    for problem in recover_runs(project).problems:
        warn(problem)
    return project

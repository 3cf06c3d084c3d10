"""Where a verb runs: the project around the current folder, and how runs are named on a line."""

from collections.abc import Mapping, Sequence

from repro.cli import render
from repro.cli.completing import RUN as RUN
from repro.cli.opening import open_around
from repro.core.project import Project, is_recording
from repro.errors import UsageError
from repro.model.text import escape
from repro.store.outbox import take_words


def given_one(options: Mapping[str, bool]) -> str | None:
    """The one of several options that is given, None where none is.

    Args:
        options: Whether each is given, by its spelling.

    Raises:
        UsageError: More than one is.
    """
    given = [option for option, is_given in options.items() if is_given]
    if len(given) > 1:
        raise UsageError(f"`{given[0]}` and `{given[1]}` exclude each other", hint="give one")
    return given[0] if given else None


def open_here() -> Project:
    """The project around the current folder, once the runs whose processes died are sealed."""
    project = open_around()
    for word in take_words(project.repository.private):
        render.note(f"repro: {escape(word.message)}")
        if word.hint:
            render.note(f"hint: {escape(word.hint)}")
    if not is_recording(project):
        return project
    # Here, for most commands find nothing to recover and would pay 20 ms for it.
    from repro.core.record import recover_runs  # noqa: PLC0415

    recovered = recover_runs(project)
    for run in recovered.runs:
        render.note(f"repro: the process of run {run.id} is gone, its record is kept: {run.status}")
    for problem in (*recovered.problems, *_push(project, [run.id for run in recovered.runs])):
        render.note(f"repro: warning: {escape(problem)}")
    return project


def _push(project: Project, ids: Sequence[str]) -> list[str]:
    from repro.core.autopush import push_soon  # noqa: PLC0415  # as above

    reason = push_soon(project, ids) if ids else None
    return [reason] if reason else []

"""The Python that the command of a recorded run would meet today, as far as can be told."""

from pathlib import Path

from repro.core.project import Project
from repro.core.trust import is_own
from repro.model.environment import part
from repro.model.run import Record
from repro.store.interpreter import is_environment
from repro.store.which import is_certain


def likely_command(project: Project, record: Record) -> tuple[str, ...]:
    """Words that start the interpreter which the command of a run would start.

    Those of the command itself where they name one. A script of shell may start any: then it is
    the interpreter that it did start, where that is of an environment that is still there, and
    the user's own run says so.
    """
    run = record.run
    facts = part(record.environment, "interpreter")
    executable, prefix = facts.get("executable"), facts.get("prefix")
    if not isinstance(executable, str) or not isinstance(prefix, str):
        return run.command
    folder = project.repository.root / run.cwd
    is_there = Path(executable).is_absolute() and Path(executable).is_file()
    if not is_there or not is_environment(prefix) or not is_own(project, record):
        return run.command
    if is_certain(run.command, environ=project.environ, cwd=folder, root=project.repository.root):
        return run.command
    return (executable,)

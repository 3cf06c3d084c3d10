"""The Python that a command turned out to run, where that is not the one its words promised."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from repro.core.capture import identify
from repro.core.environment import capture_environment
from repro.core.project import Project
from repro.core.query import code_of
from repro.core.start import LiveRun
from repro.core.started import read_start
from repro.model.canonical import Json
from repro.model.environment import part
from repro.model.randomness import MAIN, ProcessReport
from repro.model.run import Run
from repro.store.random_reports import read_reports
from repro.store.which import is_tool

_NAMED = 3


def note_python(project: Project, live: LiveRun) -> None:
    """Record the environment of the Python that the command of a run has run.

    Nothing is done where it is the recorded one, or where no Python said which one it is.

    Cost: where it is another one, that is asked, as for `capture_environment`.
    """
    processes = read_reports(live.dir).processes
    real, _ = _find_python(live.run.command, live.environment, processes)
    if real is None:
        return
    folder = project.repository.root / live.run.cwd
    found = capture_environment(project, (real.executable,), cwd=folder)
    if _home(part(found, "interpreter").get("prefix")) != _home(real.prefix):
        return  # then the record says that it does not know
    # It was read behind what a rerun puts there for its tree.
    found["variables"] = live.environment.get("variables", found["variables"])
    record: dict[str, Json] = {"k": "environment", "v": found, "t": project.clock()}
    started = read_start(live.dir)
    if started is not None and started.run.identity is not None:
        tree = project.repository.git.text("rev-parse", f"{code_of(started.run)}^{{tree}}")
        record["identity"] = identify(
            tree, started.config, started.data, started.run.command, found
        )
    live.journal.append(record)


def doubt_environment(
    environment: Mapping[str, Json], run: Run, processes: Sequence[ProcessReport]
) -> tuple[dict[str, Json], Run]:
    """Give the environment of a run and the run, neither claiming what is not known.

    An environment that is not of the Python that ran is none at all, rather than another one.
    """
    real, others = _find_python(run.command, environment, processes)
    warnings = list(run.warnings)
    sure = dict(environment)
    if real is not None:
        said = f"the command ran `{real.executable}`"
        warnings.append(f"{said}, whose packages are not recorded: name it in the command")
        error = "the command started it by another name"
        sure["interpreter"] = {"executable": real.executable, "error": error}
        sure["packages"] = {"count": 0, "digest": None, "error": error, "list": []}
    if others:
        more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
        named = ", ".join(f"`{one}`" for one in others[:_NAMED]) + more
        warnings.append(f"the command ran {named}, too, whose packages are not recorded")
    identity = run.identity if real is None else None
    return sure, replace(run, identity=identity, warnings=tuple(warnings))


def _find_python(
    command: Sequence[str], environment: Mapping[str, Json], processes: Sequence[ProcessReport]
) -> tuple[ProcessReport | None, tuple[str, ...]]:
    """The process whose Python should have been recorded; executables of others beside it.

    None where that is the recorded one, or where nothing is known.
    """
    recorded = _home(part(environment, "interpreter").get("prefix"))
    ran = _without_replaced([one for one in processes if one.prefix and one.executable])
    if recorded is None or not ran:
        return None, ()
    homes = {_home(one.prefix): one.executable for one in reversed(ran)}
    if is_tool(command[0] if command else "") and recorded in homes:
        return None, ()  # what else ran is the tool
    first = ran[0]
    is_recorded = _home(first.prefix) == recorded
    if first.key != MAIN:  # one of those that a line of shell, or a script of it, starts
        homes.pop(_home(first.prefix))
        others = tuple(homes.values())
    else:
        others = ()
    return None if is_recorded else first, others


def _without_replaced(processes: Sequence[ProcessReport]) -> list[ProcessReport]:
    """All but those in whose place another program came by `exec`, as `poetry run` does it."""
    last: dict[int, ProcessReport] = {}
    for one in sorted(processes, key=lambda one: one.started):
        last[one.pid] = one
    return [one for one in processes if not one.pid or last[one.pid] is one]


def _home(prefix: Json) -> str | None:
    """Where an environment really is, also where it is reached by links to what is in it."""
    if not isinstance(prefix, str) or not prefix.startswith("/"):
        return None
    return str(Path(os.path.realpath(f"{prefix}/pyvenv.cfg")).parent)

"""Projects with a clock and ids that the test chooses, and runs recorded in them."""

import itertools
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from repro.core.project import Project, open_project
from repro.core.record import seal_run
from repro.core.request import Request
from repro.core.start import LiveRun, start_run
from repro.model.run import Run
from tests.support.drawing import draw

NOW = 1_764_000_000.0


def ticking(start: float = NOW, step: float = 1.0) -> Callable[[], float]:
    """A clock that is one step later each time it is read."""
    counter = itertools.count()
    return lambda: start + step * next(counter)


def open_here(root: Path, clock: Callable[[], float] | None = None) -> Project:
    """The project around `root`, with real ids and a ticking clock."""
    return open_project(root, environ=os.environ, clock=clock or ticking(), entropy=draw)


def begin(project: Project, **request: Any) -> LiveRun:
    """Start a run of `python train.py` as the request says otherwise."""
    values: dict[str, Any] = {"command": ("python", "train.py"), "cwd": project.repository.root}
    return start_run(project, Request(**{**values, **request}))


def make_run(
    project: Project,
    metrics: Mapping[str, float] | None = None,
    *,
    steps: int = 1,
    status: str = "finished",
    **request: Any,
) -> Run:
    """A sealed run that logged `metrics` at each of its steps."""
    live = begin(project, **request)
    for step in range(steps if metrics else 0):
        live.journal.log(step, project.clock(), dict(metrics or {}))
    exit_code = 0 if status == "finished" else 1
    live.journal.append(
        {"k": "end", "t": project.clock(), "status": status, "exit_code": exit_code}
    )
    live.journal.close()
    return seal_run(project, live.dir).run


def log(live: LiveRun, step: int, **values: float | str) -> None:
    """Log values in a run in progress, now."""
    live.journal.log(step, time.time(), values)


def end(live: LiveRun, root: Path, status: str = "finished", exit_code: int = 0) -> None:
    """End a run in progress, and seal it, now."""
    record = {"k": "end", "t": time.time(), "status": status, "exit_code": exit_code}
    live.journal.append(record)
    live.journal.close()
    seal_run(open_here(root, time.time), live.dir)

"""Where a verb runs: the project around the current folder, and how runs are named on a line."""

import math
import os
import random
import re
import time
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from repro.cli import render
from repro.core.project import Project, is_recording, open_project
from repro.core.query import suggest_runs
from repro.errors import NotARepositoryError, ReproError
from repro.model.text import escape


def open_here() -> Project:
    """The project around the current folder, once the runs whose processes died are sealed."""
    project = _open()
    if not is_recording(project):
        return project
    # Here, for most commands find nothing to recover and would pay 20 ms for it.
    from repro.core.record import recover_runs  # noqa: PLC0415

    recovered = recover_runs(project)
    for run in recovered.runs:
        render.note(f"repro: the process of run {run.id} is gone, its record is kept: {run.status}")
    for problem in recovered.problems:
        render.note(f"repro: warning: {escape(problem)}")
    return project


def _open() -> Project:
    try:
        cwd = Path.cwd()
    except FileNotFoundError as error:  # such as by a checkout of what has no such folder
        raise NotARepositoryError(
            "the current folder does not exist any more", hint="change to one that does"
        ) from error
    environ = dict(os.environ)
    now = environ.pop("REPRO_NOW", None)  # only tests set it, so that times and ids are stable
    if now is None:
        return open_project(cwd, environ=environ, clock=time.time, entropy=os.urandom)
    moment = float(now)
    seed = random.Random(environ.pop("REPRO_SEED", ""))  # noqa: S311  # ids of a test are no secret
    return open_project(cwd, environ=environ, clock=lambda: moment, entropy=seed.randbytes)


_PLAIN = re.compile(r"[\w.:,+=%/][\w.:,+=%/@-]*\Z")


class RunName(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.4 on
    """A run as the user names it, completed with ids and names."""

    name = "run"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Ids and names that start with `incomplete`."""
        try:
            found = suggest_runs(_open(), incomplete)
        except ReproError:
            return []  # a shell that completes is no place for a message
        # bash puts the text into the line as it is: a name with `$(…)` would be executed.
        return [CompletionItem(text, help=what) for text, what in found if _PLAIN.match(text)]


RUN = RunName()


class _NumberAbove0(click.FloatRange):
    name = "number above 0"  # as in "'abc' is not a valid number above 0"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The number; NaN, which no bound keeps out, is none."""
        number = float(super().convert(value, param, ctx))
        if math.isnan(number):
            self.fail(f"{value!r} is not a valid {self.name}.", param, ctx)
        return number


NUMBER_ABOVE_0 = _NumberAbove0(min=0, min_open=True)

"""Where a verb runs: the project around the current folder, and how runs are named on a line."""

import os
import random
import time
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from repro.cli import render
from repro.core.project import Project, open_project
from repro.core.query import list_runs
from repro.core.record import recover_runs
from repro.errors import ReproError
from repro.model.text import escape


def open_here() -> Project:
    """The project around the current folder, once the runs whose processes died are sealed."""
    project = _open()
    recovered = recover_runs(project)
    for run in recovered.runs:
        render.note(f"repro: run {run.id} had lost its process; it is sealed as {run.status}")
    for problem in recovered.problems:
        render.note(f"repro: warning: {escape(problem)}")
    return project


def _open() -> Project:
    clock, entropy = time.time, os.urandom
    if "REPRO_NOW" in os.environ:  # only tests set it: every id and time is stable
        now = float(os.environ["REPRO_NOW"])
        seed = random.Random(os.environ.get("REPRO_SEED", ""))  # noqa: S311
        return open_project(
            Path.cwd(), environ=os.environ, clock=lambda: now, entropy=seed.randbytes
        )
    return open_project(Path.cwd(), environ=os.environ, clock=clock, entropy=entropy)


class RunName(click.ParamType[str]):
    """A run as the user names it; completed with ids and names."""

    name = "run"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Ids, with the name as help, and names of the newest runs that start with `incomplete`."""
        try:
            records = list_runs(_open(), limit=200).records
        except ReproError:
            return []
        items = []
        for record in records:
            title = record.run.name or " ".join(record.run.command)
            if record.run.id.startswith(incomplete):
                items.append(CompletionItem(str(record.run.id), help=escape(title)))
            if record.run.name and incomplete and record.run.name.startswith(incomplete):
                items.append(CompletionItem(record.run.name, help=record.run.id))
        return items


RUN = RunName()

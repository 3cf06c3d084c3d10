"""`repro init` and `repro status`: ready to record, and what would be recorded."""

import click

from repro.cli import render
from repro.cli.changes import describe_state, state_json
from repro.cli.context import open_here
from repro.cli.progress import showing_progress
from repro.core.project import Project
from repro.core.query import run_json
from repro.core.status import Present, look_around, write_settings
from repro.model.canonical import Json
from repro.model.text import escape
from repro.store.settings import FILE

MOST_FILES = 20  # listed of each kind; `--json` has all


@click.command()
def init() -> None:
    """Get a git repository ready to record runs.

    Nothing has to be set up: this says what a run would record here, and writes a `repro.yaml`
    with every setting as a comment. A file that is there already stays as it is.
    """
    project = open_here()
    is_new = write_settings(project)
    render.out(f"ready to record runs in {escape(str(project.repository.root))}")
    done = "written, every setting a comment" if is_new else "there already, left as it is"
    render.out(f"{FILE}: {done}")
    render.note("hint: `repro run -- python train.py` records a run, `repro ls` lists them")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def status(*, as_json: bool) -> None:
    """Show what a run would record now: code, files left out, settings, datasets, live runs."""
    project = open_here()
    with showing_progress("hashing the datasets") as report:
        present = look_around(project, on_progress=report)
    if as_json:
        render.data_json(_as_json(project, present))
        return
    _say_code(present)
    _say_settings(project, present)
    _say_data(present)
    if present.live:
        render.out("\nRuns in progress:")
        rows = [
            [f"  {record.run.id}", record.run.name or "", " ".join(record.run.command)]
            for record in present.live
        ]
        render.out(render.columns(rows))


def _say_code(present: Present) -> None:
    branch = f"branch {escape(present.branch)}" if present.branch else "no branch"
    base = present.base[:10] if present.base else "no commit yet"
    render.out(f"On {branch}, {base}")
    if not present.dirty:
        render.out("A run would record this commit: nothing in the working tree differs from it")
    if present.changes:
        render.out("\nA run would record the code with these changes:")
        _say_files([[f"  {change.kind}", change.path] for change in present.changes])
    if present.submodules:
        render.out("\nWith the content of these submodules, which their remotes do not have:")
        _say_files([[f"  {path}"] for path in present.submodules])
    if present.omitted:
        render.out("\nLeft out of it:")
        _say_files(
            [
                [f"  {one.path}", one.reason, "" if one.size is None else f"{one.size:,} bytes"]
                for one in present.omitted
            ]
        )


def _say_files(rows: list[list[str]]) -> None:
    render.out(render.columns(rows[:MOST_FILES]))
    if len(rows) > MOST_FILES:
        render.out(f"  … and {len(rows) - MOST_FILES} more")


def _say_settings(project: Project, present: Present) -> None:
    settings = project.settings
    if not present.has_settings:
        render.out(f"\nNo {FILE}: config comes from the command line and the SDK")
        return
    named = ("config", "metrics", "artifacts")
    rows = [[f"  {key}:", ", ".join(getattr(settings, key))] for key in named]
    rows = [row for row in rows if row[1]]
    render.out(f"\n{FILE}:" if rows else f"\n{FILE} sets no config, metrics or artifacts")
    if rows:
        render.out(render.columns(rows))


def _say_data(present: Present) -> None:
    if present.data:
        render.out("\nDatasets:")
        rows = [[f"  {state.name}", describe_state(state)] for state in present.data]
        render.out(render.columns(rows))


def _as_json(project: Project, present: Present) -> dict[str, Json]:
    settings = project.settings
    return {
        "root": str(project.repository.root),
        "base": present.base,
        "branch": present.branch,
        "dirty": present.dirty,
        "changes": [{"path": change.path, "kind": change.kind} for change in present.changes],
        "omitted": [
            {"path": one.path, "size": one.size, "reason": one.reason} for one in present.omitted
        ],
        "submodules": list(present.submodules),
        "settings": {
            "file": FILE if present.has_settings else None,
            "config": list(settings.config),
            "metrics": list(settings.metrics),
            "artifacts": list(settings.artifacts),
            "max_file": settings.max_file,
            "max_total": settings.max_total,
            "exclude": list(settings.exclude),
        },
        "config": dict(present.config),
        "data": {state.name: state_json(state) for state in present.data},
        "live": [run_json(record) for record in present.live],
    }

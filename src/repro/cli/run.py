"""`repro run`: record a command as a run."""

from collections.abc import Sequence
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from repro.cli import render
from repro.cli.context import open_here
from repro.cli.progress import showing_progress
from repro.cli.sizes import format_size
from repro.core.command import resolve_command
from repro.core.curate import check_label
from repro.core.environment import capture_environment
from repro.core.launch import Outcome, Streams, launch
from repro.core.project import Project
from repro.core.query import resolve_run, run_json, short_id
from repro.core.record import seal_run
from repro.core.relay import Relay
from repro.core.start import LiveRun, Request, start_run
from repro.errors import CommandError, ReproError, UsageError
from repro.model.canonical import Json
from repro.model.config import nest_config, parse_assignment
from repro.model.ids import is_id
from repro.model.run import Omitted, Run
from repro.model.text import escape

_OMITTED_SHOWN = 5


@click.command(
    context_settings={"allow_interspersed_args": False},
    options_metavar="[OPTIONS] --",
)
@click.option("-n", "--name", metavar="NAME", help="Name of the run; need not be unique.")
@click.option("-t", "--tag", "tags", multiple=True, metavar="TAG", help="Tag; may be repeated.")
@click.option(
    "-c",
    "--config",
    "assignments",
    multiple=True,
    metavar="K=V",
    help="Entry of the config, such as model.width=64; wins over files and command.",
)
@click.option("--note", metavar="TEXT", help="Free text kept with the run.")
@click.option(
    "--data",
    "data",
    multiple=True,
    type=click.Path(),
    metavar="PATH",
    help="Dataset that the command reads, beside those of repro.yaml; may be repeated.",
)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print the run as JSON; what the command prints goes to standard error.",
)
@click.argument(
    "command",
    nargs=-1,
    type=click.UNPROCESSED,
    metavar="CMD...",
    # The words of the command are files, as far as we can tell.
    shell_complete=lambda _ctx, _param, word: [CompletionItem(word, type="file")],
)
def run(
    name: str | None,
    tags: tuple[str, ...],
    assignments: tuple[str, ...],
    note: str | None,
    data: tuple[str, ...],
    command: tuple[str, ...],
    *,
    as_json: bool,
) -> int:
    r"""Run a command and record its exact code, config, output and results.

    \b
    repro run -- python train.py --lr 0.01
    repro run -n baseline -t paper -c seed=3 -- python train.py

    The exit code is the command's own; 125 when repro itself failed, 126 when the command
    cannot be executed, 127 when there is none.
    """
    if not command:
        raise UsageError("no command to run", hint="`repro run -- python train.py`")
    config: dict[str, Json] = nest_config(dict(map(parse_assignment, assignments)))
    if name is not None:
        check_label("name", name)
    for tag in tags:
        check_label("tag", tag)
    project = open_here()
    cwd = Path.cwd()
    resolved = resolve_command(command, cwd=cwd, environ=project.environ)
    outer = project.environ.get("REPRO_RUN_ID", "")
    request = Request(
        command=command,
        cwd=cwd,
        name=name,
        tags=tags,
        note=note,
        config=config,
        environment=capture_environment(project, command, cwd=cwd),
        data=data,
        parent=outer if is_id(outer) else None,
    )
    streams = Streams(stdout=2) if as_json else Streams()
    with Relay() as relay:
        with showing_progress("hashing the datasets") as report:
            live = start_run(project, request, on_progress=report)
        live.journal.warn = _warn
        _say_omitted(live.run.omitted)
        try:
            outcome = launch(project, live, resolved, relay=relay, streams=streams)
        except CommandError:
            _seal(project, live, relay)
            raise
        sealed = _seal(project, live, relay)
        _say_end(project, sealed, outcome)
        if as_json:
            render.data_json(run_json(resolve_run(project, sealed.id)))
    return outcome.exit_code


def _seal(project: Project, live: LiveRun, relay: Relay) -> Run:
    with relay.held():
        try:
            return seal_run(project, live.dir)
        except ReproError:
            if live.dir.exists():
                state = "has ended, but is not sealed yet"
                _warn(f"run {live.id} {state}; the next command tries again")
            raise


def _say_end(project: Project, run: Run, outcome: Outcome) -> None:
    short = short_id(project, run.id)
    how = f"{run.status} in {_duration(run.duration_s or 0.0)}"
    if outcome.signal:
        how = f"{run.status} by {outcome.signal} after {_duration(run.duration_s or 0.0)}"
    elif outcome.exit_code:
        how = f"{run.status} with exit code {outcome.exit_code} after" + how.partition(" in")[2]
    render.note(f"repro: recorded run {short} ({how}) · repro show {short}")
    _say_omitted(run.omitted)
    for warning in run.warnings:
        _warn(warning)
    if run.lost_points:
        _warn(f"{run.lost_points:,} points could not be kept")


def _say_omitted(omitted: Sequence[Omitted]) -> None:
    for one in omitted[:_OMITTED_SHOWN]:
        size = "" if one.size is None else f"{format_size(one.size)}, "
        _warn(f"`{one.path}` is not in the record ({size}{one.reason})")
    if len(omitted) > _OMITTED_SHOWN:
        _warn(f"… and {len(omitted) - _OMITTED_SHOWN} more are not in the record")


def _warn(text: str) -> None:
    render.note(f"repro: warning: {escape(text)}")


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes = round(seconds) // 60
    if minutes < 60:
        return f"{minutes} min {round(seconds) % 60} s"
    return f"{minutes // 60} h {minutes % 60} min"

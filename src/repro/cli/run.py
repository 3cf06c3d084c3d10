"""`repro run`: record a command as a run."""

from pathlib import Path

import click
from click.shell_completion import CompletionItem

from repro.cli import render
from repro.cli.completing import complete_settings, complete_tags
from repro.cli.context import open_here
from repro.cli.dataoption import takes_data
from repro.cli.outcome import say_end, say_omitted, warn
from repro.cli.progress import showing_progress
from repro.cli.tried import say_tried
from repro.core.autopush import push_soon
from repro.core.autosign import sign_sealed
from repro.core.command import resolve_command
from repro.core.curate import check_label
from repro.core.environment import capture_environment
from repro.core.launch import Streams, launch
from repro.core.observe import Observed
from repro.core.project import Project
from repro.core.published import publish_often, tell_published
from repro.core.query import resolve_run, run_json
from repro.core.randomness import draw_randomness
from repro.core.record import seal_run
from repro.core.relay import Relay
from repro.core.request import Request
from repro.core.start import LiveRun, start_run
from repro.core.tried import ManyNewError, Tried, look_up
from repro.errors import CommandError, ReproError, UsageError
from repro.model.canonical import Json
from repro.model.config import nest_config, parse_assignment
from repro.model.ids import is_id
from repro.model.run import Record
from repro.model.text import escape
from repro.store.personal import read_interval
from repro.store.quarantine import Quarantine


@click.command(
    context_settings={"allow_interspersed_args": False},
    options_metavar="[OPTIONS] --",
)
@click.option("-n", "--name", metavar="NAME", help="Name of the run; need not be unique.")
@click.option(
    "-t", "--tag", "tags", multiple=True, metavar="TAG", shell_complete=complete_tags,
    help="Tag; may be repeated.",
)  # fmt: skip
@click.option(
    "-c",
    "--config",
    "assignments",
    multiple=True,
    metavar="K=V",
    shell_complete=complete_settings,
    help="Entry of the config, such as model.width=64; wins over files and command.",
)
@click.option("--note", metavar="TEXT", help="Free text kept with the run.")
@takes_data
@click.option(
    "--no-bootstrap",
    is_flag=True,
    help="Leave the random numbers of the command alone: no seed is drawn for them.",
)
@click.option(
    "--skip-existing",
    is_flag=True,
    help="If a run of the very same conditions has finished, give that one and run nothing.",
)
@click.option(
    "--live",
    "every",
    metavar="TIME",
    callback=lambda _ctx, _param, text: None if text is None else _read_interval(text),
    help="Publish what the run logged so far, every so often, such as 60s.",
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
def run(  # noqa: PLR0913  # click hands over each option by its name
    name: str | None,
    tags: tuple[str, ...],
    assignments: tuple[str, ...],
    note: str | None,
    data: tuple[str, ...],
    command: tuple[str, ...],
    *,
    no_bootstrap: bool,
    skip_existing: bool,
    every: float | None,
    as_json: bool,
) -> int:
    r"""Run a command and record its exact code, config, output and results.

    \b
    repro run -- python train.py --lr 0.01
    repro run -n baseline -t paper -c seed=3 -- python train.py
    repro run --skip-existing -- python train.py

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
        randomness=draw_randomness(project, bootstrap=not no_bootstrap),
    )
    streams = Streams(stdout=2) if as_json else Streams()
    with Relay() as relay:
        live = _start(project, request, skipping=skip_existing)
        if isinstance(live, Record):
            if as_json:
                render.data_json(run_json(live))
            return 0
        live.journal.warn = warn
        say_omitted(live.run.omitted)
        if unpublished := publish_often(project, live.id, every):
            warn(unpublished)
        try:
            outcome = launch(project, live, resolved, relay=relay, streams=streams)
        except CommandError:
            _seal(project, live, relay)
            raise
        sealed = _end(project, live, relay)
        say_end(project, sealed, outcome)
        if as_json:
            render.data_json(run_json(resolve_run(project, sealed.run.id)))
    return outcome.exit_code


def _read_interval(text: str) -> float:
    seconds = read_interval(text)
    if seconds is None:
        raise UsageError(
            f"`--live {escape(text[:80])}` is no time of 1 s or more", hint="`--live 60s`"
        )
    return seconds


class _SkippedError(Exception):
    """Nothing is run, for `record` is what it would come to."""

    def __init__(self, record: Record) -> None:
        super().__init__(record.run.id)
        self.record = record


def _start(project: Project, request: Request, *, skipping: bool) -> LiveRun | Record:
    """The run started, or the one that makes it needless."""
    told: list[Tried] = []

    def consider(quarantine: Quarantine, seen: Observed) -> None:
        try:
            tried = look_up(project, quarantine, seen, is_patient=skipping)
        except ManyNewError:  # only told where nothing hangs on it
            return
        except (ReproError, OSError) as error:  # no reason not to run
            if skipping:
                warn(f"nothing can tell whether this was run before: {error}")
            return
        told[:] = [tried]
        if skipping and tried.finished is not None:
            raise _SkippedError(tried.finished)
        if skipping and seen.identity is None:
            warn("a dataset cannot be pinned, so nothing can tell whether this was run before")

    skipped = None
    with showing_progress("hashing the datasets") as report:
        try:
            live = start_run(project, request, consider=consider, on_progress=report)
        except _SkippedError as error:
            skipped = error.record
    for tried in told:
        say_tried(tried, now=project.clock(), skipping=skipped is not None)
    return skipped or live


def _end(project: Project, live: LiveRun, relay: Relay) -> Record:
    """Seal the run, sign and push it if the user wants that, and say what of it went wrong."""
    unpublished = tell_published(live.dir)
    sealed = _seal(project, live, relay)
    failed = (unpublished, sign_sealed(project, sealed.run.id), push_soon(project, [sealed.run.id]))
    for reason in filter(None, failed):
        warn(reason)
    return sealed


def _seal(project: Project, live: LiveRun, relay: Relay) -> Record:
    with relay.held():
        try:
            return seal_run(project, live.dir)
        except ReproError:
            if live.dir.exists():
                state = "has ended, but is not sealed yet"
                warn(f"run {live.id} {state}; the next command tries again")
            raise

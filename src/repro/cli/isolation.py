"""`repro exec` and `repro shell`: a command, or a shell, in a run's own tree and environment."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from repro.cli import render
from repro.cli.consent import ask_consent, ask_foreign
from repro.cli.context import RUN, open_here
from repro.cli.dashes import Entering
from repro.cli.outcome import warn
from repro.cli.progress import showing_progress, showing_steps
from repro.core.command import resolve_command
from repro.core.conditions import Conditions, Which, place_argv, restore_conditions
from repro.core.execute import execute
from repro.core.isolation import isolated, look_at_tree
from repro.core.project import Project
from repro.core.query import resolve_run, short_id
from repro.core.relay import Relay
from repro.core.usershell import user_shell
from repro.errors import UsageError
from repro.model.text import escape

_SHOWN = 5

ENV = click.option(
    "--env",
    "which",
    type=click.Choice([Which.RECORDED.value, Which.CURRENT.value]),
    help="Whose packages: as recorded, rebuilt where needed, or the present ones. Default: "
    "the present ones where they are those recorded.",
)
NEAREST = click.option(
    "--nearest", is_flag=True, help="Take the nearest version of a package that cannot be had."
)
YES = click.option(
    "-y", "--yes", is_flag=True, help="Do not ask, though somebody else made it, or packages of it."
)
_KEEP = click.option("--keep", is_flag=True, help="Leave the worktree where it is.")
_NO_DATA = click.option("--no-data", is_flag=True, help="Do without the datasets of the run.")


@click.command(
    "exec",
    cls=Entering,
    context_settings={"allow_interspersed_args": False},
    options_metavar="[OPTIONS]",
)
@ENV
@NEAREST
@_KEEP
@_NO_DATA
@YES
@click.argument("name", metavar="RUN", type=RUN)
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="[--] CMD...")
def exec_(
    name: str,
    which: str | None,
    command: tuple[str, ...],
    *,
    nearest: bool,
    keep: bool,
    no_data: bool,
    yes: bool,
) -> int:
    r"""Run a command in a fresh worktree with a run's code, data and environment.

    \b
    repro exec baseline -- python evaluate.py --split test
    repro exec --env current baseline -- pytest

    It starts in the folder where the command of the run did. Your own tree is not touched. The
    worktree is taken away afterwards, with what the command wrote into it, unless --keep is given.
    Nothing is recorded, but what `repro run` or `repro rerun` as its command record: the SDK is
    told so by REPRO_MODE=disabled, unless you set that. The exit code is the command's.
    """
    words = command[1:] if command[:1] == ("--",) else command
    if not words:
        raise UsageError(
            "no command to run", hint=f"`repro exec {escape(name)} -- CMD`, or `repro shell`"
        )
    return _enter(name, words, which, nearest=nearest, keep=keep, no_data=no_data, yes=yes)


@click.command()
@ENV
@NEAREST
@_KEEP
@_NO_DATA
@YES
@click.argument("name", metavar="RUN", type=RUN)
def shell(
    name: str, which: str | None, *, nearest: bool, keep: bool, no_data: bool, yes: bool
) -> int:
    """Open a shell in a fresh worktree with a run's code, data and environment.

    It starts in the folder where the command of the run did. Your own tree is not touched. The
    worktree is taken away when the shell ends, unless files in it were changed or made, or --keep
    is given. What records a run, there as elsewhere, does so.
    """
    return _enter(name, (), which, nearest=nearest, keep=keep, no_data=no_data, yes=yes)


def _enter(
    name: str,
    words: tuple[str, ...],
    which: str | None,
    *,
    nearest: bool,
    keep: bool,
    no_data: bool,
    yes: bool,
) -> int:
    """Run `words`, or without any the user's shell."""
    project = open_here()
    record = resolve_run(project, name)
    ask_consent(project, record, yes=yes, what="start a command with its code")
    wanted = Which(which) if which else None
    allow_foreign = ask_foreign(project, record, wanted, nearest=nearest, yes=yes)
    with (
        Relay() as relay,
        showing_progress("looking at the datasets") as report,
        isolated(
            project, record, with_data=not no_data, is_for_work=not words, on_progress=report
        ) as (place, pad),
    ):
        pad.is_kept = keep
        with showing_steps("getting ready") as (step, _):
            conditions = restore_conditions(
                project,
                record,
                place,
                wanted,
                allow_foreign=allow_foreign,
                nearest=nearest,
                on_progress=step,
            )
        for note in conditions.notes:
            warn(note)
        if not words:
            short = short_id(project, record.run.id)
            render.note(f"repro: a shell in the tree of run {short}; `exit` leaves it")
        before = look_at_tree(place)
        with _command(project, words, conditions) as (argv, environ):
            argv = place_argv(project, record, place, conditions, argv)
            command = resolve_command(argv, cwd=place.cwd, environ=environ)
            # Whatever goes wrong from here on, what was done in a shell stays.
            pad.is_kept = keep or not words
            code = execute(command, environ, relay=relay)
        after = look_at_tree(place)
        new = after.changes_since(before)
        has_work = bool(new) or after.head != before.head
        pad.is_kept = keep or (not words and has_work)
        _say_files(new, place.folder, is_kept=pad.is_kept)
    return code


@contextmanager
def _command(
    project: Project, words: tuple[str, ...], conditions: Conditions
) -> Iterator[tuple[tuple[str, ...], Mapping[str, str]]]:
    """What is to be started, without words the user's shell, and its environment."""
    environ = conditions.environ
    if words:
        yield words, environ if _is_repro(words) else {"REPRO_MODE": "disabled", **environ}
        return
    program = project.environ.get("SHELL") or "/bin/sh"
    with user_shell(program, environ) as shell:
        if not shell.is_sure:
            name = Path(program).name
            warn(f"what {name} reads at its start may put another Python first: `which python`")
        yield shell.argv, environ


def _is_repro(words: Sequence[str]) -> bool:
    return Path(words[0]).name == "repro" or tuple(words[1:3]) == ("-m", "repro")


def _say_files(new: list[str], folder: Path, *, is_kept: bool) -> None:
    if is_kept:
        render.note(f"repro: the worktree is kept: {escape(str(folder))}")
        render.note(f"hint: `git worktree remove --force {escape(str(folder))}` takes it away")
        return
    if new:
        more = f" and {len(new) - _SHOWN} more" if len(new) > _SHOWN else ""
        shown = ", ".join(f"`{escape(path)}`" for path in new[:_SHOWN])
        render.note(f"repro: written there and gone: {shown}{more}; `--keep` keeps them")

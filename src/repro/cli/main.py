"""The newcomer's map: every verb, the module that has it, and the one place errors end up."""

import difflib
import importlib
import json
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

import click

from repro.atomic import storage_errors
from repro.cli import render
from repro.errors import (
    AmbiguousRunError,
    CommandError,
    ReproError,
    UsageError,
    WouldLoseWorkError,
)
from repro.model.text import escape
from repro.version import VERSION

# Verb: where its click command is, and its one line in `repro --help`.
VERBS = {
    "init": ("repro.cli.init:init", "Get a git repository ready to record runs"),
    "status": ("repro.cli.init:status", "Show what a run would record now"),
    "demo": ("repro.cli.demo:demo", "Run a small real experiment from end to end"),
    "run": ("repro.cli.run:run", "Record a command as a run"),
    "ls": ("repro.cli.ls:ls", "List runs as a table"),
    "log": ("repro.cli.ls:log", "List runs one below the other, as git log does"),
    "show": ("repro.cli.ls:show", "Show one run, or one part of it"),
    "diff": ("repro.cli.diff:diff", "Show what differs between two runs"),
    "checkout": ("repro.cli.checkout:checkout", "Bring the exact code of a run back"),
    "undo": ("repro.cli.checkout:undo", "Take the last checkout back"),
    "tag": ("repro.cli.tag:tag", "Add tags to a run, or remove them"),
    "note": ("repro.cli.tag:note", "Show or write the note of a run"),
    "rename": ("repro.cli.tag:rename", "Give a run another name"),
    "completion": ("repro.cli.completion:completion", "Print the completion script of a shell"),
}

MOST_PATHS = 20  # of a long list of files, as many as git shows


class Verbs(click.Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All verbs, in the order of the table."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb, imported now; None where there is none."""
        if cmd_name not in VERBS:
            return None
        module, _, attribute = VERBS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs from the table, so that `repro --help` imports none of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(verb, line) for verb, (_, line) in VERBS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does; an unknown verb gets the nearest ones named."""
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            raise unknown_verb(args[0])
        return super().resolve_command(ctx, args)


def unknown_verb(word: str) -> UsageError:
    """The error for a verb that there is not."""
    near = difflib.get_close_matches(word, VERBS, n=3)
    hint = f"did you mean {' or '.join(f'`{verb}`' for verb in near)}?" if near else None
    return UsageError(f"`{escape(word)}` is not a repro command", hint=hint or "see `repro --help`")


@click.group(
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    invoke_without_command=True,
)
@click.version_option(VERSION, message="repro %(version)s")
@click.option("-C", "folder", metavar="DIR", help="Run as if started in DIR.")
@click.option("--no-pager", is_flag=True, help="Do not page long output.")
@click.pass_context
def repro(ctx: click.Context, folder: str | None, *, no_pager: bool) -> None:
    """Git for experiments: every run is a commit that brings its exact conditions back."""
    if folder is not None:
        try:
            os.chdir(folder)
        except OSError as error:
            raise UsageError(f"cannot change to `{folder}`: {error.strerror}") from error
    if no_pager:
        os.environ["REPRO_NO_PAGER"] = "1"
    if ctx.invoked_subcommand is None:
        render.out(ctx.get_help())


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    sys.exit(run_cli(list(sys.argv[1:] if args is None else args)))


def run_cli(words: Sequence[str]) -> int:
    """Run the command line; the exit code (docs/reference/exit-codes.md)."""
    try:
        code = _run(words)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader has gone; Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception:  # noqa: BLE001  # the last resort: a bug of ours, shown whole
        traceback.print_exc()
        render.note("repro: this is a bug of repro: please report it with the lines above")
        return 128
    return code


def _run(words: Sequence[str]) -> int:
    try:
        with storage_errors("to the repository"):
            code: Any = repro.main(list(words), prog_name="repro", standalone_mode=False)
    except ReproError as error:
        report(error, as_json=_wants_json(words))
        return _exit_code(error, words)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.Abort:
        return 130
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else "repro"
        mistake = UsageError(error.format_message(), hint=f"see `{where} --help`")
        report(mistake, as_json=_wants_json(words))
        return mistake.exit_code
    return code if isinstance(code, int) else 0


def report(error: ReproError, *, as_json: bool) -> None:
    """Say what went wrong and what to do next, on standard error."""
    if as_json:
        value = {"error": error.slug, "message": error.message, "hint": error.hint}
        if isinstance(error, WouldLoseWorkError):
            value["paths"] = list(error.paths)  # type: ignore[assignment]
        render.note(json.dumps(value, ensure_ascii=False))
        return
    render.note(f"repro: {escape(error.message)}")
    for line in _details(error):
        render.note(f"    {escape(line)}")
    if error.hint:
        render.note(f"hint: {escape(error.hint)}")


def _details(error: ReproError) -> list[str]:
    if isinstance(error, WouldLoseWorkError):
        lines = list(error.paths)
    elif isinstance(error, AmbiguousRunError):
        lines = list(error.candidates)
    else:
        return []
    more = len(lines) - MOST_PATHS
    return [*lines[:MOST_PATHS], f"… and {more} more"] if more > 0 else lines


def _wants_json(words: Sequence[str]) -> bool:
    own = words[: words.index("--")] if "--" in words else words
    return "--json" in own


def _exit_code(error: ReproError, words: Sequence[str]) -> int:
    """As the error says; 125 where `repro run` itself failed, as `docker run` and `env` do."""
    verb = next((word for word in words if word in VERBS), None)
    if verb == "run" and not isinstance(error, (CommandError, UsageError)):
        return 125
    return error.exit_code

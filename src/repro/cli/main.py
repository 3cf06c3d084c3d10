"""The map of the command line: every verb with its module, above the one boundary of errors."""

import io
import json
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

import click
from click.shell_completion import shell_complete

from repro.atomic import storage_errors
from repro.cli import render
from repro.cli.pager import NO_PAGER
from repro.cli.verbs import Verbs
from repro.errors import (
    AmbiguousRunError,
    CommandError,
    FilterError,
    MissingDataError,
    MissingPackagesError,
    ReproError,
    StorageError,
    UsageError,
    WouldLoseWorkError,
)
from repro.model.caret import point_at
from repro.model.text import escape
from repro.version import VERSION

# Verb: where its click command is, and its one line in `repro --help`.
VERBS = {
    "init": ("repro.cli.init:init", "Get a git repository ready to record runs"),
    "status": ("repro.cli.init:status", "Show what a run would record now"),
    "demo": ("repro.cli.demo:demo", "Run a small real experiment from end to end"),
    "run": ("repro.cli.run:run", "Record a command as a run"),
    "sweep": ("repro.cli.sweep:sweep", "Search for good params: every trial is a run"),
    "watch": ("repro.cli.watch:watch", "Watch a run in the terminal until it ends"),
    "ls": ("repro.cli.ls:ls", "List runs as a table"),
    "log": ("repro.cli.log:log", "Show runs one below the other, as git log does"),
    "show": ("repro.cli.show:show", "Show one run, or one part of it"),
    "plot": ("repro.cli.plot:plot", "Draw the curves of metrics, in the terminal or into a file"),
    "best": ("repro.cli.best:best", "Show the run with the best value of a metric"),
    "find": ("repro.cli.find:find", "Say whether something was tried already"),
    "grep": ("repro.cli.grep:grep", "Search the code, configs, notes and outputs of runs"),
    "ui": ("repro.cli.ui:ui", "Show runs as a web page"),
    "diff": ("repro.cli.diff:diff", "Show what differs between two runs"),
    "compare": ("repro.cli.compare:compare", "Show what differs between many runs, side by side"),
    "report": ("repro.cli.report:report", "Write runs into one file to read, or to post"),
    "verify": ("repro.cli.verify:verify", "Say whether a run gave the results of another one"),
    "checkout": ("repro.cli.checkout:checkout", "Bring the exact code of a run back"),
    "undo": ("repro.cli.checkout:undo", "Take the last checkout back"),
    "exec": ("repro.cli.isolation:exec_", "Run a command with a run's code, data and environment"),
    "shell": ("repro.cli.isolation:shell", "Open a shell there"),
    "rerun": ("repro.cli.rerun:rerun", "Do a run again, and verify its results"),
    "env": ("repro.cli.env:env", "Build the environment of a run again"),
    "doctor": ("repro.cli.doctor:doctor", "Say whether runs can still be reproduced today"),
    "tag": ("repro.cli.tag:tag", "Add tags to a run, or take them off"),
    "note": ("repro.cli.tag:note", "Show or write the note of a run"),
    "rename": ("repro.cli.tag:rename", "Give a run another name"),
    "sign": ("repro.cli.sign:sign", "Sign runs with the key that git signs commits with"),
    "push": ("repro.cli.push:push", "Give runs to a git remote"),
    "fetch": ("repro.cli.fetch:fetch", "Bring the runs of a git remote"),
    "pull": ("repro.cli.fetch:pull", "Bring the runs of a git remote, and merge what changed"),
    "clone": ("repro.cli.clone:clone", "Clone a repository with its runs"),
    "bundle": ("repro.cli.bundle:bundle", "Write runs into one file, to send or to archive"),
    "unbundle": ("repro.cli.unbundle:unbundle", "Take in the runs of a bundle"),
    "data": ("repro.cli.data:data", "Track, compare, share and check the datasets that runs read"),
    "rm": ("repro.cli.trash:rm", "Remove runs: they go to the trash"),
    "restore": ("repro.cli.trash:restore", "Bring removed runs back, or list the trash"),
    "gc": ("repro.cli.gc:gc", "Take away what nothing needs any more"),
    "fsck": ("repro.cli.fsck:fsck", "Say whether everything is as the format promises"),
    "secrets": ("repro.cli.secrets:secrets", "List what looks like a secret in runs"),
    "purge": ("repro.cli.purge:purge_", "Take a run away for good, for a leak"),
    "hook": ("repro.cli.hook:hook", "Have git call repro at commits, rebases and pushes"),
    "completion": ("repro.cli.completion:completion", "Print the completion script of a shell"),
    "help": ("repro.cli.help:help_", "Show what a verb does, as its --help"),
}

# What the verbs from here on are for, in `repro --help`.
HEADINGS = {
    "init": "Record",
    "ls": "Look",
    "diff": "Compare",
    "checkout": "Bring back",
    "tag": "Say more of a run",
    "push": "Share",
    "data": "Keep",
    "hook": "Set up",
}

MOST_LINES = 20  # shown of the files or runs that an error lists; `--json` has all

# Verbs that pass the exit code of a command on, so that their own failures need another.
_PASSING = {"run", "exec", "shell", "rerun"}
_OWN_CODE = (CommandError, UsageError)  # 126, 127 and 129 say more than 125


class _Program(Verbs):
    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb; where `repro run` or its like fails, it is with 125, as in `env`."""
        try:
            return super().invoke(ctx)
        except ReproError as error:
            if ctx.invoked_subcommand in _PASSING and _has_no_code(error):
                error.exit_code = 125
            raise


def _has_no_code(error: ReproError) -> bool:
    """Whether the exit code of an error says nothing that 125 does not; 1 is a refusal."""
    return error.exit_code != 1 and not isinstance(error, _OWN_CODE)


@click.group(
    cls=_Program,
    table=VERBS,
    headings=HEADINGS,
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
        os.environ[NO_PAGER] = "1"
    if ctx.invoked_subcommand is None:
        render.out(ctx.get_help())


def main() -> None:
    """Run the command line of this process and exit with its code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # None where it was closed
            stream.reconfigure(errors="backslashreplace")  # a locale may lack a character
    sys.exit(run_cli(sys.argv[1:]))


def run_cli(words: Sequence[str]) -> int:
    """Run the command line `repro WORDS`; the exit code (docs/reference/exit-codes.md)."""
    try:
        return _run(list(words))
    except (KeyboardInterrupt, click.Abort):
        return 130
    except BrokenPipeError:
        _discard_output()
        return 141
    except Exception:  # noqa: BLE001  # the last resort: a bug of ours, shown whole
        traceback.print_exc()
        render.note("repro: this is a bug in repro: please report it with the lines above")
        return 128


def _run(words: list[str]) -> int:
    try:
        with storage_errors("all of it"):  # where nobody below could say what it is
            code = _invoke(words)
            if sys.stdout is not None:
                sys.stdout.flush()
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else "repro"
        mistake = UsageError(_lowered(error.format_message()), hint=f"`{where} --help` explains")
        return _report(mistake, as_json=_wants_json(words))
    except ReproError as error:
        if isinstance(error, StorageError):
            _discard_output()
        return _report(error, as_json=_wants_json(words))
    return code


def _invoke(words: list[str]) -> int:
    """As click's own `main`, whose ends (exit code 1 on a closed pipe) are not git's."""
    if instruction := os.environ.get("_REPRO_COMPLETE"):
        from repro.cli.completion import prepare_completion  # noqa: PLC0415  # for no other command

        prepare_completion()
        return shell_complete(repro, {}, "repro", "_REPRO_COMPLETE", instruction)
    with repro.make_context("repro", words) as context:
        code = repro.invoke(context)
    return code if isinstance(code, int) else 0


def _discard_output() -> None:
    """Forget output that cannot be written: Python would fail once more with it at exit."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)


def _report(error: ReproError, *, as_json: bool) -> int:
    """Say what went wrong and what to do next, on standard error; its exit code."""
    key, details = _details(error)
    if as_json:
        value: dict[str, Any] = {"error": error.slug, "message": error.message, "hint": error.hint}
        if isinstance(error, FilterError):
            value |= {"text": error.text, "start": error.start, "end": error.end}
        render.note(json.dumps(value | ({key: details} if details else {})))
        return error.exit_code
    render.note(f"repro: {escape(error.message)}")
    if isinstance(error, FilterError):
        for line in point_at(error.text, error.start, error.end):
            render.note(f"    {line}")
    for line in details[:MOST_LINES]:
        render.note(f"    {escape(line)}")
    if len(details) > MOST_LINES:
        render.note(f"    … and {len(details) - MOST_LINES} more")
    if error.hint:
        render.note(f"hint: {escape(error.hint)}")
    return error.exit_code


def _details(error: ReproError) -> tuple[str, list[str]]:
    """What an error lists, and the key of that in JSON."""
    if isinstance(error, (WouldLoseWorkError, MissingDataError)):
        return "paths", list(error.paths)
    if isinstance(error, MissingPackagesError):
        return "items", list(error.items)
    if isinstance(error, AmbiguousRunError):
        return "candidates", list(error.candidates)
    return "", []


def _lowered(message: str) -> str:
    """A message of click in our style: on one line, a small letter first, no period at the end."""
    line = message.replace("\n\t", " ")
    return line[:1].lower() + line[1:].rstrip(".")


def _wants_json(words: Sequence[str]) -> bool:
    own = words[: words.index("--")] if "--" in words else words
    return "--json" in own

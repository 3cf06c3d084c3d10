"""The command of a trial filled in, and whether the program that it starts is here."""

import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath

from repro.core.command import resolve_command
from repro.core.project import Project
from repro.errors import CommandError
from repro.model.macros import fill_command
from repro.model.sampling import draw, rng_for
from repro.model.space import Params
from repro.model.sweepspec import SweepSpec
from repro.model.text import escape

_PYTHON = re.compile(r"python[0-9.]*\Z")
_TAKES_WORD = ("-X", "-W")


def fill_words(
    words: Sequence[str],
    params: Params,
    *,
    environ: Mapping[str, str],
    json_file: str | None = None,
) -> tuple[str, ...]:
    """`fill_command`, with an interpreter that is there: `python`, else the one of repro."""
    has_python = shutil.which("python", path=environ.get("PATH")) is not None
    interpreter = "python" if has_python else sys.executable
    return fill_command(
        words, params, environ=environ, json_file=json_file, interpreter=interpreter
    )


def first_command(project: Project, spec: SweepSpec) -> tuple[str, ...]:
    """The command with params of some trial: enough to look for what it starts."""
    params = draw(spec.space, rng_for(spec.seed, 0))
    return fill_words(spec.command, params, environ=project.environ)


def check_program(project: Project, spec: SweepSpec, *, cwd: Path, is_here: bool = True) -> None:
    """Refuse a command whose program or Python script is not there: every trial would fail.

    Args:
        cwd: Where the command runs.
        is_here: Whether trials run on this machine; another one may have other programs.

    Raises:
        CommandError: It is not there (127), or cannot be executed (126).
        InvalidInputError: A macro names a variable that is not set.
    """
    words = _without_env(first_command(project, spec))
    if not words:
        return
    if is_here:
        try:
            resolve_command(words, cwd=cwd, environ=project.environ)
        except CommandError as error:
            hint = (error.hint or "").replace("`repro run -- ", "`repro sweep … -- ")
            raise CommandError(error.message, exit_code=error.exit_code, hint=hint) from None
    script = _script_of(words)
    if script is not None and not (cwd / script).exists():
        raise CommandError(
            f"there is no file `{escape(script)}` for `{escape(words[0])}` to run",
            exit_code=127,
            hint="mend its name in the command, or `program` in the sweep file",
        )


def _without_env(words: Sequence[str]) -> Sequence[str]:
    """The command that env(1) would start; none where it has options."""
    if not words or PurePath(words[0]).name != "env":
        return words
    rest = list(words[1:])
    while rest and "=" in rest[0]:
        rest.pop(0)
    return [] if not rest or rest[0].startswith("-") else rest


def _script_of(words: Sequence[str]) -> str | None:
    """The Python script that a command runs, if it is one by its name."""
    if not _PYTHON.match(PurePath(words[0]).name):
        return None
    rest = list(words[1:])
    while rest:
        word = rest.pop(0)
        if word in _TAKES_WORD:
            rest[:1] = []
        elif not word.startswith("-"):
            return word if word.endswith(".py") else None
        elif word.startswith("--") or "m" in word or "c" in word:
            return None
    return None

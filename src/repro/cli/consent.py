"""The question before anything of a run that somebody else recorded is executed."""

import shlex
import sys
from collections.abc import Iterator, Sequence

import click

from repro.cli import render
from repro.cli.sizes import format_size
from repro.core.project import Project
from repro.core.trust import ForeignRun, foreign_facts, is_own
from repro.errors import ConsentError
from repro.model.run import Record
from repro.model.text import escape

_SHOWN = 10  # lines of any list


def ask_consent(project: Project, record: Record, *, yes: bool, what: str) -> None:
    """Come back when the run is the user's own, or the user agrees to what will be done with it.

    Args:
        yes: The user agreed on the command line.
        what: What will be done, such as `execute its command`.

    Raises:
        ConsentError: The answer is no, or there is nobody to ask.
    """
    if yes or is_own(project, record):
        return
    facts = foreign_facts(project, record)
    for line in _describe(facts):
        render.note(line)
    if sys.stdin is None or not sys.stdin.isatty():
        raise ConsentError(
            f"run `{facts.run}` was not recorded in this clone, and there is nobody to ask",
            hint=f"`--yes` agrees to {what}",
        )
    if not click.confirm(f"{what[:1].upper()}{what[1:]}?", err=True):
        raise ConsentError(
            f"nothing of run `{facts.run}` was executed", hint=f"`repro show {facts.run}` shows it"
        )


def _describe(facts: ForeignRun) -> Iterator[str]:
    """The facts, line by line; all of it comes from elsewhere, so all of it is escaped."""
    who = f"{escape(facts.author)} on {escape(facts.host)}"
    yield f"repro: run {facts.run} was not recorded in this clone; its record says by {who}"
    yield f"  command   {escape(shlex.join(facts.command))}"
    code = facts.code or ("as the working tree",)
    # The last line of git's is the sum of the others.
    yield from _block("code", [*code[:-1][:_SHOWN], *_more(code[:-1]), code[-1]])
    data = [f"{name}: `{path}` ({format_size(size)})" for name, path, size in facts.data]
    yield from _block("data", [*data[:_SHOWN], *_more(data)])
    packages = [f"{name} from {place}" for name, place in facts.packages]
    yield from _block("packages", [*packages[:_SHOWN], *_more(packages)])


def _more(lines: Sequence[str]) -> list[str]:
    return [f"… and {len(lines) - _SHOWN:,} more"] if len(lines) > _SHOWN else []


def _block(title: str, lines: Sequence[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        yield f"  {title if not number else '':<9} {escape(line)}"

"""The questions before anything of somebody else, a run or a package, is executed."""

import shlex
import sys
from collections.abc import Iterator, Sequence

import click

from repro.cli import render
from repro.core.conditions import Which, plan_conditions
from repro.core.project import Project
from repro.core.rebuild import EnvironmentPlan
from repro.core.trust import ForeignRun, foreign_facts, foreign_packages, is_own
from repro.errors import ConsentError
from repro.model.readable import format_size
from repro.model.run import Record
from repro.model.text import escape

_SHOWN = 10  # lines of any list
_SHOWN_PACKAGES = 20


def ask_consent(
    project: Project, record: Record, *, yes: bool, what: str, is_sweep: bool = False
) -> None:
    """Come back when the run is the user's own, or the user agrees to what will be done with it.

    Args:
        yes: The user agreed on the command line.
        what: What will be done, such as `execute its command`.
        is_sweep: Whether the record is what the trials of a sweep start from.

    Raises:
        ConsentError: The answer is no, or there is nobody to ask.
    """
    if yes or is_own(project, record):
        return
    facts = foreign_facts(project, record)
    kind = "sweep" if is_sweep else "run"
    for line in _describe(facts, kind):
        render.note(line)
    if sys.stdin is None or not sys.stdin.isatty():
        raise ConsentError(
            f"{kind} `{facts.run}` was not recorded in this clone, and there is nobody to ask",
            hint=f"`--yes` agrees to {what}",
        )
    if not click.confirm(f"{what[:1].upper()}{what[1:]}?", err=True):
        raise ConsentError(
            f"nothing of {kind} `{facts.run}` was executed",
            hint=f"`repro {'sweep ' if is_sweep else ''}show {facts.run}` shows it",
        )


def ask_packages(project: Project, record: Record, plan: EnvironmentPlan, *, yes: bool) -> bool:
    """Say whether what a plan takes from repositories, addresses and paths may be installed.

    Of the user's own runs, too: what is there may be another thing than it was. The question
    about somebody else's run, which comes before, names such packages already.

    Raises:
        ConsentError: The answer is no.
    """
    if yes or not is_own(project, record):
        return True
    if not plan.foreign or sys.stdin is None or not sys.stdin.isatty():
        return False  # each is then listed, with what agrees to it
    render.note("repro: these packages come from no index:")
    for one in plan.foreign[:_SHOWN_PACKAGES]:
        render.note(f"    {escape(one.name)} {escape(one.version)}: {escape(one.address or '')}")
    if len(plan.foreign) > _SHOWN_PACKAGES:
        render.note(f"    … and {len(plan.foreign) - _SHOWN_PACKAGES} more")
    if not click.confirm("Install them?", err=True):
        raise ConsentError(
            "nothing was installed", hint=f"`repro show {record.run.id} --env` shows all of it"
        )
    return True


def ask_foreign(
    project: Project, record: Record, which: Which | None, *, nearest: bool, yes: bool
) -> bool:
    """Say whether packages of the record from no index may be installed for a command of a run.

    Raises:
        ConsentError: The answer is no.
        DamagedRecordError: The record lists no packages, and they are asked for.
    """
    if yes or not is_own(project, record) or not foreign_packages(record):
        return True
    plan = plan_conditions(project, record, which, nearest=nearest)
    return plan is None or ask_packages(project, record, plan, yes=yes)


def _describe(facts: ForeignRun, kind: str) -> Iterator[str]:
    """The facts, line by line; all of it comes from elsewhere, so all of it is escaped."""
    who = f"{escape(facts.author)} on {escape(facts.host)}"
    yield f"repro: {kind} {facts.run} was not recorded in this clone; its record says by {who}"
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

"""`repro secrets`: what looks like a secret in runs, or in what the next commit would add."""

import click

from repro.cli import render
from repro.cli.completing import RUN
from repro.cli.context import open_here
from repro.cli.progress import showing_steps
from repro.core.leaks import ALLOW, Leak, find_own_leaks, scan_staged
from repro.core.naming import find_ids
from repro.errors import UsageError
from repro.model.canonical import Json
from repro.model.text import escape


@click.command()
@click.argument("names", nargs=-1, metavar="[RUN]...", type=RUN)
@click.option("--staged", is_flag=True, help="Search what the next commit would add instead.")
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
def secrets(names: tuple[str, ...], *, staged: bool, as_json: bool) -> int:
    """List what looks like a secret in the code and the records of runs, without showing it.

    These runs a push keeps back. Without RUN, all own ones are searched; what a branch of a
    remote has is known there already, and passed over. Exits with 1 if anything is found.
    """
    if staged and names:
        raise UsageError("`--staged` is about no run", hint="leave out either")
    project = open_here()
    if staged:
        leaks = scan_staged(project)
    else:
        only = find_ids(project, names)
        with showing_steps("looking at") as (on_step, _):
            leaks = find_own_leaks(
                project,
                only,
                on_progress=lambda done, total: on_step(f"objects, {done:,} of {total:,}"),
            )
    if as_json:
        render.data_json([_as_json(leak) for leak in leaks])
    else:
        for leak in leaks:
            render.out(_describe(leak))
    if leaks:
        render.note(f"repro: `git config --add {ALLOW} FINGERPRINT` lets one pass that is none")
    return 1 if leaks else 0


def _describe(leak: Leak) -> str:
    run = f"run {leak.run}: " if leak.run else ""
    line = f":{leak.line}" if leak.line else ""
    return f"{run}{escape(leak.path)}{line}: {escape(leak.rule)} [{leak.fingerprint}]"


def _as_json(leak: Leak) -> dict[str, Json]:
    return {
        "run": leak.run or None,
        "path": leak.path,
        "line": leak.line or None,
        "rule": leak.rule,
        "fingerprint": leak.fingerprint,
    }

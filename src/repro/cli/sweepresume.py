"""`repro sweep resume`, `stop`, `rm`: a sweep that goes on, or goes on no more."""

import sys
from dataclasses import replace

import click

from repro.cli import render
from repro.cli.completing import SWEEP
from repro.cli.consent import ask_consent
from repro.cli.context import open_here
from repro.cli.isolation import YES
from repro.cli.numbers import WholeNumber
from repro.cli.sweepoptions import RETRY_FAILED, Running, takes_running
from repro.core.project import Project
from repro.core.sweep.elsewhere import look_elsewhere
from repro.core.sweep.known import find_sweep, read_base, short_sweep
from repro.core.sweep.standing import Standing, count_wanted, find_elsewhere
from repro.core.sweep.words import describe_done
from repro.errors import ConsentError, UsageError
from repro.model.readable import count_of
from repro.model.sampling import count_grid
from repro.model.sweep import OVER, SweepAt, TrialState
from repro.model.sweepspec import Method
from repro.model.text import escape

_MOST_HOSTS = 5


@click.command()
@click.argument("name", metavar="SWEEP", type=SWEEP)
@click.option(
    "-n", "--trials", "more", type=WholeNumber(min=1), metavar="MORE",
    help="So many trials more than it was to have.",
)  # fmt: skip
@RETRY_FAILED
@YES
@takes_running
def resume(name: str, more: int | None, running: Running, *, retry_failed: bool, yes: bool) -> int:
    """Go on with a sweep: trials that are missing, lost ones again, and MORE on request.

    What it is and what was frozen stay as they are. A sweep that somebody else made is asked about
    first, for its code is executed. Exits as `repro sweep start`.
    """
    project = open_here()
    at = find_sweep(project, name)
    ask_consent(
        project, read_base(project, at), yes=yes, what="run the trials of this sweep", is_sweep=True
    )
    at = _look_elsewhere(project, at, yes=yes)
    cap = None if more is None else extend_cap(at, more)
    if cap is None:
        _check_open(at, retry_failed=retry_failed)
    from repro.cli.sweeprun import run_here  # noqa: PLC0415  # the loop, for nothing else here

    options = replace(running.options, resume=True, run_cap=cap, retry_failed=retry_failed)
    return run_here(project, at, running, options)


def _look_elsewhere(project: Project, at: SweepAt, *, yes: bool) -> SweepAt:
    """The sweep as it is now, if nobody on another machine works on it, or the user takes over.

    Raises:
        ConsentError: Somebody does, and the answer is no, or there is nobody to ask.
    """
    heard = look_elsewhere(project, at)
    if heard.error is not None and heard.remote is not None:
        what = f"`{heard.remote.label}` could not be asked who works on the sweep"
        render.note(f"repro: {what}: {escape(heard.error.message)}")
    now = project.clock()
    trials = find_elsewhere(heard.at, now=now)
    if yes or not trials:
        return heard.at
    hosts = sorted({escape(trial.agent.host) for trial in trials})
    listed = ", ".join(hosts[:_MOST_HOSTS]) + (" and others" if len(hosts) > _MOST_HOSTS else "")
    what = f"trials of this sweep run on {listed} ({len(trials):,} of them), heard of just now"
    short = short_sweep(project, at.sweep.id)
    joins = f"`repro sweep agent {short}` works beside them"
    if sys.stdin is None or not sys.stdin.isatty():
        raise ConsentError(what, hint=f"{joins}; `--yes` runs their trials here instead")
    render.note(f"repro: {what}")
    render.note(f"hint: {joins}")
    if not click.confirm("Run their trials here instead?", err=True):
        raise ConsentError("nothing was run", hint=joins)
    return heard.at


def extend_cap(at: SweepAt, more: int) -> int:
    """How many trials it comes to with some more.

    Raises:
        UsageError: It is a grid that has no more.
    """
    wanted = count_wanted(at)
    spec = at.sweep.spec
    if spec.method is Method.GRID and wanted == count_grid(spec.space):
        raise UsageError(
            f"the grid of sweep `{at.sweep.id}` has {count_of(wanted, 'point')} and no more",
            hint="without `-n` it goes on with those that are missing",
        )
    return (len(at.progress.trials) if wanted is None else wanted) + more


def _check_open(at: SweepAt, *, retry_failed: bool) -> None:
    """Say what there is to ask for where nothing is missing."""
    wanted = count_wanted(at)
    n_failed = at.progress.count(TrialState.FAILED)
    if wanted is None or at.progress.count(*OVER) < wanted or (retry_failed and n_failed):
        return
    render.note(f"repro: {describe_done(at)} trials of the sweep are over: `-n MORE` adds some")
    if n_failed:
        again = f"`--retry-failed` runs the {n_failed:,} that failed again"
        render.note(f"hint: {again}; `repro sweep show` says how they did")


@click.command()
@click.argument("name", metavar="SWEEP", type=SWEEP)
@click.option("--hard", is_flag=True, help="End the trials that run, too.")
@click.option(
    "--remote", metavar="REMOTE", help="The git remote that the sweep is shared over, if another."
)
def stop(name: str, *, hard: bool, remote: str | None) -> int:
    """Have a sweep start no trial any more, whichever process or agent runs it.

    Those that run go on to their end, but with --hard. `repro sweep resume` takes it back. Agents
    of other clones are told by the git remote; where that is out of reach, it exits with 1.
    """
    from repro.core.sweep.elsewhere import stop_sweep  # noqa: PLC0415  # connections, not for rm

    project = open_here()
    at = find_sweep(project, name)
    done = stop_sweep(project, at, is_hard=hard, name=remote)
    short = short_sweep(project, at.sweep.id)
    shared, error = done.heard.remote, done.heard.error
    if error is not None and shared is not None:
        render.note(f"repro: `{shared.label}` could not be told: {escape(error.message)}")
        render.note(
            f"hint: agents of other clones go on until `repro push {shared.label} {short}` was done"
        )
    if done.before is Standing.FINISHED:
        render.note(f"repro: sweep {short} is over, so there is nothing to stop")
        return 1 if error is not None else 0
    told = f", also for the agents that share it over `{shared.label}`" if shared else ""
    told = "" if error is not None else told
    if done.before is Standing.RUNNING:
        ends = "end now" if hard else "go on to their end"
        render.note(f"repro: sweep {short} starts no trial any more{told}; those that run {ends}")
    else:
        running = "no trial of it was running"
        render.note(f"repro: sweep {short} is stopped{told}; {running}")
    render.note(f"hint: `repro sweep resume {short}` goes on")
    return 1 if error is not None else 0


@click.command()
@click.argument("name", metavar="SWEEP", type=SWEEP)
def rm(name: str) -> None:
    """Remove a sweep: it goes to the trash, from which `repro restore` brings it back.

    The runs of its trials stay; `repro rm --where "sweep = 'ID'"` removes these. A remote that has
    the sweep keeps it; what is in the trash is not fetched again.
    """
    from repro.core.sweep.removing import remove_sweep  # noqa: PLC0415  # for nothing else here

    project = open_here()
    entry = remove_sweep(project, find_sweep(project, name))
    render.note(f"repro: sweep {entry.run} went to the trash; the runs of its trials stay")
    render.note(f"hint: `repro restore {entry.run}` brings it back")

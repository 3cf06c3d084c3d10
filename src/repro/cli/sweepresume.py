"""`repro sweep resume`, `stop`, `rm`: a sweep that goes on, or goes on no more."""

from dataclasses import replace

import click

from repro.cli import render
from repro.cli.completing import SWEEP
from repro.cli.consent import ask_consent
from repro.cli.context import open_here
from repro.cli.isolation import YES
from repro.cli.sweepoptions import Running, takes_running
from repro.cli.sweepwords import describe_done
from repro.core.sweep.book import LocalBook
from repro.core.sweep.known import find_sweep, read_base, short_sweep
from repro.core.sweep.standing import Standing, count_wanted, find_standing
from repro.errors import UsageError
from repro.model.diagnosis import count_of
from repro.model.sampling import count_grid
from repro.model.sweep import Entry, Stopped, SweepAt
from repro.model.sweepspec import Method


@click.command()
@click.argument("name", metavar="SWEEP", type=SWEEP)
@click.option(
    "-n", "--trials", "more", type=click.IntRange(min=1), metavar="MORE",
    help="So many trials more than it was to have.",
)  # fmt: skip
@YES
@takes_running
def resume(name: str, more: int | None, running: Running, *, yes: bool) -> int:
    """Go on with a sweep: trials that are missing, lost ones again, and MORE on request.

    What it is and what was frozen stay as they are. A sweep that somebody else made is asked about
    first, for its code is executed. Exits as `repro sweep start`.
    """
    project = open_here()
    at = find_sweep(project, name)
    ask_consent(project, read_base(project, at), yes=yes, what="run the trials of this sweep")
    cap = None if more is None else extend_cap(at, more)
    if cap is None:
        _check_open(at)
    from repro.cli.sweeprun import run_here  # noqa: PLC0415  # the loop, for nothing else here

    options = replace(running.options, resume=True, run_cap=cap)
    return run_here(project, at, running, options)


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


def _check_open(at: SweepAt) -> None:
    wanted = count_wanted(at)
    if wanted is not None and sum(trial.is_over for trial in at.progress.trials) >= wanted:
        render.note(f"repro: {describe_done(at)} trials of the sweep are over: `-n MORE` adds some")


@click.command()
@click.argument("name", metavar="SWEEP", type=SWEEP)
@click.option("--hard", is_flag=True, help="End the trials that run, too.")
def stop(name: str, *, hard: bool) -> None:
    """Have a sweep start no trial any more, whichever process or agent runs it.

    Those that run go on to their end, but with --hard. `repro sweep resume` takes it back.
    """
    project = open_here()
    at = find_sweep(project, name)
    standing = find_standing(at, now=project.clock())
    short = short_sweep(project, at.sweep.id)
    if standing is Standing.FINISHED:
        render.note(f"repro: sweep {short} is over, so there is nothing to stop")
        return

    def decide(now: SweepAt) -> list[Entry]:
        before = now.progress.stopped
        if before is not None and before.is_hard >= hard:
            return []
        why = "by `repro sweep stop`"
        return [Stopped(why=why, time=project.clock(), is_hard=hard)]

    LocalBook(project, at.sweep.id).write(decide)
    if standing is Standing.RUNNING:
        ends = "end now" if hard else "go on to their end"
        render.note(f"repro: sweep {short} starts no trial any more; those that run {ends}")
    else:
        render.note(f"repro: sweep {short} is stopped; no trial of it was running")
    render.note(f"hint: `repro sweep resume {short}` goes on")


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

"""`repro sweep agent`: trials of a sweep of a git remote, run by any clone that shares it."""

import sys
from collections.abc import Callable
from dataclasses import replace

import click

from repro.cli import render
from repro.cli.completing import SWEEP
from repro.cli.consent import ask_consent
from repro.cli.context import open_here
from repro.cli.isolation import YES
from repro.cli.numbers import WholeNumber
from repro.cli.sweepoptions import RETRY_FAILED, TIME, Running, takes_running
from repro.cli.sweepresume import extend_cap
from repro.core.project import Project
from repro.core.sweep.agent import beat_every_s, join_sweep, share_sweep
from repro.core.sweep.known import read_base
from repro.core.sweep.protocols import Book, Others
from repro.core.sweep.team import LEASE_S, Team
from repro.errors import ConsentError
from repro.model.text import escape
from repro.store.introduced import introduce, is_introduced
from repro.store.remoterefs import GitRemote, find_remote

_LOOK_S = 5.0  # a connection each time
_SHORTEST_S = 5.0


@click.command()
@click.argument("name", metavar="SWEEP", type=SWEEP)
@click.option("--remote", metavar="REMOTE", help="The git remote that the sweep is shared over.")
@click.option(
    "-n", "--trials", "count", type=WholeNumber(min=1), metavar="COUNT",
    help="Start at most so many trials, then end.",
)  # fmt: skip
@click.option("--resume", is_flag=True, help="Go on where the sweep was stopped.")
@click.option(
    "--more", type=WholeNumber(min=1), metavar="MORE",
    help="So many trials more than the sweep was to have, for all agents.",
)  # fmt: skip
@click.option(
    "--lease", type=TIME, default=LEASE_S, show_default="5m", metavar="TIME",
    help="Take over trials of agents that were silent for so long; the same for all agents.",
)  # fmt: skip
@RETRY_FAILED
@YES
@takes_running
def agent(  # noqa: PLR0913  # click hands over each option by its name
    name: str,
    running: Running,
    *,
    remote: str | None,
    count: int | None,
    resume: bool,
    more: int | None,
    lease: float,
    retry_failed: bool,
    yes: bool,
) -> int:
    r"""Run trials of a sweep that several machines share over a git remote.

    \b
    repro push origin k3f9zq7d2m4x
    repro sweep agent k3f9zq7d2m4x -j 2

    Any clone that can push to the remote may run one, several at once, and each may end or die at
    any time: the others do what is left. Each trial's run is pushed before its result is told. A
    sweep that somebody else made is asked about first, for its code is executed. Ends when no
    trial is left, also of the other agents. Exits as `repro sweep start`.
    """
    project = open_here()
    place = find_remote(project.repository.git, remote, push=True)
    at = join_sweep(project, place, name)
    ask_consent(
        project, read_base(project, at), yes=yes, what="run the trials of this sweep", is_sweep=True
    )
    _ask_first(project, place, yes=yes)
    from repro.cli.sweeprun import run_here  # noqa: PLC0415  # the loop, once there is a sweep

    lease_s = max(lease, _SHORTEST_S)
    options = replace(
        running.options,
        count=count,
        resume=resume or more is not None,
        retry_failed=retry_failed,
        run_cap=None if more is None else extend_cap(at, more),
        beat_s=beat_every_s(lease_s),
        look_s=min(_LOOK_S, beat_every_s(lease_s)),
    )
    teams: list[Team] = []

    def share(is_stopping: Callable[[], bool]) -> tuple[Book, Others]:
        book, team = share_sweep(
            project, place, at.sweep.id, lease_s=lease_s, is_stopping=is_stopping, say=_say
        )
        teams.append(team)
        return book, team

    try:
        return run_here(project, at, running, options, share=share)
    finally:
        for refusal in (one for team in teams for one in team.refused):
            what = f"run {escape(refusal.run)} stays here: {escape(refusal.reason)}"
            render.note(f"repro: {what}")


def _say(word: str) -> None:
    render.note(f"repro: {escape(word)}")


def _ask_first(project: Project, remote: GitRemote, *, yes: bool) -> None:
    """Come back when runs were pushed to a remote before, or the user agrees that they are.

    Raises:
        ConsentError: The answer is no, or there is nobody to ask.
    """
    private = project.repository.private
    if is_introduced(private, remote.push_url):
        return
    where = f" on {remote.push_host}" if remote.push_host else ""
    what = f"the runs of all trials are pushed to `{remote.label}`{where}"
    if not yes:
        if sys.stdin is None or not sys.stdin.isatty():
            raise ConsentError(
                f"{what}, which never happened from here, and there is nobody to ask",
                hint="`--yes` agrees to that",
            )
        render.note(f"repro: {what}")
        if not click.confirm("Go on?", err=True):
            raise ConsentError("nothing was run", hint=f"`repro push {remote.label}` asks again")
    introduce(private, remote.push_url)

"""A sweep of a git remote joined by this clone: brought here, then worked on with others."""

from collections.abc import Callable
from dataclasses import replace

from repro.core.project import Project
from repro.core.sweep.known import find_sweep
from repro.core.sweep.remote_book import RemoteBook
from repro.core.sweep.team import BEATS, LEASE_S, Team
from repro.core.sweep_arrivals import fetch_sweeps
from repro.errors import AmbiguousRunError, ConflictError, UnknownRunError
from repro.model.ids import is_id_prefix
from repro.model.sweep import SweepAt
from repro.model.text import escape
from repro.store.background import unattended
from repro.store.remoterefs import GitRemote, list_remote

_PATIENT = 0.6  # of the lease: what is left is for a connection that hangs


def join_sweep(project: Project, remote: GitRemote, text: str) -> SweepAt:
    """Bring the sweep of a remote that is called `text` here, vetted; nothing of it is executed.

    Args:
        text: An id, its beginning, or a name if this clone has the sweep already.

    Raises:
        UnknownRunError: The remote has none of that name.
        AmbiguousRunError: Several ids start like that.
        ConflictError: What the remote has is not sound, or another sweep than the one here.
        RemoteError: The remote is not there, refuses, or gives no answer.
    """
    there = list_remote(project.repository.git, remote, push=True).sweeps
    fitting = [one for one in there if is_id_prefix(text) and one.startswith(text)]
    if len(fitting) > 1:
        raise AmbiguousRunError(
            f"`{text}` is the start of {len(fitting)} sweeps of `{remote.label}`",
            candidates=fitting,
            hint="give more of the id",
        )
    sweep_id = fitting[0] if fitting else _find_here(project, remote, text)
    if sweep_id not in there:
        raise UnknownRunError(
            f"`{remote.label}` does not have the sweep `{sweep_id}` yet",
            hint=f"`repro push {remote.label} {sweep_id}` gives it",
        )
    for refusal in fetch_sweeps(project, remote, {sweep_id: there[sweep_id]}, push=True).refused:
        raise ConflictError(
            f"sweep `{sweep_id}` of `{remote.label}` was refused: {refusal.reason}",
            hint=refusal.hint or None,
        )
    return find_sweep(project, sweep_id)


def _find_here(project: Project, remote: GitRemote, text: str) -> str:
    try:
        return find_sweep(project, text).sweep.id
    except UnknownRunError as error:
        raise UnknownRunError(
            f"neither `{remote.label}` nor this clone has a sweep `{escape(text[:200])}`",
            hint=f"`repro fetch {remote.label}` brings its sweeps, `repro sweep ls` lists them",
        ) from error


def share_sweep(
    project: Project,
    remote: GitRemote,
    sweep_id: str,
    *,
    lease_s: float = LEASE_S,
    is_stopping: Callable[[], bool] = lambda: False,
    say: Callable[[str], None] = lambda _: None,
) -> tuple[RemoteBook, Team]:
    """Give the ledger that all agents of a sweep share, and what is known of the other agents.

    From here on git asks nobody for a password, and gives up where nobody answers: an agent that
    hangs would lose its claims.

    Args:
        lease_s: An agent that was not heard of for so long is gone; the same for all of them.
        is_stopping: Whether the user wants an end.
        say: Told each time that the remote is out of reach.
    """
    git = project.repository.git
    ssh = git.run("config", "--get", "core.sshCommand", ok=(0, 1)).out.decode(errors="replace")
    quiet = replace(git, environ=unattended(git.environ, ssh))
    apart = replace(project, repository=replace(project.repository, git=quiet))
    book = RemoteBook(
        apart, remote, sweep_id, patience_s=_PATIENT * lease_s, is_stopping=is_stopping, say=say
    )
    return book, Team(apart, remote, book, lease_s=lease_s)


def beat_every_s(lease_s: float) -> float:
    """How often an agent shows that it is alive, in seconds."""
    return lease_s / BEATS

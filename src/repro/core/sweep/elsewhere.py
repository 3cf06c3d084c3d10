"""Sweeps that others may work on over a git remote: looked at, and stopped, for all of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from repro.core.project import Project
from repro.core.sweep.agent import share_sweep
from repro.core.sweep.book import LocalBook
from repro.core.sweep.known import read_base
from repro.core.sweep.protocols import Book
from repro.core.sweep.standing import Standing, find_standing
from repro.core.trust import is_own
from repro.errors import RemoteError, UnknownRunError
from repro.model.sweep import Entry, Stopped, SweepAt
from repro.store.introduced import is_introduced
from repro.store.process import host_name
from repro.store.remoterefs import GitRemote, find_remote

_PATIENCE_S = 10.0  # of a user who waits for it
_WHY = "by `repro sweep stop`"


@dataclass(frozen=True, slots=True)
class Heard:
    """What a sweep is, as far as could be learned.

    Attributes:
        remote: The one that others share it over; None where there is none.
        error: Why that remote could not be asked or told.
    """

    at: SweepAt
    remote: GitRemote | None = None
    error: RemoteError | None = None


@dataclass(frozen=True, slots=True)
class Stopping:
    """A sweep that was stopped.

    Attributes:
        before: How it stood; of one that was over nothing was written.
        heard: What it is now.
    """

    before: Standing
    heard: Heard


def look_elsewhere(project: Project, at: SweepAt) -> Heard:
    """Give a sweep as the remote has it, if others seem to work on it, and it can be asked.

    Cost: a connection, of a sweep that somebody else made or that ran on another machine.
    """
    hosts = {trial.agent.host for trial in at.progress.trials}
    if hosts <= {host_name()} and is_own(project, read_base(project, at)):
        return Heard(at)
    remote = _find_shared(project, at, None)
    if remote is None:
        return Heard(at)
    return _ask(project, at, remote, lambda book: book.read())


def stop_sweep(
    project: Project, at: SweepAt, *, is_hard: bool, name: str | None = None
) -> Stopping:
    """Have a sweep start no trial any more, whoever works on it.

    It is written into the ledger of the remote, for agents of other clones look there; where that
    cannot be reached, into the one of this clone alone.

    Args:
        is_hard: Whether trials that run are to end, too.
        name: Of the remote; None is the one that runs of this clone are pushed to.

    Raises:
        RemoteError: There is no remote of that name.
        ConflictError: Others append all the time, or the remote has another sweep of that id.
    """
    now = project.clock()
    before: list[Standing] = []  # as each ledger had it, the remote's first

    def decide(seen: SweepAt) -> Sequence[Entry]:
        before.append(find_standing(seen, now=now))
        known = seen.progress.stopped
        if before[-1] is Standing.FINISHED or (known is not None and known.is_hard >= is_hard):
            return []
        return [Stopped(why=_WHY, time=now, is_hard=is_hard)]

    def stop(book: Book) -> SweepAt:
        book.read()
        return book.write(decide)

    remote = _find_shared(project, at, name)
    heard = Heard(at) if remote is None else _ask(project, at, remote, stop)
    # Of a sweep that a process of this clone runs meanwhile the ledger here may be ahead.
    here = stop(LocalBook(project, at.sweep.id))
    return Stopping(before[0], Heard(here, heard.remote, heard.error))


def _find_shared(project: Project, at: SweepAt, name: str | None) -> GitRemote | None:
    """The remote that a sweep may be shared over; None where none was given anything of ours."""
    try:
        remote = find_remote(project.repository.git, name, push=True)
    except RemoteError:
        if name is not None:
            raise
        return None
    is_known = name is not None or is_introduced(project.repository.private, remote.push_url)
    return remote if is_known or not is_own(project, read_base(project, at)) else None


def _ask(
    project: Project, at: SweepAt, remote: GitRemote, action: Callable[[Book], SweepAt]
) -> Heard:
    book, _ = share_sweep(project, remote, at.sweep.id, lease_s=_PATIENCE_S)
    try:
        return Heard(action(book), remote)
    except UnknownRunError:  # nobody has it from there
        return Heard(at)
    except RemoteError as error:
        return Heard(at, remote, error)

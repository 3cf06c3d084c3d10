"""Runs that wait pushed by a process that nobody waits for.

A run that ends is written down as waiting, then the process is started. Of several such processes
the one with the lock pushes all that wait; before it ends it looks whether more have come.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from repro.atomic import FileLock
from repro.core.project import Project
from repro.core.push import Pushed, push_runs
from repro.core.push_plan import Plan, choose_to_push, plan_push
from repro.errors import ReproError
from repro.model.readable import format_size
from repro.store.introduced import is_introduced
from repro.store.outbox import LOCK, Word, leave_words, list_waiting, take_in
from repro.store.refs import RunRefs
from repro.store.remoterefs import GitRemote, find_remote

_SHOWN = 20  # runs in a command line


@dataclass(frozen=True, slots=True)
class Passed:
    """What became of the runs that waited.

    Attributes:
        pushed: Ids of those that the remote has now.
        words: What the user is to hear.
    """

    pushed: tuple[str, ...] = ()
    words: tuple[Word, ...] = ()


def push_waiting(project: Project) -> Iterator[Passed]:
    """Push the runs that wait, unless another process does.

    Nobody is asked: nothing is sent to an address that the user never pushed to. A run that
    cannot be pushed waits on, for the end of the next one.

    Yields:
        What became of them, once for each time that there were new ones.

    Raises:
        StorageError: The private folder cannot be written.
    """
    private = project.repository.private
    tried: set[str] = set()
    while not tried.issuperset(list_waiting(private)):
        lock = FileLock(private / LOCK)
        if not lock.try_acquire():
            return  # who has it looks again, once it is given back
        try:
            ids = list_waiting(private)
            tried.update(ids)
            passed = _push(project, ids)
            take_in(private, passed.pushed)
            leave_words(private, passed.words)
        finally:
            lock.release()
        yield passed


def _push(project: Project, ids: Sequence[str]) -> Passed:
    private = project.repository.private
    label = "git remote"
    try:
        name = project.personal.autopush
        if name is None:  # switched off meanwhile
            take_in(private, ids)
            return Passed()
        remote = find_remote(project.repository.git, name or None, push=True)
        label = f"`{remote.label}`"
        known = RunRefs(project.repository).look_up(ids)
        take_in(private, [run_id for run_id in ids if run_id not in known])  # removed meanwhile
        if not known:
            return Passed()
        if not is_introduced(private, remote.push_url):
            return Passed(words=(_first(remote),))
        plan = plan_push(project, remote, choose_to_push(project, [*known]))
        done = push_runs(project, plan)
    except ReproError as error:
        return Passed(
            words=(Word(f"runs wait to be pushed to {label}: {error}", error.hint or ""),)
        )
    words = [
        Word(f"run {refusal.run} is not pushed to {label}: {refusal.reason}", refusal.hint)
        for refusal in done.refused
    ]
    words += _say_left(plan, done, label)
    return Passed((*done.new, *done.moved, *done.merged, *done.same), tuple(words))


def _first(remote: GitRemote) -> Word:
    where = f" on {remote.push_host}" if remote.push_host else ""
    return Word(
        f"runs wait to be pushed: nothing was pushed to `{remote.label}`{where} from here before",
        f"`repro push {remote.label}` asks, and from then on `repro.autopush` does it",
    )


def _say_left(plan: Plan, done: Pushed, label: str) -> Iterator[Word]:
    """What of the runs stayed here, for which a push by hand would have asked."""
    runs = sorted(plan.baggage.owners.intersection(done.new))
    if runs:
        more = f" and {len(runs) - 1:,} more" if len(runs) > 1 else ""
        may = " may not be" if plan.baggage.unsure else " are not"
        yield Word(
            f"run {runs[0]}{more} went to {label}, but {format_size(plan.baggage.size)} that"
            f" they keep{may} in the store",
            f"`repro push --data {plan.remote.label} {' '.join(runs[:_SHOWN])}` sends them",
        )

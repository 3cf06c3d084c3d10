"""What became of an attempt of a trial, as the entry that the ledger gets for it."""

from dataclasses import dataclass, replace
from enum import Enum

from repro.core.deadline import TOO_LONG
from repro.core.launch import OUTPUT
from repro.core.project import Project
from repro.core.query import read_part
from repro.core.sweep.protocols import TrialEnd
from repro.core.sweep.results import Steps, find_loss, find_value, read_steps, read_value
from repro.errors import (
    CommandError,
    ConsentError,
    DamagedRecordError,
    InvalidInputError,
    MissingDataError,
    MissingPackagesError,
    MissingSecretError,
    StorageError,
    UsageError,
)
from repro.model.output import last_lines
from repro.model.run import Record, Status
from repro.model.sweep import Dropped, Told, Trial, TrialState
from repro.model.sweepspec import SweepSpec
from repro.model.text import escape
from repro.store.objects import reading
from repro.store.refs import RunRefs
from repro.store.runs import read_record

# Errors that another attempt would only meet again.
_AGAIN_THE_SAME = {
    error.slug
    for error in (
        CommandError,
        ConsentError,
        InvalidInputError,
        MissingDataError,
        MissingPackagesError,
        MissingSecretError,
        UsageError,
    )
}
_LONGEST = 300  # characters of what a failed command printed last
_TAIL = 1 << 16  # bytes of output to find that in


class Cause(Enum):
    """Why an attempt may have ended before its time."""

    ITSELF = "itself"  # nobody told it to
    PRUNED = "pruned"  # others were better
    INTERRUPTED = "interrupted"  # the user, or a limit of the sweep, ended it
    ORPHANED = "orphaned"  # the process that ran the sweep is gone


@dataclass(frozen=True, slots=True)
class Settled:
    """An attempt that is over.

    Attributes:
        why: How it failed, in one line, escaped; empty where it did not.
        record: Of its run; None where it has none.
        is_found: Whether that run was there already, and the ledger did not know of it.
    """

    entry: Told | Dropped
    why: str = ""
    hint: str = ""
    record: Record | None = None
    is_found: bool = False


def find_record(project: Project, run_id: str) -> Record | None:
    """The sealed record of a run; None where it is still in progress, or there is none.

    Raises:
        DamagedRecordError: It cannot be read.
    """
    commit = RunRefs(project.repository).get(run_id)
    if commit is None:
        return None
    with reading(project.repository) as objects:
        record = read_record(objects, commit)
    return None if record.run.status is Status.RUNNING else record


def settle(
    project: Project,
    spec: SweepSpec,
    trial: Trial,
    cause: Cause,
    *,
    retries: int,
    end: TrialEnd | None = None,
) -> Settled:
    """Say what became of the last attempt of a trial, which nobody works on any more.

    A command that failed is a trial that failed: it would fail again. Only what says nothing of
    the trial gives it another attempt, with the same params: that it was interrupted, as often as
    it is; that it was lost, so often. The end of the sweep's own process is such an interruption.

    Args:
        retries: How many lost attempts a trial may have before it counts as failed.
        end: What the launcher said of it.

    Raises:
        StorageError: It could not be recorded, for the disk is full or read-only.
    """
    end = end or TrialEnd(run=trial.run)
    try:
        record = find_record(project, trial.run)
        if record is not None:
            return _settle_record(project, spec, trial, record, cause, retries, end)
    except DamagedRecordError as damaged:
        end = replace(end, error=damaged.message, hint=damaged.hint or "", slug=damaged.slug)
    if cause is not Cause.ITSELF:
        return drop(project, trial, _WHY[cause])
    if end.slug == StorageError.slug:
        raise StorageError(end.error, hint=end.hint or None)
    if end.slug in _AGAIN_THE_SAME:
        retries = 0
    lost = lose(project, trial, escape(end.error) or "its run was not recorded", retries)
    return replace(lost, hint=end.hint)


def drop(project: Project, trial: Trial, why: str) -> Settled:
    """An attempt that ended for a reason which says nothing of the trial."""
    entry = Dropped(
        number=trial.number, run=trial.run, why=why, is_lost=False, time=project.clock()
    )
    return Settled(entry, why)


def lose(project: Project, trial: Trial, why: str, retries: int) -> Settled:
    """A lost attempt; the last one that a trial has makes it fail."""
    now = project.clock()
    if trial.n_lost >= retries:
        times = f"it was lost {trial.n_lost + 1} times: " if trial.n_lost else ""
        state = TrialState.FAILED
        why = f"{times}{why}"
        told = Told(number=trial.number, run=trial.run, state=state, time=now, why=why)
        return Settled(told, why)
    entry = Dropped(number=trial.number, run=trial.run, why=why, is_lost=True, time=now)
    return Settled(entry, why)


def tell_result(
    project: Project,
    spec: SweepSpec,
    number: int,
    run: str,
    record: Record,
    *,
    reused: str | None = None,
    is_pruned: bool = False,
    is_found: bool = False,
) -> Settled:
    """The result of a trial that came to its end, by the record of its run.

    Args:
        run: The id of the attempt.
        reused: The id of the run, where it is an earlier one.
        is_pruned: Whether it was stopped, for others were better.
        is_found: Whether the run was there already.
    """
    value = read_value(spec, record)
    is_finished = record.run.status is Status.FINISHED
    why = ""
    if is_pruned:
        state = TrialState.PRUNED
    elif is_finished and (value is not None or spec.metric is None):
        state = TrialState.FINISHED
    else:
        state = TrialState.FAILED
        why = _no_value(spec, record) if is_finished else _failure(project, record)
    told = Told(
        number=number,
        run=run,
        state=state,
        time=project.clock(),
        value=value,
        steps=_steps(project, spec, record),
        duration_s=record.run.duration_s,
        reused=reused,
        why=why,
    )
    return Settled(told, why, record=record, is_found=is_found)


def _steps(project: Project, spec: SweepSpec, record: Record) -> Steps:
    """The values on the way; none where they cannot be read, which costs no trial its result."""
    try:
        return read_steps(project, spec, record)
    except DamagedRecordError:
        return ()


_WHY = {
    Cause.PRUNED: "it was stopped before it began",
    Cause.INTERRUPTED: "it was interrupted",
    Cause.ORPHANED: "the process that ran the sweep ended",
}


def _settle_record(
    project: Project,
    spec: SweepSpec,
    trial: Trial,
    record: Record,
    cause: Cause,
    retries: int,
    end: TrialEnd,
) -> Settled:
    run = record.run
    if loss := find_loss(spec, record):
        return replace(lose(project, trial, escape(loss), retries), record=record)
    if run.status is Status.FINISHED or _took_too_long(record):
        return tell_result(project, spec, trial.number, trial.run, record)
    if cause is Cause.PRUNED:
        return tell_result(project, spec, trial.number, trial.run, record, is_pruned=True)
    # An orphan is killed by whoever led it, or by what killed that.
    is_cut_off = cause is Cause.ORPHANED and run.status is not Status.FAILED
    if cause is Cause.INTERRUPTED or is_cut_off:
        return drop(project, trial, _WHY[cause])
    if run.status in (Status.FAILED, Status.KILLED):
        return tell_result(project, spec, trial.number, trial.run, record)
    lost = lose(project, trial, escape(end.error) or "its process vanished", retries)
    return replace(lost, hint=end.hint)


def _took_too_long(record: Record) -> bool:
    return any(warning.startswith(TOO_LONG) for warning in record.run.warnings)


def _no_value(spec: SweepSpec, record: Record) -> str:
    value = find_value(spec, record)
    metric = escape(spec.metric or "")
    if value is None:
        return f"it logged no `{metric}`"
    return f"its `{metric}` is {value}"


def _failure(project: Project, record: Record) -> str:
    """How a command failed, with the last line that it printed."""
    run = record.run
    long = next((text for text in run.warnings if text.startswith(TOO_LONG)), None)
    if long is not None:
        return escape(long)
    how = f"killed by {run.signal}" if run.signal else f"exit code {run.exit_code}"
    if run.signal == "SIGKILL":
        how += ", as where memory runs out"
    output = read_part(project, record, OUTPUT) or b""
    lines = last_lines(output[-_TAIL:], 1)
    return f"{how}: {lines[0][:_LONGEST]}" if lines else how

"""Runs of a sweep that came to their end, and that its ledger does not know of."""

from dataclasses import dataclass

from repro.core.project import Project
from repro.core.query import list_runs
from repro.core.sweep.results import find_loss
from repro.model.dotted import find_path, value_at
from repro.model.points import fits_space
from repro.model.run import Record, Status
from repro.model.space import Params
from repro.model.sweep import SweepAt, TrialState

_ENDED = (Status.FINISHED, Status.FAILED)


@dataclass(frozen=True, slots=True)
class Unknown:
    """A run that did the work of a trial."""

    record: Record
    params: Params


def find_unknown(project: Project, at: SweepAt) -> dict[int, Unknown]:
    """Give the run of each trial that was done, by number, though the ledger has no result of it.

    So it is after the ref of a sweep was set back, as by a backup: what was run is not run again.
    Of several for one trial the first counts.

    Cost: brings the run index up to date.
    """
    listing = list_runs(project, where=f"sweep = '{at.sweep.id}'", sort=["created"])
    found: dict[int, Unknown] = {}
    for record in listing.records:
        number = record.run.trial
        if number is None or number in found or not _is_done(at, record):
            continue
        if _is_settled(at, number, record):
            continue
        params = _read_params(at, record)
        if params is not None:
            found[number] = Unknown(record, params)
    return found


def _is_done(at: SweepAt, record: Record) -> bool:
    return record.run.status in _ENDED and not find_loss(at.sweep.spec, record)


def _is_settled(at: SweepAt, number: int, record: Record) -> bool:
    """Whether the ledger says of the trial, or will say, all that follows from a run."""
    trials = at.progress.trials
    if number >= len(trials):
        return False
    trial, run = trials[number], record.run.id
    if trial.is_over or (trial.state is TrialState.RUNNING and trial.run == run):
        return True
    # An attempt is dropped where its failure says nothing of the trial. One that was given up
    # on another machine may have finished there, and have come here since.
    # One that failed, and is to be tried again, is not ended by that failure.
    is_past = record.run.status is not Status.FINISHED or trial.n_reopened > 0
    return is_past and run in (trial.run, *trial.earlier)


def _read_params(at: SweepAt, record: Record) -> Params | None:
    """The params of a trial as its run has them; None where they are none of it."""
    params = {}
    for key in at.sweep.spec.space:
        path = find_path(record.config, key)
        if path is None:
            return None
        params[key] = value_at(record.config, path)
    return params if fits_space(at.sweep.spec.space)(params) else None

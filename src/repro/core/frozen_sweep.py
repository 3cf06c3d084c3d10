"""What the trials of a sweep execute: just what its frozen record and its space say."""

from repro.errors import DamagedRecordError
from repro.model.points import fits_space
from repro.model.run import Record
from repro.model.sweep import Asked, Sweep, SweepAt
from repro.store.objects import Objects
from repro.store.runs import read_record


def read_frozen(objects: Objects, sweep: Sweep) -> Record:
    """The frozen record, which says the same as the sweep does of what is executed.

    Raises:
        DamagedRecordError: It breaks FORMAT.md, or is another sweep's: nobody should run its
            trials, for what a user is shown before is this record.
        NewerFormatError: A newer repro wrote it.
    """
    record = read_record(objects, sweep.base)
    if record.run.id != sweep.id:
        raise DamagedRecordError(f"what sweep `{sweep.id}` starts from is that of another one")
    if record.run.command != sweep.spec.command:
        raise DamagedRecordError(f"sweep `{sweep.id}` has another command than what it starts from")
    return record


def check_params(at: SweepAt) -> None:
    """Look at the params of all claims, for they become words of a command.

    Raises:
        DamagedRecordError: A trial has other ones than the space of the sweep.
    """
    fits = fits_space(at.sweep.spec.space)
    for entry in at.ledger.entries:
        if isinstance(entry, Asked) and not fits(entry.params):
            raise DamagedRecordError(
                f"its trial {entry.number} has params that its space does not have"
            )

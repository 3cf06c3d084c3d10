"""A sweep that cannot be read: what can still be told of it, and the way back."""

from contextlib import suppress

from repro.errors import DamagedRecordError, NewerFormatError, ReproError
from repro.model.ids import is_id
from repro.model.sweep import Sweep
from repro.store.objects import Objects, read_commit
from repro.store.refs import SWEEPS
from repro.store.sweeps import StoredSweep, read_head, read_sweep

_MOST_BACK = 200  # commits; each is an entry or two of the ledger


def read_or_explain(objects: Objects, sweep_id: str, commit: str) -> StoredSweep:
    """Read a sweep; the error of one that is damaged names it, and the way back.

    Raises:
        DamagedRecordError: It breaks FORMAT.md.
        NewerFormatError: A newer repro wrote it.
    """
    try:
        return read_sweep(objects, commit)
    except NewerFormatError:
        raise
    except ReproError as error:
        raise DamagedRecordError(
            f"sweep `{sweep_id}` cannot be read: {error.message}",
            hint=_way_back(objects, sweep_id, commit) or error.hint,
        ) from error


def tell_of(objects: Objects, commit: str) -> Sweep | None:
    """What a sweep was made from, where at least that can be read."""
    with suppress(ReproError):
        return read_head(objects, commit)
    return None


def _way_back(objects: Objects, sweep_id: str, commit: str) -> str | None:
    """How to set a sweep back to the newest commit of it that can be read."""
    if not is_id(sweep_id):  # a name from elsewhere, in a command to copy
        return None
    before = commit
    with suppress(ReproError):
        for _ in range(_MOST_BACK):
            parents = read_commit(objects, before).parents
            if len(parents) < 2:  # the frozen record, and the commit before
                return None
            before = parents[1]
            with suppress(ReproError):
                read_sweep(objects, before)
                return (
                    f"`git update-ref {SWEEPS}{sweep_id} {before}` sets it back to what it was"
                    " before; what was run since is found again by `repro sweep resume`"
                )
    return None

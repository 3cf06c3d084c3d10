"""Which of the sweeps that came from elsewhere are taken in: each looked at, one by one."""

from collections.abc import Mapping
from dataclasses import dataclass

from repro.core.frozen_sweep import check_params, read_frozen
from repro.core.vetted_record import LARGEST_RUN_FILE, LARGEST_TEXT
from repro.core.vetting import Inspector
from repro.errors import DamagedRecordError, NewerFormatError
from repro.model.sharing import Refusal
from repro.model.text import escape
from repro.store.newobjects import find_unsound, list_new, reading_new
from repro.store.objects import FOLDER, Objects, read_tree
from repro.store.quarantine import Quarantine
from repro.store.sweepentries import PER_PAGE
from repro.store.sweeps import PAGES, SWEEP_FILE, StoredSweep, read_sweep

MOST_PAGES = 256 << 20  # bytes of a whole ledger; a hundred thousand trials with some steps each
MOST_ENTRIES = 1_000_000  # of a ledger; each takes some hundred bytes of memory

_PLAIN = (0o100644, 0o100755)


@dataclass(frozen=True, slots=True)
class VettedSweeps:
    """What may be taken in, each by its id, and what may not."""

    accepted: Mapping[str, StoredSweep]
    refused: tuple[Refusal, ...]


def vet_sweeps(quarantine: Quarantine, arrivals: Mapping[str, str]) -> VettedSweeps:
    """Look at sweeps before anybody sees them; a bad one never hides the others.

    That each is the one that it is said to be, that its spec and all entries of its ledger can be
    read, and that the record that its trials start from is as a run's must be; then git's own fsck
    of all that is new.

    Args:
        quarantine: Holds their new objects.
        arrivals: The commit of each by its id.

    Raises:
        StorageError: The disk is full.
        GitError: git cannot be run at all.
    """
    new = list_new(quarantine)
    accepted: dict[str, StoredSweep] = {}
    problems: dict[str, DamagedRecordError | NewerFormatError] = {}
    with reading_new(quarantine, n_runs=len(arrivals)) as objects:
        inspector = Inspector(objects, new)
        for sweep_id, oid in arrivals.items():
            try:
                accepted[sweep_id] = _check(objects, inspector, sweep_id, oid)
            except (DamagedRecordError, NewerFormatError) as error:
                problems[sweep_id] = error
    tips = [one.at.commit for one in accepted.values()]
    unsound = find_unsound(quarantine, new, tips, is_all=not problems)
    for sweep_id, one in [*accepted.items()]:
        if one.at.commit in unsound:
            problems[sweep_id] = DamagedRecordError(unsound[one.at.commit])
            del accepted[sweep_id]
    return VettedSweeps(
        accepted,
        tuple(
            Refusal(sweep_id, escape(error.message), error.hint or "", kind="sweep")
            for sweep_id, error in sorted(problems.items())
        ),
    )


def _check(objects: Objects, inspector: Inspector, sweep_id: str, oid: str) -> StoredSweep:
    commit = inspector.read_commit(oid)
    _check_shape(objects, inspector, commit.tree)
    stored = read_sweep(objects, oid)
    sweep = stored.at.sweep
    if sweep.id != sweep_id:
        raise DamagedRecordError(f"it is another sweep, `{sweep.id}`")
    inspector.check(sweep_id, sweep.base)
    read_frozen(objects, sweep)
    check_params(stored.at)
    return stored


def _check_shape(objects: Objects, inspector: Inspector, tree: str) -> None:
    """Refuse what is no sweep before anything of it is read whole."""
    top = read_tree(objects, tree)
    if odd := sorted(top.keys() - {SWEEP_FILE, PAGES}):
        raise DamagedRecordError(f"it has something else than a sweep has: `{escape(odd[0][:80])}`")
    head, folder = top.get(SWEEP_FILE), top.get(PAGES)
    if head is None or head.mode not in _PLAIN:
        raise DamagedRecordError(f"its commit holds no {SWEEP_FILE}: it is no sweep")
    _refuse_larger(inspector.size_of(head.oid), LARGEST_RUN_FILE, SWEEP_FILE)
    if folder is None:
        return
    if folder.mode != FOLDER:
        raise DamagedRecordError(f"its `{PAGES}` is no folder")
    total = 0
    pages = read_tree(objects, folder.oid)
    if len(pages) > MOST_ENTRIES // PER_PAGE:
        raise DamagedRecordError(f"its ledger has more than the limit of {MOST_ENTRIES:,} entries")
    for name, entry in pages.items():
        if entry.mode not in _PLAIN:
            raise DamagedRecordError(f"`{PAGES}/{escape(name[:80])}` is no plain file")
        size = inspector.size_of(entry.oid)
        _refuse_larger(size, LARGEST_TEXT, f"{PAGES}/{escape(name[:80])}")
        total += size or 0
    _refuse_larger(total, MOST_PAGES, PAGES)


def _refuse_larger(size: int | None, limit: int, name: str) -> None:
    if size is not None and size > limit:
        raise DamagedRecordError(f"`{name}` has {size:,} bytes, more than the limit of {limit:,}")

"""A sweep as a git commit: what it was made from, and the pages of its ledger (FORMAT.md)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from repro.errors import DamagedRecordError, NewerFormatError
from repro.model.canonical import Json, format_json, parse_json
from repro.model.ids import is_id
from repro.model.sweep import Entry, Ledger, Sweep, SweepAt
from repro.store.fields import Fields
from repro.store.git import Identity
from repro.store.objects import FOLDER, Objects, read_commit, read_file, read_tree
from repro.store.quarantine import CommitSpec, Existing
from repro.store.sweepentries import PER_PAGE, format_page, parse_page
from repro.store.sweepspecs import decode_spec, encode_spec

SWEEP_FILE = "sweep.json"
PAGES = "journal"
FORMAT_VERSION = 1

_MOST_PAGES = 50_000


@dataclass(frozen=True, slots=True)
class StoredSweep:
    """A sweep as it was read.

    Attributes:
        head: The object of `sweep.json`.
        pages: The object of each page of the ledger by its name, the first one first; all but the
            last hold 100 entries.
    """

    at: SweepAt
    head: str
    pages: Mapping[str, str]


def first_commit(sweep: Sweep, *, when: float, author: Identity) -> CommitSpec:
    """The commit that makes a sweep: nothing happened yet.

    Args:
        when: Seconds since 1970.
    """
    files = {SWEEP_FILE: format_json(encode_sweep(sweep))}
    return CommitSpec(
        message=_message(sweep), when=when, author=author, parents=[sweep.base], files=files
    )


def next_commit(
    stored: StoredSweep, entries: Iterable[Entry], *, when: float, author: Identity
) -> CommitSpec:
    """The commit that follows, with more entries at the end of the ledger.

    Args:
        when: Seconds since 1970.
    """
    known = stored.at.ledger.entries
    n_full = len(known) // PER_PAGE
    names = list(stored.pages)[:n_full]
    files: dict[str, bytes | Existing] = {SWEEP_FILE: Existing("100644", stored.head)}
    files.update({f"{PAGES}/{name}": Existing("100644", stored.pages[name]) for name in names})
    open_entries = [*known[n_full * PER_PAGE :], *entries]
    for start in range(0, len(open_entries), PER_PAGE):
        page = open_entries[start : start + PER_PAGE]
        files[f"{PAGES}/{_name(n_full + start // PER_PAGE)}"] = format_page(page)
    sweep = stored.at.sweep
    parents = [sweep.base, stored.at.commit]
    return CommitSpec(
        message=_message(sweep), when=when, author=author, parents=parents, files=files
    )


def read_sweep(objects: Objects, commit: str, before: StoredSweep | None = None) -> StoredSweep:
    """Read the sweep that `commit` holds.

    Args:
        before: As it was read the last time: what has not changed is not read again.

    Raises:
        DamagedRecordError: It breaks FORMAT.md.
        NewerFormatError: A newer repro wrote it.
    """
    parents = read_commit(objects, commit).parents
    if not parents:
        raise DamagedRecordError(f"the commit {commit[:12]} is no sweep: it has no parent")
    entries = read_tree(objects, commit)
    head = entries.get(SWEEP_FILE)
    if head is None:
        raise DamagedRecordError(f"the commit {commit[:12]} is no sweep: it has no `{SWEEP_FILE}`")
    is_known = before is not None and before.head == head.oid and before.at.sweep.base == parents[0]
    if is_known and before is not None:
        sweep = before.at.sweep
    else:
        data = read_file(objects, commit, SWEEP_FILE)
        sweep = decode_sweep(parse_json(data or b"", name=SWEEP_FILE), parents[0])
        before = None
    folder = entries.get(PAGES)
    pages = _list_pages(objects, folder.oid) if folder and folder.mode == FOLDER else {}
    ledger = _read_ledger(objects, pages, before)
    at = SweepAt(sweep=sweep, commit=commit, ledger=ledger)
    return StoredSweep(at, head.oid, pages)


def read_head(objects: Objects, commit: str) -> Sweep:
    """Read what a sweep was made from, whatever its ledger is like.

    Raises:
        DamagedRecordError: It breaks FORMAT.md.
        NewerFormatError: A newer repro wrote it.
    """
    parents = read_commit(objects, commit).parents
    data = read_file(objects, commit, SWEEP_FILE)
    if not parents or data is None:
        raise DamagedRecordError(f"the commit {commit[:12]} is no sweep")
    return decode_sweep(parse_json(data, name=SWEEP_FILE), parents[0])


def read_appended(
    objects: Objects, commit: str, before: StoredSweep, entries: Iterable[Entry]
) -> StoredSweep:
    """Give the sweep of a commit that `next_commit` made of `before` and `entries`.

    The ledger is known then: with early stopping its last page alone may have 2 MB.

    Raises:
        DamagedRecordError: The commit is another one.
    """
    folder = read_tree(objects, commit).get(PAGES)
    pages = _list_pages(objects, folder.oid) if folder and folder.mode == FOLDER else {}
    at = replace(before.at, commit=commit, ledger=before.at.ledger.extended(entries))
    return StoredSweep(at, before.head, pages)


def _list_pages(objects: Objects, folder: str) -> dict[str, str]:
    found = {entry.name: entry.oid for entry in read_tree(objects, folder).values()}
    names = [_name(number) for number in range(len(found))]
    if len(found) > _MOST_PAGES or sorted(found) != names:
        raise DamagedRecordError(f"`{PAGES}` of the sweep lacks a page, or has something else")
    return {name: found[name] for name in names}


def _read_ledger(objects: Objects, pages: Mapping[str, str], before: StoredSweep | None) -> Ledger:
    """The ledger in some pages; it is added up anew where the old one is not its beginning."""
    same = 0
    if before is not None:
        for old, new in zip(before.pages.values(), pages.values(), strict=False):
            if old != new:
                break
            same += 1
    known = before.at.ledger.entries[: same * PER_PAGE] if before is not None else ()
    read: list[Entry] = list(known)
    for number, (name, oid) in enumerate(pages.items()):
        if number < same:
            continue
        page = parse_page(objects.read(oid)[1], f"{PAGES}/{name}")
        if len(page) != PER_PAGE and (number < len(pages) - 1 or not 0 < len(page) < PER_PAGE):
            raise DamagedRecordError(f"`{PAGES}/{name}` of the sweep has {len(page)} entries")
        read += page
    if before is not None:
        old_entries = before.at.ledger.entries
        if tuple(read[: len(old_entries)]) == old_entries:
            return before.at.ledger.extended(read[len(old_entries) :])
    return Ledger().extended(read)


def _name(number: int) -> str:
    return f"{number:06d}.jsonl"


def _message(sweep: Sweep) -> str:
    title = " ".join((sweep.spec.name or " ".join(sweep.spec.command) or "sweep").split())
    return f"sweep {sweep.id}: {title}\n\nRepro-Sweep: {sweep.id}\n"


def encode_sweep(sweep: Sweep) -> dict[str, Json]:
    """What `sweep.json` says."""
    return {
        "format": FORMAT_VERSION,
        "id": sweep.id,
        "created": sweep.created,
        "user": sweep.user,
        "host": sweep.host,
        "spec": encode_spec(sweep.spec),
    }


def decode_sweep(value: Json, base: str) -> Sweep:
    """Read what `encode_sweep` gave.

    Args:
        base: The commit that its own stands on.

    Raises:
        NewerFormatError: A newer repro wrote it.
        DamagedRecordError: It breaks FORMAT.md.
    """
    fields = Fields(value, SWEEP_FILE)
    version = fields.integer("format")
    if version > FORMAT_VERSION:
        raise NewerFormatError(
            f"the sweep has format {version}, and this repro reads up to {FORMAT_VERSION}",
            hint="upgrade repro: `pip install --upgrade git-repro`",
        )
    sweep_id = fields.text("id")
    if not is_id(sweep_id):
        raise fields.wrong("id", "is no id")
    return Sweep(
        id=sweep_id,
        base=base,
        created=fields.time("created"),
        user=fields.text("user"),
        host=fields.text("host"),
        spec=decode_spec(fields.values.get("spec"), f"{SWEEP_FILE}, spec"),
    )

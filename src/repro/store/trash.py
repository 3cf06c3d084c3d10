"""The trash: what `refs/repro/trash/<id>` says of a run that was removed (FORMAT.md "Trash")."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from repro.errors import DamagedRecordError, NewerFormatError
from repro.model.canonical import Json, format_json, parse_json
from repro.model.ids import is_id
from repro.model.times import parse_time
from repro.store.fields import Fields
from repro.store.git import Git, Repository
from repro.store.objects import Objects, is_oid, read_file
from repro.store.reflisting import list_run_refs
from repro.store.refnames import ARCHIVE, REMOTES, RUNS, SWEEPS, TRASH, Kind, parse_ref
from repro.store.refs import list_refs

FILE = "trash.json"
VERSION = 1
_OWN_REFS = (Kind.RUN, Kind.LIVE)  # that name one run


@dataclass(frozen=True, slots=True, kw_only=True)
class TrashEntry:
    """A run, or a sweep, that was removed.

    Attributes:
        run: Its id.
        commit: What `refs/repro/trash/<id>` names: a commit that holds all the others.
        name: Of the run, None where it had none or could not be read.
        removed: When, as `format_time` writes it.
        refs: The refs that named the run, each with the commit that it named; none once all that
            is left is the memory that it was removed.
        earlier: The entry that was in the trash before, where that holds another record.
    """

    run: str
    commit: str
    name: str | None
    removed: str
    refs: Mapping[str, str]
    earlier: str | None = None

    @property
    def remotes(self) -> tuple[str, ...]:
        """The remotes that had the run when they were last asked."""
        return tuple(sorted({parse_ref(ref).remote for ref in self.refs} - {""}))

    @property
    def is_sweep(self) -> bool:
        """Whether it is a sweep, and no run."""
        return any(ref.startswith(SWEEPS) for ref in self.refs)

    @property
    def removed_s(self) -> float:
        """Seconds since 1970."""
        return parse_time(self.removed)


def encode_trash(entry: TrashEntry) -> bytes:
    """The `trash.json` of an entry."""
    refs: dict[str, Json] = dict(sorted(entry.refs.items()))
    return format_json(
        {
            "version": VERSION,
            "run": entry.run,
            "name": entry.name,
            "removed": entry.removed,
            "refs": refs,
            "earlier": entry.earlier,
        }
    )


def read_trash(objects: Objects, run_id: str, commit: str) -> TrashEntry:
    """The entry that `commit` is.

    Raises:
        NewerFormatError: A newer repro wrote it.
        DamagedRecordError: It is missing, or none that repro wrote.
    """
    data = read_file(objects, commit, FILE)
    if data is None:
        raise DamagedRecordError(f"`{TRASH}{run_id}` is no entry of the trash")
    fields = Fields(parse_json(data, name=FILE), FILE)
    if fields.integer("version") > VERSION:
        raise NewerFormatError(
            f"`{TRASH}{run_id}` was written by a newer repro",
            hint="upgrade repro: `pip install --upgrade git-repro`",
        )
    refs = fields.inner("refs")
    found = {}
    for ref in refs.values:
        oid = refs.text(ref)
        parsed = parse_ref(ref)
        is_of_run = parsed.kind in _OWN_REFS and parsed.name == run_id
        if not (is_of_run or ref == SWEEPS + run_id) or not is_oid(oid):
            raise fields.wrong("refs", "names a ref that is none of the run's")
        found[ref] = oid
    if fields.text("run") != run_id:
        raise fields.wrong("run", "is another run")
    return TrashEntry(
        run=run_id,
        commit=commit,
        name=fields.optional_text("name"),
        removed=fields.time("removed"),
        refs=found,
        earlier=fields.optional_text("earlier", is_oid),
    )


def list_trash_refs(git: Git) -> dict[str, str]:
    """The commit of each entry, by the id of the run."""
    refs = list_refs(git, TRASH)
    named = {ref.removeprefix(TRASH): oid for ref, oid in refs.items()}
    return {run_id: oid for run_id, oid in named.items() if is_id(run_id)}


def list_places(repository: Repository, ids: Iterable[str]) -> dict[str, dict[str, str]]:
    """For each of some runs, the refs that it shall have, here and as fetched, with their commits.

    One that only archives have gets the ref that it would have outside of them.
    """
    found: dict[str, dict[str, str]] = {run_id: {} for run_id in ids}
    for ref, oid in list_refs(repository.git, RUNS, REMOTES).items():
        parsed = parse_ref(ref)
        if parsed.name in found and parsed.kind in _OWN_REFS:
            found[parsed.name][ref] = oid
    lacking = [run_id for run_id, refs in found.items() if not refs]
    if lacking:
        listing = list_run_refs(repository, (ARCHIVE, REMOTES))
        for run_id in lacking:
            for place in listing.places(run_id)[:1]:
                folder = f"{REMOTES}{place.remote}/" if place.remote else RUNS
                found[run_id][folder + run_id] = place.commit
    return found

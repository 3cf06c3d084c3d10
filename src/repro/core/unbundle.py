"""Runs taken in from a bundle file, vetted as those of a remote are, with the bytes beside them."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from repro.core.arriving import Arrivals, take_in
from repro.core.bundle import CRATE
from repro.core.crate import DATA, STORED
from repro.core.datachoice import choose, iter_files
from repro.core.project import Project
from repro.core.query import resolve_run
from repro.core.stored import list_stored
from repro.core.sweep_arrivals import SweepsTaken, take_in_sweeps
from repro.errors import DamagedRecordError, InvalidInputError, NewerFormatError, RemoteError
from repro.model.ids import is_id
from repro.model.sharing import Refusal
from repro.model.text import escape
from repro.store.blobs import stream_blob
from repro.store.bundlefile import BundleHeader, read_header
from repro.store.content import ContentStore
from repro.store.incoming import Source, receive
from repro.store.newobjects import list_new, reading_new, seeing
from repro.store.objects import list_files, read_commit, read_tree, reading
from repro.store.quarantine import Quarantine, open_quarantine
from repro.store.refs import RUNS, SWEEPS, TRASH, list_refs

PLACE = "bundle"  # what its runs are under, below `refs/repro/remotes/`

_SHORT = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Unbundled:
    """What became of the runs of a bundle.

    Attributes:
        runs: Ids of all runs that it claims to have.
        new: Those that were not known here.
        moved: Those of which it says more than was known here.
        kept: Files whose bytes went to the content store; `size`, their bytes.
        sweeps: What became of its sweeps; those that were refused are among the others.
    """

    runs: tuple[str, ...]
    new: tuple[str, ...]
    moved: tuple[str, ...]
    refused: tuple[Refusal, ...]
    kept: int
    size: int
    sweeps: SweepsTaken = field(default_factory=SweepsTaken)


def look_into(project: Project, path: Path) -> dict[str, str]:
    """Give the commit of each run that a bundle claims to have; nothing of it is taken in.

    Raises:
        InvalidInputError: The file cannot be read, is no bundle of runs, or does not fit here.
        NewerFormatError: It is a bundle of a newer version.
        DamagedRecordError: It is cut off or malformed.
    """
    return _runs_of(project, path, read_header(path))


def _runs_of(project: Project, path: Path, header: BundleHeader) -> dict[str, str]:
    shown = escape(str(path))
    repository = project.repository
    if header.object_format != repository.object_format:
        raise InvalidInputError(
            f"`{shown}` is of a {header.object_format} repository, and this is one of"
            f" {repository.object_format}",
            hint=f"`git clone {shown} DIR` makes one that fits",
        )
    if header.is_partial:
        raise NewerFormatError(f"objects were left out of `{shown}`", hint="make a whole one")
    for oid in header.prerequisites:
        done = repository.git.run("cat-file", "-e", f"{oid}^{{commit}}", ok=(0, 1, 128))
        if done.code != 0:
            raise InvalidInputError(
                f"`{shown}` needs commit {oid[:_SHORT]}, which is not here",
                hint="fetch the branch that has it, or get a bundle of `repro bundle`",
            )
    named = {
        ref.removeprefix(RUNS): oid for ref, oid in header.refs.items() if ref.startswith(RUNS)
    }
    runs = {name: oid for name, oid in named.items() if is_id(name)}
    if not runs:
        raise InvalidInputError(
            f"there are no runs in `{shown}`", hint="`repro bundle RUN -o FILE` makes one with runs"
        )
    return runs


def unbundle_runs(
    project: Project,
    path: Path,
    *,
    with_data: bool = True,
    report: Callable[[str], None] = lambda _: None,
) -> Unbundled:
    """Take in the runs of a bundle, and what it has of the bytes they need.

    Args:
        with_data: Keep bytes of datasets and of what else their records name.
        report: Told in words how far it is.

    Raises:
        InvalidInputError: As `look_into`; NewerFormatError and DamagedRecordError likewise.
        StorageError: The disk is full.
    """
    header = read_header(path)
    runs = _runs_of(project, path, header)
    sweeps = {
        name: oid
        for ref, oid in header.refs.items()
        if ref.startswith(SWEEPS) and is_id(name := ref.removeprefix(SWEEPS))
    }
    oids = [
        *runs.values(),
        *sweeps.values(),
        *([header.refs[CRATE]] if CRATE in header.refs else []),
    ]
    source = Source(str(path.absolute()), escape(str(path)))
    n_kept = size = 0
    with open_quarantine(project.repository) as quarantine:
        try:
            failed = receive(quarantine, source, oids, report=report)
        except RemoteError as error:
            raise DamagedRecordError(
                f"`{escape(str(path))}` is cut off or damaged behind its list of refs",
                hint="get the file again",
            ) from error
        whole = {run_id: oid for run_id, oid in runs.items() if oid not in failed}
        taken = take_in(project, quarantine, PLACE, Arrivals(runs=whole), report=report)
        came = {one: oid for one, oid in sweeps.items() if oid not in failed}
        listed = list_refs(project.repository.git, *(TRASH + one for one in came)) if came else {}
        came = {one: oid for one, oid in came.items() if TRASH + one not in listed}
        taken_sweeps = SweepsTaken()
        if came:
            taken_sweeps = take_in_sweeps(project, quarantine, came, merge=True)
        sound = sorted(whole.keys() - {refusal.run for refusal in taken.refused})
        crate = header.refs.get(CRATE)
        if with_data and crate is not None and crate not in failed:
            wanted = _wanted(project, sound)
            for blob in _blobs(quarantine, crate, wanted):
                if (kept := _keep(project, quarantine, blob, wanted)) is not None:
                    n_kept += 1
                    size += kept
                    report(f"keeping files, {n_kept:,} of {len(wanted):,}")
    lost = tuple(
        Refusal(run, "the file is damaged where it is", "get the file again")
        for run, oid in sorted(runs.items())
        if oid in failed
    )
    return Unbundled(
        runs=tuple(sorted(runs)),
        new=taken.new,
        moved=taken.moved,
        refused=(*lost, *taken.refused, *taken_sweeps.refused),
        kept=n_kept,
        size=size,
        sweeps=taken_sweeps,
    )


def _wanted(project: Project, ids: Sequence[str]) -> dict[str, int | None]:
    """What runs need that the content store lacks: digests with bytes, None where unknown."""
    content = ContentStore(project.store)
    found: dict[str, int | None] = {}
    for run_id in ids:
        for chosen in choose(project, (), (run_id,)):
            for _, entry in iter_files(project, chosen) if chosen.kept else ():
                if entry.sha256 is not None:
                    found[f"sha256:{entry.sha256}"] = entry.size
        with reading(project.repository) as objects:
            for stored in list_stored(objects, resolve_run(project, run_id)):
                found[stored.digest] = stored.size
    return {digest: size for digest, size in found.items() if not content.has(digest)}


def _blobs(quarantine: Quarantine, crate: str, wanted: Mapping[str, int | None]) -> Iterator[str]:
    """The blobs of a crate that may be among what is wanted, by their sizes."""
    sizes = set(wanted.values())
    if not sizes:
        return
    new = list_new(quarantine)
    with reading_new(quarantine, n_runs=1) as objects:
        top = read_tree(objects, read_commit(objects, crate).tree)
        for name in (DATA, STORED):
            if name in top:
                for oid in dict.fromkeys(list_files(objects, top[name].oid).values()):
                    found = new.get(oid)
                    if found is not None and (None in sizes or found.size in sizes):
                        yield oid


def _keep(
    project: Project, quarantine: Quarantine, oid: str, wanted: Mapping[str, int | None]
) -> int | None:
    """Put a blob into the content store if its own sha256 is wanted; its bytes then."""
    content = ContentStore(project.store)
    hasher = hashlib.sha256()
    size = 0
    with content.incoming("a file of the bundle") as target:
        for block in stream_blob(seeing(quarantine), oid):
            hasher.update(block)
            target.write(block)
            size += len(block)
        digest = f"sha256:{hasher.hexdigest()}"
        if digest not in wanted or content.has(digest):
            return None
        content.commit(target, digest)
    return size

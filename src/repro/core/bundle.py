"""Runs written into one file, which git, repro and readers of RO-Crates understand."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from repro.atomic import fsync_dir, storage_errors
from repro.core.beside_data import DataBeside, plan_beside
from repro.core.crate import Crate, lay_out
from repro.core.gone import is_partial
from repro.core.leaking import refuse_leaking
from repro.core.leaks import OnScan
from repro.core.measured import OnProgress
from repro.core.project import Project
from repro.core.wheels import Wheels, fetch_wheels
from repro.errors import InvalidInputError, UsageError
from repro.model.readable import count_of
from repro.model.run import Record
from repro.model.text import escape
from repro.model.times import parse_time
from repro.store.bundlefile import write_bundle
from repro.store.content import ContentStore
from repro.store.git import Identity
from repro.store.objects import reading
from repro.store.quarantine import CommitSpec, Quarantine, open_quarantine, write_commits
from repro.store.refs import RUNS, SWEEPS, RunRefs, list_refs
from repro.store.sweeps import read_sweep

CRATE = "refs/heads/crate"

_AUTHOR = Identity("repro", "repro@localhost")
_NO_LINKS = 1 << 62  # bytes from which on a dataset would be linked instead of copied


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundled:
    """What was written.

    Attributes:
        size: Bytes of the file.
        runs: Ids.
        sweeps: Ids of the sweeps that go along.
        datasets: Names of the datasets whose bytes are in it.
        packages: How many files of packages are in it.
        lacking: Packages that were asked for and are not, each with the reason.
    """

    path: Path
    size: int
    runs: tuple[str, ...]
    datasets: tuple[str, ...]
    sweeps: tuple[str, ...] = ()
    packages: int = 0
    lacking: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """Who is told how far a bundle is.

    Attributes:
        hashed: Of the hashing of datasets.
        scanned: Of the search for secrets.
        packed: Of the fetching of packages, in words.
    """

    hashed: OnProgress | None = None
    scanned: OnScan | None = None
    packed: Callable[[str], None] = lambda _: None


def bundle_runs(
    project: Project,
    records: Sequence[Record],
    target: Path,
    *,
    with_data: bool = False,
    with_env: bool = False,
    replace: bool = False,
    tell: Telling | None = None,
) -> Bundled:
    """Write sealed runs, with all the history of their code, into the file `target`.

    A sweep goes along where all its trials do whose runs are here.

    Args:
        with_data: Put the bytes of their datasets and of all that lies in the content store in.
        with_env: Put what a package index has of the packages that they had installed in.
        replace: `target` may be there already.

    Raises:
        UsageError: A run is in progress, or there is none.
        InvalidInputError: `target` is there already; or the clone lacks history or objects; or
            a run, or the history of its code, holds what looks like a secret.
        MissingDataError: Bytes of a dataset are neither in the content store nor where they were.
        DamagedRecordError: A record breaks FORMAT.md, or bytes are not what they should be.
        StorageError: The disk is full, read-only or forbidden; nothing is left behind.
    """
    tell = tell or Telling()
    _check(project, records, target, replace=replace)
    commits: dict[str, str] = {record.run.id: record.commit for record in records}
    sweeps = _find_sweeps(project, records)
    for refusal in refuse_leaking(project, {**commits, **sweeps}, on_scan=tell.scanned):
        kind = "sweep" if refusal.run in sweeps else "run"
        raise InvalidInputError(
            f"{kind} `{refusal.run}` is not bundled, {refusal.reason}", hint=refusal.hint
        )
    plans: dict[str, list[DataBeside]] = {}
    if with_data:
        for record in records:
            plans[record.run.id] = plan_beside(
                project, record, link_from=_NO_LINKS, on_progress=tell.hashed
            )
    content = ContentStore(project.store)
    with (
        open_quarantine(project.repository) as quarantine,
        TemporaryDirectory(prefix="repro-packages-") as folder,
    ):
        wheels = Wheels((), ())
        if with_env:
            wheels = fetch_wheels(project, records, Path(folder), on_step=tell.packed)
        with reading(project.repository) as objects:
            crate = lay_out(
                objects,
                content,
                records,
                data=plans,
                packages={wheel.name: wheel for wheel in wheels.files},
                with_stored=with_data,
            )
        refs = {RUNS + run_id: oid for run_id, oid in commits.items()}
        refs |= {SWEEPS + sweep_id: oid for sweep_id, oid in sweeps.items()}
        refs[CRATE] = _commit_crate(quarantine, crate, records)
        _write(quarantine, refs, target)
    names = {plan.name for listed in plans.values() for plan in listed}
    return Bundled(
        path=target,
        size=target.stat().st_size,
        runs=tuple(record.run.id for record in records),
        datasets=tuple(sorted(names)),
        sweeps=tuple(sweeps),
        packages=len(wheels.files),
        lacking=wheels.lacking,
    )


def _commit_crate(quarantine: Quarantine, crate: Crate, records: Sequence[Record]) -> str:
    quarantine.expect(crate.size)
    newest = max(records, key=lambda record: record.run.started)
    spec = CommitSpec(
        message=f"Crate of {count_of(len(records), 'run')}\n",
        when=parse_time(newest.run.started),
        author=_AUTHOR,
        files=crate.files,
    )
    [commit] = write_commits(quarantine, [spec])
    return commit


def _write(quarantine: Quarantine, refs: Mapping[str, str], target: Path) -> None:
    """Write the file beside its place, and give it its name when it is whole."""
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        write_bundle(quarantine, refs, CRATE, draft.absolute())
        with storage_errors(f"`{target}`"):
            draft.replace(target)
            fsync_dir(target.parent)
    finally:
        draft.unlink(missing_ok=True)


def _find_sweeps(project: Project, records: Sequence[Record]) -> dict[str, str]:
    """The commits of the sweeps of which all trials that are here are among some runs, by id."""
    named = {record.run.sweep for record in records} - {None}
    refs = list_refs(project.repository.git, *(f"{SWEEPS}{one}" for one in named)) if named else {}
    bundled = {record.run.id for record in records}
    found = {}
    with reading(project.repository) as objects:
        for ref, oid in refs.items():
            trials = read_sweep(objects, oid).at.progress.trials
            here = RunRefs(project.repository).look_up([trial.run for trial in trials])
            if here.keys() <= bundled:
                found[ref.removeprefix(SWEEPS)] = oid
    return found


def _check(project: Project, records: Sequence[Record], target: Path, *, replace: bool) -> None:
    shown = escape(str(target))
    if not records:
        raise UsageError("there is no run to bundle", hint="`repro ls` lists the runs")
    for record in records:
        if not record.commit:
            raise UsageError(f"run `{record.run.id}` is in progress", hint="wait for it to end")
    if target.is_dir():
        raise InvalidInputError(f"`{shown}` is a folder", hint="name a file")
    if not target.absolute().parent.is_dir():
        raise InvalidInputError(f"there is no folder for `{shown}`", hint="make it first")
    if target.exists() and not target.is_file():
        raise InvalidInputError(f"`{shown}` is no file that could be replaced", hint="name another")
    if target.exists() and not replace:
        raise InvalidInputError(f"`{shown}` is there already", hint="`--force` replaces it")
    git = project.repository.git
    if git.text("rev-parse", "--is-shallow-repository") == "true":
        raise InvalidInputError(
            "this clone is shallow, and a bundle needs all the history of the code",
            hint="`git fetch --unshallow` brings it",
        )
    if is_partial(git):
        raise InvalidInputError(
            "this clone is partial, and a bundle needs all objects",
            hint="`git fetch --refetch --no-filter` brings them",
        )

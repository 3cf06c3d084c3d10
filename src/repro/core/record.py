"""The end of a run: its live folder sealed as a commit, recovered if its process died."""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from repro.core.earlier import read_earlier
from repro.core.outputs import Signature
from repro.core.ownfiles import set_aside
from repro.core.project import Project
from repro.core.seal import assemble
from repro.core.sealing import sealing
from repro.core.started import START, Started, drop_unstarted, read_start
from repro.errors import DamagedRecordError, GitError, ReproError
from repro.model.ids import is_id
from repro.model.run import Record, Run
from repro.store.clonekey import read_marker
from repro.store.content import ContentStore
from repro.store.journal import is_live
from repro.store.manyfiles import remove_folder
from repro.store.objects import reading
from repro.store.ownership import note_own
from repro.store.packs import consolidate
from repro.store.quarantine import CommitSpec, Quarantine, open_quarantine, publish, write_commits
from repro.store.refs import LIVE, LIVE_DATA, RUNS, RefUpdate, list_refs, read_ref
from repro.store.runs import read_record

_TRIES = 3  # a concurrent gc can take an object between our seeing and our packing it
_GRACE_S = 60.0  # a live folder without start.json this young is still being made


def seal_run(project: Project, folder: Path) -> Record:
    """Turn the live folder of an ended run into its commit; then the folder goes.

    A pure function of the folder: times come from the journals, so that sealing the same
    journals twice gives the same commit. Close this process's own journals first. Where another
    process has sealed it meanwhile, its run is given.

    Raises:
        DamagedRecordError: The folder is not one that `start_run` made.
        StorageError: The disk is full or read-only; the folder stays for the next command.
    """
    with sealing(folder) as is_ours:
        return _seal(project, folder) if is_ours else _sealed_elsewhere(project, folder)


def _seal(project: Project, folder: Path) -> Record:
    started = read_start(folder)
    if started is None:
        return _sealed_elsewhere(project, folder)
    places = [place + folder.name for place in (LIVE, RUNS, LIVE_DATA)]
    refs = list_refs(project.repository.git, *places)
    live, sealed, pages = map(refs.get, places)
    seen: Mapping[str, Signature] = {}
    if live is None and sealed is not None and sealed != started.resumed:
        record = _read_record(project, sealed)  # it was killed between the ref and the clean-up
    else:
        record, seen = _write_run(project, folder, started, live, pages, held=sealed)
    artifacts = {artifact.path: artifact for artifact in record.artifacts}
    set_aside(folder, project.repository.private, artifacts, seen)
    _remove_live(folder)
    consolidate(project.repository, now=project.clock())
    return record


def _sealed_elsewhere(project: Project, folder: Path) -> Record:
    commit = read_ref(project.repository.git, RUNS + folder.name)
    if commit is not None:
        return _read_record(project, commit)
    if folder.exists():
        raise DamagedRecordError(f"`{folder}` has no `{START}`: it is no run in progress")
    drop_unstarted(project, folder)
    raise DamagedRecordError(
        f"`{folder}` is gone, and with it all that run `{folder.name}` logged",
        hint="look for what deletes files in `.git` while it runs",
    )


def _read_record(project: Project, commit: str) -> Record:
    with reading(project.repository) as objects:
        return read_record(objects, commit)


def _write_run(
    project: Project,
    folder: Path,
    started: Started,
    live: str | None,
    pages: str | None,
    *,
    held: str | None,
) -> tuple[Record, Mapping[str, Signature]]:
    """Publish the run; also gives what its own files were when they were kept.

    Args:
        held: What its ref names: none, or what is continued as it is now.
    """
    earlier = read_earlier(project, started.resumed)
    marker = read_marker(project.repository.private)
    sealed = assemble(started, folder, ContentStore(project.store), earlier, marker)
    run = sealed.record.run
    title = " ".join((run.name or " ".join(run.command) or "run").split())
    parents = [started.snapshot, *([started.resumed] if started.resumed else [])]
    spec = CommitSpec(
        message=f"run {run.id}: {title}\n\nRepro-Run: {run.id}\nRepro-Status: {run.status}\n",
        when=sealed.ended_at,
        author=started.author,
        parents=parents,
        files=sealed.files,
    )
    reached = [commit for commit in (live, started.resumed, held) if commit]
    # With submodules or surroundings the live ref names a commit on top of the snapshot.
    beside = [live] if live and live != started.snapshot else []
    beside += [pages] if pages else []
    going = {LIVE + run.id: live, LIVE_DATA + run.id: pages}
    for attempt in range(_TRIES):
        try:
            with open_quarantine(project.repository) as quarantine:
                [commit] = write_commits(quarantine, [spec])
                # Before its ref is there: then no run of ours is ever taken for somebody else's.
                note_own(project.repository.private, run.id, commit)
                if started.resumed and held not in (None, started.resumed):
                    commit = _with_words(quarantine, run.id, commit, held)
                updates = [RefUpdate(RUNS + run.id, new=commit, old=held)]
                updates += [RefUpdate(ref, new=None, old=oid) for ref, oid in going.items() if oid]
                publish(quarantine, tips=[commit], exclude=reached, beside=beside, refs=updates)
            break
        except GitError:
            if attempt == _TRIES - 1:
                raise
    return replace(sealed.record, commit=commit), sealed.seen


def _with_words(quarantine: Quarantine, run_id: str, commit: str, held: str) -> str:
    """The new attempt with what was said of the run, as by a pull, while it was in progress."""
    from repro.core.reconcile import reconcile  # noqa: PLC0415  # next to no run needs it

    return reconcile(quarantine, run_id, commit, held)


def _remove_live(folder: Path) -> None:
    """Delete a live folder; first it gets a name that nobody takes for a run."""
    gone = folder.with_name(f".sealed-{folder.name}")
    try:
        folder.rename(gone)
    except OSError:  # another process is a step ahead
        gone = folder
    remove_folder(gone)


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was found in `live/`: runs sealed now, and why others could not be."""

    runs: tuple[Run, ...]
    problems: tuple[str, ...]


def recover_runs(project: Project) -> Recovered:
    """Seal every run whose processes are all gone; cheap when there is none.

    One that cannot be sealed is named and left as it is; it never hides the others.
    """
    runs: list[Run] = []
    problems: list[str] = []
    try:
        names = sorted(os.listdir(project.live))
    except OSError:
        return Recovered((), ())
    for name in names:
        folder = project.live / name
        if name.startswith(".sealed-"):
            remove_folder(folder)
        if not is_id(name):
            continue
        try:
            run = _recover(project, folder)
        except ReproError as error:
            problems.append(f"run `{name}` could not be sealed: {error.message}")
        except OSError as error:
            if folder.exists():  # else another process was a step ahead
                problems.append(f"run `{name}` could not be sealed: {error}")
        else:
            if run is not None:
                runs.append(run)
    return Recovered(tuple(runs), tuple(problems))


def _recover(project: Project, folder: Path) -> Run | None:
    # What stands there is looked at before whether anybody is alive: the other way round, a run
    # that is started in between would be taken for one that died.
    is_started = (folder / START).exists()
    was_locked = any(path.stat().st_size for path in folder.glob("journal-*"))
    now = project.clock()
    if is_live(folder, host=socket.gethostname(), now=now):
        return None
    with sealing(folder, is_patient=False) as is_ours:
        if is_ours and is_started:
            return _seal(project, folder).run
        # A journal gets its lock before its first line; without one, the folder may be new.
        if is_ours and (was_locked or now - folder.stat().st_mtime > _GRACE_S):
            drop_unstarted(project, folder)
    return None

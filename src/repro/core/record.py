"""The life of a run: started in `live/`, sealed as a commit, recovered if its process died."""

import os
import shutil
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from repro.atomic import FileLock, fsync_dir, storage_errors
from repro.core.capture import Code, capture_code, capture_config, identify
from repro.core.earlier import read_earlier
from repro.core.project import Project, who_am_i
from repro.core.seal import assemble
from repro.core.started import START, Started, read_start, write_start
from repro.errors import ConflictError, DamagedRecordError, GitError, ReproError, UsageError
from repro.model.canonical import Json
from repro.model.ids import RunId, is_id, new_id
from repro.model.run import Record, Run, Status
from repro.model.secrets import redact_argv
from repro.model.times import format_time
from repro.store.content import ContentStore
from repro.store.journal import JournalWriter, is_live
from repro.store.lfs import keep_objects
from repro.store.objects import reading
from repro.store.packs import consolidate
from repro.store.quarantine import CommitSpec, open_quarantine, publish, write_commits
from repro.store.refs import LIVE, RUNS, RefUpdate, list_refs, read_ref, update_refs
from repro.store.runs import read_record

_SEALING = "seal.lock"
_TRIES = 3  # a concurrent gc can take an object between our seeing and our packing it
_GRACE_S = 60.0  # a live folder without start.json this young is still being made


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the user asked to be recorded.

    Attributes:
        cwd: Where the command runs, inside the repository.
        config: Given with `-c` or in code; wins over files and command.
        environment: As `capture_environment` gives it.
        resume: Id of the run to continue.
    """

    command: tuple[str, ...]
    cwd: Path
    name: str | None = None
    tags: tuple[str, ...] = ()
    note: str | None = None
    config: Mapping[str, Json] = field(default_factory=dict)
    environment: Mapping[str, Json] = field(default_factory=dict)
    resume: str | None = None
    parent: str | None = None
    rerun_of: str | None = None


@dataclass(frozen=True, slots=True)
class LiveRun:
    """A run in progress.

    Attributes:
        dir: Its folder `live/<id>`.
        run: As `run.json` would say now.
        journal: Open, and the sign that the run is alive: close it before sealing.
    """

    id: RunId
    dir: Path
    run: Run
    config: Mapping[str, Json]
    journal: JournalWriter


def start_run(project: Project, request: Request) -> LiveRun:
    """Record the conditions of a run, and give its live folder.

    Raises:
        InvalidInputError: A config file is wrong.
        UnknownRunError: There is no run to resume.
        StorageError: The disk is full or read-only; nothing is left behind.
    """
    before = _resumed(project, request.resume) if request.resume else None
    now = project.clock()
    run_id = before.run.id if before else new_id(project.entropy)
    folder = project.live / run_id
    with storage_errors("the folder of the run"):
        project.live.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.mkdir(mode=0o700)
    journal = JournalWriter(folder, run=run_id, rank=0, pid=os.getpid(), time=now)
    try:
        started = _capture(project, request, run_id, before, now, journal.path.name)
    except BaseException:
        journal.close()
        with suppress(ReproError):  # what stopped us is the news
            _drop_unstarted(project, folder)
        raise
    return LiveRun(run_id, folder, started.run, started.config, journal)


def _resumed(project: Project, run_id: str) -> Record:
    if (project.live / run_id).exists():
        raise UsageError(f"run `{run_id}` is still in progress", hint="wait for it to end")
    commit = read_ref(project.repository.git, RUNS + run_id)
    if commit is None:
        raise DamagedRecordError(f"run `{run_id}` has no ref", hint="`repro ls` lists the runs")
    with reading(project.repository) as objects:
        return read_record(objects, commit)


def _capture(
    project: Project,
    request: Request,
    run_id: RunId,
    before: Record | None,
    now: float,
    journal: str,
) -> Started:
    """Snapshot, publish under `live/`, and write `start.json`, in this order."""
    author = who_am_i(project)
    for attempt in range(_TRIES):
        try:
            with open_quarantine(project.repository) as quarantine:
                code = capture_code(
                    project, quarantine, author=author, when=now, title=f"snapshot of run {run_id}"
                )
                update = RefUpdate(LIVE + run_id, new=code.anchor)
                if code.anchor == code.base:
                    update_refs(project.repository.git, [update])
                else:
                    exclude = [code.base] if code.base else []
                    publish(quarantine, tips=[code.anchor], exclude=exclude, refs=[update])
            break
        except (GitError, ConflictError):
            if attempt == _TRIES - 1:
                raise
    keep_objects(project.repository, code.tree, code.base, ContentStore(project.store))
    config = capture_config(project, request.command, request.config)
    if before is not None:
        config = {**before.config, **config}
    started = Started(
        run=_first_run(project, request, run_id, code, config, before, now, author.name),
        config=config,
        environment=request.environment,
        data={},
        author=author,
        anchor=code.anchor,
        submodules=code.submodules,
        resumed=before.commit if before else None,
        journal=journal,
    )
    folder = project.live / run_id
    write_start(folder, started)
    fsync_dir(project.live)
    return started


def _first_run(
    project: Project,
    request: Request,
    run_id: RunId,
    code: Code,
    config: Mapping[str, Json],
    before: Record | None,
    now: float,
    user: str,
) -> Run:
    command = redact_argv(request.command)
    root = project.repository.root
    cwd = request.cwd.resolve()
    inside = cwd.is_relative_to(root.resolve())
    moment = format_time(now)
    fresh = Run(
        id=run_id,
        name=request.name,
        status=Status.RUNNING,
        created=moment,
        started=moment,
        ended=None,
        duration_s=None,
        command=command,
        cwd=cwd.relative_to(root.resolve()).as_posix() if inside else ".",
        base=code.base,
        snapshot=code.snapshot,
        branch=code.branch,
        dirty=code.is_dirty,
        user=user,
        host=socket.gethostname(),
        parent=request.parent,
        rerun_of=request.rerun_of,
        tags=request.tags,
        note=request.note,
        identity=identify(code.tree, config, {}, command, request.environment),
        omitted=code.omitted,
        warnings=_line_ends(code.converted),
    )
    if before is None:
        return fresh
    old = before.run
    return replace(
        fresh,
        name=request.name or old.name,
        created=old.created,
        parent=old.parent,
        rerun_of=old.rerun_of,
        tags=tuple(dict.fromkeys([*old.tags, *request.tags])),
        note=request.note or old.note,
        attempts=old.attempts,
        lost_points=old.lost_points,
        extra=old.extra,
    )


def _line_ends(converted: Sequence[str]) -> tuple[str, ...]:
    """The warning that some files will not come back byte for byte."""
    if not converted:
        return ()
    more = f" and {len(converted) - 1} more" if len(converted) > 1 else ""
    return (f"`{converted[0]}`{more} will come back with other line ends: git's settings say so",)


def seal_run(project: Project, folder: Path) -> Run:
    """Turn the live folder of an ended run into its commit; then the folder goes.

    A pure function of the folder: times come from the journals, so that sealing the same
    journals twice gives the same commit. Close this process's own journals first. Where another
    process has sealed it meanwhile, its run is given.

    Raises:
        DamagedRecordError: The folder is not one that `start_run` made.
        StorageError: The disk is full or read-only; the folder stays for the next command.
    """
    lock = FileLock(folder / _SEALING)
    try:
        lock.acquire()
    except FileNotFoundError:
        return _sealed_elsewhere(project, folder)
    try:
        return _seal(project, folder)
    finally:
        lock.release()


def _seal(project: Project, folder: Path) -> Run:
    started = read_start(folder)
    if started is None:
        return _sealed_elsewhere(project, folder)
    refs = list_refs(project.repository.git, LIVE + folder.name, RUNS + folder.name)
    live, sealed = refs.get(LIVE + folder.name), refs.get(RUNS + folder.name)
    if live is None and sealed is not None and sealed != started.resumed:
        run = _read_run(project, sealed)  # it was killed between the ref and the clean-up
    else:
        run = _write_run(project, folder, started, live)
    _remove_live(folder)
    consolidate(project.repository, now=project.clock())
    return run


def _drop_unstarted(project: Project, folder: Path) -> None:
    """Forget a run whose process died before `start.json` was there: nothing was promised yet."""
    git = project.repository.git
    try:
        held = read_ref(git, LIVE + folder.name)
        if held is not None:
            update_refs(git, [RefUpdate(LIVE + folder.name, new=None, old=held)])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sealed_elsewhere(project: Project, folder: Path) -> Run:
    commit = read_ref(project.repository.git, RUNS + folder.name)
    if commit is not None:
        return _read_run(project, commit)
    if folder.exists():
        raise DamagedRecordError(f"`{folder}` has no `{START}`: it is no run in progress")
    _drop_unstarted(project, folder)
    raise DamagedRecordError(
        f"`{folder}` is gone, and with it all that run `{folder.name}` logged",
        hint="look for what deletes files in `.git` while it runs",
    )


def _read_run(project: Project, commit: str) -> Run:
    with reading(project.repository) as objects:
        return read_record(objects, commit).run


def _write_run(project: Project, folder: Path, started: Started, live: str | None) -> Run:
    earlier = read_earlier(project, started.resumed)
    sealed = assemble(started, folder, ContentStore(project.store), earlier)
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
    held = [commit for commit in (live, started.resumed) if commit]
    for attempt in range(_TRIES):
        try:
            with open_quarantine(project.repository) as quarantine:
                [commit] = write_commits(quarantine, [spec])
                updates = [RefUpdate(RUNS + run.id, new=commit, old=started.resumed)]
                if live is not None:
                    updates.append(RefUpdate(LIVE + run.id, new=None, old=live))
                publish(quarantine, tips=[commit], exclude=held, refs=updates)
            break
        except GitError:
            if attempt == _TRIES - 1:
                raise
    return run


def _remove_live(folder: Path) -> None:
    """Delete a live folder; first it gets a name that nobody takes for a run."""
    gone = folder.with_name(f".sealed-{folder.name}")
    try:
        folder.rename(gone)
    except OSError:  # another process is a step ahead
        gone = folder
    shutil.rmtree(gone, ignore_errors=True)


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
            shutil.rmtree(folder, ignore_errors=True)
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
    lock = FileLock(folder / _SEALING)
    try:
        if not lock.try_acquire():
            return None  # another process is sealing it
    except FileNotFoundError:
        return None  # it has just been sealed
    try:
        if is_started:
            return _seal(project, folder)
        # A journal gets its lock before its first line; without one, the folder may be new.
        if was_locked or now - folder.stat().st_mtime > _GRACE_S:
            _drop_unstarted(project, folder)
        return None
    finally:
        lock.release()

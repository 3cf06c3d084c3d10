"""A run started: its conditions recorded before anything of it is executed."""

import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from repro.atomic import fsync_dir, storage_errors, write_file
from repro.core.capture import Code, capture_config, commit_code, identify, take_code
from repro.core.pins import Pinning, Pins, write_pages
from repro.core.project import Project, who_am_i
from repro.core.started import REPLAY, Started, drop_unstarted, write_start
from repro.core.surroundings import Surroundings, keep_surroundings, look_around
from repro.errors import ConflictError, DamagedRecordError, GitError, ReproError, UsageError
from repro.model.canonical import Json, format_json
from repro.model.ids import RunId, new_id
from repro.model.randomness import RandomPlan
from repro.model.run import Omitted, Record, Run, Status
from repro.model.secrets import redact_argv, redact_config
from repro.model.times import format_time
from repro.store.content import ContentStore
from repro.store.journal import JournalWriter
from repro.store.lfs import keep_objects
from repro.store.objects import reading
from repro.store.quarantine import Quarantine, open_quarantine, publish
from repro.store.refs import LIVE, LIVE_DATA, RUNS, RefUpdate, read_ref, update_refs
from repro.store.runs import read_record
from repro.store.snapshot import Snapshot

if TYPE_CHECKING:
    from repro.core.measured import OnProgress

_TRIES = 3  # a concurrent gc can take an object between our seeing and our packing it


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the user asked to be recorded.

    Attributes:
        cwd: Where the command runs, inside the repository.
        config: Given with `-c` or in code; wins over files and command.
        environment: As `capture_environment` gives it.
        data: Paths of datasets beside those of `repro.yaml`, relative to `cwd`.
        resume: Id of the run to continue.
        randomness: Where its random numbers come from; None leaves that to the command.
        submodules: Trees, in this repository, of submodules that lie there as plain files, by
            path.
        warnings: What is known already not to be as it should, in words.
    """

    command: tuple[str, ...]
    cwd: Path
    name: str | None = None
    tags: tuple[str, ...] = ()
    note: str | None = None
    config: Mapping[str, Json] = field(default_factory=dict)
    environment: Mapping[str, Json] = field(default_factory=dict)
    data: tuple[str, ...] = ()
    resume: str | None = None
    parent: str | None = None
    rerun_of: str | None = None
    randomness: RandomPlan | None = None
    submodules: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LiveRun:
    """A run in progress.

    Attributes:
        dir: Its folder `live/<id>`.
        run: As `run.json` would say now.
        journal: Open, and the sign that the run is alive: close it before sealing.
        environment: As `environment.json` would say now.
    """

    id: RunId
    dir: Path
    run: Run
    config: Mapping[str, Json]
    journal: JournalWriter
    randomness: RandomPlan | None = None
    environment: Mapping[str, Json] = field(default_factory=dict)


def start_run(
    project: Project, request: Request, *, on_progress: "OnProgress | None" = None
) -> LiveRun:
    """Record the conditions of a run, and give its live folder.

    Args:
        on_progress: Called several times a second while datasets are read.

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
        started = _capture(project, request, run_id, before, now, journal.path.name, on_progress)
    except BaseException:
        journal.close()
        with suppress(ReproError):  # what stopped us is the news
            drop_unstarted(project, folder)
        raise
    return LiveRun(
        run_id,
        folder,
        started.run,
        started.config,
        journal,
        request.randomness,
        started.environment,
    )


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
    on_progress: "OnProgress | None",
) -> Started:
    """Snapshot, publish under `live/`, and write `start.json`, in this order."""
    author = who_am_i(project)
    for attempt in range(_TRIES):
        try:
            with (
                open_quarantine(project.repository) as quarantine,
                _pinning(
                    project, request, run_id, share=not attempt, on_progress=on_progress
                ) as pinning,
            ):
                looks = look_around(project, request.environment)
                taken = take_code(project, quarantine, pinning.paths)
                taken = replace(taken, submodules=_submodules(request, taken))
                around = keep_surroundings(
                    project,
                    quarantine,
                    request.environment,
                    tree=taken.tree,
                    cwd=request.cwd,
                    looks=looks,
                    run=run_id,
                    share=not attempt,
                )
                code = commit_code(
                    quarantine,
                    taken,
                    author=author,
                    when=now,
                    title=f"snapshot of run {run_id}",
                    beside=around.beside,
                )
                pins = pinning.wait()
                pages = write_pages(quarantine, pins.files, author=author, when=now)
                _publish(quarantine, run_id, code, pages.root, [*pins.held, *around.held])
            break
        except (GitError, ConflictError):
            if attempt == _TRIES - 1:
                raise
    keep_objects(project.repository, code.tree, code.base, ContentStore(project.store))
    config = capture_config(project, request.command, request.config)
    if before is not None:
        config = {**before.config, **config}
    conditions = _Conditions(code, pins, around, config, author.name)
    started = Started(
        run=_first_run(project, request, run_id, conditions, before, now),
        config=config,
        environment=around.environment,
        data=pins.data,
        manifests=pages.manifests,
        editables=around.editables,
        lockfiles=around.lockfiles,
        author=author,
        anchor=code.anchor,
        submodules=code.submodules,
        resumed=before.commit if before else None,
        journal=journal,
        randomness=request.randomness.to_json() if request.randomness else {},
    )
    folder = project.live / run_id
    if request.randomness is not None and request.randomness.states:
        write_file(folder / REPLAY, format_json(dict(request.randomness.states)))
    write_start(folder, started)
    fsync_dir(project.live)
    return started


def _submodules(request: Request, taken: Snapshot) -> dict[str, str]:
    links = taken.working.gitlinks
    placed = {path: tree for path, tree in request.submodules.items() if path in links}
    return {**placed, **taken.submodules}


def _publish(
    quarantine: Quarantine, run_id: RunId, code: Code, pages: str | None, held: Sequence[str]
) -> None:
    """Let refs hold the code and the pages, until the run's own ref does."""
    updates = [RefUpdate(LIVE + run_id, new=code.anchor)]
    tips = [code.anchor] if code.anchor != code.base else []
    if pages is not None:
        updates.append(RefUpdate(LIVE_DATA + run_id, new=pages))
        tips.append(pages)
    if not tips:
        update_refs(quarantine.repository.git, updates)
        return
    exclude = [code.base] if code.base else []
    publish(quarantine, tips=tips, exclude=exclude, beside=held, refs=updates)


@contextmanager
def _pinning(
    project: Project,
    request: Request,
    run_id: RunId,
    *,
    share: bool,
    on_progress: "OnProgress | None",
) -> Iterator[Pinning]:
    """Pin the datasets in a thread, while git looks at the code."""
    if not (project.settings.data or request.data):
        yield Pinning((), Pins)
        return
    # Here, for most runs have no datasets, and would pay 30 ms for SQLite and threads.
    from repro.core.pinning import pin_in_thread  # noqa: PLC0415

    with pin_in_thread(
        project,
        request.data,
        cwd=request.cwd,
        run=run_id,
        share=share,
        on_progress=on_progress,
    ) as pinning:
        yield pinning


@dataclass(frozen=True, slots=True)
class _Conditions:
    """What a run starts from, and who starts it."""

    code: Code
    pins: Pins
    around: Surroundings
    config: Mapping[str, Json]
    user: str


def _first_run(
    project: Project,
    request: Request,
    run_id: RunId,
    conditions: _Conditions,
    before: Record | None,
    now: float,
) -> Run:
    code, pins = conditions.code, conditions.pins
    command = redact_argv(request.command)
    root = project.repository.root
    cwd = request.cwd.resolve()
    inside = cwd.is_relative_to(root.resolve())
    moment = format_time(now)
    # Reading a dataset the first time can take an hour, in which nothing is executed yet.
    is_slow = pins.facts or conditions.around.editables
    started = format_time(project.clock()) if is_slow else moment
    fresh = Run(
        id=run_id,
        name=request.name,
        status=Status.RUNNING,
        created=moment,
        started=started,
        ended=None,
        duration_s=None,
        command=command,
        cwd=cwd.relative_to(root.resolve()).as_posix() if inside else ".",
        assigned=redact_config(request.config),
        base=code.base,
        snapshot=code.snapshot,
        branch=code.branch,
        dirty=code.is_dirty,
        user=conditions.user,
        host=socket.gethostname(),
        parent=request.parent,
        rerun_of=request.rerun_of,
        tags=request.tags,
        note=request.note,
        # Of data that nobody knows nothing can be said to have been tried.
        identity=None
        if pins.unpinned
        else identify(
            code.tree, conditions.config, pins.data, command, conditions.around.environment
        ),
        omitted=(*code.omitted, *_unpinned(pins)),
        warnings=(
            *request.warnings,
            *_line_ends(code.converted),
            *pins.warnings,
            *conditions.around.warnings,
        ),
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


def _unpinned(pins: Pins) -> tuple[Omitted, ...]:
    return tuple(Omitted(f"{path}/", None, "dataset not pinned") for path in pins.unpinned)


def _line_ends(converted: Sequence[str]) -> tuple[str, ...]:
    """The warning that some files will not come back byte for byte."""
    if not converted:
        return ()
    more = f" and {len(converted) - 1} more" if len(converted) > 1 else ""
    return (f"`{converted[0]}`{more} will come back with other line ends: git's settings say so",)

"""A run started: its conditions recorded before anything of it is executed."""

import os
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from repro.atomic import fsync_dir, storage_errors, write_file
from repro.core.capture import Code
from repro.core.observe import Observed, observe_for
from repro.core.pins import Pins
from repro.core.project import Project, who_am_i
from repro.core.request import Request
from repro.core.started import REPLAY, Started, drop_unstarted, write_start
from repro.errors import ConflictError, DamagedRecordError, ReproError, UsageError
from repro.model.canonical import Json, format_json
from repro.model.curation import stamp_changes
from repro.model.ids import RunId, is_id, new_id
from repro.model.randomness import RandomPlan
from repro.model.run import Omitted, Record, Run, Status
from repro.model.secrets import redact_config
from repro.model.text import escape
from repro.model.times import format_time
from repro.store.clonekey import read_marker
from repro.store.content import ContentStore
from repro.store.git import Identity
from repro.store.journal import JournalWriter
from repro.store.lfs import keep_objects
from repro.store.objects import reading
from repro.store.quarantine import Quarantine, publish
from repro.store.refs import LIVE, LIVE_DATA, RefUpdate, RunRefs, update_refs
from repro.store.runs import read_record

if TYPE_CHECKING:
    from repro.core.measured import OnProgress


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


Consider = Callable[[Quarantine, Observed], None]


def start_run(
    project: Project,
    request: Request,
    *,
    consider: Consider | None = None,
    on_progress: "OnProgress | None" = None,
) -> LiveRun:
    """Record the conditions of a run, and give its live folder.

    Args:
        consider: Told the conditions before anything of the run is published; what it raises
            ends it there, with nothing left behind.
        on_progress: Called several times a second while datasets are read.

    Raises:
        InvalidInputError: A config file is wrong.
        UnknownRunError: There is no run to resume.
        ConflictError: There is a run of the id that this one was to get.
        StorageError: The disk is full or read-only; nothing is left behind.
    """
    before = _resumed(project, request.resume) if request.resume else None
    now = project.clock()
    run_id = before.run.id if before else _new_id(project, request.run_id)
    folder = project.live / run_id
    with storage_errors("the folder of the run"):
        project.live.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.mkdir(mode=0o700)
    journal = JournalWriter(folder, run=run_id, rank=0, pid=os.getpid(), time=now)
    try:
        started = _capture(
            project, request, run_id, before, now, journal.path.name, consider, on_progress
        )
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


def _new_id(project: Project, given: str | None) -> RunId:
    """The id of a new run: the one that it was promised, if that is free."""
    if given is None:
        return new_id(project.entropy)
    if not is_id(given):
        raise UsageError(f"`{escape(given[:80])}` is no id of a run", hint="leave it out")
    if (project.live / given).exists() or RunRefs(project.repository).get(given) is not None:
        raise ConflictError(f"there is a run `{given}` already", hint=f"`repro show {given}`")
    return RunId(given)


def _resumed(project: Project, run_id: str) -> Record:
    if (project.live / run_id).exists():
        raise UsageError(f"run `{run_id}` is still in progress", hint="wait for it to end")
    commit = RunRefs(project.repository).get(run_id)
    if commit is None:
        raise DamagedRecordError(f"run `{run_id}` has no ref", hint="`repro ls` lists the runs")
    with reading(project.repository) as objects:
        record = read_record(objects, commit)
    if record.run.status is Status.RUNNING:  # at a remote
        raise UsageError(f"run `{run_id}` is still in progress", hint="wait for it to end")
    return record


def _capture(
    project: Project,
    request: Request,
    run_id: RunId,
    before: Record | None,
    now: float,
    journal: str,
    consider: Consider | None,
    on_progress: "OnProgress | None",
) -> Started:
    """Snapshot, publish under `live/`, and write `start.json`, in this order."""
    author = who_am_i(project)

    def publish_seen(quarantine: Quarantine, seen: Observed) -> Observed:
        if consider is not None:
            consider(quarantine, seen)
        held = [*seen.pins.held, *seen.around.held]
        _publish(quarantine, run_id, seen.code, seen.pages.root, held)
        return seen

    seen = observe_for(
        project,
        request,
        publish_seen,
        author=author,
        now=now,
        run=run_id,
        before=before.config if before else None,
        on_progress=on_progress,
    )
    keep_objects(project.repository, seen.code.tree, seen.code.base, ContentStore(project.store))
    started = describe_start(
        project, request, run_id, seen, author=author, now=now, before=before, journal=journal
    )
    folder = project.live / run_id
    if request.randomness is not None and request.randomness.states:
        write_file(folder / REPLAY, format_json(dict(request.randomness.states)))
    write_start(folder, started)
    fsync_dir(project.live)
    return started


def describe_start(
    project: Project,
    request: Request,
    run_id: RunId,
    seen: Observed,
    *,
    author: Identity,
    now: float,
    before: Record | None = None,
    journal: str = "",
) -> Started:
    """What is known of a run, or of the frozen record of a sweep, before anything is executed.

    Args:
        now: Seconds since 1970.
        before: The run that is continued.
        journal: File name of the journal whose `end` record counts.
    """
    return Started(
        run=_first_run(project, request, run_id, seen, author.name, before, now),
        config=seen.config,
        environment=seen.around.environment,
        data=seen.pins.data,
        manifests=seen.pages.manifests,
        editables=seen.around.editables,
        lockfiles=seen.around.lockfiles,
        author=author,
        anchor=seen.code.anchor,
        submodules=seen.code.submodules,
        resumed=before.commit if before else None,
        journal=journal,
        randomness=request.randomness.to_json() if request.randomness else {},
    )


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


def _first_run(
    project: Project,
    request: Request,
    run_id: RunId,
    seen: Observed,
    user: str,
    before: Record | None,
    now: float,
) -> Run:
    code, pins = seen.code, seen.pins
    moment = format_time(now)
    # Reading a dataset the first time can take an hour, in which nothing is executed yet, and
    # looking for an earlier run of the same a minute.
    started = format_time(project.clock())
    fresh = Run(
        id=run_id,
        name=request.name,
        status=Status.RUNNING,
        created=moment,
        started=started,
        ended=None,
        duration_s=None,
        command=seen.command,
        cwd=seen.cwd,
        assigned=redact_config(request.config, read_marker(project.repository.private)),
        base=code.base,
        snapshot=code.snapshot,
        branch=code.branch,
        dirty=code.is_dirty,
        user=user,
        host=socket.gethostname(),
        parent=request.parent,
        rerun_of=request.rerun_of,
        sweep=request.sweep,
        trial=request.trial,
        tags=request.tags,
        note=request.note,
        identity=seen.identity,
        omitted=(*code.omitted, *_unpinned(pins)),
        warnings=(
            *request.warnings,
            *code.secrets,
            *_line_ends(code.converted),
            *pins.warnings,
            *seen.around.warnings,
        ),
    )
    if before is None:
        return fresh
    old = before.run
    again = replace(
        fresh,
        name=request.name or old.name,
        created=old.created,
        parent=old.parent,
        rerun_of=old.rerun_of,
        sweep=old.sweep,
        trial=old.trial,
        tags=tuple(dict.fromkeys([*old.tags, *request.tags])),
        note=request.note or old.note,
        attempts=old.attempts,
        lost_points=old.lost_points,
        extra=old.extra,
    )
    return stamp_changes(old, again, now)


def _unpinned(pins: Pins) -> tuple[Omitted, ...]:
    return tuple(Omitted(f"{path}/", None, "dataset not pinned") for path in pins.unpinned)


def _line_ends(converted: Sequence[str]) -> tuple[str, ...]:
    """The warning that some files will not come back byte for byte."""
    if not converted:
        return ()
    more = f" and {len(converted) - 1} more" if len(converted) > 1 else ""
    return (f"`{converted[0]}`{more} will come back with other line ends: git's settings say so",)

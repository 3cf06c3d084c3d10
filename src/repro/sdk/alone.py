"""The life of a run that no `repro run` leads: made, and sealed, by the program itself."""

import os
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import cast

from repro.core.autopush import push_soon
from repro.core.autosign import sign_sealed
from repro.core.environment import capture_environment
from repro.core.project import Project
from repro.core.published import publish_often, tell_published
from repro.core.randomness import draw_alone
from repro.core.record import recover_runs, seal_run
from repro.core.request import Request
from repro.core.start import start_run
from repro.errors import ReproError, StorageError, UnknownRunError
from repro.model.outlook import describe_outlook, foresee
from repro.model.run import Omitted, Record
from repro.model.text import escape
from repro.sdk.data import telling
from repro.sdk.ends import End
from repro.sdk.here import find_project
from repro.sdk.notebook import Notebook, find_shell
from repro.sdk.notices import say, warn
from repro.sdk.ranks import Place, await_run, find_place, publish_run, withdraw_run
from repro.sdk.request import Wish, command_of, is_strict, tag_of_id
from repro.sdk.run import Run
from repro.sdk.seeding import begin_seeding
from repro.sdk.varied import vary_config
from repro.store.journal import is_live
from repro.store.outbox import take_words
from repro.store.process import host_name

_SHOWN = 5  # files left out that are named


def make_run(
    wish: Wish,
    *,
    attach: Callable[[Wish, Path, int | None, Callable[[], None]], Run],
    leave: Callable[[Run], None],
) -> Run:
    """Make the run of this process, or join the one of rank 0 of its launch.

    Args:
        attach: Joins the run in a live folder with a rank; calls its last argument at the end.
        leave: Is called when the run is over.

    Raises:
        NotARepositoryError: Neither the current folder nor the script's is in a repository.
        UnknownRunError: There is no run to resume.
        StorageError: Nothing can be written, or rank 0 made no run.
    """
    project, cwd = find_project()
    place = find_place(os.environ)
    if place.launch is not None and place.rank > 0:
        folder = await_run(project.live, place.launch)
        if folder is None:
            raise StorageError(
                f"rank {place.rank} found no run of rank 0 within 60 s",
                hint="call `repro.init()` on every rank, or on rank 0 only",
            )
        return attach(wish, folder, place.rank, lambda: _seal_if_last(project))
    for word in take_words(project.repository.private):
        say(escape(word.message))
    seal_dead(project)
    return _start(project, cwd, wish, place, leave)


def _seal_if_last(project: Project) -> None:
    """Seal the run of rank 0 that this process joined, if nobody else logs to it any more."""
    seal_dead(project)


def seal_dead(project: Project) -> None:
    """Seal the runs whose processes are gone; what goes wrong is a warning."""
    recovered = recover_runs(project)
    ids = [run.id for run in recovered.runs]
    unsent = push_soon(project, ids) if ids else None
    for problem in (*recovered.problems, *filter(None, [unsent])):
        warn(problem)


def _find_resumed(project: Project, wish: Wish) -> Record | None:
    if wish.resume is None:
        return None
    # Loaded when it is needed: reading runs takes SQLite with it.
    queries = import_module("repro.core.query")
    try:
        return cast(Record, queries.resolve_run(project, wish.resume))
    except UnknownRunError:
        tagged = _find_tagged(project, tag_of_id(wish.resume)) if wish.given_id else None
        if tagged is not None:
            return cast(Record, queries.resolve_run(project, tagged))
        if wish.must_resume:
            raise
        warn(f"there is no run `{wish.resume}` to resume: this is a new one")
        return None


def _find_tagged(project: Project, tag: str) -> str | None:
    """Id of the newest run with a tag, None without one."""
    chosen = import_module("repro.core.chosen")
    choosing = import_module("repro.core.choosing")
    ids = chosen.find_chosen(project, choosing.Choice(tag=tag), limit=1).ids
    return str(ids[0]) if ids else None


def _start(
    project: Project, cwd: Path, wish: Wish, place: Place, leave: Callable[[Run], None]
) -> Run:
    before = _find_resumed(project, wish)
    command = command_of(sys.orig_argv)
    plan = draw_alone(project)
    live = start_run(
        project,
        Request(
            command=command,
            cwd=cwd,
            name=wish.name,
            tags=_tags_of(wish, before),
            note=wish.note,
            config=vary_config(wish.config, wish.varied),
            environment=capture_environment(project, ()),
            resume=before.run.id if before else None,
            randomness=plan,
        ),
        on_progress=telling("reading the datasets"),
    )
    notebook = _open_notebook(live.dir)
    launch = place.launch
    run = Run(
        root=project.repository.root,
        journal=live.journal,
        config=live.config,
        varied=wish.varied,
        describe={"name": live.run.name, "note": live.run.note, "tags": live.run.tags},
        next_step=_next_step(project, before),
        strict=is_strict(os.environ),
        at_end=lambda end: _end(project, run, end, notebook, launch, leave),
    )
    if before is not None:
        run.resumed = True
        run.summary._take(before.summary)
    begin_seeding(run, plan.to_json())
    _tell_omitted(live.run.omitted)
    if unpublished := publish_often(project, live.id):
        warn(unpublished)
    if launch is not None:
        try:
            publish_run(project.live, launch, live.id)
        except StorageError as error:
            warn(f"the other ranks cannot find run `{live.id}`: {error}")
    return run


def _tags_of(wish: Wish, before: Record | None) -> tuple[str, ...]:
    is_new = before is None and wish.given_id is not None
    return (*wish.tags, tag_of_id(wish.given_id)) if is_new and wish.given_id else wish.tags


def _tell_omitted(omitted: tuple[Omitted, ...]) -> None:
    for one in omitted[:_SHOWN]:
        say(f"left out of the snapshot: `{escape(one.path)}` ({one.reason})")
    if len(omitted) > _SHOWN:
        say(f"left out of the snapshot: {len(omitted) - _SHOWN} more")


def _next_step(project: Project, before: Record | None) -> int:
    if before is None:
        return 0
    # Loaded when it is needed, as above.
    step: int = import_module("repro.core.media").next_step(project, before)
    return step


def _open_notebook(live_dir: Path) -> Notebook | None:
    shell = find_shell()
    if shell is None:
        return None
    notebook = Notebook(shell, live_dir, os.environ)
    try:
        notebook.start()
    except (ReproError, OSError) as error:
        warn(f"the cells of the notebook are not kept: {error}")
        return None
    return notebook


def _end(
    project: Project,
    run: Run,
    end: End,
    notebook: Notebook | None,
    launch: str | None,
    leave: Callable[[Run], None],
) -> None:
    """Write the record; where that fails the journal stays for the next command."""
    try:
        if launch is not None:
            withdraw_run(project.live, launch)
        if notebook is not None:
            notebook.stop()
        record = close_run(project, run, end)
        if record is None:
            say(f"run `{run.id}` {end.status}; other processes still log to it, the last seals it")
            return
        say(f"run `{run.id}` {end.status}; `repro show {run.id}` shows it")
        outlook = foresee(record)
        if not outlook.is_reproducible:
            say(escape(describe_outlook(outlook, run.id)))
    except (ReproError, OSError) as error:
        leave_unsealed(run, error)
    finally:
        leave(run)


def close_run(project: Project, run: Run, end: End) -> Record | None:
    """Write the record of a run that this process made; None while others still log to it.

    Raises:
        ReproError: It cannot be written; see `leave_unsealed`.
        OSError: Likewise.
    """
    run.close_journal(end)
    if is_live(run.live_dir, host=host_name(), now=time.time()):
        return None
    unpublished = tell_published(run.live_dir)
    record = seal_run(project, run.live_dir)
    if unpublished:
        warn(unpublished)
    failed = (sign_sealed(project, record.run.id), push_soon(project, [record.run.id]))
    for warning in (*record.run.warnings, *filter(None, failed)):
        warn(warning)
    return record


def leave_unsealed(run: Run, error: Exception) -> None:
    """Say why a run could not be sealed: its journal stays, and the next command tries again.

    Raises:
        Exception: `error` itself, where `REPRO_STRICT=1` is set.
    """
    run.close_journal()
    if is_strict(os.environ):
        raise error
    warn(
        f"run `{run.id}` is not sealed: {error}; all it logged is in `{run.live_dir}`, "
        "and the next repro command tries again"
    )

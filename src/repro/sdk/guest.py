"""Runs of trials that the engine of somebody else leads: many at once in one process."""

import os
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from repro.core.environment import capture_environment
from repro.core.project import Project
from repro.core.published import publish_often
from repro.core.request import Request
from repro.core.start import start_run
from repro.errors import ConflictError, GitError, ReproError, StorageError
from repro.model.canonical import Json
from repro.model.ids import is_id
from repro.model.run import Record
from repro.sdk.alone import close_run, leave_unsealed, seal_dead
from repro.sdk.disabled import DisabledRun
from repro.sdk.ends import End, EndWatch
from repro.sdk.here import find_project
from repro.sdk.notices import warn
from repro.sdk.request import command_of, is_disabled, is_strict
from repro.sdk.run import Run

_STORAGE = (StorageError, GitError, ConflictError, OSError)

_all: "weakref.WeakSet[Guests]" = weakref.WeakSet()


class Guests:
    """The runs that one process makes for trials; threads may share it.

    None of them is the current run of the process. Each has the code as it is when it starts, and
    the environment as it was when the first one did. Those that are open when the process ends
    end with it.

    Raises:
        NotARepositoryError: Neither the current folder nor the script's is in a repository.
    """

    def __init__(self) -> None:
        self._is_disabled = is_disabled(None, os.environ)
        self._places: tuple[Project, Path] | None = None if self._is_disabled else find_project()
        self._environment: Mapping[str, Json] | None = None
        self._lock = threading.RLock()
        self._open: dict[str, Run] = {}
        self._watch: EndWatch | None = None
        _all.add(self)

    def start(
        self,
        config: Mapping[str, Json],
        *,
        name: str | None = None,
        tags: Iterable[str] = (),
        note: str | None = None,
        began: float | None = None,
        resume: str | None = None,
    ) -> Run:
        """Start a run; one that records nothing, with a warning, where it cannot be recorded.

        Args:
            began: When the trial began, in seconds since 1970; now by default.
            resume: Id of the run that is continued.

        Raises:
            StorageError: Nothing can be written, and `REPRO_STRICT=1` is set.
            UnknownRunError: There is no run to resume.
        """
        described = {"name": name, "note": note, "tags": tuple(tags)}
        if self._places is None:
            return DisabledRun(config, described)
        with self._lock:
            try:
                run = self._start(self._places, config, described, began, resume)
            except _STORAGE as error:
                if is_strict(os.environ):
                    raise
                warn(f"nothing of this trial is recorded: {error}")
                return DisabledRun(config, described)
            self._open[run.id] = run
            if self._watch is None:
                self._watch = EndWatch(
                    at_end=self._end_all, at_signal=self._sync_all, progress=self._progress
                )
                self._watch.start()
        return run

    def _start(
        self,
        places: tuple[Project, Path],
        config: Mapping[str, Json],
        described: Mapping[str, object],
        began: float | None,
        resume: str | None,
    ) -> Run:
        project, cwd = places
        if self._environment is None:
            seal_dead(project)
            self._environment = capture_environment(project, ())
        before = _find(project, resume)
        outer = os.environ.get("REPRO_RUN_ID", "")
        live = start_run(
            project if began is None else replace(project, clock=_clock_from(began)),
            Request(
                command=command_of(sys.orig_argv),
                cwd=cwd,
                config=config,
                environment=self._environment,
                parent=outer if is_id(outer) else None,
                resume=resume,
                **described,  # type: ignore[arg-type]  # three words of one call above
            ),
        )
        run = Run(
            root=project.repository.root,
            journal=live.journal,
            config=live.config,
            varied={},
            describe={"name": live.run.name, "note": live.run.note, "tags": live.run.tags},
            next_step=_next_step(project, before),
            strict=is_strict(os.environ),
            at_end=lambda end: self._end(project, run, end),
        )
        if before is not None:
            run.summary._take(before.summary)
        if unpublished := publish_often(project, live.id):
            warn(unpublished)
        return run

    def _end(self, project: Project, run: Run, end: End) -> None:
        with self._lock:
            self._open.pop(run.id, None)
            try:
                close_run(project, run, end)
            except (ReproError, OSError) as error:
                leave_unsealed(run, error)
            finally:
                if not self._open and self._watch is not None:
                    self._watch.stop()
                    self._watch = None

    def _end_all(self, end: End) -> None:
        for run in [*self._open.values()]:
            run.end(end)

    def _sync_all(self) -> None:
        for run in [*self._open.values()]:
            run.sync()

    def _progress(self) -> int:
        return sum(run.progress() for run in [*self._open.values()])

    def forked(self) -> None:
        """Leave the runs to the parent, in a forked child; what the child logs is kept."""
        self._lock = threading.RLock()  # a thread of the parent may have held it
        runs, self._open = self._open, {}
        for run in runs.values():
            run.forked()
        if self._watch is not None:
            self._watch.forked()
            self._watch = None


def _clock_from(began: float) -> Callable[[], float]:
    """A clock that shows when the trial began; never what is still to come."""
    return lambda: min(began, time.time())


def _find(project: Project, resume: str | None) -> Record | None:
    if resume is None:
        return None
    from repro.core.query import resolve_run  # noqa: PLC0415  # reading runs takes SQLite with it

    return resolve_run(project, resume)


def _next_step(project: Project, before: Record | None) -> int:
    if before is None:
        return 0
    from repro.core.media import next_step  # noqa: PLC0415  # as above

    return next_step(project, before)


def _forked() -> None:
    for guests in [*_all]:
        guests.forked()


os.register_at_fork(after_in_child=_forked)

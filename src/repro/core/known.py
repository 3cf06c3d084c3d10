"""The runs that there are: sealed ones by their refs, those in progress, the index of both."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from functools import cached_property
from typing import TYPE_CHECKING

from repro.core.project import Project
from repro.errors import DamagedRecordError, NewerFormatError, ReproError
from repro.model.ids import is_id, shorten_ids
from repro.model.run import Record
from repro.model.text import escape
from repro.store.index import LiveSource, OnProgress, Problem, RunIndex
from repro.store.objects import Objects, reading
from repro.store.refs import RunRefs
from repro.store.runs import read_record

if TYPE_CHECKING:
    from repro.core.live import InProgress


class KnownRuns:
    """What there is to name.

    Attributes:
        sealed: The commit of each sealed run, by id.
        live: The runs in progress, by id; one that is continued is in `sealed`, too.
    """

    def __init__(
        self,
        project: Project,
        *,
        on_progress: OnProgress | None = None,
        is_patient: bool = True,
    ) -> None:
        self.project = project
        self.sealed = RunRefs(project.repository, now_ns=lambda: int(project.clock() * 1e9))
        # Before the index asks for the refs: a run that is sealed meanwhile is in one of them.
        self.live, self._unread = _find_live(project, self.sealed)
        self._on_progress = on_progress
        self._is_patient = is_patient
        self._is_open = False

    def __contains__(self, run_id: str) -> bool:
        return run_id in self.live or run_id in self.sealed

    @cached_property
    def ids(self) -> set[str]:
        """Whole ids of all of them; a question about a few has its own method."""
        return {*self.index.ids(), *self._unreadable()}

    @cached_property
    def index(self) -> RunIndex:
        """The index of all runs, brought up to date when it is first asked for."""
        self._is_open = True
        return RunIndex(
            self.project.repository,
            self.sealed,
            live={run_id: _live_source(live) for run_id, live in self.live.items()},
            on_progress=self._on_progress,
            is_patient=self._is_patient,
            may_be_old=self.project.takes_old_index,
        )

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Live folders, then sealed runs, that cannot be read."""
        return (*self._unread, *self.index.problems)

    def refuse_unreadable(self, start: str) -> None:
        """Come back unless the id of a run that cannot be read starts like that.

        Raises:
            NewerFormatError: A newer repro wrote it.
            DamagedRecordError: It breaks FORMAT.md.
        """
        for problem in self.problems:
            if problem.id.startswith(start):
                is_newer = isinstance(problem.error, NewerFormatError)
                kind = NewerFormatError if is_newer else DamagedRecordError
                raise kind(describe_problem(problem), hint=problem.error.hint)

    def count(self) -> int:
        """How many there are."""
        return self.index.count() + len(self._unreadable())

    def sealed_since(self, run_id: str) -> str | None:
        """The commit of a run of `live` that was sealed meanwhile: its journals went then."""
        commit = self.sealed.again().tips([run_id]).get(run_id)
        return None if commit == self.live[run_id].started.resumed else commit

    def starting(self, prefix: str) -> list[str]:
        """The ids that start with `prefix`, in their order."""
        live = (run_id for run_id in self.live if run_id.startswith(prefix))
        return sorted({*self.sealed.starting(prefix), *live})

    def shorten(self, shown: Iterable[str]) -> dict[str, str]:
        """The shortest unique prefixes of some ids; only neighbours can need more characters."""
        ids = set(shown)
        near = self.index.neighbours(ids)
        return shorten_ids(ids | near | self._unreadable())

    def _unreadable(self) -> set[str]:
        """The runs that the index has nothing of."""
        return {problem.id for problem in self.index.problems if is_id(problem.id)}

    def close(self) -> None:
        """Let the index go."""
        if self._is_open:
            self.index.__exit__(None, None, None)


def describe_problem(problem: Problem) -> str:
    """One line that says which run cannot be read, and why."""
    error: ReproError = problem.error
    if f"`{problem.id}`" in error.message:
        return error.message
    return f"run `{escape(problem.id)}` cannot be read: {error.message}"


def _find_live(project: Project, sealed: RunRefs) -> tuple[dict[str, "InProgress"], list[Problem]]:
    try:
        names = sorted(name for name in os.listdir(project.live) if is_id(name))
    except OSError:  # no run was ever started here
        names = []
    if not names:
        return {}, []
    # What reads journals takes longer to import than a list of sealed runs takes to print.
    from repro.core.live import read_live  # noqa: PLC0415

    return read_live([project.live / name for name in names], sealed.tips(names))


def _live_source(live: "InProgress") -> LiveSource:
    return LiveSource(live.stamp(), live.read_brief)


@contextmanager
def open_runs(
    project: Project, *, on_progress: OnProgress | None = None, is_patient: bool = True
) -> Iterator[KnownRuns]:
    """Give the runs that there are now.

    Args:
        on_progress: Told how many of how many records are read, where these are many.
        is_patient: Whether the index waits for another process that holds its file; else it
            raises `StorageError`.
    """
    runs = KnownRuns(project, on_progress=on_progress, is_patient=is_patient)
    try:
        yield runs
    finally:
        runs.close()


def read_run(runs: KnownRuns, run_id: str, objects: Objects | None = None) -> Record:
    """The whole record of one of the runs.

    Args:
        objects: Read through this, where many are; it takes a process of git to open one.

    Raises:
        NewerFormatError: A newer repro wrote it.
        DamagedRecordError: It breaks FORMAT.md; the message names the run.
    """
    commit = None
    if run_id in runs.live:
        try:
            return runs.live[run_id].record()
        except DamagedRecordError:
            commit = runs.sealed_since(run_id)
            if commit is None:
                raise
    own = reading(runs.project.repository) if objects is None else nullcontext(objects)
    with own as opened:
        try:
            record = read_record(opened, commit or runs.sealed[run_id])
        except DamagedRecordError as error:
            raise DamagedRecordError(
                f"run `{run_id}` is damaged: {error.message}", hint=error.hint
            ) from error
    if record.run.id != run_id:
        raise DamagedRecordError(f"run `{run_id}` is damaged: it says it is `{record.run.id}`")
    return record

"""The runs that there are: sealed ones by their refs, those in progress, the index of both."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from repro.core.project import Project
from repro.errors import DamagedRecordError
from repro.model.ids import is_id
from repro.model.run import Record
from repro.store.index import Problem, RunIndex
from repro.store.objects import Objects, open_objects
from repro.store.refs import RUNS, list_refs
from repro.store.runs import read_record

if TYPE_CHECKING:
    from repro.core.live import InProgress


class KnownRuns:
    """What there is to name.

    Attributes:
        refs: The commit of each sealed run, by ref.
        live: The runs in progress, by id; one that is continued is in `refs`, too.
        problems: What in refs and live folders is no run that can be read.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        listed = list_refs(project.repository.git, RUNS)
        self.refs = {ref: oid for ref, oid in listed.items() if is_id(ref.removeprefix(RUNS))}
        self.live, problems = _find_live(project, self.refs)
        self.problems = [
            *problems,
            *(
                Problem(ref.removeprefix(RUNS), DamagedRecordError("this is no run id"))
                for ref in listed.keys() - self.refs.keys()
            ),
        ]
        self._is_open = False

    @cached_property
    def ids(self) -> set[str]:
        """Whole ids of all of them."""
        return {ref.removeprefix(RUNS) for ref in self.refs} | set(self.live)

    @cached_property
    def index(self) -> RunIndex:
        """The index of the sealed runs, brought up to date when it is first asked for."""
        self._is_open = True
        sealed = {ref: oid for ref, oid in self.refs.items() if ref[len(RUNS) :] not in self.live}
        return RunIndex(self.project.repository, sealed)

    def close(self) -> None:
        """Let the index go."""
        if self._is_open:
            self.index.__exit__(None, None, None)


def _find_live(
    project: Project, sealed: Mapping[str, str]
) -> tuple[dict[str, "InProgress"], list[Problem]]:
    try:
        names = sorted(name for name in os.listdir(project.live) if is_id(name))
    except OSError:  # no run was ever started here
        names = []
    if not names:
        return {}, []
    # What reads journals takes longer to import than a list of sealed runs takes to print.
    from repro.core.live import read_live  # noqa: PLC0415

    return read_live([project.live / name for name in names], sealed)


@contextmanager
def open_runs(project: Project) -> Iterator[KnownRuns]:
    """Give the runs that there are now."""
    runs = KnownRuns(project)
    try:
        yield runs
    finally:
        runs.close()


@contextmanager
def reading(project: Project) -> Iterator[Objects]:
    """Give a reader for the objects of a few runs."""
    objects = open_objects(project.repository, many=False)
    try:
        yield objects
    finally:
        objects.close()


def read_run(runs: KnownRuns, run_id: str) -> Record:
    """The whole record of one of the runs.

    Raises:
        NewerFormatError: A newer repro wrote it.
        DamagedRecordError: It breaks FORMAT.md; the message names the run.
    """
    if run_id in runs.live:
        return runs.live[run_id].record()
    with reading(runs.project) as objects:
        try:
            record = read_record(objects, runs.refs[RUNS + run_id])
        except DamagedRecordError as error:
            raise DamagedRecordError(
                f"run `{run_id}` is damaged: {error.message}", hint=error.hint
            ) from error
    if record.run.id != run_id:
        raise DamagedRecordError(f"run `{run_id}` is damaged: it says it is `{record.run.id}`")
    return record

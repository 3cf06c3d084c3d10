"""Researchers of a team, each a process with a clone of its own and a clock that is wrong."""

import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from repro.core.curate import set_note, tag_run, untag_run
from repro.core.fetch import Pulled, pull_runs
from repro.core.project import Project
from repro.core.push import Pushed
from repro.core.query import resolve_run
from repro.store.remoterefs import find_remote
from tests.support.projects import make_run, open_here
from tests.support.remotes import push_all

EVERY = 3  # runs between one exchange with the remote and the next


@dataclass(frozen=True)
class Teammate:
    """Somebody who records runs.

    Attributes:
        root: The clone.
        hours: By which the clock is ahead.
    """

    name: str
    root: Path
    hours: float = 0.0

    @property
    def project(self) -> Project:
        """The project of the clone."""
        return open_here(self.root, lambda: time.time() + 3600 * self.hours)

    def push(self) -> Pushed:
        """Push all that is new."""
        return push_all(self.project)

    def pull(self) -> Pulled:
        """Pull all that is new."""
        project = self.project
        return pull_runs(project, find_remote(project.repository.git, None))

    def say(self, runs: Sequence[str], word: str) -> None:
        """Tag runs, write a note, and take the tag `old` off the first of them."""
        for run_id in runs:
            tag_run(self.project, resolve_run(self.project, run_id), [f"{self.name}-{word}"])
            set_note(self.project, resolve_run(self.project, run_id), f"{self.name}: {word}")
        record = resolve_run(self.project, runs[0])
        if "old" in record.run.tags:
            untag_run(self.project, record, ["old"])


def work_at_once(team: Sequence[Teammate], common: Sequence[str], n_runs: int) -> list[list[str]]:
    """Have each record runs at once, push, pull, and say something of runs they all know.

    Returns:
        The runs of each.
    """
    # Not by fork: a process of a test may have threads.
    with ProcessPoolExecutor(len(team), mp_context=get_context("spawn")) as pool:
        return list(pool.map(_work, team, [common] * len(team), [n_runs] * len(team)))


def _work(mate: Teammate, common: Sequence[str], n_runs: int) -> list[str]:
    made: list[str] = []
    for number in range(n_runs):
        loss = {"loss": 1.0 / (number + 1)}
        made.append(make_run(mate.project, loss, steps=3, config={"n": number}).id)
        if number % EVERY == 0:
            mate.say(common, str(number))
            refused = mate.push().refused
            assert refused == (), refused
            pulled = mate.pull()
            told = (*pulled.refused, *pulled.fetched.refused)
            assert told == (), told
    return made

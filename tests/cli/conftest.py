"""What tests of the command line start from."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.projects import begin, open_here
from tests.support.records import NOW
from tests.support.terminals import Viewer

from repro.core.start import LiveRun


@pytest.fixture
def an_hour_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock stands an hour after the first records that tests make."""
    monkeypatch.setenv("REPRO_NOW", str(NOW + 3600))


@pytest.fixture
def view(repository: Path) -> Iterator[Callable[..., Viewer]]:
    made: list[Viewer] = []

    def make(*words: str, columns: int = 80, lines: int = 24, **environ: str) -> Viewer:
        made.append(Viewer(*words, columns=columns, lines=lines, **environ))
        return made[-1]

    yield make
    for viewer in made:
        viewer.close()


@pytest.fixture
def live(repository: Path) -> Iterator[LiveRun]:
    """A run in progress: this process lives and holds its journal."""
    run = begin(open_here(repository, time.time), name="mine", config={"max_steps": 100})
    yield run
    run.journal.close()

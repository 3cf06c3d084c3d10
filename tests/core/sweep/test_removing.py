"""A sweep that was made in vain is taken away; one that has begun never is."""

from pathlib import Path

from tests.support.projects import open_here
from tests.support.sweeps import ask, make_sweep

from repro.core.sweep.book import LocalBook
from repro.core.sweep.known import list_sweeps
from repro.core.sweep.removing import forget_unbegun


def test_only_a_sweep_of_which_nothing_began_is_forgotten(repository: Path):
    project = open_here(repository)
    idle, begun = make_sweep(project), make_sweep(project)
    LocalBook(project, begun.sweep.id).write(lambda _: [ask(0, "aaaaaaaa0000")])

    forget_unbegun(project, idle)
    forget_unbegun(project, begun)

    assert [at.sweep.id for at in list_sweeps(project).sweeps] == [begun.sweep.id]

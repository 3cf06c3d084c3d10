"""Sweeps are found by id, prefix, name and `@`; one that cannot be read hides no other."""

from pathlib import Path

import pytest
from tests.support import git
from tests.support.projects import open_here
from tests.support.sweeps import make_sweep

from repro.core.project import Project
from repro.core.sweep.known import find_sweep, list_sweeps
from repro.errors import UnknownRunError
from repro.store.refs import SWEEPS


@pytest.fixture
def project(repository: Path) -> Project:
    return open_here(repository)


def test_a_sweep_is_found_by_whatever_names_it(project: Project):
    old, new = make_sweep(project, name="wide"), make_sweep(project, name="wide")
    assert find_sweep(project, "@").sweep.id == new.sweep.id
    assert find_sweep(project, "wide").sweep.id == new.sweep.id
    assert find_sweep(project, old.sweep.id).sweep.id == old.sweep.id
    assert find_sweep(project, old.sweep.id[:8]).sweep.id == old.sweep.id
    known = list_sweeps(project)
    assert [at.sweep.id for at in known.sweeps] == [new.sweep.id, old.sweep.id]
    assert known.short[old.sweep.id] == old.sweep.id[:6]


def test_what_is_no_sweep_is_named_with_what_to_do(project: Project):
    with pytest.raises(UnknownRunError, match="no sweep `@`") as caught:
        find_sweep(project, "@")
    assert "repro sweep -p" in str(caught.value.hint)
    make_sweep(project)
    with pytest.raises(UnknownRunError, match="no sweep `nothing`") as caught:
        find_sweep(project, "nothing")
    assert "repro sweep ls" in str(caught.value.hint)


def test_a_damaged_sweep_hides_no_other(project: Project):
    good = make_sweep(project)
    root = project.repository.root
    git(root, "update-ref", SWEEPS + "bbbbbbbbbbbb", "HEAD")
    known = list_sweeps(project)
    assert [at.sweep.id for at in known.sweeps] == [good.sweep.id]
    assert [problem.run for problem in known.problems] == ["bbbbbbbbbbbb"]

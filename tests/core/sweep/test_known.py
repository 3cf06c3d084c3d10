"""Sweeps are found by id, prefix, name and `@`; one that cannot be read hides no other."""

from pathlib import Path

import pytest
from tests.support import git
from tests.support.projects import open_here
from tests.support.sweeps import ask, make_sweep, tell

from repro.core.project import Project
from repro.core.sweep.book import LocalBook
from repro.core.sweep.known import find_sweep, list_sweeps
from repro.errors import DamagedRecordError, UnknownRunError
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


def test_a_sweep_with_a_damaged_ledger_keeps_its_name_and_says_the_way_back(project: Project):
    make_sweep(project, name="other")
    at = make_sweep(project, name="torn")
    book = LocalBook(project, at.sweep.id)
    book.write(lambda _: [ask(0, "aaaaaaaa0000")])
    book.write(lambda _: [tell(0, "aaaaaaaa0000")])
    root = project.repository.root
    ref = SWEEPS + at.sweep.id
    tree = git(root, "ls-tree", "-r", ref).replace("\t", " ").split("\n")
    head = next(line.split()[2] for line in tree if line.endswith("sweep.json"))
    page = git(root, "hash-object", "-w", "--stdin", stdin=b'{"type":')
    pages = git(root, "mktree", stdin=f"100644 blob {page}\t000000.jsonl\n".encode())
    entries = f"040000 tree {pages}\tjournal\n100644 blob {head}\tsweep.json\n"
    torn = git(root, "mktree", stdin=entries.encode())
    old = git(root, "rev-parse", ref)
    commit = git(root, "commit-tree", "-m", "torn", "-p", at.sweep.base, "-p", old, torn)
    git(root, "update-ref", ref, commit)

    for name in ("torn", "@", at.sweep.id, at.sweep.id[:6]):
        with pytest.raises(DamagedRecordError, match=f"`{at.sweep.id}` cannot be read") as caught:
            find_sweep(project, name)
        assert f"git update-ref {ref} {old}" in str(caught.value.hint)

    git(root, "update-ref", ref, old)
    assert find_sweep(project, "torn").progress.trials[0].is_over

"""The refs of runs: the same answers whether git is asked for all of them or for one."""

from pathlib import Path

import pytest
from tests.support import git
from tests.support.records import open_at, run_id

from repro.store.git import Git
from repro.store.refs import RUNS, RunRefs, list_refs

FIRST, SECOND = run_id("aaaa"), run_id("bbbb")


@pytest.fixture
def head(repository: Path) -> str:
    """What two refs of runs name, beside three that are none."""
    oid = git(repository, "rev-parse", "HEAD")
    for name in (FIRST, SECOND, "no-id", f"deep/{FIRST}", f"{SECOND}z"):
        git(repository, "update-ref", RUNS + name, oid)
    return oid


@pytest.mark.parametrize("is_listed", [False, True])
def test_a_run_is_found_by_its_whole_id_only(
    repository: Path, head: str, *, is_listed: bool
) -> None:
    refs = RunRefs(open_at(repository))
    if is_listed:
        assert refs.n_refs == 5
    assert refs[FIRST] == refs[SECOND] == head
    assert FIRST in refs
    for text in (FIRST[:-1], FIRST + "0", "", "no-id", f"{FIRST}\n", f"deep/{FIRST}", "*"):
        assert text not in refs
        assert refs.get(text) is None
    assert run_id("c") not in refs
    assert refs.look_up([SECOND, run_id("c"), "*", FIRST]) == {FIRST: head, SECOND: head}
    assert refs.starting("bbbb") == [SECOND]
    assert refs.starting("b.") == refs.starting("b*") == []


def test_the_list_is_of_all_refs(repository: Path, head: str) -> None:
    opened = open_at(repository)
    refs = RunRefs(opened)
    assert refs.commits == {FIRST: head, SECOND: head}
    assert sorted(one.run for one in refs.refused) == sorted(
        ["no-id", f"deep/{FIRST}", f"{SECOND}z"]
    )
    assert {RUNS + name for name in [*refs.commits, *(one.run for one in refs.refused)]} == set(
        list_refs(opened.git, RUNS)
    )


def test_what_was_found_is_not_asked_again(
    repository: Path, head: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    refs = RunRefs(open_at(repository))
    assert refs.look_up([FIRST, run_id("c")]) == {FIRST: head}
    monkeypatch.delattr(Git, "run")
    assert refs[FIRST] == head


def test_what_was_not_there_is_asked_again(repository: Path, head: str) -> None:
    refs = RunRefs(open_at(repository))
    assert refs.get(run_id("c")) is None
    git(repository, "update-ref", RUNS + run_id("c"), head)
    assert refs[run_id("c")] == head


def test_without_runs_there_is_nothing(repository: Path) -> None:
    refs = RunRefs(open_at(repository))
    assert (refs.commits, refs.refused, refs.n_refs, refs.starting("a")) == ({}, [], 0, [])

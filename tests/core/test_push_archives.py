"""Archives on a remote: fewer refs, the same runs for everybody."""

from pathlib import Path

import pytest
from tests.support import git
from tests.support.clones import Team, a_run, project_at
from tests.support.remotes import push_all, runs_of

from repro.core import push
from repro.core.curate import tag_run
from repro.core.fetch import fetch_runs, find_remotes, pull_runs
from repro.core.fold import fold_runs
from repro.core.push_archives import send_archives
from repro.core.query import list_runs, resolve_run
from repro.core.trash import remove_runs
from repro.store.refs import RunRefs, list_refs


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return Team(tmp_path / "team")


def fold(root: Path, size: int = 3) -> int:
    return fold_runs(project_at(root), keep=0, at_least=2, size=size).runs


def names(root: Path) -> set[str]:
    listing = list_runs(project_at(root))
    assert listing.problems == ()
    return {record.run.id for record in listing.records}


def tag(root: Path, run_id: str, word: str) -> None:
    project = project_at(root)
    tag_run(project, resolve_run(project, run_id), [word])


def fetch(root: Path, *, pull: bool = False) -> None:
    project = project_at(root)
    [remote] = find_remotes(project, None, cwd=root)
    (pull_runs if pull else fetch_runs)(project, remote)


def archives_of(bare: Path) -> list[str]:
    return git(bare, "for-each-ref", "--format=%(refname)", "refs/repro/archive/").splitlines()


def test_archives_take_the_place_of_refs_that_the_remote_had(team):
    ada, bo = team.clone("ada"), team.clone("bo")
    ids = {a_run(ada) for _ in range(3)}
    push_all(project_at(ada))
    fetch(bo)
    assert fold(ada) == 3

    pushed = push_all(project_at(ada))

    assert set(pushed.same) == ids
    assert runs_of(team.hub) == {}
    assert len(archives_of(team.hub)) == 1
    fetch(bo)
    assert names(bo) == ids
    kept = list_refs(project_at(bo).repository.git, "refs/repro/remotes/")
    assert [ref.split("/")[4] for ref in kept] == ["archive"]


def test_runs_that_the_remote_lacks_go_in_their_archives_alone(team):
    ada, bo = team.clone("ada"), team.clone("bo")
    ids = {a_run(ada) for _ in range(4)}
    assert fold(ada) == 3

    pushed = push_all(project_at(ada))

    assert set(pushed.new) == ids
    assert len(runs_of(team.hub)) == 1
    fetch(bo)
    assert names(bo) == ids
    assert set(push_all(project_at(ada)).same) == ids


def test_a_run_that_is_amended_after_folding_gets_a_ref_again(team):
    ada, bo = team.clone("ada"), team.clone("bo")
    ids = [a_run(ada) for _ in range(3)]
    fold(ada)
    push_all(project_at(ada))
    fetch(bo)
    tag(ada, ids[0], "late")

    push_all(project_at(ada))

    assert list(runs_of(team.hub)) == [ids[0]]
    fetch(bo)
    records = {record.run.id: record.run.tags for record in list_runs(project_at(bo)).records}
    assert records == {ids[0]: ("late",), ids[1]: (), ids[2]: ()}


def test_a_run_that_goes_into_a_second_archive_keeps_its_ref_there(team):
    """Two archives that disagree on a run would count for nothing."""
    ada, bo = team.clone("ada"), team.clone("bo")
    ids = [a_run(ada) for _ in range(3)]
    fold(ada)
    push_all(project_at(ada))
    tag(ada, ids[0], "late")
    more = [a_run(ada) for _ in range(2)]
    assert fold(ada) == 3

    push_all(project_at(ada))

    fetch(bo)
    records = {record.run.id: record.run.tags for record in list_runs(project_at(bo)).records}
    assert records == {ids[0]: ("late",), **dict.fromkeys([*ids[1:], *more], ())}


def test_two_people_who_fold_the_same_runs_lose_none(team):
    ada, bo, eve = team.clone("ada"), team.clone("bo"), team.clone("eve")
    ids = [a_run(ada) for _ in range(3)]
    push_all(project_at(ada))
    fetch(bo, pull=True)
    for run_id in ids:
        tag(bo, run_id, "seen")
    ids += [a_run(bo) for _ in range(3)]
    push_all(project_at(bo))
    fetch(ada, pull=True)
    fold(ada)
    fold(bo)
    push_all(project_at(ada))
    push_all(project_at(bo))
    push_all(project_at(ada))

    fetch(eve)
    assert names(eve) == set(ids)
    for root in (ada, bo):
        fetch(root, pull=True)
        assert names(root) == set(ids)
        git(root, "fsck", "--strict", "--connectivity-only")


def test_a_removed_run_is_not_sent_in_an_archive(team):
    ada = team.clone("ada")
    ids = [a_run(ada) for _ in range(3)]
    fold(ada)
    remove_runs(project_at(ada), [ids[0]])
    push_all(project_at(ada))
    reached = git(team.hub, "rev-list", "--all", "--format=%s").splitlines()
    assert not any(ids[0] in line for line in reached)
    left = set(runs_of(team.hub)) | _in_archives(team.hub)
    assert left == set(ids[1:])


def _in_archives(bare: Path) -> set[str]:
    return {
        line.split()[0]
        for ref in archives_of(bare)
        for line in git(bare, "cat-file", "blob", f"{ref}:runs").splitlines()
    }


def test_a_ref_that_somebody_moved_meanwhile_stays(team, monkeypatch):
    ada, bo = team.clone("ada"), team.clone("bo")
    ids = [a_run(ada) for _ in range(3)]
    push_all(project_at(ada))
    fetch(bo)
    fold(ada)

    def sending(*args):
        monkeypatch.setattr(push, "send_archives", send_archives)
        tag(bo, ids[0], "late")
        push_all(project_at(bo), ids[0])
        return send_archives(*args)

    monkeypatch.setattr(push, "send_archives", sending)
    push_all(project_at(ada))

    tip = RunRefs(project_at(bo).repository)[ids[0]]
    assert runs_of(team.hub) == {ids[0]: tip}


def test_runs_that_are_named_are_sent_one_by_one(team):
    ada = team.clone("ada")
    ids = [a_run(ada) for _ in range(3)]
    fold(ada)
    push_all(project_at(ada), ids[0])
    assert list(runs_of(team.hub)) == [ids[0]]
    assert archives_of(team.hub) == []


def test_a_remote_that_takes_no_deletion_has_the_runs_twice_and_that_is_fine(team):
    ada, bo = team.clone("ada"), team.clone("bo")
    ids = {a_run(ada) for _ in range(3)}
    push_all(project_at(ada))
    fold(ada)
    git(team.hub, "config", "receive.denyDeletes", "true")
    assert push_all(project_at(ada)).refused == ()
    fetch(bo)
    assert names(bo) == ids

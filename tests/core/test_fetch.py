"""Runs brought from a git remote, and own ones brought up to date."""

from pathlib import Path

import pytest
from tests.support import git
from tests.support.clones import Team, a_run, give, project_at

from repro.core.curate import set_note, tag_run
from repro.core.fetch import Fetched, Pulled, fetch_runs, pull_runs
from repro.core.query import resolve_run
from repro.errors import InvalidInputError, RemoteError, UnknownRunError
from repro.store.refs import REMOTES, RUNS, RunRefs, list_refs
from repro.store.remoterefs import find_remote

ORIGIN = f"{REMOTES}origin/"


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return Team(tmp_path / "team")


def fetch(root: Path, remote: str = "origin", *names: str) -> Fetched:
    project = project_at(root)
    return fetch_runs(project, find_remote(project.repository.git, remote), names=names)


def pull(root: Path, remote: str = "origin", *names: str) -> Pulled:
    project = project_at(root)
    return pull_runs(project, find_remote(project.repository.git, remote), names=names)


def refs(root: Path, *prefixes: str) -> dict[str, str]:
    return list_refs(project_at(root).repository.git, *(prefixes or ("refs/",)))


def tips(root: Path) -> dict[str, str]:
    return RunRefs(project_at(root).repository).commits


def tag(root: Path, run_id: str, *tags: str) -> None:
    project = project_at(root)
    tag_run(project, resolve_run(project, run_id), tags)


def test_fetch_brings_runs_under_the_name_of_the_remote(team: Team) -> None:
    one, two = team.clone("one"), team.clone("two")
    ids = sorted([a_run(one), a_run(one)])
    give(one)
    before = refs(two)

    fetched = fetch(two)

    assert tuple(ids) == fetched.new
    assert (fetched.moved, fetched.refused, fetched.gone) == ((), (), ())
    came = {f"{ORIGIN}{run_id}": refs(one)[RUNS + run_id] for run_id in ids}
    assert {**before, **came} == refs(two)
    assert resolve_run(project_at(two), ids[0]).run.id == ids[0]


def test_a_second_fetch_brings_nothing(team: Team) -> None:
    one, two = team.clone("one"), team.clone("two")
    a_run(one)
    give(one)
    fetch(two)
    assert fetch(two) == Fetched(remote="origin")
    assert fetch(one) == Fetched(remote="origin")
    assert refs(one, REMOTES) == {}


def test_an_amended_run_moves_and_is_the_run_that_counts(team: Team) -> None:
    one, two = team.clone("one"), team.clone("two")
    run_id = a_run(one)
    give(one)
    fetch(two)
    tag(one, run_id, "good")
    give(one)

    assert (run_id,) == fetch(two).moved
    assert tips(one) == tips(two)
    assert resolve_run(project_at(two), run_id).run.tags == ("good",)


def test_only_runs_asked_for_by_id_come(team: Team) -> None:
    one, two = team.clone("one"), team.clone("two")
    first, second = a_run(one), a_run(one)
    give(one)
    fetched = fetch(two, "origin", first[:8])
    assert ((first,), (first,)) == (fetched.new, fetched.asked)
    assert (second,) == fetch(two).new


@pytest.mark.parametrize("name", ["zzzzzzzz", "-rf", "../../heads/main", "а" * 12, "HEAD"])
def test_a_run_that_the_remote_lacks_is_named(team: Team, name: str) -> None:
    one = team.clone("one")
    give(one, a_run(one))
    with pytest.raises(UnknownRunError, match="`origin` has no run") as caught:
        fetch(team.clone("two"), "origin", name)
    assert "not by names" in str(caught.value.hint)


def test_a_remote_that_went_back_keeps_nobody_from_what_was_there(team: Team) -> None:
    one, two = team.clone("one"), team.clone("two")
    run_id = a_run(one)
    old = tips(one)[run_id]
    tag(one, run_id, "good")
    give(one)
    fetch(two)
    git(team.hub, "update-ref", RUNS + run_id, old)

    [refusal] = fetch(two).refused

    assert run_id == refusal.run
    assert f"origin went back to `{old[:10]}` from `{tips(one)[run_id][:10]}`" in refusal.reason
    assert tips(one) == tips(two)


def test_another_run_under_an_id_of_ours_is_refused_and_both_are_named(team: Team) -> None:
    one, two = team.clone("one"), team.clone("two")
    run_id = a_run(one, config={"lr": 1})
    a_run(two, id=run_id, config={"lr": 2})
    good = a_run(one)
    give(one)
    ours, theirs = tips(two)[run_id], tips(one)[run_id]

    fetched = pull(two).fetched

    assert (good,) == fetched.new
    [refusal] = fetched.refused
    assert run_id == refusal.run
    assert f"`{theirs[:10]}` there, `{ours[:10]}` here" in refusal.reason
    assert ours == tips(two)[run_id]


def test_a_run_that_was_replaced_on_the_remote_is_refused(team: Team) -> None:
    one, two, three = team.clone("one"), team.clone("two"), team.clone("three")
    run_id = a_run(one, config={"lr": 1})
    give(one)
    fetch(two)
    before = tips(two)
    a_run(three, id=run_id, config={"lr": 2})
    git(three, "push", "-q", "--force", "origin", RUNS + run_id)

    [refusal] = fetch(two).refused

    assert "replaced" in refusal.reason
    assert before == tips(two)


def test_a_run_that_the_remote_deleted_stays_and_is_told_of(team: Team) -> None:
    one, two = team.clone("one"), team.clone("two")
    run_id = a_run(one)
    give(one)
    fetch(two)
    git(team.hub, "update-ref", "-d", RUNS + run_id)
    fetched = fetch(two)
    assert (run_id,) == fetched.gone
    assert fetched.refused == ()
    assert run_id in tips(two)


def test_a_removed_run_does_not_come_again(team: Team) -> None:
    one, two = team.clone("one"), team.clone("two")
    run_id = a_run(one)
    give(one)
    git(two, "update-ref", f"refs/repro/trash/{run_id}", "HEAD")
    assert fetch(two) == Fetched(remote="origin")
    assert refs(two, REMOTES) == {}


def test_one_bad_run_never_hides_the_others(team: Team) -> None:
    one, two = team.clone("one"), team.clone("two")
    good = a_run(one)
    give(one)
    git(team.hub, "update-ref", f"{RUNS}baaaaaaaaaaa", "main")
    fetched = fetch(two)
    assert (good,) == fetched.new
    assert ["baaaaaaaaaaa"] == [refusal.run for refusal in fetched.refused]
    assert refs(two, REMOTES) == {ORIGIN + good: tips(one)[good]}


def test_refs_that_are_no_ids_are_refused_in_one_line(team: Team) -> None:
    one, two = team.clone("one"), team.clone("two")
    good = a_run(one)
    give(one)
    for name in ("-rf", "a.b", "HEAD", "RUN1", "аbcdefghjkmn", "x/y", "a" * 200):
        git(team.hub, "update-ref", RUNS + name, "main")
    fetched = fetch(two)
    assert (good,) == fetched.new
    [refusal] = fetched.refused
    assert "7 refs such as" in refusal.reason


def test_plain_fetch_and_prune_of_the_user_touch_no_run(team: Team) -> None:
    one, two = team.clone("one"), team.clone("two")
    run_id = a_run(one)
    give(one)
    git(two, "config", "fetch.prune", "true")
    git(two, "config", "remote.origin.prune", "true")
    git(two, "config", "remote.origin.tagOpt", "--tags")
    git(one, "tag", "v1")
    git(one, "push", "-q", "origin", "v1", "main:topic")
    settings = (two / ".git/config").read_bytes()
    before = refs(two)

    fetch(two)

    assert {**before, ORIGIN + run_id: tips(one)[run_id]} == refs(two)
    assert not (two / ".git/FETCH_HEAD").exists()
    assert settings == (two / ".git/config").read_bytes()
    git(two, "fetch", "-q", "--prune")
    assert run_id in tips(two)


def test_pull_moves_an_own_run_forward(team: Team) -> None:
    one, two = team.clone("one"), team.clone("two")
    run_id = a_run(one)
    give(one)
    pull(two)
    tag(two, run_id, "good")
    give(two)

    pulled = pull(one)

    assert ((run_id,), ()) == (pulled.forwarded, pulled.merged)
    assert tips(one) == tips(two)
    assert refs(one, REMOTES, RUNS) == {RUNS + run_id: tips(two)[run_id]}


def test_pull_merges_what_two_said_of_a_run_at_once(team: Team) -> None:
    one, two = team.clone("one"), team.clone("two")
    run_id = a_run(one)
    give(one)
    pull(two)
    tag(one, run_id, "mine")
    tag(two, run_id, "yours")
    project = project_at(two)
    set_note(project, resolve_run(project, run_id), "a note")
    give(two)

    pulled = pull(one)

    assert ((run_id,), (), ()) == (pulled.merged, pulled.refused, pulled.overruled)
    run = resolve_run(project_at(one), run_id).run
    assert ({"mine", "yours"}, "a note") == (set(run.tags), run.note)
    give(one)
    assert (run_id,) == pull(two).forwarded
    assert tips(one) == tips(two)
    assert pull(one) == Pulled(fetched=Fetched(remote="origin"))


def test_what_only_this_clone_said_is_no_news_from_the_remote(team: Team) -> None:
    one = team.clone("one")
    run_id = a_run(one)
    give(one)
    tag(one, run_id, "mine")
    assert pull(one) == Pulled(fetched=Fetched(remote="origin"))
    assert refs(one, REMOTES) == {}


def test_two_remotes_that_differ_on_a_run_are_merged_into_one_of_ours(
    team: Team, tmp_path: Path
) -> None:
    one, two, three = team.clone("one"), team.clone("two"), team.clone("three")
    run_id = a_run(one)
    give(one)
    fetch(two)
    tag(one, run_id, "a")
    tag(two, run_id, "b")
    git(three, "remote", "add", "team/first", str(one))
    git(three, "remote", "add", "second", str(two))

    fetch(three, "team/first")
    pulled = pull(three, "second")

    assert (run_id,) == pulled.merged
    assert {"a", "b"} == set(resolve_run(project_at(three), run_id).run.tags)
    assert RUNS + run_id in refs(three, RUNS)


def test_a_remote_whose_name_looks_like_another_kind_is_refused(team: Team) -> None:
    two = team.clone("two")
    git(two, "remote", "add", "team/live", str(team.hub))
    with pytest.raises(InvalidInputError, match="cannot be told"):
        fetch(two, "team/live")


def test_a_remote_that_is_absent_is_named(team: Team) -> None:
    two = team.clone("two")
    git(two, "remote", "add", "gone", str(team.folder / "nowhere.git"))
    with pytest.raises(RemoteError, match="`gone`"):
        fetch(two, "gone")


def test_runs_come_through_the_carrier_that_is_set(team: Team) -> None:
    one, two = team.clone("one"), team.clone("two")
    run_id = a_run(one)
    git(one, "push", "-q", "origin", f"{RUNS}{run_id}:refs/heads/repro/runs/{run_id}")
    git(two, "config", "repro.origin.carrier", "refs/heads/repro")
    assert (run_id,) == fetch(two).new
    assert ORIGIN + run_id in refs(two)


def test_a_run_in_progress_is_replaced_at_will_and_goes_when_it_is_over(team: Team) -> None:
    one, two = team.clone("one"), team.clone("two")
    run_id = a_run(one)
    commit = tips(one)[run_id]
    git(one, "push", "-q", "origin", f"{RUNS}{run_id}:refs/repro/live/{run_id}")
    assert (run_id,) == fetch(two).new
    assert {f"{ORIGIN}live/{run_id}": commit} == refs(two, REMOTES)
    give(one)
    assert (run_id,) == fetch(two).moved
    assert {ORIGIN + run_id: commit} == refs(two, REMOTES)


def test_what_another_remote_gave_before_is_no_news(team: Team) -> None:
    a_run(one := team.clone("one"))
    give(one)
    two = team.clone("two")
    git(two, "remote", "add", "other", f"file://{team.hub}")
    project = project_at(two)
    fetch_runs(project, find_remote(project.repository.git, "origin"))
    fetched = fetch_runs(project, find_remote(project.repository.git, "other"))
    assert (fetched.new, fetched.moved, fetched.refused) == ((), (), ())

"""A ledger on a remote: many clones append, and none of what they wrote is lost."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.support import git
from tests.support.clones import Team, project_at
from tests.support.remotes import add_hook, push_all
from tests.support.sweeps import AGENT, ask, make_sweep, tell

from repro.core.project import Project
from repro.core.sweep.book import LocalBook
from repro.core.sweep.remote_book import RemoteBook
from repro.errors import RemoteError, UnknownRunError
from repro.model.ids import new_id
from repro.model.sweep import Beat, Entry, Stopped, SweepAt
from repro.store.refs import SWEEPS
from repro.store.remoterefs import find_remote


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return Team(tmp_path / "team")


def book_of(project: Project, sweep_id: str, **options: object) -> RemoteBook:
    remote = find_remote(project.repository.git, None, push=True)
    return RemoteBook(project, remote, sweep_id, **options)


def shared(team: Team, n_clones: int = 2) -> tuple[str, list[Project]]:
    """A sweep on the hub, and clones; only the first one has it."""
    clones = [project_at(team.clone(f"clone{number}")) for number in range(n_clones)]
    sweep = make_sweep(clones[0]).sweep
    push_all(clones[0])
    return sweep.id, clones


def claim_next(at: SweepAt) -> list[Entry]:
    return [ask(len(at.progress.trials), new_id(os.urandom))]


def test_every_clone_sees_what_another_wrote(team: Team):
    sweep_id, (ada, bob) = shared(team)
    first, second = book_of(ada, sweep_id), book_of(bob, sweep_id)
    first.write(claim_next)
    assert second.read().progress.trials[0].number == 0
    at = second.write(claim_next)
    assert [trial.number for trial in at.progress.trials] == [0, 1]
    assert first.read() == at
    for root in (team.hub, ada.repository.root, bob.repository.root):
        assert git(root, "rev-parse", SWEEPS + sweep_id) == at.commit


def test_a_mirror_that_lags_behind_where_pushes_go_is_no_truth(team: Team):
    sweep_id, (ada, bob) = shared(team)
    mirror = team.folder / "mirror.git"
    git(team.folder, "clone", "-q", "--mirror", str(team.hub), str(mirror))
    for project in (ada, bob):
        git(project.repository.root, "remote", "set-url", "--push", "origin", str(team.hub))
        git(project.repository.root, "remote", "set-url", "origin", str(mirror))
    first, second = book_of(ada, sweep_id), book_of(bob, sweep_id)
    for book in (first, second, first):
        at = book.write(claim_next)
    assert [trial.number for trial in at.progress.trials] == [0, 1, 2]
    assert second.read() == at


def test_who_was_slower_decides_again_on_what_the_faster_one_wrote(team: Team):
    sweep_id, (ada, bob) = shared(team)
    books = [book_of(ada, sweep_id), book_of(bob, sweep_id)]
    books[0].read()

    def work(book: RemoteBook) -> None:
        for _ in range(3):
            book.write(claim_next)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, books))
    trials = books[0].read().progress.trials
    assert [trial.number for trial in trials] == list(range(6))
    assert len({trial.run for trial in trials}) == 6


def test_a_remote_that_comes_back_in_time_is_waited_for(team: Team):
    sweep_id, [ada] = shared(team, 1)
    said: list[str] = []
    away = team.hub.with_name("away")
    book = book_of(ada, sweep_id, patience_s=30, say=lambda word: _back(said, word, away, team.hub))
    book.read()
    team.hub.rename(away)
    assert book.read().sweep.id == sweep_id
    assert len(said) == 1
    assert "tried again" in said[0]


def _back(said: list[str], word: str, away: Path, hub: Path) -> None:
    said.append(word)
    away.rename(hub)


def test_a_remote_that_stays_away_is_an_error_in_the_end(team: Team):
    sweep_id, [ada] = shared(team, 1)
    book = book_of(ada, sweep_id, patience_s=0.2)
    book.read()
    team.hub.rename(team.hub.with_name("away"))
    with pytest.raises(RemoteError, match="no such repository"):
        book.write(claim_next)
    with pytest.raises(RemoteError):
        book_of(ada, sweep_id, patience_s=100).read()  # it never was there: nobody waits


def test_what_the_remote_took_before_the_connection_was_lost_is_not_written_again(
    team: Team, tmp_path: Path
):
    sweep_id, [ada] = shared(team, 1)
    mark = tmp_path / "cut"
    # The answer never comes: the ref is moved by then.
    script = f"test -e {mark} || {{ touch {mark}; kill -9 $PPID; }}"
    add_hook(team.hub, "post-receive", script)
    book = book_of(ada, sweep_id, patience_s=30)
    at = book.write(claim_next)
    assert mark.exists()
    assert len(at.progress.trials) == 1
    assert book.read() == at


def test_a_rule_of_the_remote_is_told_at_once(team: Team):
    sweep_id, [ada] = shared(team, 1)
    add_hook(team.hub, "update", "echo no sweeps here >&2; exit 1")
    said: list[str] = []
    with pytest.raises(RemoteError, match=r"`origin` declined sweep .* no sweeps here"):
        book_of(ada, sweep_id, patience_s=3600, say=said.append).write(claim_next)
    assert said == []  # it is not tried again


def test_what_was_said_in_one_clone_alone_is_joined(team: Team):
    sweep_id, (ada, bob) = shared(team)
    book_of(bob, sweep_id).write(claim_next)
    run = new_id(ada.entropy)
    LocalBook(ada, sweep_id).write(lambda _: [ask(0, run, params={"lr": 0.2}), tell(0, run)])
    book = book_of(ada, sweep_id)
    at = book.read()
    assert [trial.is_over for trial in at.progress.trials] == [False, True]
    LocalBook(ada, sweep_id).write(lambda _: [Stopped(why="enough", time=3.0)])
    beat = Beat(agent=AGENT.id, time=9.0)
    assert book.write(lambda _: [beat]).progress.beats[AGENT.id] == 9.0
    stopped = book_of(bob, sweep_id).read().progress.stopped
    assert stopped is not None
    assert stopped.why == "enough"


def test_an_unknown_sweep_says_what_brings_it(team: Team):
    ada = project_at(team.clone("ada"))
    with pytest.raises(UnknownRunError, match="`origin` has no sweep"):
        book_of(ada, "aaaaaaaaaaaa").read()


def test_nothing_to_say_sends_nothing(team: Team):
    sweep_id, [ada] = shared(team, 1)
    book = book_of(ada, sweep_id)
    before = book.read()
    team.hub.rename(team.hub.with_name("away"))
    assert book.write(lambda _: []) == before


def test_two_agents_of_one_clone_share_its_ref(team: Team):
    sweep_id, [ada] = shared(team, 1)
    one, other = book_of(ada, sweep_id), book_of(ada, sweep_id)
    one.read()
    other.write(claim_next)
    at = one.write(lambda _: [Beat(agent=AGENT.id, time=9.0)])
    assert other.read() == at

"""A run in progress shown to others: only so far as it may be, and gone when it is over."""

from pathlib import Path

import pytest
from tests.support import git, write_files
from tests.support.clones import Team, a_run, project_at
from tests.support.projects import begin, end, log
from tests.support.remotes import push_all, runs_of

from repro.core.fetch import fetch_runs, find_remotes
from repro.core.published import read_published, tell_published
from repro.core.publishing import Publisher
from repro.core.query import list_runs
from repro.core.start import LiveRun
from repro.model.run import Record


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return Team(tmp_path / "team")


@pytest.fixture
def ada(team: Team) -> Path:
    """A clone that pushed a run before."""
    root = team.clone("ada")
    a_run(root)
    push_all(project_at(root))
    return root


def live_of(bare: Path) -> dict[str, str]:
    listed = git(bare, "for-each-ref", "--format=%(refname:lstrip=-1) %(objectname)",
                 "refs/repro/live/")  # fmt: skip
    return dict(line.split(" ") for line in listed.splitlines())


def seen_by(root: Path, run_id: str) -> Record | None:
    project = project_at(root)
    [remote] = find_remotes(project, None, cwd=root)
    assert fetch_runs(project, remote).refused == ()
    found = list_runs(project)
    assert found.problems == ()
    return next((one for one in found.records if one.run.id == run_id), None)


def start(root: Path, **request: object) -> tuple[LiveRun, Publisher]:
    live = begin(project_at(root), **request)
    return live, Publisher(project_at(root), live.id)


def test_others_see_the_latest_values_then_the_end(team, ada):
    bo = team.clone("bo")
    live, publisher = start(ada, name="long", config={"lr": 0.1})
    for step, loss in enumerate((2.0, 1.0)):
        log(live, step, loss=loss)
        publisher.publish()
        record = seen_by(bo, live.id)
        assert record is not None
        assert (record.run.status, record.run.name, record.config) == (
            "running",
            "long",
            {"lr": 0.1},
        )
        assert record.metrics["loss"].last == loss
        assert record.run.duration_s is not None
    assert tell_published(live.dir) is None
    assert read_published(live.dir).times == 2

    end(live, ada)
    assert not publisher.is_needed()
    push_all(project_at(ada))
    assert live_of(team.hub) == {}
    record = seen_by(bo, live.id)
    assert record is not None
    assert record.run.status == "finished"


def test_nothing_of_what_was_replaced_stays_here(team, ada):
    live, publisher = start(ada)
    before = git(ada, "count-objects", "-v")
    for step in range(3):
        log(live, step, loss=1.0)
        publisher.publish()
    assert read_published(live.dir).times == 3
    assert git(ada, "count-objects", "-v") == before
    assert len(live_of(team.hub)) == 1


def test_a_lost_remote_is_counted_and_the_next_time_goes_through(team, ada):
    live, publisher = start(ada)
    publisher.publish()
    away = team.hub.with_name("away")
    team.hub.rename(away)
    publisher.publish()
    away.rename(team.hub)
    assert publisher.is_needed()
    publisher.publish()

    done = read_published(live.dir)
    assert (done.times, done.failed) == (2, 1)
    said = tell_published(live.dir)
    assert said is not None
    assert "published 2 times, and 1 times not: " in said


def test_nothing_goes_where_nobody_pushed_to_before(team):
    root = team.clone("new")
    live, publisher = start(root)
    publisher.publish()
    assert live_of(team.hub) == {}
    assert not publisher.is_needed()
    assert "nothing was pushed to `origin` from here before" in read_published(live.dir).reason


def test_a_secret_stops_it(team, ada):
    key = "AKIA" + "Z7QX3VN2KJ4TPL5M"
    live, publisher = start(ada)
    live.journal.append({"k": "summary", "v": {"remark": f"key {key}"}, "t": 1.0})
    publisher.publish()
    held = git(team.hub, "rev-list", "--all", "--objects").splitlines()
    texts = [git(team.hub, "cat-file", "-p", line.split()[0]) for line in held]
    assert not any(key in text for text in texts)


def test_a_secret_in_code_stops_it(team, ada):
    git(ada, "config", "user.name", "Ada")
    key = "AKIA" + "Z7QX3VN2KJ4TPL5M"
    write_files(ada, {"keys.py": f"KEY = '{key}'\n"})
    git(ada, "add", "keys.py")
    git(ada, "commit", "-qm", "keys")
    live, publisher = start(ada)
    publisher.publish()
    assert live_of(team.hub) == {}
    assert "`keys.py` holds what looks like a secret" in read_published(live.dir).reason
    assert not publisher.is_needed()


def test_what_somebody_else_has_under_this_id_is_left_alone(team, ada):
    live, publisher = start(ada)
    other = git(team.hub, "rev-parse", "HEAD")
    git(team.hub, "update-ref", f"refs/repro/live/{live.id}", other)
    publisher.publish()
    assert live_of(team.hub) == {live.id: other}
    assert not publisher.is_needed()


def test_what_somebody_moved_meanwhile_is_left_alone(team, ada):
    live, publisher = start(ada)
    publisher.publish()
    other = git(team.hub, "rev-parse", "HEAD")
    git(team.hub, "update-ref", f"refs/repro/live/{live.id}", other)
    publisher.publish()
    publisher.publish()
    assert live_of(team.hub) == {live.id: other}
    assert not publisher.is_needed()


def test_a_run_that_is_over_there_is_not_shown_as_running(team, ada):
    bo = team.clone("bo")
    live, publisher = start(ada)
    publisher.publish()
    stale = live_of(team.hub)[live.id]
    end(live, ada)
    push_all(project_at(ada))
    git(team.hub, "update-ref", f"refs/repro/live/{live.id}", stale)  # it came late
    record = seen_by(bo, live.id)
    assert record is not None
    assert record.run.status == "finished"

    push_all(project_at(ada))
    assert live_of(team.hub) == {}
    assert live.id in runs_of(team.hub)

"""A run that only a remote has gets a ref of its own once it is changed here."""

import threading
from pathlib import Path

import pytest
from tests.support import git
from tests.support.projects import begin, end, make_run, open_here
from tests.support.records import make_record, move_ref, write_run

from repro.core.amend import amend_run
from repro.core.curate import tag_run
from repro.core.query import resolve_run
from repro.errors import ReproError, UsageError
from repro.store.refs import REMOTES, RUNS, TRASH, list_refs


def test_a_fetched_run_is_adopted_on_top_of_the_fetched_commit(repository: Path) -> None:
    project = open_here(repository)
    run = make_run(project, {"loss": 0.5})
    fetched = move_ref(repository, RUNS + run.id, f"{REMOTES}lab/gpu/{run.id}")
    tag_run(project, resolve_run(project, run.id[:6]), ["good"])
    ours = git(repository, "rev-parse", RUNS + run.id)
    assert git(repository, "rev-parse", f"{ours}^2") == fetched
    assert git(repository, "rev-parse", f"{REMOTES}lab/gpu/{run.id}") == fetched
    assert resolve_run(project, "@").run.tags == ("good",)
    assert resolve_run(project, "@").commit == ours


def test_what_changes_nothing_adopts_nothing(repository: Path) -> None:
    project = open_here(repository)
    run = make_run(project)
    move_ref(repository, RUNS + run.id, f"{REMOTES}origin/{run.id}")
    amend_run(project, run.id)
    assert list_refs(project.repository.git, RUNS) == {}


def test_two_that_adopt_at_once_lose_nothing(repository: Path) -> None:
    project = open_here(repository)
    run = make_run(project)
    move_ref(repository, RUNS + run.id, f"{REMOTES}origin/{run.id}")
    record = resolve_run(project, "@")
    failed: list[ReproError] = []

    def tag(name: str) -> None:
        try:
            tag_run(project, record, [name])
        except ReproError as error:
            failed.append(error)

    threads = [threading.Thread(target=tag, args=[name]) for name in ("a", "b", "c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert set(resolve_run(project, "@").run.tags) == {"a", "b", "c"}


def test_a_run_in_progress_elsewhere_is_shown_and_left_alone(repository: Path) -> None:
    project = open_here(repository)
    run = write_run(project.repository, make_record(status="running", host="node7")).run
    move_ref(repository, RUNS + run.id, f"{REMOTES}origin/live/{run.id}")
    record = resolve_run(project, "@")
    assert (record.run.status.value, record.run.host) == ("running", "node7")
    with pytest.raises(UsageError, match="is still in progress"):
        tag_run(project, record, ["x"])
    with pytest.raises(UsageError, match="is still in progress"):
        begin(project, resume=run.id)
    assert list_refs(project.repository.git, RUNS) == {}


def test_a_fetched_run_that_is_continued_is_ours(repository: Path) -> None:
    project = open_here(repository)
    run = make_run(project, {"loss": 0.5})
    fetched = move_ref(repository, RUNS + run.id, f"{REMOTES}origin/{run.id}")
    end(begin(project, resume=run.id), repository)
    assert git(repository, "rev-parse", f"{RUNS}{run.id}^2") == fetched
    assert resolve_run(project, "@").run.id == run.id


def test_a_removed_run_is_not_adopted(repository: Path) -> None:
    project = open_here(repository)
    run = make_run(project)
    git(repository, "update-ref", f"{REMOTES}origin/{run.id}", RUNS + run.id)
    move_ref(repository, RUNS + run.id, TRASH + run.id)
    with pytest.raises(ReproError, match="is gone meanwhile"):
        amend_run(project, run.id)

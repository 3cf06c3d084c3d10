"""Runs that wait are pushed by one process at a time, and nothing goes where nobody agreed to."""

import json
import os
from pathlib import Path

import pytest
from tests.support import git
from tests.support.projects import make_run, open_here
from tests.support.remotes import add_hook, add_origin, make_bare, push_all, runs_of

from repro.atomic import FileLock
from repro.core import pusher
from repro.core.project import Project
from repro.core.push import push_runs
from repro.core.pusher import push_waiting
from repro.store.outbox import LOCK, list_waiting, put_out, take_words


@pytest.fixture
def bare(tmp_path: Path, repository: Path) -> Path:
    bare = make_bare(tmp_path / "bare.git")
    add_origin(repository, bare)
    git(repository, "config", "repro.autopush", "true")
    return bare


@pytest.fixture
def project(repository: Path, bare: Path) -> Project:
    """A project that pushed a run before."""
    project = open_here(repository)
    make_run(project)
    push_all(project)
    return project


def waiting(project: Project, **request: object) -> str:
    """A run that waits; its id."""
    run = make_run(project, **request)
    put_out(project.repository.private, [run.id])
    return run.id


def told(project: Project) -> str:
    return "\n".join(f"{one.message}\n{one.hint}" for one in take_words(project.repository.private))


def test_runs_that_wait_are_pushed_and_wait_no_more(project, bare):
    ids = [waiting(project) for _ in range(3)]
    [passed] = push_waiting(project)
    assert sorted(passed.pushed) == sorted(ids)
    assert set(ids) < set(runs_of(bare))
    assert list_waiting(project.repository.private) == []
    assert told(project) == ""


def test_other_runs_stay_here(project, bare):
    other = make_run(project)
    waiting(project)
    list(push_waiting(project))
    assert other.id not in runs_of(bare)


def test_nothing_goes_where_nobody_pushed_to_before_which_is_told_once(repository, bare):
    project = open_here(repository)
    for _ in range(2):
        waiting(project)
        list(push_waiting(project))
    assert runs_of(bare) == {}
    said = told(project)
    assert said.count("nothing was pushed to `origin` from here before") == 1
    assert "`repro push origin` asks" in said
    assert told(project) == ""

    push_all(project)
    waiting(project)
    list(push_waiting(project))
    assert len(runs_of(bare)) == 3
    assert list_waiting(project.repository.private) == []


def test_a_named_remote_is_the_one(project, bare, tmp_path):
    other = make_bare(tmp_path / "other.git")
    git(project.repository.root, "remote", "add", "team", str(other))
    push_all(project, remote="team")
    git(project.repository.root, "config", "repro.autopush", "team")
    run_id = waiting(project)
    list(push_waiting(open_here(project.repository.root)))
    assert run_id in runs_of(other)
    assert run_id not in runs_of(bare)


def test_a_remote_that_is_gone_is_told_once_and_all_goes_when_it_is_back(project, bare):
    away = bare.with_name("away")
    bare.rename(away)
    ids = []
    for _ in range(2):
        ids.append(waiting(project))
        list(push_waiting(project))
    assert told(project).count("runs wait to be pushed to `origin`") == 1

    away.rename(bare)
    ids.append(waiting(project))
    list(push_waiting(project))
    assert set(ids) < set(runs_of(bare))
    bare.rename(away)
    waiting(project)
    list(push_waiting(project))
    assert "runs wait to be pushed" in told(project)


def test_a_secret_keeps_its_run_back_and_no_other(project, bare):
    good = waiting(project)
    key = "AKIA" + "Z7QX3VN2KJ4TPL5M"
    bad = make_run(project).id
    commit = git(project.repository.root, "rev-parse", f"refs/repro/runs/{bad}")
    blob = git(
        project.repository.root, "hash-object", "-w", "--stdin", stdin=f"key: {key}\n".encode()
    )
    tree = _with_file(project.repository.root, commit, "output.log", blob)
    leaking = git(
        project.repository.root, "commit-tree", tree, "-p", f"{commit}^1", "-p", commit,
        "-m", f"amend run {bad}\n\nRepro-Run: {bad}",
    )  # fmt: skip
    git(project.repository.root, "update-ref", f"refs/repro/runs/{bad}", leaking)
    put_out(project.repository.private, [bad])

    list(push_waiting(project))

    assert good in runs_of(bare)
    assert bad not in runs_of(bare)
    said = told(project)
    assert f"run {bad} is not pushed to `origin`: it holds what looks like a secret" in said
    list(push_waiting(project))
    assert told(project) == ""


def _with_file(root: Path, commit: str, name: str, blob: str) -> str:
    lines = git(root, "ls-tree", f"{commit}^{{tree}}").splitlines()
    kept = [line for line in lines if not line.endswith(f"\t{name}")]
    return git(root, "mktree", stdin="\n".join([*kept, f"100644 blob {blob}\t{name}", ""]).encode())


def test_a_run_that_was_removed_waits_no_more(project, bare):
    run_id = waiting(project)
    git(project.repository.root, "update-ref", "-d", f"refs/repro/runs/{run_id}")
    list(push_waiting(project))
    assert list_waiting(project.repository.private) == []
    assert told(project) == ""


def test_a_run_that_the_remote_declines_is_named(project, bare):
    add_hook(bare, "pre-receive", "exit 1")
    run_id = waiting(project)
    list(push_waiting(project))
    assert f"run {run_id} is not pushed to `origin`" in told(project)
    assert list_waiting(project.repository.private) == [run_id]


def test_one_process_at_a_time_pushes(project, bare):
    run_id = waiting(project)
    ready, done = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:  # a lock is of a process
        FileLock(project.repository.private / LOCK).acquire()
        os.write(ready[1], b"1")
        os.read(done[0], 1)
        os._exit(0)
    os.read(ready[0], 1)
    assert list(push_waiting(project)) == []
    assert run_id not in runs_of(bare)

    os.write(done[1], b"1")
    os.waitpid(child, 0)
    assert [passed.pushed for passed in push_waiting(project)] == [(run_id,)]


def test_what_comes_meanwhile_is_pushed_by_the_same_process(project, bare, monkeypatch):
    first, late = waiting(project), make_run(project).id

    def push(*args):
        put_out(project.repository.private, [late])
        return push_runs(*args)

    monkeypatch.setattr(pusher, "push_runs", push)
    passed = [one.pushed for one in push_waiting(project)]
    assert passed == [(first,), (late,)]


def test_a_file_that_says_nothing_sensible_is_passed_over(project):
    for text in ("", "{", "[1]", json.dumps([["a"]]), '[{"a":"b"}]'):
        (project.repository.private / "autopush-untold.json").write_text(text)
        assert take_words(project.repository.private) == []

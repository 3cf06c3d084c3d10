"""`repro push`: what it asks, what it says, what programs read of it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support import git, write_files
from tests.support.projects import begin, make_run, open_here
from tests.support.remotes import add_hook, add_origin, make_bare, runs_of


@pytest.fixture
def bare(tmp_path: Path, repository: Path) -> Path:
    bare = make_bare(tmp_path / "bare.git")
    add_origin(repository, bare)
    return bare


@pytest.fixture
def project(repository, bare):
    return open_here(repository)


def test_the_first_push_asks_and_later_ones_do_not(cli, project, bare):
    make_run(project)
    refused = cli("push", code=1)
    assert "this is the first push to `origin`: 1 run, " in refused.err
    assert "`--yes` agrees to the push" in refused.err
    assert runs_of(bare) == {}

    assert cli("push", "--yes").out == "origin: 1 run pushed\n"
    make_run(project)
    assert cli("push").out == "origin: 1 run pushed\n"
    assert len(runs_of(bare)) == 2


def test_nothing_to_push_asks_nothing(cli, project):
    assert cli("push").out == "origin: no runs to push\n"


def test_what_is_there_already_is_said(cli, project):
    make_run(project)
    cli("push", "--yes")
    assert cli("push").out == "origin: nothing to push, it has 1 run already\n"
    assert cli("push", "-n").out == "origin: nothing to push, it has 1 run already\n"


def test_a_tag_updates_the_run(cli, project):
    run = make_run(project)
    cli("push", "--yes")
    cli("tag", run.id, "good")
    assert cli("push", run.id).out == "origin: 1 run updated\n"


def test_a_dry_run_names_runs_bytes_and_new_files_and_sends_nothing(cli, project, bare):
    write_files(project.repository.root, {"new\x1b.py": "1\n"})
    run = make_run(project)

    said = cli("push", "--dry-run").out

    assert said.startswith("origin: would push 1 run, ")
    assert f"{run.id}  new" in said
    assert "new\\x1b.py" in said
    assert runs_of(bare) == {}


def test_programs_read_what_would_be_sent(cli, project):
    write_files(project.repository.root, {"new.py": "1\n"})
    run = make_run(project)
    answer = json.loads(cli("push", "-n", "--json").out)
    assert answer["new"] == [run.id]
    assert answer["paths"] == ["new.py"]
    assert answer["first"] is True
    assert answer["bytes"] > 0
    assert answer["data"] == {"store": None, "objects": 0, "bytes": 0, "runs": []}


def test_programs_read_what_was_sent(cli, project):
    live, run = begin(project), make_run(project)
    answer = json.loads(cli("push", live.run.id, run.id, "--yes", "--json", code=1).out)
    assert answer == {
        "remote": "origin", "host": None, "new": [run.id], "updated": [], "merged": [],
        "refused": [
            {"run": live.run.id, "reason": "it is in progress",
             "hint": "push it when it has ended"}
        ],
        "overruled": [], "lacking": [], "objects": 0, "object_bytes": 0,
        "sweeps": {"new": [], "updated": [], "merged": []},
    }  # fmt: skip
    live.journal.close()


def test_a_run_that_is_refused_is_named_and_the_others_are_sent(cli, project, bare):
    bad, good = make_run(project), make_run(project)
    add_hook(bare, "update", f'case "$1" in *{bad.id}) exit 1;; esac')
    said = cli("push", "--yes", code=1)
    assert said.out == "origin: 1 run pushed, 1 run not pushed\n"
    assert f"repro: run {bad.id} is not pushed: a rule of the remote declined it" in said.err
    assert list(runs_of(bare)) == [good.id]


def test_runs_in_progress_are_said_to_stay(cli, project):
    live = begin(project)
    make_run(project)
    assert "1 run in progress: not pushed" in cli("push", "--yes").err
    live.journal.close()


def test_the_first_word_is_a_remote_or_else_a_run(cli, project, bare, tmp_path):
    run = make_run(project, name="baseline")
    second = make_bare(tmp_path / "second.git")
    cli("push", "--yes", "baseline")
    cli("push", "--yes", str(second), "baseline")
    assert list(runs_of(bare)) == list(runs_of(second)) == [run.id]


def test_a_word_that_is_neither_gets_the_nearest_name(cli, project):
    said = cli("push", "orign", code=128).err
    assert "`orign` is no run, and there is no remote `orign`; did you mean `origin`?" in said


def test_runs_and_a_filter_exclude_each_other(cli, project):
    make_run(project, name="baseline")
    assert (
        "leave one of the two out"
        in cli("push", "origin", "baseline", "--where", "status = finished", code=129).err
    )


def test_bytes_that_stay_here_are_asked_about_each_time(cli, project, bare):
    root = project.repository.root
    make_run(project)
    cli("push", "--yes")
    write_files(root, {
        "labels.csv": "a\n",
        "repro.yaml": "data:\n  labels: {path: labels.csv, keep: true}\n",
    })  # fmt: skip
    run = make_run(open_here(root))

    said = cli("push", code=1).err

    assert "1 kept file (2 bytes) of 1 run not sent: `repro.yaml` names no store" in said
    assert run.id not in runs_of(bare)
    cli("push", "--yes")
    assert run.id in runs_of(bare)


def test_data_goes_to_the_store_first(cli, project, bare, tmp_path):
    root = project.repository.root
    (tmp_path / "store").mkdir()
    write_files(root, {
        "labels.csv": "a\n",
        "repro.yaml": f"store: {tmp_path / 'store'}\n"
        "data:\n  labels: {path: labels.csv, keep: true}\n",
    })  # fmt: skip
    make_run(open_here(root))
    assert "`--data` sends what is not" in cli("push", code=1).err
    cli("push", "--data", "--yes")
    assert "nothing to push" in cli("push").out
    assert [path.read_text() for path in (tmp_path / "store").rglob("*") if path.is_file()] == [
        "a\n"
    ]


def test_data_goes_to_the_store_also_of_runs_that_the_remote_has(cli, project, bare, tmp_path):
    root = project.repository.root
    (tmp_path / "store").mkdir()
    write_files(root, {
        "labels.csv": "a\n",
        "repro.yaml": f"store: {tmp_path / 'store'}\n"
        "data:\n  labels: {path: labels.csv, keep: true}\n",
    })  # fmt: skip
    run = make_run(open_here(root))
    cli("push", "--yes")
    said = cli("push", "--data", "-n").out
    assert said.startswith("origin: nothing to push, it has 1 run already\n1 kept file (2 bytes)")

    ended = cli("push", "--data")

    assert ended.out == "origin: nothing to push, it has 1 run already\n"
    assert ended.err == f"repro: 1 kept file (2 bytes) sent to {tmp_path / 'store'}\n"
    assert [path.read_text() for path in (tmp_path / "store").rglob("*") if path.is_file()] == [
        "a\n"
    ]
    assert list(runs_of(bare)) == [run.id]
    assert cli("push", "--data").err == ""


def test_bytes_of_a_run_that_the_remote_has_may_not_be_here(cli, project, tmp_path):
    root = project.repository.root
    (tmp_path / "store").mkdir()
    write_files(root, {
        "labels.csv": "a\n",
        "repro.yaml": f"store: {tmp_path / 'store'}\n"
        "data:\n  labels: {path: labels.csv, keep: true}\n",
    })  # fmt: skip
    run = make_run(open_here(root))
    cli("push", "--yes")
    shutil.rmtree(root / ".git/repro/store")
    cli("tag", run.id, "checked")
    ended = cli("push", "--data", code=1)
    assert ended.out == "origin: 1 run updated\n"
    assert f"repro: bytes of run {run.id} were not sent: " in ended.err


def test_without_a_remote_the_next_command_is_said(cli, repository):
    make_run(open_here(repository))
    assert "`git remote add origin URL`" in cli("push", code=128).err


def test_git_repro_push_pushes(project, bare):
    make_run(project)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["git", "repro", "push", "--yes"], cwd=project.repository.root,
        env={**os.environ, "PATH": path},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(runs_of(bare)) == 1
    assert git(bare, "rev-parse", "main")

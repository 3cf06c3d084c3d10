"""All of a run examined, on real repositories that time has gone over."""

import os
import shutil

from tests.support import git, write_files
from tests.support.datasets import commit_all, make_data
from tests.support.doctors import drop_object, install, items_of, loosen, make_venv, record_with
from tests.support.projects import begin, make_run, open_here
from tests.support.records import make_record, write_run
from tests.support.wheels import json_page, serving

from repro.core.doctor import examine
from repro.core.query import resolve_run
from repro.errors import ReproError


def test_months_later_each_fact_is_named(repository, tmp_path, monkeypatch):
    place = make_venv(tmp_path / "venv", {"numpy": "2.0.0", "gone-pkg": "1.0"})
    others = os.environ["PATH"]
    monkeypatch.setenv("PATH", f"{place / 'bin'}{os.pathsep}{others}")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    git(repository, "checkout", "-q", "-b", "topic")
    make_data(repository, {"a.txt": "one\n"})
    make_data(repository, {"b.txt": "two\n"}, path="data/test")
    commit_all(repository)
    write_files(repository, {"train.py": "print('uncommitted')\n"})
    run = record_with(open_here(repository), str(place / "bin/python"), "train.py")
    before = items_of(open_here(repository), run.id)
    assert {one.state.value for name, one in before.items() if name != "randomness"} == {"ok"}

    install(place, "numpy", "2.1.0")
    shutil.rmtree(place)
    git(repository, "stash", "-q")
    git(repository, "commit", "-q", "--amend", "-m", "rebased")
    git(repository, "checkout", "-q", "main")
    git(repository, "branch", "-q", "-D", "topic")
    git(repository, "stash", "drop", "-q")
    git(repository, "reflog", "expire", "--expire=now", "--all")
    git(repository, "gc", "-q", "--prune=now")
    write_files(repository, {"data/train/a.txt": "changed\n"})
    monkeypatch.setenv("PATH", others)
    pages = {"/numpy/": {"numpy-2.0.0.tar.gz": {}}, "/gone-pkg/": {"gone-pkg-1.0.tar.gz": {}}}
    with serving({path: json_page(files) for path, files in pages.items()}) as (url, _):
        monkeypatch.setenv("PIP_INDEX_URL", url)
        items = items_of(open_here(repository), run.id, ask_index=True)

    assert items["code"].state == "ok"
    assert items["base"].state == "ok"
    assert "on no branch any more; its branch `topic` is gone" in items["base"].detail
    assert items["data:train"].state == "ok"
    assert "`data/train` has changed; its 1 file can be had" in items["data:train"].detail
    assert items["environment"].state == "ok"
    assert "`numpy` 2.0.0 (" in items["environment"].detail
    assert "`gone-pkg` 1.0 (not installed)" in items["environment"].detail
    assert items["environment"].hint == f"`repro env create {run.id}` rebuilds it"
    assert items["command"].state == "degraded"
    assert str(place / "bin/python") in items["command"].detail


def test_one_check_that_fails_hides_no_other(repository):
    project = open_here(repository)
    run = make_run(project)
    record = resolve_run(project, run.id)
    loosen(repository)
    drop_object(repository, f"{record.run.snapshot}^{{tree}}")

    items = {one.item: one for one in examine(project, record, ask_index=False).items}

    assert items["code"].state == "missing"
    assert items["command"].state in ("ok", "degraded")
    assert {"base", "environment", "randomness"} <= items.keys()


def test_what_a_check_raises_is_its_item(repository, monkeypatch):
    def fail(*_):
        raise ReproError("the disk has a bad day", hint="wait")

    monkeypatch.setattr("repro.core.doctor.check_base", fail)
    project = open_here(repository)

    items = items_of(project, make_run(project).id)

    assert items["base"].state == "degraded"
    assert items["base"].detail == "cannot be examined: the disk has a bad day"
    assert items["code"].state == "ok"


def test_each_check_is_announced(repository):
    project = open_here(repository)
    steps: list[str] = []

    examine(
        project,
        resolve_run(project, make_run(project).id),
        ask_index=False,
        on_step=steps.append,
    )

    assert steps[0] == "code"
    assert "environment" in steps


def test_a_run_in_progress_can_be_examined(repository):
    project = open_here(repository)
    live = begin(project)

    diagnosis = examine(project, resolve_run(project, live.id), ask_index=False)

    assert diagnosis.is_ok
    live.journal.close()


def test_nothing_is_changed(repository):
    project = open_here(repository)
    run = make_run(make_data(repository))
    before = git(repository, "status", "--porcelain"), git(repository, "for-each-ref")

    items_of(project, run.id)

    assert (git(repository, "status", "--porcelain"), git(repository, "for-each-ref")) == before


def test_a_record_made_to_do_harm_is_examined_to_its_end(repository):
    project = open_here(repository)
    hostile = make_record(
        command=("\0", "--upload-pack=touch x", "\x1b[2J"),
        branch="--output=x\0",
        environment={"interpreter": 3, "packages": {"list": "x"}, "hardware": {"gpus": {"a": 1}}},
        data={"--x\n": {"path": "a"}},
    )
    record = write_run(project.repository, hostile)

    items = {one.item: one for one in examine(project, record, ask_index=False).items}

    assert items["data:--x\n"].state == "degraded"
    assert items["command"].state == "missing"
    assert items["code"].state == "ok"

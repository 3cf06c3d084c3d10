import shutil

import pytest
from tests.support import write_files
from tests.support.datasets import add_data, commit_all, make_data, share
from tests.support.doctors import states_of
from tests.support.projects import make_run, open_here
from tests.support.records import make_record, write_run

from repro.core.datachoice import choose
from repro.core.doctor_data import check_data
from repro.core.query import resolve_run
from repro.core.transfer import open_store, plan_push
from repro.core.transfer import push as send

FILES = {"a.txt": "one\n", "b.txt": "two\n"}


def look(root, run, *, ask_store=True):
    project = open_here(root)
    record = resolve_run(project, run.id)
    return list(check_data(project, record, ask_store=ask_store))


def forget_bytes(root):
    shutil.rmtree(root / ".git/repro/store")


@pytest.fixture
def kept(repository):
    """A run with a kept dataset `train`."""
    return make_run(make_data(repository, FILES))


@pytest.fixture
def pinned(repository):
    """A run with a dataset `train` of which only digests are recorded."""
    write_files(repository, {f"data/train/{name}": data for name, data in FILES.items()})
    return make_run(add_data(repository, keep=False))


def test_a_dataset_as_it_was_is_ok(repository, kept):
    [item] = look(repository, kept)

    assert states_of([item]) == [("data:train", "ok")]
    assert item.detail == "`data/train` is as it was, and kept"
    assert item.hint is None


def test_a_dataset_as_it_was_is_ok_though_it_is_not_kept(repository, pinned):
    [item] = look(repository, pinned)

    assert states_of([item]) == [("data:train", "ok")]
    assert "not kept" in item.detail


def test_a_changed_dataset_whose_bytes_are_kept_is_ok_and_told(repository, kept):
    write_files(repository, {"data/train/a.txt": "other\n"})

    [item] = look(repository, kept)

    assert states_of([item]) == [("data:train", "ok")]
    assert "has changed; all 2 files can be had as recorded" in item.detail
    assert f"repro checkout {kept.id} --data" in item.hint


def test_a_deleted_dataset_whose_bytes_are_kept_is_ok_and_told(repository, kept):
    shutil.rmtree(repository / "data")

    [item] = look(repository, kept)

    assert states_of([item]) == [("data:train", "ok")]
    assert "is gone; all 2 files can be had" in item.detail


def test_a_changed_dataset_that_was_not_kept_is_missing_and_names_the_file(repository, pinned):
    write_files(repository, {"data/train/a.txt": "other\n"})

    [item] = look(repository, pinned)

    assert states_of([item]) == [("data:train", "missing")]
    assert "has changed; not here as recorded: 1 of 2 files: `data/train/a.txt`" in item.detail
    assert "not kept" in item.detail
    assert item.hint


def test_kept_bytes_that_are_gone_without_any_store_are_missing(repository, kept):
    forget_bytes(repository)
    write_files(repository, {"data/train/a.txt": "other\n"})

    [item] = look(repository, kept)

    assert states_of([item]) == [("data:train", "missing")]
    assert "names no store" in item.detail


def shared(root, *, send_all=True):
    """A run whose kept bytes are only in the shared store, or nowhere."""
    make_data(root, FILES)
    project = share(root)
    commit_all(root)
    run = make_run(project)
    if send_all:
        load = plan_push(project, choose(project, [], []))
        send(project, open_store(project), load, lambda _: None)
    forget_bytes(root)
    shutil.rmtree(root / "data")
    return run


def test_bytes_that_only_the_store_has_are_degraded(repository):
    run = shared(repository)

    [item] = look(repository, run)

    assert states_of([item]) == [("data:train", "degraded")]
    assert "the store has them" in item.detail
    assert f"repro data pull --run {run.id}" in item.hint


def test_bytes_that_the_store_lacks_are_missing(repository):
    run = shared(repository)
    for path in (repository.parent / "shared").glob("??/??/*"):
        if path.read_bytes() == b"one\n":
            path.unlink()

    [item] = look(repository, run)

    assert states_of([item]) == [("data:train", "missing")]
    assert "the store lacks `a.txt`" in item.detail


def test_offline_the_store_is_not_asked(repository):
    run = shared(repository, send_all=False)

    [item] = look(repository, run, ask_store=False)

    assert states_of([item]) == [("data:train", "degraded")]
    assert "the store was not asked" in item.detail


def test_a_store_that_cannot_be_asked_is_degraded_and_never_missing(repository):
    run = shared(repository, send_all=False)
    (repository.parent / "shared").write_text("no folder")

    [item] = look(repository, run)

    assert states_of([item]) == [("data:train", "degraded")]


def test_one_dataset_that_cannot_be_examined_hides_no_other(repository):
    project = open_here(repository)
    good = {"path": "none", "kind": "folder", "digest": "xxh3:" + "0" * 32, "files": 1, "bytes": 1}
    data = {"bad": {"path": "x", "kind": "door"}, "good": {**good, "kept": False}}
    record = write_run(project.repository, make_record(data=data))

    items = list(check_data(project, record, ask_store=False))

    assert [one.item for one in items] == ["data:bad", "data:good"]
    assert items[0].state == "degraded"
    assert "cannot be examined" in items[0].detail


def test_a_place_outside_that_only_the_record_names_is_not_read(repository, tmp_path):
    project = open_here(repository)
    facts = {"path": "/etc", "kind": "folder", "digest": "xxh3:" + "0" * 32, "files": 1}
    data = {"etc": {**facts, "bytes": 1, "kept": False}}
    record = write_run(project.repository, make_record(data=data))

    [item] = check_data(project, record, ask_store=False)

    assert states_of([item]) == [("data:etc", "degraded")]
    assert "not looked at" in item.detail

"""Datasets are added, brought up to date and dropped; what a person wrote stays."""

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from tests.support import git, write_files
from tests.support.manifests import make_dataset
from tests.support.projects import open_here

from repro.core.datasets import list_datasets
from repro.core.tracking import Wish, add_dataset, choose_dataset, drop_dataset
from repro.errors import InvalidInputError, StorageError
from repro.store.content import ContentStore
from repro.store.lockfile import read_lock

YAML = """\
# what we train on
config: [params.yaml]   # all of it

data:
  # the small one
  labels: data/labels.csv
store: ../shared  # never push this
"""


@pytest.fixture
def root(repository: Path) -> Path:
    write_files(repository, {"data/labels.csv": "1\n", "params.yaml": "lr: 1\n"})
    make_dataset(repository / "data/train")
    return repository


def add(root, text="data/train", *, cwd=None, **wish):
    project = open_here(root, lambda: time.time() + 1)  # nothing is too new to be believed
    return add_dataset(project, choose_dataset(project, text, cwd or root, Wish(**wish)))


def drop(root, text):
    return drop_dataset(open_here(root), text)


def names(root):
    return [one.name for one in list_datasets(open_here(root))]


def test_a_new_dataset_is_in_both_files_and_ignored_by_git(root):
    added = add(root)

    assert (True, True, True, 4) == (
        added.is_new,
        added.is_changed,
        added.is_ignored,
        added.n_read,
    )
    assert (root / "repro.yaml").read_text() == "data:\n  train: data/train\n"
    assert ["train"] == list(read_lock(root))
    assert added.facts.digest == read_lock(root)["train"].digest
    assert (root / ".gitignore").read_text() == "/data/train/\n"


def test_adding_it_again_changes_nothing(root):
    add(root)
    before = {path.name: path.read_bytes() for path in root.iterdir() if path.is_file()}

    again = add(root)

    assert (False, False, False, 0) == (
        again.is_new,
        again.is_changed,
        again.is_ignored,
        again.n_read,
    )
    assert before == {path.name: path.read_bytes() for path in root.iterdir() if path.is_file()}


@pytest.mark.parametrize("text", ["train", "data/train", "./data/train/"])
def test_a_changed_dataset_is_brought_up_to_date_by_its_name_or_path(root, text):
    before = add(root).facts
    write_files(root, {"data/train/new": "new"})

    after = add(root, text)

    assert (False, True, 1) == (after.is_new, after.is_changed, after.n_read)
    assert before.digest != after.facts.digest == read_lock(root)["train"].digest


def test_comments_and_order_of_what_a_person_wrote_stay(root):
    write_files(root, {"repro.yaml": YAML})
    add(root)
    assert ["labels", "train"] == names(root)

    drop(root, "train")

    assert (root / "repro.yaml").read_text() == YAML
    assert [] == list(read_lock(root))


def test_keeping_is_begun_and_ended_by_a_wish_and_stays_as_it_is_without(root):
    assert add(root, keep=True).facts.kept
    assert add(root).facts.kept
    content = ContentStore(open_here(root).store)
    assert 5 == len(list(content.entries()))  # and the manifest
    assert read_lock(root)["train"].kept

    ended = add(root, keep=False)

    assert (False, True) == (ended.facts.kept, ended.is_changed)
    assert not read_lock(root)["train"].kept
    assert not list_datasets(open_here(root))[0].keep


def test_following_links_is_a_wish_that_stays(root):
    (root / "data/train/far").symlink_to("/etc/hostname")
    with pytest.raises(InvalidInputError, match="`far` is a link to `/etc/hostname`"):
        add(root)
    assert not (root / "repro.lock").exists()
    assert not (root / "repro.yaml").exists()
    assert not (root / ".gitignore").exists()

    assert ("far",) == add(root, follow=True).followed
    assert ("far",) == add(root).followed


def test_what_went_from_the_store_is_kept_again(root):
    add(root, keep=True)
    shutil.rmtree(root / ".git/repro/store")

    again = add(root)

    assert (4, False) == (again.n_read, again.is_changed)
    assert 5 == len(list(ContentStore(open_here(root).store).entries()))


def test_a_second_one_of_the_same_last_part_gets_a_longer_name(root):
    make_dataset(root / "other/train")
    add(root)

    assert "other/train" == add(root, "other/train").dataset.name


def test_a_name_that_is_taken_is_refused_with_the_place_of_the_other(root):
    add(root, name="x")
    with pytest.raises(InvalidInputError, match="a dataset `x` already, at `data/train`"):
        add(root, "data/labels.csv", name="x")
    with pytest.raises(InvalidInputError, match="`data/train` is the dataset `x` already"):
        add(root, name="y")
    assert ["x"] == names(root)


@pytest.mark.parametrize("name", ["", "a\nb", "a\x1bb", "x" * 201, "\u202e", "\udcff"])
def test_a_name_that_is_no_plain_text_is_refused(root, name):
    with pytest.raises(InvalidInputError, match="no name for a dataset"):
        add(root, name=name)
    assert not (root / "repro.lock").exists()


@pytest.mark.parametrize(
    "path", ["-rf", "a b", "tr\u00e4in", "\U0001f600", "#x", "!x", "*", "a: b", "null", "1", "'\""]
)
def test_a_path_of_any_plain_text_is_tracked_and_ignored(root, path):
    make_dataset(root / path)

    added = add(root, path)

    assert (path, path) == (added.dataset.name, read_lock(root)[path].path)
    assert [path] == names(root)
    assert path not in git(root, "-c", "core.quotePath=false", "status", "--porcelain")
    drop(root, path)
    assert [] == names(root)


@pytest.mark.parametrize("text", ["data", "data/train/b", "data/train/a"])
def test_a_path_that_overlaps_a_dataset_is_refused(root, text):
    add(root)

    with pytest.raises(InvalidInputError, match="overlaps"):
        add(root, text)


def test_a_path_outside_is_recorded_absolutely_on_request(root):
    make_dataset(root.parent / "far")

    added = add(root, "../far", outside=True)

    assert str(root.parent / "far") == added.facts.path == read_lock(root)["far"].path
    assert not added.is_ignored
    assert 0 == add(root, "far").n_read


def test_a_dataset_that_git_tracks_stays_tracked(root):
    git(root, "add", "data/labels.csv")

    assert not add(root, "data/labels.csv").is_ignored
    assert not (root / ".gitignore").exists()


def test_a_dataset_is_dropped_by_name_or_path_and_its_files_stay(root):
    for text in ("train", "data/train"):
        add(root, keep=True)
        assert "train" == drop(root, text).name
        assert not (root / "repro.lock").exists()
        assert (root / "data/train/b/d/e").exists()
    with pytest.raises(InvalidInputError, match="no dataset `train`"):
        drop(root, "train")


def test_a_lock_that_cannot_be_read_stops_both_before_anything_changes(root):
    add(root)
    write_files(root, {"repro.lock": "train: [", "data/train/new": ""})
    before = (root / "repro.yaml").read_bytes()

    for action in (
        add,
        lambda root: add(root, "data/labels.csv"),
        lambda root: drop(root, "train"),
    ):
        with pytest.raises(InvalidInputError, match=r"repro\.lock"):
            action(root)

    assert (root / "repro.lock").read_bytes() == b"train: ["
    assert (root / "repro.yaml").read_bytes() == before


def test_a_settings_file_that_cannot_be_read_stops_it_before_anything_changes(root):
    write_files(root, {"repro.yaml": "data: ["})

    with pytest.raises(InvalidInputError, match=r"repro\.yaml"):
        add(root)
    assert not (root / "repro.lock").exists()


def test_a_store_that_cannot_be_written_leaves_no_half_of_a_dataset(root):
    write_files(root, {".git/repro/store": ""})

    with pytest.raises(StorageError):
        add(root, keep=True)
    assert not (root / "repro.lock").exists()
    assert not (root / "repro.yaml").exists()
    (root / ".git/repro/store").unlink()
    assert add(root, keep=True).is_new


def test_one_that_was_interrupted_between_its_two_files_is_finished(root):
    add(root)
    (root / "repro.yaml").unlink()

    again = add(root)

    assert (True, False) == (again.is_new, again.is_changed)
    assert ["train"] == names(root)


def test_one_that_was_dropped_by_half_is_dropped_by_a_second_call(root):
    add(root)
    (root / "repro.lock").unlink()

    drop(root, "train")

    assert [] == names(root)


def test_a_dataset_that_never_stands_still_is_refused_or_pinned_and_nothing_else(root):
    stop = threading.Event()

    def write():
        for number in range(10**9):
            (root / "data/train/a").write_text("x" * (number % 9))
            if stop.is_set():
                return

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for _ in range(10):
            try:
                add(root)
            except InvalidInputError as error:
                assert "change" in error.message or "vanish" in error.message  # noqa: PT017
    finally:
        stop.set()
        thread.join()

    assert 4 == add(root).facts.files


ADD = [sys.executable, "-m", "repro", "data", "add"]


def run_at_once(root, *commands):
    running = [
        subprocess.Popen([*ADD, *words], cwd=root, stderr=subprocess.PIPE, text=True)
        for words in commands
    ]
    ended = [(process.communicate()[1], process.returncode) for process in running]
    assert [0] * len(commands) == [code for _, code in ended], ended


@pytest.mark.parametrize("keep", ["--keep", "--no-keep"])
def test_two_processes_that_add_one_dataset_at_once_both_succeed_and_agree(root, keep):
    write_files(root, {f"data/train/{n % 5}/{n}": f"{n}" for n in range(300)})

    run_at_once(root, *[[keep, "data/train"]] * 3)

    assert ["train"] == names(root)
    locked = read_lock(root)["train"]
    again = add(root)
    assert (locked.digest, False) == (again.facts.digest, again.is_changed)
    assert (root / ".gitignore").read_text().count("train") == 1


def test_processes_that_add_different_datasets_at_once_all_succeed(root):
    for number in range(4):
        make_dataset(root / f"data/set{number}")

    run_at_once(root, *[[f"data/set{number}"] for number in range(4)])

    wanted = {f"set{number}" for number in range(4)}
    assert wanted == set(names(root)) == set(read_lock(root))
    assert {f"/data/set{n}/" for n in range(4)} == set((root / ".gitignore").read_text().split())
    assert os.listdir(root / ".git/repro/store/incoming") == []

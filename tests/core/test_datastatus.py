"""Datasets as they are now, beside what `repro.lock` pins of them."""

import os
import shutil
from pathlib import Path

import pytest
from tests.support import write_files
from tests.support.projects import open_here

from repro.core.datastatus import list_pinned, look_at_data
from repro.core.project import Project
from repro.core.tracking import Wish, add_dataset, choose_dataset
from repro.errors import InvalidInputError
from repro.model.datastate import DataState, State
from repro.model.diff import DataChange


def track(root: Path, path: str, **wish: object) -> Project:
    project = open_here(root)
    add_dataset(project, choose_dataset(project, path, root, Wish(**wish)))  # type: ignore[arg-type]
    return open_here(root)


@pytest.fixture
def project(repository: Path) -> Project:
    """A project with the dataset `train`, kept."""
    write_files(repository, {"data/train/1": "one", "data/train/2": "two"})
    return track(repository, "data/train", keep=True)


def the_one(project: Project) -> DataState:
    [state] = look_at_data(project)
    return state


def test_what_is_as_it_is_pinned_is_unchanged(project: Project) -> None:
    state = the_one(project)

    assert (state.state, state.files, state.size, state.kept) == (State.UNCHANGED, 2, 6, True)
    assert state.digest == state.locked
    assert (state.change, state.reason) == (None, None)


def test_a_change_is_told_file_by_file_and_nothing_of_it_is_kept(project: Project) -> None:
    root = project.repository.root
    before = sorted(project.store.rglob("*"))
    write_files(root, {"data/train/1": "changed", "data/train/3": "new"})

    state = the_one(project)

    assert state.state == State.CHANGED
    assert state.change == DataChange(
        added=("3",), changed=("1",), size_added=3, size_before=3, size_after=7
    )
    assert sorted(project.store.rglob("*")) == before


def test_a_change_that_was_taken_back_is_none(project: Project) -> None:
    root = project.repository.root
    write_files(root, {"data/train/1": "changed"})
    the_one(project)
    write_files(root, {"data/train/1": "one"})

    assert the_one(project).state == State.UNCHANGED


def test_looking_does_not_stop_a_later_add_from_keeping_the_bytes(project: Project) -> None:
    root = project.repository.root
    write_files(root, {"data/train/1": "changed"})
    the_one(project)
    before = len(list(project.store.rglob("*")))

    track(root, "data/train")

    assert len(list(project.store.rglob("*"))) > before
    assert the_one(project).state == State.UNCHANGED


def test_unchanged_is_told_without_the_pinned_pages(project: Project) -> None:
    shutil.rmtree(project.store)

    assert the_one(project).state == State.UNCHANGED


def test_a_lost_stat_cache_is_no_change(project: Project) -> None:
    (project.repository.private / "stat.db").unlink()

    assert the_one(project).state == State.UNCHANGED


@pytest.mark.parametrize("kind", ["nothing", "broken link", "file above"])
def test_what_is_not_there_is_missing(project: Project, kind: str) -> None:
    data = project.repository.root / "data"
    shutil.rmtree(data)
    if kind == "broken link":
        data.mkdir()
        (data / "train").symlink_to("nowhere")
    elif kind == "file above":
        data.write_text("x")

    state = the_one(project)

    assert (state.state, state.digest, state.files) == (State.MISSING, None, None)


@pytest.mark.parametrize("kind", ["pipe", "link out", "loop"])
def test_what_cannot_be_read_is_said_with_its_reason(project: Project, kind: str) -> None:
    place = project.repository.root / "data/train"
    if kind == "pipe":
        os.mkfifo(place / "pipe")
    elif kind == "link out":
        (place / "out").symlink_to("/etc/hosts")
    else:
        shutil.rmtree(place)
        place.symlink_to("train")

    state = the_one(project)

    assert (state.state, state.digest) == (State.UNREADABLE, None)
    assert state.reason


def test_names_and_paths_choose_datasets_once_each(project: Project) -> None:
    states = look_at_data(project, names=["train", "data/train"])

    assert [state.name for state in states] == ["train"]
    with pytest.raises(InvalidInputError, match="did you mean `train`"):
        look_at_data(project, names=["trian"])


def test_what_is_pinned_is_listed_with_nothing_read(project: Project) -> None:
    shutil.rmtree(project.repository.root / "data")

    [(dataset, locked)] = list_pinned(project)

    assert locked is not None
    assert (dataset.name, dataset.path, locked.files) == ("train", "data/train", 2)

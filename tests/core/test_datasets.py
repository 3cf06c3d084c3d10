"""The datasets of a project: which there are, what they are called, and where they may lie."""

import os
from pathlib import Path

import pytest
from tests.support import git, write_files
from tests.support.manifests import make_dataset
from tests.support.projects import open_here

from repro.core.datasets import (
    Dataset,
    facts_of,
    find_dataset,
    free_name,
    list_datasets,
    measure_dataset,
    open_cache,
    path_in_project,
    with_paths,
)
from repro.errors import InvalidInputError
from repro.store.content import ContentStore

YAML = """\
data:
  train: data/train/
  labels: {path: ./data//labels.csv, keep: true, follow: true}
  "a b": extra
"""


@pytest.fixture
def root(repository: Path) -> Path:
    write_files(repository, {"repro.yaml": YAML, "data/labels.csv": "1\n"})
    make_dataset(repository / "data/train")
    return repository


def test_datasets_come_in_the_order_of_the_file_with_plain_paths(root):
    assert list_datasets(open_here(root)) == (
        Dataset(name="train", path="data/train"),
        Dataset(name="labels", path="data/labels.csv", keep=True, follow=True),
        Dataset(name="a b", path="extra"),
    )


@pytest.mark.parametrize("text", ["train", "data/train", "./data/train/", "data/x/../train"])
def test_a_dataset_is_found_by_its_name_and_its_path(root, text):
    assert "train" == find_dataset(open_here(root), text).name


def test_a_name_wins_over_a_path(root):
    write_files(root, {"repro.yaml": "data: {x: train, train: data/train}\n"})

    assert "data/train" == find_dataset(open_here(root), "train").path


def test_an_unknown_dataset_names_near_ones(root):
    with pytest.raises(InvalidInputError, match="no dataset `trian`; did you mean `train`") as no:
        find_dataset(open_here(root), "trian")
    assert "`repro data ls`" in str(no.value.hint)

    with pytest.raises(InvalidInputError, match=r"no dataset `\\x1b`$"):
        find_dataset(open_here(root), "\x1b")


@pytest.mark.parametrize(
    ("path", "taken", "name"),
    [
        ("data/train", [], "train"),
        ("data/train", ["train"], "data/train"),
        ("a/b/c", ["c", "b/c"], "a/b/c"),
        ("train", ["train"], "train"),
        ("/mnt/data", [], "data"),
        ("/mnt/data", ["data"], "mnt/data"),
        ("/mnt/data", ["data", "mnt/data"], "/mnt/data"),
    ],
)
def test_a_new_dataset_is_called_by_as_much_of_its_path_as_it_takes(path, taken, name):
    assert name == free_name(path, dict.fromkeys(taken))


@pytest.mark.parametrize(
    ("cwd", "text", "path"),
    [
        (".", "data/train", "data/train"),
        (".", "./data//train/", "data/train"),
        (".", "data/x/../train", "data/train"),
        ("data", "train", "data/train"),
        ("data", "../data/train", "data/train"),
        ("data/train", ".", "data/train"),
        (".", "-x", "-x"),
        (".", "tr\u00e4in \U0001f600", "tr\u00e4in \U0001f600"),
        (".", ".gitter", ".gitter"),
    ],
)
def test_a_path_is_kept_relative_to_the_root(root, cwd, text, path):
    assert path == path_in_project(open_here(root), text, root / cwd)
    assert path == path_in_project(open_here(root), str(root / cwd / text), root)


def test_a_link_on_the_way_stays_in_the_path(root):
    (root / "disk").symlink_to(root.parent)

    assert "disk/x" == path_in_project(open_here(root), "disk/x", root)


@pytest.mark.parametrize("cwd", [".", "data"])
def test_a_repository_reached_through_a_link_is_the_same_one(root, cwd):
    """A home folder is often a link; `$PWD` and `~` spell it so."""
    link = root.parent / "link"
    link.symlink_to(root)
    project = open_here(link)

    assert "data/train" == path_in_project(project, str(link / "data/train"), root)
    assert "data/train" == path_in_project(project, f"{link}/data/train", link / cwd)
    text = os.path.relpath(root / "data/train", root / cwd)
    assert "data/train" == path_in_project(project, text, link / cwd)
    with pytest.raises(InvalidInputError, match="the whole repository"):
        path_in_project(project, str(link), root)
    with pytest.raises(InvalidInputError, match="inside a git folder"):
        path_in_project(project, str(link / ".git/hooks"), root)


def test_a_folder_of_the_repository_reached_through_a_link_is_the_same_one(root):
    (root.parent / "link").symlink_to(root / "data")

    assert "data/train" == path_in_project(open_here(root), "train", root.parent / "link")


@pytest.mark.parametrize("text", ["..", "../x", "/etc", "/", "data/../../x", "../project2"])
def test_a_path_outside_is_refused_and_named_absolutely_on_request(root, text):
    project = open_here(root)
    with pytest.raises(InvalidInputError, match="outside of the repository") as caught:
        path_in_project(project, text, root)
    assert "--outside" in str(caught.value.hint)

    path = path_in_project(project, text, root, outside=True)
    assert os.path.normpath(root / text) == path


@pytest.mark.parametrize("text", [".", "", "./", "data/..", "../project"])
def test_the_whole_repository_is_refused(root, text):
    with pytest.raises(InvalidInputError, match="the whole repository is no dataset"):
        path_in_project(open_here(root), text, root, outside=True)


@pytest.mark.parametrize("text", [".git", ".git/hooks", "data/.git", "sub/.git/x", ".git/repro"])
def test_a_git_folder_is_refused(root, text):
    with pytest.raises(InvalidInputError, match="inside a git folder"):
        path_in_project(open_here(root), text, root, outside=True)


def test_the_git_folder_of_a_linked_worktree_is_refused_from_there_too(root):
    git(root, "worktree", "add", "-q", "-b", "side", "../side")
    side = root.parent / "side"

    with pytest.raises(InvalidInputError, match="inside a git folder"):
        path_in_project(open_here(side), str(root / ".git/repro/store"), side, outside=True)


@pytest.mark.parametrize(
    "path", ["data", "data/train/b", "data/labels.csv/x", "extra/", ".GIT/x", "a\nb", "\udcff"]
)
def test_a_path_for_one_run_that_can_be_no_dataset_is_refused(root, path):
    project = open_here(root)
    if path == "extra/":
        assert 3 == len(with_paths(project, [path], root))
        return
    with pytest.raises(InvalidInputError):
        with_paths(project, [path], root)


def test_two_paths_for_one_run_may_not_overlap_either(root):
    with pytest.raises(InvalidInputError, match="overlaps"):
        with_paths(open_here(root), ["x", "x/y"], root)


def test_what_a_dataset_holds_now_is_measured_and_kept_as_it_says(root):
    project = open_here(root)
    dataset = find_dataset(project, "labels")

    with open_cache(project) as cache:
        measured = measure_dataset(project, dataset, cache)

    facts = facts_of(dataset, measured)
    assert ("data/labels.csv", True, 1, 2, True) == (
        facts.path,
        facts.is_file,
        facts.files,
        facts.size,
        facts.kept,
    )
    assert f"xxh3:{measured.digest}" == facts.digest
    assert 1 == len(list(ContentStore(project.store).entries()))

"""Datasets in a new worktree: linked where that is safe, copied else, and never half."""

import os
import shutil
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.support import git, write_files
from tests.support.datasets import add_data, commit_all, entry_of, flip_bit, make_data
from tests.support.projects import make_run, open_here
from tests.support.restores import everything, list_unfinished, read_all

from repro.core.beside import Beside, check_out_beside
from repro.core.beside_data import DataBeside, fill_worktree, plan_beside
from repro.core.query import resolve_run
from repro.core.tracking import Wish, add_dataset, choose_dataset
from repro.errors import DamagedRecordError, InvalidInputError, MissingDataError, ReproError

FILES: dict[str, str | bytes] = {"a/one": "one\n", "a/b/two": "two\n", "four": "four\n"}


def bring(root: Path, run: str, folder: Path, *names: str) -> tuple[Beside, list[DataBeside]]:
    """What `repro checkout -w DIR RUN --data` does."""
    project = open_here(root)
    record = resolve_run(project, run)
    plans = plan_beside(project, record, names)
    beside = check_out_beside(project, record, folder)
    fill_worktree(project, beside.folder, plans)
    return beside, plans


def refused(root: Path, run: str, folder: Path, *names: str) -> Any:
    """The error of a checkout beside that must leave nothing behind."""
    before = everything(root)
    with pytest.raises(ReproError) as raised:
        bring(root, run, folder, *names)
    assert before == everything(root)
    assert not os.path.lexists(folder)
    assert len(git(root, "worktree", "list").split("\n")) == 1
    return raised.value


def digest_of(root: Path, run: str) -> str:
    """What a run recorded of its dataset `train`."""
    record = resolve_run(open_here(root), run)
    return str(record.data["train"]["digest"])


@pytest.fixture
def kept(repository: Path) -> str:
    """A run of a kept dataset with a link and an empty folder in it."""
    make_data(repository, FILES)
    top = repository / "data/train"
    (top / "run.sh").write_text("#!/bin/sh\n")
    (top / "run.sh").chmod(0o755)
    (top / "a/link").symlink_to("../four")
    (top / "void").mkdir()
    add_data(repository)
    commit_all(repository)
    return make_run(open_here(repository), name="kept").id


@pytest.fixture
def loose(repository: Path) -> str:
    """A run of a dataset whose bytes were not kept."""
    write_files(repository, {f"data/train/{name}": data for name, data in FILES.items()})
    add_data(repository, keep=False)
    commit_all(repository)
    return make_run(open_here(repository), name="loose").id


@pytest.fixture
def beside(tmp_path: Path) -> Path:
    """Where the worktree goes."""
    return tmp_path / "beside"


def test_kept_data_is_a_second_name_of_the_entries_that_nobody_may_write_to(
    repository, kept, beside
):
    before = everything(repository)

    bring(repository, kept, beside)

    top = beside / "data/train"
    entry, file = entry_of(repository, b"one\n"), top / "a/one"
    is_root = os.geteuid() == 0  # who may write to any file, and so gets a copy
    assert file.read_text() == "one\n"
    assert file.samefile(entry) is not is_root
    assert (file.stat().st_mode & 0o222 == 0) is not is_root
    assert (top / "run.sh").read_text() == "#!/bin/sh\n"
    assert stat.S_IMODE((top / "run.sh").stat().st_mode) & 0o111
    assert not (top / "run.sh").samefile(entry_of(repository, b"#!/bin/sh\n"))
    assert (top / "a/link").readlink() == Path("../four")
    assert [*(top / "void").iterdir()] == []
    now = everything(repository)
    assert [before[key] for key in ("files", "head", "index")] == [
        now[key] for key in ("files", "head", "index")
    ]
    assert list_unfinished(repository) == []


def test_kept_data_that_was_changed_since_comes_as_the_run_had_it(repository, kept, beside):
    there = read_all(repository / "data/train")
    write_files(repository, {"data/train/a/one": "newer\n", "data/train/new": "new\n"})
    shutil.rmtree(repository / "data/train/a/b")
    add_data(repository)

    bring(repository, kept, beside)

    here = read_all(beside / "data/train")
    assert {path: one[1] for path, one in there.items()} == {
        path: one[1] for path, one in here.items()
    }


def test_a_worktree_with_data_is_removed_by_git_and_the_store_stays(repository, kept, beside):
    bring(repository, kept, beside)

    git(repository, "worktree", "remove", str(beside))

    assert not beside.exists()
    assert entry_of(repository, b"one\n").read_text() == "one\n"
    assert (repository / "data/train/a/one").read_text() == "one\n"


def test_a_run_recorded_in_the_worktree_pins_the_same_data(repository, kept, beside, monkeypatch):
    bring(repository, kept, beside)

    run = make_run(open_here(beside), cwd=beside)
    assert run.warnings == ()

    assert digest_of(repository, kept) == digest_of(repository, run.id)
    assert (run.dirty, run.omitted) == (False, ())


def test_unchanged_data_that_was_not_kept_is_a_link(repository, loose, beside):
    _, [plan] = bring(repository, loose, beside)

    assert (beside / "data/train").readlink() == repository / "data/train"
    assert (beside / "data/train/a/one").read_text() == "one\n"
    assert plan.linked == repository / "data/train"
    run = make_run(open_here(beside), cwd=beside)
    assert digest_of(repository, loose) == digest_of(repository, run.id)
    assert (run.dirty, run.omitted) == (False, ())


def test_a_worktree_with_a_link_to_data_is_removed_and_the_data_stays(repository, loose, beside):
    bring(repository, loose, beside)

    git(repository, "worktree", "remove", "--force", str(beside))

    assert not beside.exists()
    assert (repository / "data/train/a/one").read_text() == "one\n"


def test_bytes_that_are_neither_kept_nor_here_are_named_before_there_is_a_worktree(
    repository, loose, beside
):
    write_files(repository, {"data/train/a/one": "newer\n", "data/train/new": "new\n"})
    (repository / "data/train/four").unlink()

    error = refused(repository, loose, beside)

    assert isinstance(error, MissingDataError)
    assert sorted(error.paths) == ["data/train/a/one", "data/train/four"]


def test_what_is_unchanged_of_data_that_was_not_kept_is_copied(repository, loose, beside):
    # All that the run had is here still, beside something new.
    write_files(repository, {"data/train/new": "new\n"})

    bring(repository, loose, beside)

    top = beside / "data/train"
    assert {path for path, one in read_all(top).items() if one[1] is not None} == {*FILES}
    assert not (top / "a/one").samefile(repository / "data/train/a/one")
    (top / "a/one").write_text("edited\n")
    assert (repository / "data/train/a/one").read_text() == "one\n"


def test_a_dataset_that_is_gone_comes_from_the_store(repository, kept, beside):
    shutil.rmtree(repository / "data")

    bring(repository, kept, beside)

    assert (beside / "data/train/a/b/two").read_text() == "two\n"


@pytest.mark.parametrize("keep", [True, False])
def test_a_dataset_of_one_file_is_linked_or_copied(repository, beside, keep):
    write_files(repository, {"data/weights.bin": "weights\n"})
    add_data(repository, "data/weights.bin", keep=keep)
    run = make_run(open_here(repository)).id

    bring(repository, run, beside)

    file = beside / "data/weights.bin"
    assert file.read_text() == "weights\n"
    assert file.is_symlink() is not keep
    assert sorted(os.listdir(beside / "data")) == ["weights.bin"]


def test_only_the_datasets_that_are_named_are_there(repository, kept, beside):
    write_files(repository, {"data/other/x": "x\n"})
    add_data(repository, "data/other")
    run = make_run(open_here(repository)).id

    bring(repository, run, beside, "other")

    assert os.listdir(beside / "data") == ["other"]


def test_a_dataset_that_the_run_does_not_have_leaves_no_worktree(repository, kept, beside):
    assert "no dataset `trian`" in str(refused(repository, kept, beside, "trian"))


@pytest.mark.parametrize("content", [b"one\n", b"#!/bin/sh\n"])
def test_a_damaged_entry_leaves_no_worktree(repository, kept, beside, content):
    flip_bit(entry_of(repository, content))

    assert isinstance(refused(repository, kept, beside), DamagedRecordError)


def test_a_way_through_a_link_is_the_users_business(repository, kept, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")

    bring(repository, kept, tmp_path / "link/beside")

    assert (tmp_path / "real/beside/data/train/a/one").read_text() == "one\n"


def test_a_dataset_that_is_a_link_to_a_larger_disk_is_read_through_it(repository, beside, tmp_path):
    write_files(tmp_path / "disk", FILES)
    (repository / "data").mkdir()
    (repository / "data/train").symlink_to(tmp_path / "disk")
    add_data(repository, keep=False)
    run = make_run(open_here(repository)).id

    bring(repository, run, beside)

    assert (beside / "data/train/a/one").read_text() == "one\n"
    assert sorted(os.listdir(tmp_path / "disk")) == ["a", "four"]


def test_code_that_has_a_link_where_the_dataset_lies_leaves_no_worktree(
    repository, beside, tmp_path
):
    write_files(tmp_path / "elsewhere", {"train/four": "canary\n"})
    (repository / "data").symlink_to(tmp_path / "elsewhere")
    git(repository, "add", "-f", "data")
    git(repository, "commit", "-q", "-m", "a link")
    add_data(repository, "data/train")
    run = make_run(open_here(repository)).id

    error = refused(repository, run, beside)

    assert isinstance(error, InvalidInputError)
    assert sorted(os.listdir(tmp_path / "elsewhere/train")) == ["four"]


def test_files_that_git_tracks_come_with_the_code(repository, beside):
    write_files(repository, {"data/train/tracked": "tracked\n"})
    git(repository, "add", "-f", "data")
    git(repository, "commit", "-q", "-m", "tracked")
    write_files(repository, {"data/train/loose": "loose\n"})
    run = make_run(add_data(repository, keep=False)).id

    bring(repository, run, beside)

    assert not (beside / "data/train").is_symlink()
    assert (beside / "data/train/tracked").read_text() == "tracked\n"
    assert (beside / "data/train/loose").read_text() == "loose\n"


def test_files_that_git_tracks_only_now_come_with_the_data(repository, kept, beside):
    git(repository, "add", "-f", "data")
    git(repository, "commit", "-q", "-m", "tracked since")

    bring(repository, kept, beside)

    assert (beside / "data/train/a/one").read_text() == "one\n"


def outside(root: Path, place: Path) -> str:
    """A run of a dataset outside of the repository."""
    project = open_here(root)
    wish = Wish(keep=False, outside=True)
    add_dataset(project, choose_dataset(project, str(place), root, wish))
    return make_run(open_here(root)).id


def test_a_dataset_outside_of_the_repository_is_used_where_it_is(repository, beside, tmp_path):
    write_files(tmp_path / "far", {"x": "x\n"})
    run = outside(repository, tmp_path / "far")

    bring(repository, run, beside)
    git(repository, "worktree", "remove", "--force", str(beside))
    write_files(tmp_path / "far", {"x": "other\n"})

    assert refused(repository, run, beside).paths == (str(tmp_path / "far"),)


FORMS: Sequence[str] = ["a file", "a folder"]


@pytest.mark.parametrize("form", FORMS)
def test_what_has_another_form_now_is_no_source(repository, beside, form):
    place = repository / "data/x"
    write_files(repository, {"data/x/x": "x\n"} if form == "a folder" else {"data/x": "x\n"})
    run = make_run(add_data(repository, "data/x", keep=False)).id
    shutil.rmtree(place) if place.is_dir() else place.unlink()
    write_files(repository, {"data/x": "x\n"} if form == "a folder" else {"data/x/x": "x\n"})

    error = refused(repository, run, beside)

    assert error.paths == ("data/x/x",) if form == "a folder" else ("data/x",)

"""Datasets of a run come back byte for byte, and no byte of the user's is lost for that."""

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from tests.support import git, write_files
from tests.support.datasets import add_data, commit_all, entry_of, flip_bit, make_data
from tests.support.manifests import as_nobody, open_to_all
from tests.support.projects import begin, make_run, open_here
from tests.support.restores import (
    bring,
    everything,
    list_unfinished,
    look_at,
    make_once,
    read_all,
    refused,
)

from repro.core import restore_data
from repro.core.query import resolve_run
from repro.core.saved import list_entries
from repro.core.undo import undo
from repro.errors import (
    BusyRepositoryError,
    DamagedRecordError,
    MissingDataError,
    StorageError,
    WouldLoseWorkError,
)
from repro.model.manifest import DataFacts, FileEntry
from repro.store.worktree import open_scratch

FILES: dict[str, str | bytes] = {
    "a/one": "one\n",
    "a/two": b"two" * 1000,
    "a/b/three": "three\n",
    "four": "four\n",
    "empty file": "",
}
ODD = ["a\nb", os.fsdecode(b"caf\xe9"), "-rf", "a b", "a:b", "%2E", "~", "\u202e", "né", "x" * 255]


@pytest.fixture
def data(repository: Path, shelf: Path) -> Path:
    """The folder of a kept dataset, committed."""
    make_once(shelf, "data", repository, lambda: _make_data(repository))
    return repository / "data/train"


def _make_data(root: Path) -> None:
    make_data(root, FILES)
    top = root / "data/train"
    (top / "a/two").chmod(0o755)
    (top / "a/link").symlink_to("../four")
    (top / "void/inside").mkdir(parents=True)
    add_data(root)
    commit_all(root)


@pytest.fixture
def run(repository: Path, data: Path, shelf: Path) -> str:
    """A run of that dataset, after which it was changed, kept and used by another run."""
    make_once(shelf, "run", repository, lambda: _make_runs(repository))
    return resolve_run(open_here(repository), "one").run.id


def _make_runs(root: Path) -> None:
    make_run(open_here(root), name="one")
    top = root / "data/train"
    write_files(top, {"a/one": "another\n", "new/five": "five\n"})
    (top / "a/b/three").unlink()
    add_data(root)
    commit_all(root, "second")
    make_run(open_here(root), name="two")


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[Path]:
    """A folder outside of the repository in which nothing may change."""
    folder = tmp_path / "canary"
    write_files(folder, {"a/one": "canary\n", "four": "canary\n", "id_rsa": "canary\n"})
    before = read_all(folder)
    yield folder
    assert before == read_all(folder)


# What a user may have done to a dataset; the paths whose bytes exist nowhere else then.
def _change(top: Path) -> None:
    (top / "a/one").write_text("mine\n")


def _change_within_the_size(top: Path) -> None:
    (top / "a/two").write_bytes(b"TWO" * 1000)


def _add(top: Path) -> None:
    write_files(top, {"a/mine": "mine\n", "mine/deep/er": "mine too\n"})


def _file_for_folder(top: Path) -> None:
    shutil.rmtree(top / "a/b", ignore_errors=True)
    (top / "a/b").write_text("a file\n")


def _folder_for_file(top: Path) -> None:
    (top / "four").unlink()
    write_files(top, {"four/mine": "mine\n", "four/in/mine": "mine\n"})
    (top / "four/nothing").mkdir()


def _link_for_file(top: Path) -> None:
    (top / "four").unlink()
    (top / "four").symlink_to("a/one")


def _file_for_link(top: Path) -> None:
    (top / "a/link").unlink()
    (top / "a/link").write_text("a file\n")


def _other_link(top: Path) -> None:
    (top / "a/link").unlink()
    (top / "a/link").symlink_to("../a/two")


def _link_for_folder(top: Path) -> None:
    shutil.rmtree(top / "void")
    (top / "void").symlink_to("a")


def _folder_for_link(top: Path) -> None:
    (top / "a/link").unlink()
    write_files(top, {"a/link/x": "mine\n"})


def _remove(top: Path) -> None:
    (top / "four").unlink()
    shutil.rmtree(top / "a")
    shutil.rmtree(top / "void")


def _remove_all(top: Path) -> None:
    shutil.rmtree(top)


def _remove_with_parent(top: Path) -> None:
    shutil.rmtree(top.parent)


def _empty(top: Path) -> None:
    shutil.rmtree(top)
    top.mkdir()


def _make_executable(top: Path) -> None:
    (top / "four").chmod(0o755)


def _make_private(top: Path) -> None:
    write_files(top, {"secret/key": "mine\n", "four": "mine\n"})
    (top / "secret/key").chmod(0o400)
    (top / "secret").chmod(0o700)
    (top / "four").chmod(0o600)


def _rename(top: Path) -> None:
    (top / "a").rename(top / "moved")


def _odd_names(top: Path) -> None:
    write_files(top, {f"odd/{name}": f"mine {name!r}\n" for name in ODD})


WORK: dict[str, tuple[Callable[[Path], None], Sequence[str]]] = {
    "changed": (_change, ["a/one"]),
    "changed within its size": (_change_within_the_size, ["a/two"]),
    "added": (_add, ["a/mine", "mine/deep/er"]),
    "a file for a folder": (_file_for_folder, ["a/b"]),
    "a folder for a file": (_folder_for_file, ["four/in/mine", "four/mine"]),
    "a link for a file": (_link_for_file, []),
    "a file for a link": (_file_for_link, ["a/link"]),
    "another link": (_other_link, []),
    "a link for a folder": (_link_for_folder, []),
    "a folder for a link": (_folder_for_link, ["a/link/x"]),
    "removed": (_remove, []),
    "all removed": (_remove_all, []),
    "all removed with the folder above": (_remove_with_parent, []),
    "emptied": (_empty, []),
    "made executable": (_make_executable, []),
    "made private": (_make_private, ["four", "secret/key"]),
    "renamed": (_rename, []),
    "odd names": (_odd_names, [f"odd/{name}" for name in ODD]),
}


@pytest.mark.parametrize("kind", WORK)
def test_work_is_refused_then_saved_then_brought_back(repository, data, run, kind):
    expected = _as_recorded(repository, data, run)
    work, lost = WORK[kind]
    work(data)
    before = everything(repository)
    named = sorted(f"data/train/{path}" for path in lost)

    if named:
        error = refused(repository, run)
        assert isinstance(error, WouldLoseWorkError)
        assert named == sorted(error.paths)
    done = bring(repository, run, save=bool(named))
    assert expected == read_all(data)
    assert named == sorted(done.kept)

    undo(open_here(repository))
    assert before == everything(repository)


def _as_recorded(root: Path, data: Path, run: str) -> dict[str, tuple[str, object]]:
    """What the dataset of a run reads as, found in another way: a folder and a checkout of it."""
    before = everything(root)
    aside = data.with_name("aside")
    shutil.copytree(data, aside, symlinks=True)
    shutil.rmtree(data)
    write_files(data, FILES)
    (data / "a/two").chmod(0o755)
    (data / "a/link").symlink_to("../four")
    (data / "void/inside").mkdir(parents=True)
    found = read_all(data)
    shutil.rmtree(data)
    aside.rename(data)
    assert before == everything(root)
    return found


def test_a_dataset_that_was_deleted_comes_back_byte_for_byte(repository, data, run):
    expected = _as_recorded(repository, data, run)
    shutil.rmtree(data)

    done = bring(repository, run)

    assert expected == read_all(data)
    assert done.kept == ()
    assert list_unfinished(repository) == []


def test_a_second_call_changes_nothing(repository, data, run):
    bring(repository, run)
    before = everything(repository)

    done = bring(repository, run)

    assert before == everything(repository)
    assert done.entry is None


def test_names_of_any_bytes_come_back(repository):
    make_data(repository, {f"in/{name}": name.encode(errors="replace") for name in ODD})
    top = repository / "data/train"
    for name in ODD[:4]:
        (top / f"{name} link").symlink_to(f"in/{name}")
        (top / f"{name} folder").mkdir()
    project = add_data(repository)
    before = read_all(top)
    run = make_run(project).id
    shutil.rmtree(top)

    bring(repository, run)

    assert before == read_all(top)


def test_files_that_are_restored_can_be_edited_without_harm_to_the_store(repository, data, run):
    bring(repository, run)

    with (data / "four").open("r+") as file:
        file.write("FOUR")

    assert entry_of(repository, b"four\n").read_bytes() == b"four\n"


@pytest.mark.parametrize("above", ["data", "."])
def test_a_dataset_of_one_file_comes_back(repository, above):
    place = repository / above / "weights.bin"
    write_files(repository, {f"{above}/weights.bin": b"old" * 9})
    place.chmod(0o755)
    run = make_run(add_data(repository, f"{above}/weights.bin")).id
    before = look_at(place)
    place.unlink()
    if above != ".":
        place.parent.rmdir()
    gone = everything(repository)

    bring(repository, run)
    assert before == look_at(place)
    undo(open_here(repository))
    assert gone == everything(repository)

    write_files(repository, {f"{above}/weights.bin": "mine"})
    work = everything(repository)
    error = refused(repository, run)
    assert [os.path.normpath(f"{above}/weights.bin")] == list(error.paths)
    bring(repository, run, save=True)
    assert before == look_at(place)
    undo(open_here(repository))
    assert work == everything(repository)


@pytest.mark.parametrize("save", [False, True])
def test_a_folder_where_a_dataset_of_one_file_was_is_refused(repository, save):
    write_files(repository, {"data/weights.bin": "old"})
    run = make_run(add_data(repository, "data/weights.bin")).id
    (repository / "data/weights.bin").unlink()
    write_files(repository, {"data/weights.bin/mine": "mine"})

    error = refused(repository, run, save=save)

    assert list(error.paths) == ["data/weights.bin"]


@pytest.mark.parametrize("save", [False, True])
def test_a_file_where_the_folder_of_a_dataset_was_is_refused(repository, data, run, save):
    shutil.rmtree(data)
    data.write_text("mine\n")

    error = refused(repository, run, save=save)

    assert list(error.paths) == ["data/train"]


def test_only_the_datasets_that_are_named_are_restored(repository, data):
    for name in ("second", "third"):
        write_files(repository, {f"data/{name}/x": name})
        add_data(repository, f"data/{name}")
    run = make_run(open_here(repository)).id
    for name in ("train", "second", "third"):
        shutil.rmtree(repository / "data" / name)

    bring(repository, run, "second", "third")
    assert sorted(os.listdir(repository / "data")) == ["second", "third"]

    bring(repository, run)
    assert sorted(os.listdir(repository / "data")) == ["second", "third", "train"]
    undo(open_here(repository))
    undo(open_here(repository))
    assert os.listdir(repository / "data") == []


def test_a_dataset_that_the_run_does_not_have_is_one_error(repository, data, run):
    error = refused(repository, run, "trian")

    assert "no dataset `trian`; did you mean `train`?" in str(error)


def test_the_data_of_a_run_in_progress_is_one_error(repository, data):
    live = begin(open_here(repository))
    try:
        (data / "four").write_text("mine\n")

        error = refused(repository, live.id)

        assert "in progress" in str(error)
    finally:
        live.journal.close()


def test_data_that_was_not_kept_restores_as_long_as_it_is_unchanged(repository):
    write_files(repository, {"data/train/x": "x", "data/train/in/y": "y", "data/train/z": "z"})
    run = make_run(add_data(repository, keep=False)).id
    write_files(repository, {"train.py": "edited\n"})
    git(repository, "stash", "-q")
    before = read_all(repository / "data")

    bring(repository, run)

    assert before == read_all(repository / "data")
    write_files(repository, {"data/train/x": "X", "data/train/new": "new"})
    (repository / "data/train/in/y").unlink()
    error = refused(repository, run, save=True)
    assert isinstance(error, MissingDataError)
    assert sorted(error.paths) == ["data/train/in/y", "data/train/x"]


def test_what_only_was_added_to_data_that_was_not_kept_can_be_saved(repository):
    write_files(repository, {"data/train/x": "x"})
    run = make_run(add_data(repository, keep=False)).id
    write_files(repository, {"data/train/new": "new"})
    before = everything(repository)

    assert list(refused(repository, run).paths) == ["data/train/new"]
    bring(repository, run, save=True)
    assert os.listdir(repository / "data/train") == ["x"]
    undo(open_here(repository))

    assert before == everything(repository)


def test_a_file_whose_copy_in_the_store_is_damaged_exists_nowhere_else(repository, data, run):
    flip_bit(entry_of(repository, b"another\n"))

    error = refused(repository, run)
    assert list(error.paths) == ["data/train/a/one"]

    before = everything(repository)
    bring(repository, run, save=True)
    undo(open_here(repository))
    assert before == everything(repository)


def test_a_file_that_was_edited_with_its_entry_in_one_is_not_lost(repository, data, run):
    entry = entry_of(repository, b"another\n")
    (data / "a/one").unlink()
    os.link(entry, data / "a/one")
    (data / "a/one").chmod(0o644)
    (data / "a/one").write_text("ANOTHER\n")

    assert list(refused(repository, run).paths) == ["data/train/a/one"]
    bring(repository, run, save=True)
    assert (data / "a/one").read_text() == "one\n"
    undo(open_here(repository))
    assert (data / "a/one").read_text() == "ANOTHER\n"


def test_a_damaged_entry_is_refused_and_named(repository, data, run):
    shutil.rmtree(data.parent)
    flip_bit(entry_of(repository, b"four\n"))

    error = refused(repository, run)

    assert isinstance(error, DamagedRecordError)
    assert "`data/train/four`" in str(error)
    assert list_entries(open_here(repository)) == []


def test_entries_that_are_missing_are_refused_and_all_are_named(repository, data, run):
    shutil.rmtree(data)
    for content in (b"four\n", b"one\n"):
        entry_of(repository, content).unlink()

    error = refused(repository, run)

    assert isinstance(error, MissingDataError)
    assert sorted(error.paths) == ["data/train/a/one", "data/train/four"]


MEANWHILE: dict[str, Callable[[Path, Path], object]] = {
    "changed": lambda top, _: (top / "a/one").write_text("meanwhile"),
    "touched": lambda top, _: os.utime(top / "a/one"),
    "made": lambda top, _: write_files(top, {"a/b/three": "meanwhile"}),
    "removed": lambda top, _: (top / "new/five").unlink(),
    "a link for a file": lambda top, elsewhere: (
        (top / "a/one").unlink(),
        (top / "a/one").symlink_to(elsewhere / "a/one"),
    ),
    "a folder for a file": lambda top, _: ((top / "a/one").unlink(), (top / "a/one").mkdir()),
    "a link for a folder": lambda top, elsewhere: (
        (top / "a").rename(top / "old"),
        (top / "a").symlink_to(elsewhere / "a"),
    ),
    "a link for the dataset": lambda top, elsewhere: (
        top.rename(top.with_name("old")),
        top.symlink_to(elsewhere),
    ),
    "a link for the folder above": lambda top, elsewhere: (
        top.parent.rename(top.parent.with_name("old")),
        (elsewhere.parent / "outer").mkdir(),
        elsewhere.rename(elsewhere.parent / "outer/train"),
        top.parent.symlink_to(elsewhere.parent / "outer"),
    ),
    "the dataset moved away": lambda top, _: top.rename(top.with_name("old")),
}


@pytest.mark.parametrize("kind", MEANWHILE)
def test_what_changes_meanwhile_is_refused_and_nothing_is_moved(
    repository, data, run, canary, kind
):
    git(repository, "switch", "-q", "-c", "work")
    after: list[dict[str, object]] = []
    lock = threading.Lock()

    def report(_: int) -> None:
        with lock:
            if not after:
                MEANWHILE[kind](data, canary)
                after.append({**everything(repository), "unfinished": []})

    with pytest.raises(WouldLoseWorkError):
        bring(repository, run, report=report)

    assert after == [everything(repository)]
    if kind == "a link for the folder above":
        (canary.parent / "outer/train").rename(canary)


def _replace_by_link(place: Path, elsewhere: Path) -> None:
    shutil.rmtree(place)
    place.symlink_to(elsewhere)


@pytest.mark.parametrize("save", [False, True])
@pytest.mark.parametrize("what", ["data/train", "data"])
def test_a_link_to_elsewhere_is_never_written_through(
    repository, data, run, canary, tmp_path, what, save
):
    if what == "data":
        (tmp_path / "outer").mkdir()
        shutil.copytree(canary, tmp_path / "outer/train")
        canary = tmp_path / "outer"
    _replace_by_link(repository / what, canary)
    before = read_all(canary)

    error = refused(repository, run, save=save)

    assert isinstance(error, WouldLoseWorkError)
    assert before == read_all(canary)


def test_a_link_in_a_dataset_that_leads_elsewhere_is_named(repository, data, run, canary):
    _replace_by_link(data / "a", canary)

    assert "a" in str(refused(repository, run, save=True))


def test_where_links_are_followed_nothing_is_written_behind_them(repository, canary):
    write_files(repository, {"data/train/x": "x\n"})
    (repository / "data/train/out").symlink_to(canary)
    (repository / "data/train/file").symlink_to(canary / "four")
    project = open_here(repository)
    from repro.core.tracking import Wish, add_dataset, choose_dataset  # noqa: PLC0415

    wish = Wish(keep=True, follow=True)
    add_dataset(project, choose_dataset(project, "data/train", repository, wish))
    run = make_run(open_here(repository)).id
    write_files(repository, {"data/train/x": "mine\n"})
    before = everything(repository)
    bring(repository, run, save=True)
    assert (repository / "data/train/x").read_text() == "x\n"
    undo(open_here(repository))
    assert before == everything(repository)

    # What was behind the links is another thing now.
    write_files(repository, {"data/train/x": "x\n"})
    for name in ("out", "file"):
        (repository / "data/train" / name).unlink()
    other = canary.with_name("other")
    write_files(other, {"a/one": "other\n", "four": "other\n", "id_rsa": "other\n"})
    (repository / "data/train/out").symlink_to(other)
    (repository / "data/train/file").symlink_to(other / "four")
    there = read_all(other)

    refused(repository, run)
    refused(repository, run, save=True)

    assert there == read_all(other)


def test_a_link_for_a_dataset_of_one_file_comes_back_with_undo(repository, canary):
    write_files(repository, {"data/weights": "old\n"})
    run = make_run(add_data(repository, "data/weights")).id
    (repository / "data/weights").unlink()
    (repository / "data/weights").symlink_to(canary / "four")
    before = everything(repository)

    bring(repository, run, save=True)
    assert (repository / "data/weights").read_text() == "old\n"
    undo(open_here(repository))

    assert before == everything(repository)


def _outside(root: Path, place: Path, **wish: object) -> None:
    from repro.core.tracking import Wish, add_dataset, choose_dataset  # noqa: PLC0415

    project = open_here(root)
    add_dataset(
        project, choose_dataset(project, str(place), root, Wish(keep=True, outside=True, **wish))
    )


def test_a_dataset_outside_of_the_repository_is_never_written_to(repository, tmp_path):
    write_files(tmp_path / "far", {"x": "x\n"})
    _outside(repository, tmp_path / "far")
    run = make_run(open_here(repository)).id

    bring(repository, run)
    write_files(tmp_path / "far", {"x": "mine\n"})
    before = read_all(tmp_path / "far")
    error = refused(repository, run, save=True)

    assert "outside of the repository" in str(error)
    assert before == read_all(tmp_path / "far")


def test_a_place_outside_that_only_the_record_names_is_not_even_read(repository, tmp_path):
    write_files(tmp_path / "far", {"x": "x\n"})
    _outside(repository, tmp_path / "far")
    run = make_run(open_here(repository)).id
    (repository / "repro.yaml").unlink()
    os.mkfifo(tmp_path / "far/pipe")

    error = refused(repository, run, save=True)

    assert "outside of the repository" in str(error)


def test_files_that_git_tracks_come_with_the_code(repository):
    write_files(repository, {"data/train/tracked": "old\n", ".gitignore": "/data/train/*.bin\n"})
    commit_all(repository, "tracked")
    write_files(repository, {"data/train/x.bin": "x\n"})
    add_data(repository)
    commit_all(repository)
    write_files(repository, {"data/train/tracked": "as the run had it\n"})
    run = make_run(open_here(repository)).id
    write_files(repository, {"data/train/tracked": "newer\n", "data/train/x.bin": "newer\n"})
    add_data(repository)
    commit_all(repository, "newer")
    before = everything(repository)

    bring(repository, run)

    assert (repository / "data/train/tracked").read_text() == "as the run had it\n"
    assert (repository / "data/train/x.bin").read_text() == "x\n"
    assert git(repository, "status", "--porcelain") == ""
    undo(open_here(repository))
    assert before == everything(repository)


def test_a_dataset_that_git_tracks_wholly_comes_with_the_code(repository):
    write_files(repository, {"data/train/x": "x\n", "data/train/in/y": "y\n"})
    commit_all(repository, "tracked")
    add_data(repository, keep=False)
    run = make_run(open_here(repository)).id
    commit_all(repository)
    git(repository, "rm", "-r", "-q", "data")
    git(repository, "commit", "-q", "-m", "gone")
    before = everything(repository)

    bring(repository, run)

    assert (repository / "data/train/in/y").read_text() == "y\n"
    undo(open_here(repository))
    assert before == everything(repository)


def test_a_dataset_that_git_tracks_since_is_not_taken_away_with_the_code(repository, data, run):
    shutil.rmtree(data)
    bring(repository, run)
    git(repository, "switch", "-q", "--detach", "HEAD")
    git(repository, "add", "-f", "data/train")
    git(repository, "commit", "-q", "-m", "tracked now")

    error = refused(repository, run)

    assert "data/train/four" in error.paths
    assert "git tracks" in str(error)


def test_many_files_that_git_tracks_since_are_each_found_at_once():
    looks = []

    class CountedPage(tuple):
        def __iter__(self):
            looks.append(len(self))
            return super().__iter__()

    page = CountedPage(FileEntry(f"{n}", "0" * 32, 1) for n in range(50))
    facts = DataFacts("data", f"xxh3:{'0' * 32}", is_file=False, files=50, size=50, kept=True)
    one = restore_data.RecordedData(name="x", facts=facts, pages=lambda _: page, present=None)

    with pytest.raises(WouldLoseWorkError, match="git tracks 50 files"):
        restore_data._refuse_tracked_since(one, {f"data/{n}" for n in range(50)})

    assert 1 == len(looks)


def test_a_dataset_that_git_tracked_then_gives_way_to_the_code(repository):
    write_files(repository, {"data/train/x/y": "as the run had it\n", "data/train/z": "z\n"})
    commit_all(repository, "tracked")
    run = make_run(add_data(repository)).id
    git(repository, "rm", "-r", "-q", "--cached", "data")
    commit_all(repository)
    shutil.rmtree(repository / "data/train/x")
    write_files(repository, {"data/train/x": "mine\n", ".git/info/exclude": "/data/train\n"})
    git(repository, "rm", "-r", "-q", "--cached", "--ignore-unmatch", "data")
    git(repository, "commit", "-q", "-m", "untracked")
    before = everything(repository)

    refused(repository, run)
    bring(repository, run, save=True)
    assert (repository / "data/train/x/y").read_text() == "as the run had it\n"
    undo(open_here(repository))

    assert before == everything(repository)


def test_a_dataset_that_git_does_not_ignore_stays_where_it_is(repository):
    write_files(repository, {"data/one/x": "x\n"})
    run = make_run(open_here(repository), data=("data/one",)).id
    write_files(repository, {"train.py": "edited\n"})
    commit_all(repository, "edited")
    git(repository, "rm", "-r", "-q", "--cached", "data")
    git(repository, "commit", "-q", "-m", "not the data")
    before = everything(repository)

    bring(repository, run)

    assert (repository / "data/one/x").read_text() == "x\n"
    undo(open_here(repository))
    assert before == everything(repository)


def test_a_dataset_that_git_does_not_ignore_is_restored_and_taken_back(repository):
    write_files(repository, {"data/one/x": "x\n", "data/one/gone": "gone\n"})
    add_data(repository, "data/one")
    (repository / ".gitignore").unlink()
    commit_all(repository, "tracked")
    git(repository, "rm", "-r", "-q", "--cached", "data", "repro.yaml", "repro.lock")
    git(repository, "commit", "-q", "-m", "not the data")
    run = make_run(open_here(repository)).id
    write_files(repository, {"data/one/x": "mine\n", "train.py": "edited\n"})
    (repository / "data/one/gone").unlink()
    (repository / "repro.yaml").unlink()
    (repository / "repro.lock").unlink()
    before = everything(repository)

    bring(repository, run, save=True)
    assert (repository / "data/one/x").read_text() == "x\n"
    undo(open_here(repository))

    assert before == everything(repository)


def test_a_name_that_git_reads_as_a_pattern_is_only_a_name(repository):
    write_files(repository, {"data/[a-z]*/x": "x\n", "data/other/x": "tracked\n"})
    git(repository, "add", "data/other")
    git(repository, "commit", "-q", "-m", "other")
    run = make_run(add_data(repository, "data/[a-z]*")).id
    shutil.rmtree(repository / "data/[a-z]*")

    bring(repository, run)

    assert (repository / "data/[a-z]*/x").read_text() == "x\n"


def test_code_that_has_a_link_where_the_dataset_lies_is_refused(repository, canary):
    write_files(repository, {"data/train/four": "four\n"})
    run = make_run(add_data(repository)).id
    record = resolve_run(open_here(repository), run)
    shutil.rmtree(repository / "data")
    (repository / "data").symlink_to(canary)
    git(repository, "add", "-f", "data")
    git(repository, "commit", "-q", "-m", "a link")
    _set_snapshot(repository, record.commit, git(repository, "rev-parse", "HEAD"), run)
    git(repository, "switch", "-q", "--detach", "HEAD~")
    shutil.rmtree(repository / "data", ignore_errors=True)

    error = refused(repository, run, save=True)

    assert "data" in str(error)


def _set_snapshot(root: Path, commit: str, snapshot: str, run: str) -> None:
    """Let a run say that its code was another one."""
    facts = json.loads(git(root, "show", f"{commit}:run.json"))
    facts["snapshot"] = facts["base"] = snapshot
    text = json.dumps(facts, sort_keys=True, indent=2, ensure_ascii=False) + "\n"
    blob = git(root, "hash-object", "-w", "--stdin", stdin=text.encode())
    lines = git(root, "ls-tree", commit).split("\n")
    lines = [line for line in lines if not line.endswith("\trun.json")]
    tree = git(
        root, "mktree", stdin="\n".join([*lines, f"100644 blob {blob}\trun.json", ""]).encode()
    )
    made = git(root, "commit-tree", "-p", snapshot, "-m", f"run {run}: x", tree)
    git(root, "update-ref", f"refs/repro/runs/{run}", made)


def test_the_second_name_that_a_killed_process_left_is_no_change(repository, data, run):
    dead = repository / ".git/repro/staging/place-0123456789abcdef"
    dead.mkdir(parents=True)
    for number, path in enumerate(("a/one", "new/five")):
        os.link(data / path, dead / str(number))

    bring(repository, run)

    assert (data / "a/one").read_text() == "one\n"
    assert list_unfinished(repository) == []


def test_what_no_dataset_holds_stops_the_restore_before_anything_is_done(repository, data, run):
    (data / "four").unlink()
    write_files(data, {"four/.git/config": "mine\n"})

    error = refused(repository, run, save=True)

    assert isinstance(error, WouldLoseWorkError)
    assert error.paths == ("data/train/four/.git",)


@pytest.mark.parametrize("where", ["data/train", "data/train/a", "data/train/new"])
def test_a_folder_that_cannot_be_written_to_is_refused_before_anything_is_done(
    repository, data, run, locked, where
):
    locked(repository / where)

    error = refused(repository, run)

    assert isinstance(error, StorageError)
    assert f"`{where}`" in str(error)


def test_a_folder_above_that_cannot_be_written_to_is_refused(repository, data, run, locked):
    shutil.rmtree(data)
    locked(data.parent)

    assert isinstance(refused(repository, run), StorageError)


def test_a_folder_of_somebody_else_is_refused_before_anything_is_done(repository, data, run):
    if os.geteuid():
        pytest.skip("only root can become somebody else")
    open_to_all(repository)
    (data / "a").chmod(0o555)
    before = everything(repository)
    subprocess.run(["chown", "-R", "65534:65534", repository], check=True)

    with as_nobody(), pytest.raises(StorageError, match="`data/train/a`"):
        bring(repository, run)

    subprocess.run(["chown", "-R", "0:0", repository], check=True)
    assert before == everything(repository)


def test_two_restores_are_taken_back_by_two_undos(repository, data, run):
    _change(data)
    before = everything(repository)
    bring(repository, run, save=True)
    between = everything(repository)
    bring(repository, "two")
    assert (data / "a/one").read_text() == "another\n"

    undo(open_here(repository))
    assert between == everything(repository)
    undo(open_here(repository))
    assert before == everything(repository)


def test_commits_made_after_a_restore_survive_its_undo(repository, data, run):
    before = everything(repository)
    bring(repository, run)
    write_files(repository, {"train.py": "work\n"})
    git(repository, "switch", "-q", "-c", "work")
    git(repository, "commit", "-q", "-a", "-m", "work")

    undo(open_here(repository))

    assert git(repository, "show", "work:train.py") == "work"
    now = everything(repository)
    assert (before["files"], before["head"]) == (now["files"], now["head"])


def _stop_half_way(root: Path, run: str, data: Path, locked: Callable[[Path], None]) -> None:
    """A checkout that fails when some files of the dataset have been moved, and others not."""
    if os.geteuid():
        pytest.skip("only root can make a file that nobody can replace")
    locked(data / "a/one")
    with pytest.raises(StorageError):
        bring(root, run)
    assert not (data / "new").exists()
    subprocess.run(["chattr", "-i", data / "a/one"], check=True)


def test_a_restore_that_stopped_half_way_is_taken_back_whole(repository, data, run, locked):
    before = everything(repository)
    _stop_half_way(repository, run, data, locked)
    write_files(data, {"a/b/three": "work since\n"})

    with pytest.raises(WouldLoseWorkError) as raised:
        undo(open_here(repository))
    assert list(raised.value.paths) == ["data/train/a/b/three"]
    with pytest.raises(BusyRepositoryError):
        bring(repository, "two")
    undo(open_here(repository), save=True)

    now = everything(repository)
    assert [before[key] for key in ("files", "head", "index")] == [
        now[key] for key in ("files", "head", "index")
    ]
    assert entry_of(repository, b"work since\n").exists()


def test_a_restore_that_stopped_half_way_is_finished_by_the_next(repository, data, run, locked):
    expected = _as_recorded(repository, data, run)
    before = everything(repository)
    _stop_half_way(repository, run, data, locked)

    bring(repository, run)
    assert expected == read_all(data)
    assert not open_scratch_is_begun(repository)
    undo(open_here(repository))

    now = everything(repository)
    assert [before[key] for key in ("files", "head", "index")] == [
        now[key] for key in ("files", "head", "index")
    ]


def open_scratch_is_begun(root: Path) -> bool:
    with open_scratch(open_here(root).repository) as scratch:
        return scratch.is_begun

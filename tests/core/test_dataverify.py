"""Every byte read again: what is wrong is named, in the content store and in the working tree."""

import os
import shutil
from pathlib import Path

import pytest
from tests.support import write_files
from tests.support.datasets import add_data, entry_of, flip_bit, make_data
from tests.support.projects import make_run, open_here

from repro.core.datachoice import choose
from repro.core.dataverify import Fault, check_entries, check_files, plan_check
from repro.core.project import Project
from repro.store.lockfile import read_lock

TWO = b"two\n"
THREE = b"three\n"
ALSO = ("two.txt", "in/deep/same.txt")


def nothing(n_bytes: int) -> None:
    pass


def kept_faults(project: Project, runs: tuple[str, ...] = ()) -> list[Fault]:
    check = plan_check(project, choose(project, (), runs))
    return [*check.faults, *check_entries(project, check, nothing)]


def file_faults(project: Project) -> list[tuple[str, str]]:
    [one] = choose(project, (), ())
    return [(str(fault.state), fault.path) for fault in check_files(project, one)]


def manifest_of(root: Path) -> Path:
    name = read_lock(root)["train"].manifest.removeprefix("sha256:")
    return root / ".git/repro/store" / name[:2] / name[2:4] / name


def test_nothing_is_wrong_with_what_was_just_added(repository: Path) -> None:
    project = make_data(repository)
    run = make_run(project)

    assert kept_faults(project) == []
    assert kept_faults(project, (run.id,)) == []
    assert file_faults(project) == []


def test_one_flipped_bit_is_named_and_the_entry_set_aside(repository: Path) -> None:
    project = make_data(repository)
    entry = entry_of(repository, TWO)
    flip_bit(entry)

    [fault] = kept_faults(project)

    assert (fault.where, fault.state, fault.dataset) == ("store", "damaged", "train")
    assert fault.path in ALSO
    assert fault.digest == f"sha256:{entry.name}"
    assert "its bytes are those of `sha256:" in fault.reason
    assert not entry.exists()
    assert (repository / ".git/repro/store/damaged" / entry.name).exists()


def test_what_is_missing_or_cannot_be_read_is_named(repository: Path) -> None:
    project = make_data(repository)
    entry_of(repository, TWO).unlink()
    entry_of(repository, THREE).unlink()
    entry_of(repository, THREE).mkdir()

    found = sorted((str(fault.state), fault.digest) for fault in kept_faults(project))

    assert found == [
        ("missing", f"sha256:{entry_of(repository, TWO).name}"),
        ("unreadable", f"sha256:{entry_of(repository, THREE).name}"),
    ]


def test_all_is_told_where_nothing_can_be_set_aside(repository: Path) -> None:
    project = make_data(repository)
    flip_bit(entry_of(repository, TWO))
    flip_bit(entry_of(repository, THREE))
    write_files(repository, {".git/repro/store/damaged": "a file, so that there can be no folder"})

    faults = kept_faults(project)

    assert [str(fault.state) for fault in faults] == ["damaged", "damaged"]
    assert ["not set aside" in fault.reason for fault in faults] == [True, True]


def test_a_run_is_checked_by_its_own_record(repository: Path) -> None:
    run = make_run(make_data(repository))
    write_files(repository, {"data/train/two.txt": "new\n", "data/train/in/deep/same.txt": "new\n"})
    project = add_data(repository)
    flip_bit(entry_of(repository, TWO))

    assert kept_faults(project) == []
    assert [fault.path in ALSO for fault in kept_faults(project, (run.id,))] == [True]


def test_a_damaged_manifest_is_named_and_set_aside(repository: Path) -> None:
    project = make_data(repository)
    flip_bit(manifest_of(repository), 10)

    [fault] = kept_faults(project)

    assert (fault.state, fault.path) == ("damaged", "")
    assert not manifest_of(repository).exists()
    assert [str(fault.state) for fault in kept_faults(project)] == ["missing"]


def test_changed_missing_and_extra_files_are_named(repository: Path) -> None:
    project = make_data(repository)
    folder = repository / "data/train"
    write_files(folder, {"two.txt": "TWO\n", "more/new.txt": "new\n"})
    (folder / "one.bin").chmod(0o755)
    (folder / "in/three.txt").unlink()
    shutil.rmtree(folder / "in/deep")
    (folder / "nothing").mkdir()

    assert sorted(file_faults(project)) == [
        ("changed", "one.bin"),
        ("changed", "two.txt"),
        ("extra", "more/new.txt"),
        ("extra", "nothing"),
        ("missing", "in/deep/same.txt"),
        ("missing", "in/three.txt"),
    ]


def test_a_change_that_left_size_and_times_alone_is_found(repository: Path) -> None:
    project = make_data(repository)
    path = repository / "data/train/one.bin"
    status = path.stat()
    data = path.read_bytes()
    path.write_bytes(b"0" + data[1:])
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    assert file_faults(project) == [("changed", "one.bin")]


def test_a_change_is_found_though_the_stat_cache_says_there_is_none(repository: Path) -> None:
    project = make_data(repository)
    path = repository / "data/train/one.bin"
    flip_bit(path)
    add_data(repository)  # the cache knows the flipped file now
    lock = repository / "repro.lock"
    flipped = lock.read_text()
    flip_bit(path)
    add_data(repository)
    lock.write_text(flipped)

    assert file_faults(project) == [("changed", "one.bin")]


@pytest.mark.parametrize("is_there", [True, False])
def test_without_its_manifest_a_dataset_is_still_compared_as_a_whole(
    repository: Path, *, is_there: bool
) -> None:
    project = make_data(repository)
    manifest_of(repository).unlink()
    if not is_there:
        write_files(repository, {"data/train/two.txt": "TWO\n"})

    assert file_faults(project) == ([] if is_there else [("changed", "")])


def test_a_dataset_that_is_gone_is_missing_as_a_whole(repository: Path) -> None:
    project = make_data(repository)
    shutil.rmtree(repository / "data")

    assert file_faults(project) == [("missing", "")]


def test_a_thing_that_no_dataset_can_hold_is_named(repository: Path) -> None:
    project = make_data(repository)
    os.mkfifo(repository / "data/train/pipe")

    [one] = choose(project, (), ())
    [fault] = check_files(project, one)

    assert (str(fault.state), fault.path) == ("unreadable", "")
    assert "`pipe` is a named pipe" in fault.reason


def test_a_file_in_the_place_of_a_folder_is_a_change_of_all_of_it(repository: Path) -> None:
    project = make_data(repository)
    shutil.rmtree(repository / "data/train")
    write_files(repository, {"data/train": "now a file\n"})

    assert file_faults(project) == [("changed", "")]


def test_a_lock_from_elsewhere_does_not_choose_what_is_read_on_this_machine(
    repository: Path, tmp_path: Path
) -> None:
    make_data(repository)
    write_files(tmp_path, {"secret/x": "x"})
    lock = repository / "repro.lock"
    lock.write_text(lock.read_text().replace("data/train", f"{tmp_path}/secret"))

    assert file_faults(open_here(repository)) == [("unreadable", "")]


def test_a_dataset_that_is_not_kept_is_compared_in_the_working_tree(repository: Path) -> None:
    write_files(repository, {"data/train/x": "x\n"})
    project = add_data(repository, keep=False)
    write_files(repository, {"data/train/x": "y\n"})

    assert kept_faults(project) == []
    assert file_faults(project) == [("changed", "x")]


def test_a_check_leaves_nothing_and_removes_what_a_killed_one_left(repository: Path) -> None:
    project = make_data(repository)
    left = repository / ".git/repro/verify-dead"
    left.mkdir()
    os.utime(left, (0, 0))

    assert file_faults(project) == []
    assert list((repository / ".git/repro").glob("verify-*")) == []


def test_a_repository_that_cannot_be_written_is_checked(repository: Path) -> None:
    project = make_data(repository)
    (repository / ".git/repro").rename(repository / "aside")
    write_files(repository, {".git/repro": "a file, so that there can be no folder"})

    assert file_faults(project) == []

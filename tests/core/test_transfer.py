"""Kept bytes sent and fetched, and datasets written where a clone has nothing."""

import hashlib
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support import git, make_repository, write_files
from tests.support.datasets import (
    FILES,
    add_data,
    commit_all,
    entry_of,
    flip_bit,
    make_data,
    share,
    unsound,
)
from tests.support.projects import make_run, open_here
from tests.support.servers import folder_server, lfs_server
from tests.support.trees import read_folder

from repro.core.absent import Filled, fill_absent, find_absent
from repro.core.datachoice import Chosen, choose, iter_files
from repro.core.project import Project
from repro.core.transfer import Load, Moved, open_store, plan_pull, plan_push, pull, push
from repro.errors import InvalidInputError, RemoteError
from repro.model.canonical import format_json
from repro.model.manifest import FolderEntry, format_page
from repro.store.hashing import digest_bytes
from repro.store.lockfile import read_lock, write_lock
from repro.store.placing import Place

TWO = b"two\n"
DATAS = {data if isinstance(data, bytes) else data.encode() for data in FILES.values()}


def nothing(n_bytes: int) -> None:
    pass


def send(project: Project, *names: str, runs: tuple[str, ...] = ()) -> tuple[Load, Moved]:
    load = plan_push(project, choose(project, names, runs))
    return load, push(project, open_store(project), load, nothing)


def fetch(project: Project, *names: str, runs: tuple[str, ...] = ()) -> tuple[Load, Moved]:
    remote = open_store(project)
    load = plan_pull(project, remote, choose(project, names, runs))
    return load, pull(project, remote, load, nothing)


def fill(project: Project) -> list[Filled]:
    absent, _ = find_absent(project, choose(project, (), ()))
    return fill_absent(project, absent)


@pytest.fixture
def shared(repository: Path, tmp_path: Path) -> Path:
    """A store that was pushed to from the repository."""
    make_data(repository)
    project = share(repository)
    commit_all(repository)
    assert send(project)[1].failed == ()
    return tmp_path / "shared"


@pytest.fixture
def clone(shared: Path, repository: Path, tmp_path: Path) -> Path:
    git(tmp_path, "clone", "-q", str(repository), "clone")
    return tmp_path / "clone"


def objects_in(shared: Path) -> set[bytes]:
    return {path.read_bytes() for path in shared.glob("??/??/*")}


def test_push_puts_every_kept_file_once_and_the_manifest_that_is_locked(
    shared: Path, repository: Path
) -> None:
    manifest = read_lock(repository)["train"].manifest.removeprefix("sha256:")

    assert objects_in(shared) - DATAS == {
        (shared / manifest[:2] / manifest[2:4] / manifest).read_bytes()
    }
    assert objects_in(shared) >= DATAS
    assert unsound(shared) == []


def test_a_clone_that_pulls_has_the_dataset_byte_for_byte(clone: Path, repository: Path) -> None:
    write_files(repository, {"data/train/run.sh": "#!/bin/sh\n"})
    (repository / "data/train/run.sh").chmod(0o755)
    (repository / "data/train/link").symlink_to("in/three.txt")
    (repository / "data/train/empty").mkdir()
    send(add_data(repository))
    commit_all(repository)
    git(clone, "pull", "-q")
    project = open_here(clone)

    _, moved = fetch(project)
    [filled] = fill(project)

    assert (moved.failed, filled.files, filled.reason) == ((), 6, None)
    assert read_folder(clone / "data") == read_folder(repository / "data")
    assert (clone / "data/train/empty").is_dir()
    assert git(clone, "status", "--porcelain") == ""


def test_a_dataset_that_is_one_file_comes_back(repository: Path, tmp_path: Path) -> None:
    write_files(repository, {"data/labels.csv": "a,b\n"})
    add_data(repository, "data/labels.csv")
    send(share(repository))
    commit_all(repository)
    git(tmp_path, "clone", "-q", str(repository), "clone")
    project = open_here(tmp_path / "clone")

    fetch(project)
    [filled] = fill(project)

    assert (filled.files, filled.reason) == (1, None)
    assert (tmp_path / "clone/data/labels.csv").read_bytes() == b"a,b\n"


def test_a_second_pull_fetches_nothing_and_writes_nothing(clone: Path) -> None:
    project = open_here(clone)
    fetch(project)
    fill(project)

    load, moved = fetch(project)

    assert (len(load.here), moved.done) == (3, ())
    assert fill(project) == []


def test_files_of_the_working_tree_are_never_touched(clone: Path) -> None:
    write_files(clone, {"data/train/mine.txt": "mine\n"})
    project = open_here(clone)

    fetch(project)

    assert fill(project) == []
    assert list(read_folder(clone / "data")) == ["train/mine.txt"]


def test_a_dataset_whose_writing_was_killed_is_finished(clone: Path) -> None:
    project = open_here(clone)
    fetch(project)
    fill(project)
    before = read_folder(clone / "data")
    [one] = choose(project, (), ())
    shutil.rmtree(clone / "data/train")
    flip_bit(entry_of(clone, b"three\n"))
    [broken] = fill(project)
    assert broken.reason is not None
    assert "damaged" in broken.reason
    (clone / "data/train/two.txt").unlink(missing_ok=True)
    shutil.copy(clone / "../project/data/train/in/three.txt", entry_of(clone, b"three\n"))

    assert find_absent(project, [one])[0] == [one]
    [filled] = fill(project)

    assert filled.reason is None
    assert read_folder(clone / "data") == before
    assert find_absent(project, [one]) == ([], [one])


def kill_a_fill(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Die with the first file of a dataset in its place."""
    settle = Place.settle

    def settle_and_die(*args: Any, **more: Any) -> None:
        settle(*args, **more)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Place, "settle", settle_and_die)
        with pytest.raises(KeyboardInterrupt):
            fill(project)


def test_a_fill_that_was_killed_goes_on_in_the_folder_it_made(
    clone: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = open_here(clone)
    fetch(project)
    kill_a_fill(project, monkeypatch)
    assert len([path for path in (clone / "data/train").rglob("*") if path.is_file()]) == 1

    [filled] = fill(project)

    assert filled.files > 0
    assert read_folder(clone / "data") == read_folder(repository / "data")
    assert fill(project) == []


@pytest.mark.parametrize("is_moved", [True, False])
def test_a_new_folder_at_the_path_of_a_fill_that_was_killed_is_the_users(
    clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_moved: bool
) -> None:
    project = open_here(clone)
    fetch(project)
    kill_a_fill(project, monkeypatch)
    if is_moved:
        (clone / "data/train").rename(tmp_path / "moved")
    else:
        shutil.rmtree(clone / "data/train")  # the new folder may well get its inode
    write_files(clone, {"data/train/mine.txt": "mine\n"})
    chosen = [*choose(project, (), ())]

    assert find_absent(project, chosen) == ([], chosen)
    assert fill(project) == []
    assert list(read_folder(clone / "data")) == ["train/mine.txt"]


def test_a_dataset_is_not_written_before_all_of_it_is_here(clone: Path, shared: Path) -> None:
    name = hashlib.sha256(TWO).hexdigest()
    (shared / name[:2] / name[2:4] / name).unlink()
    project = open_here(clone)

    _, moved = fetch(project)
    [filled] = fill(project)

    assert [(one.path in ("two.txt", "in/deep/same.txt")) for one in moved.failed] == [True]
    assert "does not have it" in moved.failed[0].reason
    assert filled.reason == "2 of its files are not here"
    assert not (clone / "data").exists()


def test_a_link_where_the_dataset_belongs_is_not_written_through(
    clone: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (clone / "data").symlink_to(tmp_path / "elsewhere")
    project = open_here(clone)
    fetch(project)

    [filled] = fill(project)

    assert filled.reason is not None
    assert "symbolic link" in filled.reason
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_what_a_run_recorded_is_sent_and_fetched_though_the_lock_says_another_thing(
    repository: Path, tmp_path: Path
) -> None:
    project = make_data(repository)
    run = make_run(project)
    write_files(repository, {"data/train/two.txt": "changed\n"})
    add_data(repository)
    project = share(repository)

    load, moved = send(project, runs=(run.id,))

    assert moved.failed == ()
    assert load.manifests == {}
    assert objects_in(tmp_path / "shared") == DATAS
    shutil.rmtree(repository / ".git/repro/store")
    assert fetch(project, "train", runs=(run.id,))[1].failed == ()
    assert entry_of(repository, TWO).read_bytes() == TWO


def test_a_damaged_object_of_the_store_never_comes_in(clone: Path, shared: Path) -> None:
    name = hashlib.sha256(TWO).hexdigest()
    flip_bit(shared / name[:2] / name[2:4] / name)

    _, moved = fetch(open_here(clone))

    assert ["other bytes came" in one.reason for one in moved.failed] == [True]
    assert not entry_of(clone, TWO).exists()


def test_a_damaged_file_is_not_sent_and_hides_no_other(repository: Path, tmp_path: Path) -> None:
    make_data(repository)
    flip_bit(entry_of(repository, TWO))

    _, moved = send(share(repository))

    assert ["is damaged" in one.reason for one in moved.failed] == [True]
    assert objects_in(tmp_path / "shared") >= DATAS - {TWO}
    assert unsound(tmp_path / "shared") == []


def test_an_entry_of_another_size_is_set_aside_and_fetched_again(clone: Path) -> None:
    project = open_here(clone)
    fetch(project)
    entry = entry_of(clone, TWO)
    entry.chmod(0o644)
    entry.write_bytes(b"tw")

    _, moved = fetch(project)

    assert [one.size for one in moved.done] == [4]
    assert entry.read_bytes() == TWO
    assert (clone / ".git/repro/store/damaged" / entry.name).read_bytes() == b"tw"


def test_a_damaged_manifest_is_fetched_again(clone: Path) -> None:
    project = open_here(clone)
    fetch(project)
    manifest = read_lock(clone)["train"].manifest.removeprefix("sha256:")
    path = clone / ".git/repro/store" / manifest[:2] / manifest[2:4] / manifest
    sound = path.read_bytes()
    flip_bit(path)

    _, moved = fetch(project)

    assert moved.failed == ()
    assert path.read_bytes() == sound


def test_bytes_of_the_wrong_kind_are_no_manifest(clone: Path) -> None:
    locked = read_lock(clone)["train"]
    data = f"sha256:{entry_of(clone, TWO).name}"
    lied = replace(locked, manifest=data, manifest_size=len(TWO))
    write_lock(clone, {"train": lied})

    _, moved = fetch(open_here(clone))

    assert [(one.path, one.digest) for one in moved.failed] == [("", data)]
    assert "no manifest" in moved.failed[0].reason


def test_a_manifest_of_an_absurd_size_is_not_even_asked_for(clone: Path) -> None:
    write_lock(
        clone,
        {
            "train": replace(
                read_lock(clone)["train"], manifest="sha256:" + "0" * 64, manifest_size=2**62
            )
        },
    )

    _, moved = fetch(open_here(clone))

    assert "a size that no manifest has" in moved.failed[0].reason


def test_a_manifest_that_the_store_lacks_is_said_and_hides_no_other_dataset(
    clone: Path, shared: Path, repository: Path
) -> None:
    make_data(repository, {"x": "other\n"}, path="data/other")
    commit_all(repository)
    git(clone, "pull", "-q")

    _, moved = fetch(open_here(clone))

    assert [(one.dataset, one.path) for one in moved.failed] == [("other", "")]
    assert entry_of(clone, TWO).exists()


def test_datasets_that_are_not_kept_are_left_out_and_alone_refused(repository: Path) -> None:
    write_files(repository, {"data/plain/x": "x\n"})
    add_data(repository, "data/plain", keep=False)
    make_data(repository)
    project = share(repository)

    load, _ = send(project)

    assert [one.name for one in load.left_out] == ["plain"]
    with pytest.raises(InvalidInputError, match="none of these datasets is kept") as refusal:
        plan_push(project, choose(project, ["plain"], ()))
    assert "`repro data add --keep plain`" in (refusal.value.hint or "")


def test_without_a_store_there_is_one_clear_error(repository: Path) -> None:
    with pytest.raises(InvalidInputError, match="names no store") as refusal:
        open_store(make_data(repository))

    assert "`store: s3://bucket/prefix`" in (refusal.value.hint or "")


def test_a_store_that_only_gives_says_so(repository: Path, tmp_path: Path) -> None:
    make_data(repository)
    with folder_server(tmp_path / "home") as url:
        project = share(repository, url)

        with pytest.raises(RemoteError, match="is read-only"):
            send(project)


def test_a_web_server_that_shows_the_store_is_enough_to_pull(clone: Path, shared: Path) -> None:
    with folder_server(shared) as url:
        settings = clone / "repro.yaml"
        settings.write_text(settings.read_text().replace("../shared", url))

        _, moved = fetch(open_here(clone))

    assert moved.failed == ()
    assert entry_of(clone, TWO).read_bytes() == TWO


def test_a_name_that_is_no_dataset_is_refused(repository: Path) -> None:
    project = make_data(repository)
    run = make_run(project)

    for runs in ((), (run.id,)):
        with pytest.raises(InvalidInputError, match="`nothing`"):
            choose(project, ["nothing"], runs)
    assert [one.name for one in choose(project, ["data/train/"], ())] == ["train"]
    assert [one.run for one in choose(project, ["data/train"], (run.id, run.id))] == [run.id]


def test_a_dataset_that_is_not_locked_yet_is_refused(repository: Path) -> None:
    write_files(repository, {"repro.yaml": "data: {new: {path: data/new, keep: true}}\n"})

    with pytest.raises(InvalidInputError, match="is not pinned"):
        choose(open_here(repository), ["new"], ())


def hostile_record(root: Path, levels: int) -> str:
    """A record in which few objects claim to be ten to the power of `levels` folders."""
    page, digest, folders = b"", digest_bytes(b""), 0
    blob = git(root, "hash-object", "-w", "--stdin", stdin=page)
    tree = git(root, "mktree", stdin=f"100644 blob {blob}\t.page\n".encode())
    for _ in range(levels):
        names = [f"d{n}" for n in range(10)]
        page = format_page([FolderEntry(name, digest, 0, folders, 0) for name in names])
        digest, folders = digest_bytes(page), 10 * folders + 10
        blob = git(root, "hash-object", "-w", "--stdin", stdin=page)
        lines = [f"100644 blob {blob}\t.page", *(f"040000 tree {tree}\t{name}" for name in names)]
        tree = git(root, "mktree", stdin="".join(f"{line}\n" for line in lines).encode())
    facts = {"path": "x", "kind": "folder", "digest": f"xxh3:{digest}"}
    data = format_json({"x": {**facts, "files": 0, "bytes": 0, "kept": True}})
    blob = git(root, "hash-object", "-w", "--stdin", stdin=data)
    outer = git(root, "mktree", stdin=f"040000 tree {tree}\tx\n".encode())
    lines = [f"100644 blob {blob}\tdata.json", f"040000 tree {outer}\tdata"]
    top = git(root, "mktree", stdin="".join(f"{line}\n" for line in lines).encode())
    return git(root, "commit-tree", "-m", "hostile", top)


def test_few_objects_that_claim_to_be_a_billion_folders_are_read_once_each(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "project")
    commit = hostile_record(root, 8)
    one = Chosen(name="x", path="x", kept=True, run="r", commit=commit)

    assert list(iter_files(open_here(root), one)) == []


def test_names_that_are_not_utf8_travel(repository: Path, tmp_path: Path) -> None:
    folder = repository / "data/train"
    folder.mkdir(parents=True)
    names = (b"\xff\xfe", b"new\nline", "naïve".encode())
    for name in names:
        (folder / os.fsdecode(name)).write_bytes(name)
    add_data(repository)
    send(share(repository))
    commit_all(repository)
    git(tmp_path, "clone", "-q", str(repository), "clone")
    project = open_here(tmp_path / "clone")

    fetch(project)
    fill(project)

    assert read_folder(tmp_path / "clone/data") == read_folder(repository / "data")


@pytest.mark.skipif(shutil.which("git-lfs") is None, reason="git-lfs is not installed")
def test_the_lfs_server_of_the_team_keeps_what_a_run_recorded(
    repository: Path, tmp_path: Path
) -> None:
    run = make_run(make_data(repository))
    project = share(repository, "lfs")
    with lfs_server(tmp_path / "lfs") as url:
        git(repository, "remote", "add", "origin", "https://example.invalid/team/project.git")
        git(repository, "config", "remote.origin.lfsurl", url)

        assert send(project)[1].failed == ()
        shutil.rmtree(repository / ".git/repro/store")
        shutil.rmtree(repository / ".git/lfs")
        assert fetch(project, runs=(run.id,))[1].failed == ()
        assert entry_of(repository, TWO).read_bytes() == TWO
        shutil.rmtree(repository / ".git/repro/store")
        shutil.rmtree(repository / ".git/lfs")
        assert fetch(project)[1].failed == ()

    assert entry_of(repository, TWO).read_bytes() == TWO

"""Only what nothing names is ever deleted from the content store."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from tests.support import git, write_files
from tests.support.datasets import add_data, commit_all, flip_bit, make_data
from tests.support.projects import begin, make_run, open_here
from tests.support.records import make_record, open_at, write_run

from repro.core.project import Project
from repro.core.reclaim import Freed, plan_reclaim, reclaim
from repro.core.tracking import drop_dataset
from repro.errors import BusyRepositoryError, DamagedRecordError, GitError, InvalidInputError
from repro.model.canonical import format_json
from repro.store.content import ContentStore
from repro.store.lockfile import read_lock
from repro.store.statcache import FILE as STAT_FILE

DAY_S = 86_400.0


def later(root: Path, days: float = 15) -> Project:
    """The project some days from now."""
    return open_here(root, clock=lambda: time.time() + days * DAY_S)


def gc(root: Path, *, days: float = 15, grace: float = 14) -> Freed:
    project = later(root, days)
    return reclaim(project, plan_reclaim(project, grace_days=grace))


def keep(root: Path, data: bytes) -> str:
    """Put bytes into the content store that nothing names yet."""
    return ContentStore(root / ".git/repro/store").put_bytes(data)


def kept(root: Path) -> set[bytes]:
    """The bytes in the content store; manifests left out."""
    datas = {path.read_bytes() for path in (root / ".git/repro/store").glob("??/??/*")}
    return {data for data in datas if not data.startswith(b"folder ")}


def forget(root: Path) -> None:
    """Drop the dataset, and what the stat cache knows."""
    drop_dataset(open_here(root), "train")
    (root / ".git/repro" / STAT_FILE).unlink(missing_ok=True)


def change(root: Path, text: str = "new\n") -> None:
    """Let the dataset hold other bytes, and pin them."""
    write_files(root, {"data/train/x": text})
    add_data(root)


@pytest.fixture
def pinned(repository: Path) -> Path:
    """A repository with a kept dataset of one file."""
    make_data(repository, {"x": "old\n"})
    return repository


def test_what_nothing_names_is_deleted(pinned: Path) -> None:
    keep(pinned, b"stray")

    freed = gc(pinned)

    assert freed == Freed(n_entries=1, size=5)
    assert kept(pinned) == {b"old\n"}


def test_a_dataset_that_was_dropped_before_any_commit_goes_with_its_manifest(pinned: Path) -> None:
    forget(pinned)

    assert gc(pinned).n_entries == 2
    assert list((pinned / ".git/repro/store").glob("??/??/*")) == []


def test_what_came_within_the_period_of_grace_stays(pinned: Path) -> None:
    keep(pinned, b"stray")

    plan = plan_reclaim(later(pinned, 13), grace_days=14)

    assert (plan.unneeded, plan.young, plan.n_entries) == ((), 1, 3)
    assert gc(pinned, days=1, grace=0.5).n_entries == 1


def test_an_entry_that_is_a_new_name_of_an_old_file_is_young(pinned: Path) -> None:
    entry = ContentStore(pinned / ".git/repro/store").path_of(keep(pinned, b"stray"))
    os.utime(entry, (0, 0))

    assert gc(pinned, days=1).n_entries == 0


def test_what_is_counted_is_not_deleted(pinned: Path) -> None:
    digest = keep(pinned, b"stray")

    plan = plan_reclaim(later(pinned), grace_days=14)

    assert plan.unneeded == ((digest, 5),)
    assert kept(pinned) == {b"old\n", b"stray"}


def test_what_a_run_recorded_stays(pinned: Path) -> None:
    make_run(open_here(pinned))
    forget(pinned)

    gc(pinned)

    assert kept(pinned) == {b"old\n"}


def test_a_file_of_the_users_with_the_bytes_of_a_record_hides_nothing(pinned: Path) -> None:
    sums = subprocess.check_output(["sha256sum", "x"], cwd=pinned / "data/train")
    write_files(pinned, {"SHA256SUMS": sums, "artifacts/SHA256SUMS": sums})
    commit_all(pinned)
    make_run(open_here(pinned))
    record = git(pinned, "for-each-ref", "--format=%(objectname)", "refs/repro/runs/")
    blob = git(pinned, "rev-parse", "HEAD:SHA256SUMS")
    assert git(pinned, "rev-parse", f"{record}:data/train/.sha256") == blob
    git(pinned, "rm", "-q", "--cached", "repro.lock")
    git(pinned, "commit", "-q", "--amend", "-m", "without a lock")
    forget(pinned)
    git(pinned, "reflog", "expire", "--expire=now", "--all")

    gc(pinned)

    assert b"old\n" in kept(pinned)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("artifacts.json", '[{{"digest": "sha256:{}", "path": "a", "where": "store"}}]\n'),
        ("media.jsonl", '{{"file": {{"digest": "sha256:{}", "where": "store"}}}}\n'),
        ("metrics/store.json", '{{"metrics/0.csv": {{"digest": "sha256:{}", "size": 5}}}}\n'),
        ("output.log", "head\n… all of it is sha256:{} …\ntail\n"),
        ("data/d/in/.sha256", "{}  x\n"),
        ("something/new.json", '{{"what a later repro writes": "sha256:{}"}}\n'),
    ],
)
def test_whatever_a_record_names_stays(repository: Path, path: str, text: str) -> None:
    digest = keep(repository, b"named")
    data = text.format(digest.removeprefix("sha256:")).encode()
    write_run(open_at(repository), make_record(), files={path: data})

    assert gc(repository).n_entries == 0


@pytest.mark.parametrize("ref", ["refs/repro/remotes/origin/x", "refs/repro/trash/x"])
def test_a_fetched_run_and_one_in_the_trash_need_their_bytes(repository: Path, ref: str) -> None:
    digest = keep(repository, b"named").removeprefix("sha256:")
    files = {"data/d/.sha256": f"{digest}  x\n".encode()}
    commit = write_run(open_at(repository), make_record(), files=files).commit
    run = git(repository, "for-each-ref", "--format=%(refname)", "refs/repro/runs/")
    git(repository, "update-ref", ref, commit)
    git(repository, "update-ref", "-d", run)

    assert gc(repository).n_entries == 0
    git(repository, "update-ref", "-d", ref)
    assert gc(repository).n_entries == 1


def test_an_amended_run_needs_what_it_said_before(repository: Path) -> None:
    digest = keep(repository, b"named").removeprefix("sha256:")
    files = {"data/d/.sha256": f"{digest}  x\n".encode()}
    old = write_run(open_at(repository), make_record(), files=files).commit
    tree = git(repository, "mktree", stdin=git(repository, "ls-tree", f"{old}^").encode() + b"\n")
    ref = git(repository, "for-each-ref", "--format=%(refname)", "refs/repro/runs/")
    new = git(repository, "commit-tree", "-p", f"{old}^", "-p", old, "-m", "amended", tree)
    git(repository, "update-ref", ref, new)

    assert gc(repository).n_entries == 0


@pytest.mark.parametrize(
    "path", ["data/train/before", "data/train/after", "worktree/repro.lock", f"staged/{'0' * 40}"]
)
def test_what_an_undo_brings_back_stays(repository: Path, path: str) -> None:
    digest = keep(repository, b"named").removeprefix("sha256:")
    files = {"undo.json": format_json({}), path: f"file {digest} 5 x\n".encode()}
    write_run(open_at(repository), make_record(), files=files)
    run = git(repository, "for-each-ref", "--format=%(refname)", "refs/repro/runs/")
    git(repository, "update-ref", "refs/repro/undo/1", run)
    git(repository, "update-ref", "-d", run)

    assert gc(repository).n_entries == 0


def test_an_older_version_of_the_lock_in_the_history_needs_its_bytes(pinned: Path) -> None:
    commit_all(pinned)
    change(pinned)
    commit_all(pinned)

    gc(pinned)

    assert kept(pinned) == {b"old\n", b"new\n"}


def test_a_version_on_a_branch_that_a_merge_took_nothing_from_stays(pinned: Path) -> None:
    commit_all(pinned)
    git(pinned, "checkout", "-q", "-b", "side")
    change(pinned, "side\n")
    commit_all(pinned)
    git(pinned, "checkout", "-q", "main")
    write_files(pinned, {"data/train/x": "old\n"})
    add_data(pinned)
    write_files(pinned, {"other": "file\n"})
    commit_all(pinned)
    git(pinned, "merge", "-q", "-s", "ours", "-m", "merge", "side")
    git(pinned, "branch", "-D", "side")
    git(pinned, "reflog", "expire", "--expire=now", "--all")

    gc(pinned)

    assert kept(pinned) == {b"old\n", b"side\n"}


def test_a_version_that_only_a_reflog_still_has_stays_as_long_as_it_has_it(pinned: Path) -> None:
    commit_all(pinned)
    change(pinned)
    git(pinned, "commit", "-q", "-a", "--amend", "-m", "amended")

    assert gc(pinned).n_entries == 0
    git(pinned, "reflog", "expire", "--expire=now", "--all")
    assert gc(pinned).n_entries == 2
    assert kept(pinned) == {b"new\n"}


def test_a_version_in_a_stash_or_the_index_alone_stays(pinned: Path) -> None:
    commit_all(pinned)
    change(pinned, "stashed\n")
    git(pinned, "stash", "-q")
    change(pinned, "staged\n")
    git(pinned, "add", "repro.lock")
    change(pinned, "now\n")

    gc(pinned)

    assert kept(pinned) == {b"old\n", b"stashed\n", b"staged\n", b"now\n"}


def test_both_sides_of_a_conflict_stay(pinned: Path) -> None:
    commit_all(pinned)
    git(pinned, "checkout", "-q", "-b", "side")
    change(pinned, "side\n")
    commit_all(pinned)
    git(pinned, "checkout", "-q", "main")
    change(pinned, "main\n")
    commit_all(pinned)
    subprocess.run(["git", "merge", "-q", "side"], cwd=pinned, capture_output=True, check=False)
    assert "<<<<<<<" in (pinned / "repro.lock").read_text()

    gc(pinned)

    assert kept(pinned) == {b"old\n", b"side\n", b"main\n"}


def test_what_another_worktree_pins_without_a_commit_stays(pinned: Path, tmp_path: Path) -> None:
    commit_all(pinned)
    git(pinned, "worktree", "add", "-q", "--detach", "../beside")
    make_data(tmp_path / "beside", {"x": "beside\n"})

    assert gc(pinned).n_entries == 0
    assert gc(tmp_path / "beside").n_entries == 0
    assert kept(pinned) == {b"old\n", b"beside\n"}


def test_a_worktree_that_is_not_there_is_a_reason_to_delete_nothing(
    pinned: Path, tmp_path: Path
) -> None:
    keep(pinned, b"stray")
    git(pinned, "worktree", "add", "-q", "--detach", "../beside")
    shutil.rmtree(tmp_path / "beside")

    with pytest.raises(DamagedRecordError, match="beside` is not there") as refusal:
        gc(pinned)

    assert "`git worktree prune`" in (refusal.value.hint or "")
    git(pinned, "worktree", "prune")
    assert gc(pinned).n_entries == 1


def test_bytes_of_a_dataset_that_is_kept_now_stay_though_no_lock_names_them(pinned: Path) -> None:
    (pinned / "repro.lock").unlink()

    gc(pinned)

    assert kept(pinned) == {b"old\n"}


def test_large_files_of_git_lfs_that_a_snapshot_names_stay(repository: Path) -> None:
    digest = keep(repository, b"large").removeprefix("sha256:")
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize 5\n"
    write_files(repository, {"big.bin": pointer, ".git/lfs/x": ""})
    make_run(open_here(repository))

    assert gc(repository).n_entries == 0
    ref = git(repository, "for-each-ref", "--format=%(refname)", "refs/repro/runs/")
    git(repository, "update-ref", "-d", ref)
    assert gc(repository).n_entries == 1


def test_while_a_run_is_in_progress_nothing_is_deleted(pinned: Path) -> None:
    keep(pinned, b"stray")
    live = begin(open_here(pinned))

    with pytest.raises(BusyRepositoryError, match=f"`{live.id}` is in progress"):
        gc(pinned)

    live.journal.close()
    assert b"stray" in kept(pinned)


def test_a_run_that_started_meanwhile_stops_it(pinned: Path) -> None:
    keep(pinned, b"stray")
    project = later(pinned)
    plan = plan_reclaim(project, grace_days=14)
    live = begin(open_here(pinned))

    with pytest.raises(BusyRepositoryError):
        reclaim(project, plan)

    live.journal.close()
    assert b"stray" in kept(pinned)


def test_what_is_named_meanwhile_is_not_deleted(pinned: Path) -> None:
    by_run, by_lock = (keep(pinned, data).removeprefix("sha256:") for data in (b"run", b"lock"))
    project = later(pinned)
    plan = plan_reclaim(project, grace_days=14)
    assert len(plan.unneeded) == 2
    files = {"data/d/.sha256": f"{by_run}  x\n".encode()}
    write_run(open_at(pinned), make_record(), files=files)
    with (pinned / "repro.lock").open("a") as lock:
        lock.write(f"# {by_lock}\n")

    assert reclaim(project, plan).n_entries == 0
    assert {b"run", b"lock"} <= kept(pinned)


def test_an_unreadable_record_is_a_reason_to_delete_nothing(pinned: Path) -> None:
    make_run(open_here(pinned))
    keep(pinned, b"stray")
    for pack in list((pinned / ".git/objects/pack").glob("*.pack")):
        data = pack.read_bytes()
        pack.unlink()
        subprocess.run(["git", "unpack-objects", "-q"], cwd=pinned, input=data, check=True)
    ref = git(pinned, "for-each-ref", "--format=%(refname)", "refs/repro/runs/")
    for path in ("", "data/train", "data/train/.sha256", "artifacts.json"):
        oid = git(pinned, "rev-parse", f"{ref}:{path}")
        loose = pinned / ".git/objects" / oid[:2] / oid[2:]
        loose.rename(pinned / "aside")

        with pytest.raises((DamagedRecordError, GitError)):
            gc(pinned)

        (pinned / "aside").rename(loose)
    assert b"stray" in kept(pinned)
    assert gc(pinned).n_entries == 1


def test_an_unreadable_version_of_the_lock_is_a_reason_to_delete_nothing(pinned: Path) -> None:
    commit_all(pinned)
    keep(pinned, b"stray")
    oid = git(pinned, "rev-parse", "HEAD:repro.lock")
    (pinned / ".git/objects" / oid[:2] / oid[2:]).unlink()

    with pytest.raises((DamagedRecordError, GitError), match=oid):
        gc(pinned)

    assert b"stray" in kept(pinned)


def test_a_damaged_manifest_is_a_reason_to_delete_nothing_also_when_it_was_set_aside(
    pinned: Path,
) -> None:
    keep(pinned, b"stray")
    content = ContentStore(pinned / ".git/repro/store")
    digest = read_lock(pinned)["train"].manifest
    flip_bit(content.path_of(digest))

    with pytest.raises(DamagedRecordError, match="is damaged"):
        gc(pinned)
    content.set_aside(digest)
    with pytest.raises(DamagedRecordError, match="set aside"):
        gc(pinned)

    assert b"stray" in kept(pinned)


def test_wrong_settings_are_a_reason_to_delete_nothing(pinned: Path) -> None:
    keep(pinned, b"stray")
    project = later(pinned)
    write_files(pinned, {"repro.yaml": "data: [\n"})

    with pytest.raises(InvalidInputError):
        plan_reclaim(project, grace_days=14)


def test_a_manifest_that_was_never_here_is_no_hindrance(pinned: Path) -> None:
    keep(pinned, b"stray")
    content = ContentStore(pinned / ".git/repro/store")
    content.path_of(read_lock(pinned)["train"].manifest).unlink()

    assert gc(pinned).n_entries == 1


def test_unfinished_files_of_dead_processes_go(pinned: Path) -> None:
    incoming = pinned / ".git/repro/store/incoming"
    incoming.mkdir(exist_ok=True)
    (incoming / ".new.dead").touch()

    gc(pinned)

    assert list(incoming.iterdir()) == []


def test_a_repository_without_commits_or_a_store_is_no_error(tmp_path: Path) -> None:
    root = tmp_path / "empty"
    root.mkdir()
    git(root, "init", "-q")

    assert gc(root) == Freed(n_entries=0, size=0)


def test_a_submodules_own_store_can_be_cleared(pinned: Path, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "outer")
    add = ("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(pinned), "inner")
    git(tmp_path / "outer", *add)
    inner = tmp_path / "outer/inner"
    project = make_data(inner, {"x": "inner\n"})
    ContentStore(project.store).put_bytes(b"stray")

    assert gc(inner).n_entries == 1

import os
import shutil

import pytest
from tests.store.forms import submodule_inside
from tests.support import git, make_repository, write_files
from tests.support.doctors import drop_object, loosen, states_of
from tests.support.projects import make_run, open_here

from repro.core.doctor_code import check_base, check_code, check_lfs, check_submodules
from repro.core.query import resolve_run

needs_lfs = pytest.mark.skipif(shutil.which("git-lfs") is None, reason="git-lfs is not installed")


@pytest.fixture
def run(repository):
    """The record of a run with one changed and one new file."""
    write_files(repository, {"train.py": "print('changed')\n", "lib/new.py": "x = 1\n"})
    project = open_here(repository)
    record = resolve_run(project, make_run(project).id)
    loosen(repository)
    return record


def look(check, repository, record):
    [item] = check(open_here(repository), record)
    return item


def test_whole_code_is_ok(repository, run):
    item = look(check_code, repository, run)

    assert states_of([item]) == [("code", "ok")]
    assert item.detail == "all 4 objects of the snapshot are here"
    assert item.hint is None


def test_a_file_that_is_gone_is_named(repository, run):
    drop_object(repository, f"{run.run.snapshot}:lib/new.py")

    item = look(check_code, repository, run)

    assert states_of([item]) == [("code", "missing")]
    assert "1 of 4 objects of the snapshot are gone: `lib/new.py`" in item.detail
    assert run.run.id in item.hint


def test_a_folder_that_is_gone_is_named(repository, run):
    drop_object(repository, f"{run.run.snapshot}:lib")

    item = look(check_code, repository, run)

    assert states_of([item]) == [("code", "missing")]
    assert "`lib`" in item.detail


def test_a_snapshot_that_is_gone_is_missing(repository, run):
    drop_object(repository, run.run.snapshot)

    item = look(check_code, repository, run)

    assert states_of([item]) == [("code", "missing")]


def test_a_damaged_snapshot_is_missing(repository, run):
    drop_object(repository, f"{run.run.snapshot}^{{tree}}")

    item = look(check_code, repository, run)

    assert states_of([item]) == [("code", "missing")]
    assert "is damaged" in item.detail


def test_what_a_partial_clone_lacks_is_degraded_and_not_fetched(repository, run, tmp_path):
    git(repository, "config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "clone"
    lazily = ("-q", "--filter=blob:none")
    git(tmp_path, "clone", *lazily, "--no-checkout", f"file://{repository}", str(clone))
    refs = "refs/repro/*:refs/repro/*"
    git(clone, "fetch", *lazily, "origin", refs)
    project = open_here(clone)
    record = resolve_run(project, run.run.id)
    before = sorted(os.listdir(clone / ".git/objects/pack"))

    [item] = check_code(project, record)

    assert states_of([item]) == [("code", "degraded")]
    assert "only on the remote" in item.detail
    assert sorted(os.listdir(clone / ".git/objects/pack")) == before


def test_a_base_on_a_branch_is_ok(repository, run):
    item = look(check_base, repository, run)

    assert states_of([item]) == [("base", "ok")]
    assert "is on `main`" in item.detail
    assert item.hint is None


def test_a_rebased_and_deleted_branch_is_told(repository):
    git(repository, "checkout", "-q", "-b", "topic")
    git(repository, "commit", "-q", "--allow-empty", "-m", "work")
    project = open_here(repository)
    record = resolve_run(project, make_run(project).id)
    git(repository, "commit", "-q", "--amend", "--allow-empty", "-m", "work, rebased")
    git(repository, "checkout", "-q", "main")
    git(repository, "branch", "-q", "-D", "topic")
    git(repository, "reflog", "expire", "--expire=now", "--all")
    git(repository, "gc", "-q", "--prune=now")

    item = look(check_base, repository, record)

    assert states_of([item]) == [("base", "ok")]
    assert "on no branch any more" in item.detail
    assert "its branch `topic` is gone" in item.detail
    assert record.run.base[:10] in item.hint
    assert states_of(check_code(project, record)) == [("code", "ok")]


def test_a_base_that_is_gone_is_missing(repository, run):
    drop_object(repository, run.run.base)

    assert states_of([look(check_base, repository, run)]) == [("base", "missing")]


def test_a_run_before_the_first_commit_has_no_base_to_lose(tmp_path):
    root = tmp_path / "empty"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    write_files(root, {"train.py": "1\n"})
    project = open_here(root)
    record = resolve_run(project, make_run(project).id)

    assert states_of(check_base(project, record)) == [("base", "ok")]
    assert states_of(check_code(project, record)) == [("code", "ok")]


def test_a_run_without_submodules_has_no_such_item(repository, run):
    assert list(check_submodules(open_here(repository), run)) == []


def test_a_submodule_whose_commit_is_here_is_ok(tmp_path):
    root = submodule_inside(tmp_path)
    project = open_here(root)
    record = resolve_run(project, make_run(project).id)

    assert states_of(check_submodules(project, record)) == [("submodules", "ok")]


def unborn_submodule(tmp_path):
    """A project whose submodule was never filled, and its record."""
    inner = make_repository(tmp_path / "inner", {"lib.py": "1\n"})
    outer = make_repository(tmp_path / "outer")
    allow = ("-c", "protocol.file.allow=always")
    git(outer, *allow, "submodule", "--quiet", "add", str(inner), "vendor")
    git(outer, "commit", "-q", "-m", "vendor")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(outer), str(clone))
    project = open_here(clone)
    return project, resolve_run(project, make_run(project).id), inner


def test_a_submodule_that_must_be_fetched_is_degraded_and_says_from_where(tmp_path):
    project, record, inner = unborn_submodule(tmp_path)

    [item] = check_submodules(project, record)

    assert states_of([item]) == [("submodules", "degraded")]
    assert f"`vendor` at {git(inner, 'rev-parse', 'HEAD')[:10]}" in item.detail
    assert str(inner) in item.detail


def test_a_submodule_that_nobody_has_is_missing(tmp_path):
    project, _, _ = unborn_submodule(tmp_path)
    root = project.repository.root
    git(root, "rm", "-q", "--cached", ".gitmodules")
    (root / ".gitmodules").unlink()
    git(root, "commit", "-q", "-m", "no more")
    record = resolve_run(project, make_run(project).id)

    assert states_of(check_submodules(project, record)) == [("submodules", "missing")]


def test_recorded_content_of_a_submodule_that_is_gone_is_missing(tmp_path):
    root = submodule_inside(tmp_path)
    inner = next(path.parent for path in root.glob("*/.git"))
    write_files(inner, {"new.py": "only in the record\n"})
    project = open_here(root)
    record = resolve_run(project, make_run(project).id)
    assert states_of(check_submodules(project, record)) == [("submodules", "ok")]
    loosen(root)
    drop_object(root, f"{record.commit}:submodules/{inner.name}/new.py")

    assert states_of(check_submodules(project, record)) == [("submodules", "missing")]


def make_large(root):
    """The project and a run of it whose large file is of git-lfs."""
    git(root, "init", "-q", "-b", "main")
    git(root, "lfs", "install", "--local")
    write_files(root, {".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n"})
    write_files(root, {"model.bin": "large"})
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "first")
    project = open_here(root)
    return project, resolve_run(project, make_run(project).id)


@needs_lfs
def test_large_files_that_are_here_are_ok(tmp_path):
    tmp_path.joinpath("large").mkdir()
    project, record = make_large(tmp_path / "large")

    [item] = check_lfs(project, record)

    assert states_of([item]) == [("lfs", "ok")]


@needs_lfs
def test_large_files_that_only_the_content_store_has_are_ok(tmp_path):
    root = tmp_path / "large"
    root.mkdir()
    project, record = make_large(root)
    shutil.rmtree(root / ".git/lfs/objects")

    assert states_of(check_lfs(project, record)) == [("lfs", "ok")]


@needs_lfs
@pytest.mark.parametrize(("remote", "state"), [(True, "degraded"), (False, "missing")])
def test_large_files_that_are_not_here(tmp_path, remote, state):
    root = tmp_path / "large"
    root.mkdir()
    project, record = make_large(root)
    shutil.rmtree(root / ".git/lfs/objects")
    shutil.rmtree(root / ".git/repro/store")
    if remote:
        git(root, "remote", "add", "origin", str(tmp_path / "nowhere"))

    [item] = check_lfs(project, record)

    assert states_of([item]) == [("lfs", state)]
    assert "1 of 1 large file (5 bytes)" in item.detail


def test_a_run_without_large_files_has_no_such_item(repository, run):
    assert list(check_lfs(open_here(repository), run)) == []

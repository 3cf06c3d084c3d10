"""A checkout that cannot be done whole: refused, or everything is as it was."""

from pathlib import Path

import pytest
from tests.support import git, write_files
from tests.support.checkouts import assert_sound, check_out_run, record
from tests.support.projects import NOW, open_here
from tests.support.trees import read_state

from repro.core.query import resolve_run
from repro.core.restore import check_out
from repro.core.undo import undo
from repro.errors import (
    BusyRepositoryError,
    GitError,
    StorageError,
    WouldLoseWorkError,
)


def test_an_inner_repository_in_the_way_is_refused_even_with_save(repository):
    write_files(repository, {"x": "1"})
    run = record(repository)
    (repository / "x").unlink()
    (repository / "x").mkdir()
    git(repository / "x", "init", "-q")
    write_files(repository / "x", {"y": "mine\n"})
    before = read_state(repository)

    with pytest.raises(WouldLoseWorkError) as refused:
        check_out_run(repository, run, save=True)

    assert refused.value.paths == ("x",)
    assert before == read_state(repository)


def merge(root: Path) -> None:
    git(root, "merge", "-q", "--no-ff", "--no-commit", "side")


def cherry_pick(root: Path) -> None:
    conflict(root, "cherry-pick", "other")


def revert(root: Path) -> None:
    conflict(root, "revert", "--no-edit", "HEAD~1")


def rebase(root: Path) -> None:
    conflict(root, "rebase", "other")


def apply_rebase(root: Path) -> None:
    conflict(root, "rebase", "--apply", "other")


def am(root: Path) -> None:
    patch = git(root, "format-patch", "-1", "--stdout", "other")
    conflict(root, "am", "-q", stdin=patch.encode() + b"\n")


def bisect(root: Path) -> None:
    git(root, "bisect", "start", "HEAD", "HEAD~1")


def conflict(root: Path, *args: str, stdin: bytes | None = None) -> None:
    with pytest.raises(AssertionError):
        git(root, *args, stdin=stdin)


@pytest.mark.parametrize("start", [merge, cherry_pick, revert, rebase, apply_rebase, am, bisect])
def test_in_the_middle_of_something_it_is_refused(repository, start):
    run = record(repository)
    check_out_run(repository, run)
    git(repository, "switch", "-q", "main")
    for branch, content in (("side", "s"), ("other", "o")):
        git(repository, "checkout", "-q", "-b", branch, "main")
        write_files(repository, {f"{branch}.txt": content, "train.py": content * (branch > "r")})
        if branch == "other":
            write_files(repository, {"train.py": "other\n"})
        else:
            git(repository, "checkout", "-q", "--", "train.py")
        git(repository, "add", "-A")
        git(repository, "commit", "-q", "-m", branch)
    git(repository, "checkout", "-q", "main")
    for text in ("mine\n", "mine again\n"):
        write_files(repository, {"train.py": text})
        git(repository, "commit", "-q", "-a", "-m", text)
    start(repository)
    before = read_state(repository)

    for save in (False, True):
        with pytest.raises(BusyRepositoryError):
            check_out_run(repository, run, save=save)
        with pytest.raises(BusyRepositoryError):
            undo(open_here(repository), save=save)

    assert before == read_state(repository)


def test_a_held_index_lock_is_refused(repository, dirty):
    (repository / ".git/index.lock").touch()
    before = read_state(repository)

    with pytest.raises(BusyRepositoryError):
        check_out_run(repository, dirty)

    assert before == read_state(repository)
    (repository / ".git/index.lock").unlink()


def test_a_filter_that_fails_half_way_leaves_everything_as_it_was(repository):
    write_files(
        repository, {".gitattributes": "z/* filter=bad\n", "a": "1", "z/b": "2", "c/d": "3"}
    )
    run = record(repository)
    git(repository, "stash", "-q", "-u")
    write_files(repository, {"train.py": "mine\n"})
    git(repository, "config", "core.autocrlf", "true")
    git(repository, "config", "filter.bad.smudge", "false")
    git(repository, "config", "filter.bad.required", "true")
    before = read_state(repository)

    with pytest.raises(GitError):
        check_out_run(repository, run, save=True)

    assert before == read_state(repository)
    assert_sound(repository)


def test_a_failure_half_way_takes_nothing_that_was_written_meanwhile(repository):
    write_files(repository, {"notes.txt": "first\n"})
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "notes")
    write_files(repository, {".gitattributes": "z/* filter=bad\n", "a": "1", "z/b": "2"})
    run = record(repository)
    git(repository, "stash", "-q", "-u")
    git(repository, "config", "filter.bad.smudge", "echo later > notes.txt; false")
    git(repository, "config", "filter.bad.required", "true")

    with pytest.raises(GitError):
        check_out_run(repository, run)

    assert (repository / "notes.txt").read_text() == "later\n"
    assert not (repository / "a").exists()
    assert not (repository / ".gitattributes").exists()


@pytest.mark.parametrize(("path", "code"), [("train.py", " M"), ("new.py", "??")])
def test_what_is_written_while_a_checkout_begins_is_refused_and_stays(repository, path, code):
    write_files(repository, {"train.py": "of the run\n", "new.py": "of the run\n"})
    run = record(repository)
    git(repository, "stash", "-q", "-u")

    def clock() -> float:  # read when the present state is already known
        write_files(repository, {path: "written meanwhile\n"})
        return NOW

    with pytest.raises(WouldLoseWorkError) as refused:
        check_out(open_here(repository, clock), resolve_run(open_here(repository), run))

    assert refused.value.paths == (path,)
    assert (repository / path).read_text() == "written meanwhile\n"
    assert git(repository, "status", "--porcelain") == f"{code} {path}"
    assert git(repository, "for-each-ref", "refs/repro/undo") == ""
    assert_sound(repository)


@pytest.mark.parametrize("was", ["edited", "new", "gone"])
def test_a_folder_that_cannot_be_written_leaves_everything_as_it_was(repository, locked, was):
    write_files(repository, {"a.txt": "1\n", "in/a.txt": "1\n", "in/b.txt": "1\n", "z.txt": "1\n"})
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "a folder")
    write_files(repository, {"a.txt": "2\n", "z.txt": "2\n"})
    path = repository / "in/new.txt" if was == "new" else repository / "in/b.txt"
    if was == "gone":
        path.unlink()
    else:
        path.write_text("2\n")
    run = record(repository)
    git(repository, "stash", "-q", "-u")
    locked(repository / "in")
    before = read_state(repository)

    with pytest.raises(StorageError, match=path.name):
        check_out_run(repository, run)

    assert before == read_state(repository)
    assert_sound(repository)

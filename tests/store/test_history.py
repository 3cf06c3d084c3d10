"""What commits stand on, and what of them another repository lacks."""

import os
from pathlib import Path

import pytest
from tests.support import git, write_files

from repro.errors import GitError
from repro.store.git import Git, open_repository
from repro.store.history import (
    count_bytes,
    find_here,
    is_whole,
    list_earlier,
    list_paths,
    stands_on,
)

ABSENT = "1" * 40


@pytest.fixture
def plain(repository: Path) -> Git:
    return open_repository(repository, os.environ).git


def commit(root: Path, *parents: str) -> str:
    words = [word for parent in parents for word in ("-p", parent)]
    return git(root, "commit-tree", "HEAD^{tree}", "-m", f"{len(parents)} {parents}", *words)


def test_a_commit_stands_on_itself_and_its_ancestors_and_on_none_that_is_missing(repository, plain):
    base = git(repository, "rev-parse", "HEAD")
    newer = commit(repository, base)
    asked = [(newer, base), (base, base), (base, newer), (newer, ABSENT), (ABSENT, base)]
    expected = [True, True, False, False, False]
    assert [stands_on(plain, one, other) for one, other in asked] == expected


def test_an_amended_run_stands_on_what_it_was(repository, plain):
    base = git(repository, "rev-parse", "HEAD")
    first = commit(repository, base)
    second = commit(repository, base, first)
    third = commit(repository, base, second)

    assert list_earlier(plain, [third, first]) == {third: {first, second}, first: set()}


def test_a_merged_run_stands_on_both(repository, plain):
    base = git(repository, "rev-parse", "HEAD")
    first = commit(repository, base)
    left = commit(repository, base, first)
    right = git(repository, "commit-tree", "HEAD^{tree}", "-m", "r", "-p", base, "-p", first)
    merged = commit(repository, base, left, right)

    assert list_earlier(plain, [merged])[merged] == {first, left, right}


def test_nothing_asked_starts_no_process(tmp_path):
    nowhere = Git(tmp_path / "gone", {})
    assert list_earlier(nowhere, []) == {}
    assert find_here(nowhere, []) == []


def test_commits_that_are_not_here_are_passed_over(repository, plain):
    head = git(repository, "rev-parse", "HEAD")
    blob = git(repository, "hash-object", "-w", "--stdin", stdin=b"x")
    git(repository, "tag", "-am", "v1", "v1")
    tag = git(repository, "rev-parse", "v1")

    assert set(find_here(plain, [ABSENT, head, blob, tag])) == {head}


def test_only_what_is_new_is_counted(repository, plain):
    base = git(repository, "rev-parse", "HEAD")
    write_files(repository, {"big.bin": os.urandom(50_000)})
    git(repository, "add", "big.bin")
    git(repository, "commit", "-qm", "big")
    tip = git(repository, "rev-parse", "HEAD")

    assert 50_000 < count_bytes(plain, [tip], [base]) < 52_000
    assert count_bytes(plain, [tip], [tip]) == 0
    assert list_paths(plain, [tip], [base]) == ["big.bin"]


def test_a_missing_object_is_told(repository, plain):
    base = git(repository, "rev-parse", "HEAD")
    write_files(repository, {"a.txt": "gone soon"})
    git(repository, "add", "a.txt")
    git(repository, "commit", "-qm", "a")
    tip, blob = git(repository, "rev-parse", "HEAD", "HEAD:a.txt").split()
    (repository / ".git/objects" / blob[:2] / blob[2:]).unlink()

    assert not is_whole(plain, tip, [base])
    assert is_whole(plain, base, [])
    with pytest.raises(GitError):
        count_bytes(plain, [tip], [base])

from pathlib import Path

import pytest
from tests.support import git
from tests.support.projects import open_here

from repro.errors import InvalidInputError
from repro.store.personal import Personal, read_personal


def read(root: Path) -> Personal:
    return read_personal(open_here(root).repository.git)


def test_without_settings_nothing_is_signed(repository: Path) -> None:
    assert read(repository) == Personal(sign=False)


@pytest.mark.parametrize(
    ("text", "is_set"),
    [("true", True), ("Yes", True), ("on", True), ("1", True), ("-2", True),
     ("false", False), ("no", False), ("off", False), ("0", False), ("", False)],
)  # fmt: skip
def test_booleans_are_read_as_git_reads_them(repository: Path, text: str, is_set: bool) -> None:
    git(repository, "config", "repro.sign", text)
    assert read(repository).sign == is_set


def test_a_key_without_any_value_is_true(repository: Path) -> None:
    with (repository / ".git" / "config").open("a") as file:
        file.write("[repro]\n\tsign\n")
    assert read(repository).sign


def test_what_is_neither_is_refused_by_name(repository: Path) -> None:
    git(repository, "config", "repro.sign", "per\nhaps\x1b")
    with pytest.raises(InvalidInputError, match=r"`repro.sign` is `per\\nhaps\\x1b`"):
        read(repository)


@pytest.mark.parametrize(
    ("text", "remote"),
    [("true", ""), ("1", ""), ("false", None), ("", None), ("0", None), ("team", "team")],
)
def test_runs_are_pushed_to_the_usual_remote_or_a_named_one(
    repository: Path, text: str, remote: str | None
) -> None:
    git(repository, "config", "repro.autopush", text)
    assert read(repository).autopush == remote


@pytest.mark.parametrize(("text", "seconds"), [("60s", 60.0), ("1m30s", 90.0), ("false", None)])
def test_runs_are_published_so_often(repository: Path, text: str, seconds: float | None) -> None:
    git(repository, "config", "repro.live", text)
    assert read(repository).live_s == seconds


@pytest.mark.parametrize("text", ["true", "60", "0s", "soon"])
def test_a_time_that_is_none_is_refused_by_name(repository: Path, text: str) -> None:
    git(repository, "config", "repro.live", text)
    with pytest.raises(InvalidInputError, match=r"`repro\.live` is "):
        read(repository)


def test_other_keys_are_passed_over(repository: Path) -> None:
    git(repository, "config", "repro.origin.carrier", "refs/heads/repro")
    assert read(repository) == Personal()


def test_a_project_asks_once(repository: Path) -> None:
    project = open_here(repository)
    assert not project.personal.sign
    git(repository, "config", "repro.sign", "true")
    assert not project.personal.sign
    assert open_here(repository).personal.sign

"""The git program: asked once what it is, refused where it is too old."""

import os
import shutil
from pathlib import Path

import pytest
from tests.support import git

from repro.errors import UnsupportedRepositoryError
from repro.store.git import open_repository


def stand_in(folder: Path, version: str) -> dict[str, str]:
    """An environment whose git says that it is `version`, and writes down what it is asked."""
    folder.mkdir()
    program = folder / "git"
    says = f'*version) echo git version {version};; *) {shutil.which("git")} "$@";;'
    program.write_text(f'#!/bin/sh\necho "$*" >> {folder}/asked\ncase "$*" in {says} esac\n')
    program.chmod(0o755)
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}


def test_git_is_asked_for_its_version_once_in_a_process(repository: Path, tmp_path: Path) -> None:
    environ = stand_in(tmp_path / "bin", "2.39.5")

    versions = [open_repository(repository, environ).git.version for _ in range(3)]

    asked = (tmp_path / "bin/asked").read_text().splitlines()
    assert versions == [(2, 39, 5)] * 3
    assert len([line for line in asked if line.endswith("version")]) == 1


def test_a_git_that_is_too_old_is_refused_by_name(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedRepositoryError, match=r"git 2\.30\.2 is too old"):
        open_repository(repository, stand_in(tmp_path / "bin", "2.30.2"))


def test_a_name_that_stands_for_nothing_is_none_and_never_an_option(repository):
    opened = open_repository(repository, os.environ).git
    head = git(repository, "rev-parse", "HEAD")

    assert opened.find("HEAD") == head
    assert opened.find(f"{head}^{{tree}}") == git(repository, "rev-parse", "HEAD^{tree}")
    for name in ("--all", "--git-dir", "-h", "refs/heads/nowhere", f"{head}:nothing", ""):
        assert opened.find(name) is None, name

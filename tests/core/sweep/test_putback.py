"""An isolated tree is put back as it was laid out, or said not to be."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.store.forms import submodule_inside
from tests.support import git, write_files
from tests.support.datasets import add_data, commit_all, make_data
from tests.support.projects import make_run, open_here

from repro.core.isolation import Isolated, isolated
from repro.core.query import resolve_run
from repro.core.sweep.putback import Pristine


@contextmanager
def laid_out(root: Path) -> Iterator[tuple[Isolated, Pristine]]:
    """A tree of a run of what is at `root` now."""
    project = open_here(root)
    record = resolve_run(project, make_run(project).id)
    with isolated(project, record) as (isolation, _):
        yield isolation, Pristine(project, isolation)


def all_in(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Mode and content of all that is in a folder, empty folders included, and its HEAD."""
    found = {"HEAD": (0, git(folder, "rev-parse", "--symbolic-full-name", "HEAD").encode())}
    for path in sorted(folder.rglob("*")):
        mode = path.lstat().st_mode
        if path.is_symlink():
            data = os.fsencode(path.readlink())
        else:
            data = path.read_bytes() if path.is_file() else b""
        found[path.relative_to(folder).as_posix()] = (mode, data)
    return found


def test_nothing_that_a_run_did_to_the_tree_stays(repository: Path) -> None:
    write_files(repository, {
        ".gitignore": "*.log\nout/\n", "a.py": "a\n", "b.py": "b\n", "in/c.py": "c\n",
        "run.sh": "#!/bin/sh\n", "d.py": "d\n",
    })  # fmt: skip
    (repository / "link").symlink_to("a.py")
    commit_all(repository)
    with laid_out(repository) as (isolation, pristine):
        folder = isolation.folder
        before = all_in(folder)
        write_files(folder, {
            "a.py": "changed\n", "new.txt": "new\n", "x.log": "ignored\n", "out/deep/y": "y\n",
            ".gitignore": "", "odd \n name": "odd\n",
        })  # fmt: skip
        (folder / "empty" / "deep").mkdir(parents=True)
        (folder / "in" / "none").mkdir()
        (folder / "out").chmod(0o500)
        for place in ("pipe", "in/pipe", "empty/deep/pipe"):
            os.mkfifo(folder / place)
        (folder / "b.py").unlink()
        (folder / "run.sh").chmod(0o755)
        (folder / "link").unlink()
        (folder / "link").mkdir()
        git(folder, "rm", "-q", "--cached", "-r", "in")
        git(folder, "init", "-q", "inner")
        shutil.rmtree(folder / "in")
        (folder / "in").write_text("a file now\n")
        git(folder, "checkout", "-q", "-b", "mine")
        git(folder, "commit", "-q", "-m", "of the run")

        assert pristine.put_back()
        assert all_in(folder) == before
        assert git(folder, "status", "--porcelain", "--ignored") == ""


def test_pipes_that_a_run_left_among_its_code_go(repository: Path) -> None:
    write_files(repository, {"in/deep/a.py": "a\n"})
    commit_all(repository)
    with laid_out(repository) as (isolation, pristine):
        before = all_in(isolation.folder)
        os.mkfifo(isolation.folder / "in/deep/pipe")
        assert pristine.put_back()
        assert all_in(isolation.folder) == before


@pytest.mark.parametrize(
    "words",
    [
        ("update-index", "--assume-unchanged", "a.py"),
        ("update-index", "--skip-worktree", "a.py"),
        ("sparse-checkout", "set", "--no-cone", "/b.py"),
    ],
)
def test_a_tree_in_which_git_was_told_to_look_away_is_not_used_again(
    repository: Path, words: tuple[str, ...]
) -> None:
    write_files(repository, {"a.py": "a\n", "b.py": "b\n"})
    commit_all(repository)
    with laid_out(repository) as (isolation, pristine):
        assert pristine.put_back()
        git(isolation.folder, *words)
        (isolation.folder / "a.py").write_text("changed\n")
        assert not pristine.put_back()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look into any folder")
@pytest.mark.parametrize("mode", [0o000, 0o500])
def test_a_tree_that_a_run_closed_against_its_owner_is_taken_away(
    repository: Path, mode: int
) -> None:
    write_files(repository, {"a.py": "a\n"})
    commit_all(repository)
    with laid_out(repository) as (isolation, pristine):
        isolation.packages.mkdir(exist_ok=True)
        for folder in (isolation.folder, isolation.packages):
            (folder / "new").mkdir()
            (folder / "new").chmod(mode)
            folder.chmod(mode)
        pristine.put_back()
    assert not list(isolation.folder.parent.iterdir())
    assert len(git(repository, "worktree", "list").splitlines()) == 1


def test_a_dataset_stays_where_it_is_and_comes_anew_where_it_was_changed(
    repository: Path,
) -> None:
    (repository / ".gitignore").write_text("data/\n")
    make_data(repository, path="data/train")
    write_files(repository, {"data/other/x.txt": "x\n"})
    add_data(repository, "data/other")
    commit_all(repository)
    with laid_out(repository) as (isolation, pristine):
        folder = isolation.folder
        before = all_in(folder)
        kept = (folder / "data/other/x.txt").lstat().st_ino
        target = folder / "data/train/in/three.txt"
        target.unlink()
        target.write_text("thre3\n")
        write_files(folder, {"data/train/new": "new\n", "data/beside": "new\n"})

        assert pristine.put_back()
        assert all_in(folder) == before
        assert (folder / "data/other/x.txt").lstat().st_ino == kept

        shutil.rmtree(folder / "data/train")
        assert pristine.put_back()
        assert all_in(folder) == before


def test_what_no_git_looks_into_is_as_it_was_or_the_tree_is_given_up(tmp_path: Path) -> None:
    root = submodule_inside(tmp_path)
    with laid_out(root) as (isolation, pristine):
        [inner] = [isolation.folder / path for path in isolation.beside.submodules]
        before = all_in(isolation.folder)
        write_files(inner, {"new.txt": "new\n", "deep/x": "x\n"})
        assert pristine.put_back()
        assert all_in(isolation.folder) == before

        next(path for path in inner.iterdir() if path.is_file()).write_text("changed\n")
        assert not pristine.put_back()


def test_compiled_python_stays_only_where_its_source_is_as_laid_out(repository: Path) -> None:
    write_files(repository, {".gitignore": "__pycache__/\n", "a.py": "a\n", "in/b.py": "b\n"})
    commit_all(repository)
    with laid_out(repository) as (isolation, pristine):
        folder = isolation.folder
        time.sleep(0.02)  # a tick of the clock of the file system
        (folder / "a.py").write_text("b\n")
        write_files(folder, {
            "__pycache__/a.cpython-311.pyc": "of another source\n",
            "__pycache__/gone.cpython-311.pyc": "of no source\n",
            "__pycache__/left.txt": "something else\n",
            "in/__pycache__/b.cpython-311.pyc": "good\n",
            "out/__pycache__/c.cpython-311.pyc": "in a new folder\n",
        })  # fmt: skip

        assert pristine.put_back()
        left = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))
        assert [path for path in left if "__pycache__" in path] == [
            "in/__pycache__/b.cpython-311.pyc"
        ]
        assert (folder / "a.py").read_text() == "a\n"


def test_compiled_python_that_git_would_take_does_not_stay(repository: Path) -> None:
    write_files(repository, {"a.py": "a\n"})
    commit_all(repository)
    with laid_out(repository) as (isolation, pristine):
        write_files(isolation.folder, {"__pycache__/a.cpython-311.pyc": "good\n"})

        assert pristine.put_back()
        assert not (isolation.folder / "__pycache__").exists()


@pytest.mark.parametrize("harm", ["no git", "another git", "index locked"])
def test_a_tree_that_cannot_be_put_back_is_said_to_be_one(repository: Path, harm: str) -> None:
    write_files(repository, {"a.py": "a\n"})
    commit_all(repository)
    with laid_out(repository) as (isolation, pristine):
        folder = isolation.folder
        (folder / "a.py").write_text("changed\n")
        if harm == "index locked":
            (isolation.project.repository.git_dir / "index.lock").touch()
        else:
            (folder / ".git").unlink()
        if harm == "another git":
            git(folder, "init", "-q")
        assert not pristine.put_back()

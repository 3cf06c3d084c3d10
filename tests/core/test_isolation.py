"""A run's tree laid out again beside everything, and taken away without a trace."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support import git, make_repository, write_files
from tests.support.datasets import add_data
from tests.support.projects import make_run, open_here
from tests.support.restores import everything, read_all

from repro.core.isolation import folder_of_worktrees, isolated, look_at_tree
from repro.core.query import resolve_run


def test_the_tree_is_the_runs_and_the_users_own_is_not_touched(repository: Path) -> None:
    write_files(repository, {"a.py": "first\n", "new.txt": "untracked\n"})
    project = open_here(repository)
    run = make_run(project)
    write_files(repository, {"a.py": "second\n"})
    before = everything(repository)

    with isolated(project, resolve_run(project, run.id)) as (place, _):
        assert (place.folder / "a.py").read_text() == "first\n"
        assert (place.folder / "new.txt").read_text() == "untracked\n"
        assert place.project.repository.root == place.folder
        (place.folder / "a.py").write_text("third\n")

    assert everything(repository) == before
    assert not list(folder_of_worktrees(project).iterdir())
    assert len(git(repository, "worktree", "list").splitlines()) == 1


def test_the_folder_of_the_command_is_there_although_git_keeps_no_empty_one(
    repository: Path,
) -> None:
    (repository / "work").mkdir()
    project = open_here(repository)
    run = make_run(project, cwd=repository / "work")

    with isolated(project, resolve_run(project, run.id)) as (place, _):
        assert place.cwd == place.folder / "work"
        assert place.cwd.is_dir()


def test_an_exception_takes_the_tree_away_as_well(repository: Path) -> None:
    project = open_here(repository)
    record = resolve_run(project, make_run(project).id)

    with pytest.raises(KeyboardInterrupt), isolated(project, record):
        raise KeyboardInterrupt

    assert not list(folder_of_worktrees(project).iterdir())


def test_a_kept_tree_stays_and_the_next_one_has_another_place(repository: Path) -> None:
    project = open_here(repository)
    record = resolve_run(project, make_run(project).id)

    with isolated(project, record) as (first, pad):
        pad.is_kept = True
    with isolated(project, record) as (second, _):
        assert second.folder != first.folder

    assert first.folder.is_dir()
    assert not second.folder.exists()
    git(repository, "worktree", "remove", str(first.folder))


def test_the_tree_of_a_killed_process_goes_when_the_next_one_is_made(repository: Path) -> None:
    project = open_here(repository)
    run = make_run(project)
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from tests.support.projects import open_here\n"
        "from repro.core.isolation import isolated\n"
        "from repro.core.query import resolve_run\n"
        "project = open_here(Path.cwd())\n"
        "with isolated(project, resolve_run(project, sys.argv[1])):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    top = Path(__file__).parents[2]
    subprocess.run(
        [sys.executable, "-c", code, run.id],
        cwd=repository,
        env={**os.environ, "PYTHONPATH": str(top)},
        check=False,
    )
    dead = folder_of_worktrees(project) / run.id
    assert dead.is_dir()

    with isolated(project, resolve_run(project, run.id)) as (place, _):
        assert place.folder == dead
        assert (place.folder / ".git").is_file()

    assert not list(folder_of_worktrees(project).iterdir())
    assert len(git(repository, "worktree", "list").splitlines()) == 1


def test_files_that_a_command_made_are_listed_without_its_droppings(repository: Path) -> None:
    write_files(repository, {".gitignore": "*.npy\n", "a.py": "1\n"})
    git(repository, "add", "--all")
    git(repository, "commit", "-qm", "all")
    project = open_here(repository)

    with isolated(project, resolve_run(project, make_run(project).id)) as (place, _):
        before = look_at_tree(place)
        assert before.files == {}
        write_files(
            place.folder,
            {"a.py": "2\n", "b.txt": "", "c.npy": "", "__pycache__/a.pyc": "", "d/e.txt": ""},
        )
        after = look_at_tree(place)
        assert after.changes_since(before) == ["a.py", "b.txt", "c.npy", "d/e.txt"]
        write_files(place.folder, {"c.npy": "changed", "d/e.txt": ""})
        (place.folder / "b.txt").unlink()
        assert {"b.txt", "c.npy"} <= set(look_at_tree(place).changes_since(after))


def test_a_killed_process_leaves_the_tree_in_which_the_user_worked(repository: Path) -> None:
    project = open_here(repository)
    run = make_run(project)
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from tests.support.projects import open_here\n"
        "from repro.core.isolation import isolated\n"
        "from repro.core.query import resolve_run\n"
        "project = open_here(Path.cwd())\n"
        "with isolated(project, resolve_run(project, sys.argv[1]), is_for_work=True) as (one, _):\n"
        "    (one.folder / 'mine').touch()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    top = Path(__file__).parents[2]
    subprocess.run(
        [sys.executable, "-c", code, run.id],
        cwd=repository,
        env={**os.environ, "PYTHONPATH": str(top)},
        check=False,
    )

    for _ in range(2):
        with isolated(project, resolve_run(project, run.id)):
            pass

    assert [path.name for path in folder_of_worktrees(project).iterdir()] == [run.id]
    assert (folder_of_worktrees(project) / run.id / "mine").exists()


def test_submodules_that_are_here_are_filled_and_others_are_said_to_be_empty(
    repository: Path, tmp_path: Path
) -> None:
    deep = make_repository(tmp_path / "deep", {"d.py": "deep\n"})
    inner = make_repository(tmp_path / "inner", {"m.py": "old\n"})
    allow = ("-c", "protocol.file.allow=always", "submodule", "add", "-q")
    git(inner, *allow, str(deep), "deep")
    git(inner, "commit", "-qm", "deep")
    git(repository, *allow, str(inner), "lib/sub")
    git(repository, *allow, str(deep), "gone")
    update = ("-c", "protocol.file.allow=always", "submodule", "update", "-q", "--init")
    git(repository, *update, "--recursive")
    git(repository, "commit", "-qm", "submodules")
    project = open_here(repository)
    record = resolve_run(project, make_run(project).id)
    git(repository, "submodule", "deinit", "-q", "-f", "gone")
    shutil.rmtree(repository / ".git/modules/gone")
    write_files(repository / "lib/sub", {"m.py": "new\n"})
    before = everything(repository)

    with isolated(project, record) as (place, _):
        assert (place.folder / "lib/sub/m.py").read_text() == "old\n"
        assert (place.folder / "lib/sub/deep/d.py").read_text() == "deep\n"
        assert place.beside.empty == ("gone",)
        seen = look_at_tree(place)
        write_files(place.folder, {"lib/sub/m.py": "mine\n"})
        assert look_at_tree(place).changes_since(seen) == ["lib/sub"]

    assert everything(repository) == before


def test_two_trees_of_one_run_can_be_there_at_once(repository: Path) -> None:
    project = open_here(repository)
    record = resolve_run(project, make_run(project).id)

    with isolated(project, record) as (first, _), isolated(project, record) as (second, _):
        assert first.folder != second.folder
        assert (first.folder / ".git").is_file()
        assert (second.folder / ".git").is_file()


def test_what_writes_to_a_dataset_changes_nothing_of_the_users(repository: Path) -> None:
    write_files(repository, {"data/train/a/one": "one\n", "data/train/two": "two\n"})
    project = add_data(repository, keep=False)
    before = read_all(repository / "data/train")
    record = resolve_run(project, make_run(project).id)

    with isolated(project, record) as (place, _):
        assert (place.folder / "data/train/a/one").read_text() == "one\n"
        (place.folder / "data/train/a/one").write_text("gone\n")
        (place.folder / "data/train/two").unlink()
        (place.folder / "data/train/new").write_text("new\n")

    assert read_all(repository / "data/train") == before


def test_only_a_large_dataset_is_a_link_and_said_to_be_one(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("repro.core.isolation._LINK_FROM", 4)
    write_files(repository, {"data/train/one": "one\n"})
    project = add_data(repository, keep=False)

    with isolated(project, resolve_run(project, make_run(project).id)) as (place, _):
        assert place.linked == ("data/train",)
        assert (place.folder / "data/train").readlink() == repository / "data/train"

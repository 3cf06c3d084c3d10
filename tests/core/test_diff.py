"""Two runs compared, and a run with the working tree as it is now."""

from pathlib import Path

import pytest
from tests.support import git, write_files
from tests.support.projects import make_run, open_here

from repro.core.diff import (
    compare_code,
    compare_runs,
    compare_with_worktree,
    comparison_json,
    format_patch,
)
from repro.core.project import Project
from repro.core.query import resolve_run
from repro.model.diff import FileChange
from repro.model.run import Record


def run_with(project: Project, files: dict[str, str | bytes], **request: object) -> Record:
    write_files(project.repository.root, files)
    run = make_run(project, {"loss": 0.5}, **request)  # type: ignore[arg-type]
    return resolve_run(project, run.id)


def test_a_run_does_not_differ_from_itself(repository: Path) -> None:
    project = open_here(repository)
    record = run_with(project, {"new.txt": "x"}, config={"lr": 0.1})
    assert not compare_runs(project, record, record).differs


def test_every_part_that_differs_is_named(repository: Path) -> None:
    project = open_here(repository)
    a = run_with(project, {"gone.txt": "x", "data.bin": b"\0\1"}, config={"lr": 0.1})
    (repository / "gone.txt").unlink()
    b = run_with(
        project,
        {"train.py": "print('changed')\n", "new é.txt": "y", "data.bin": b"\0\2"},
        config={"lr": 0.2},
        command=("python", "train.py", "--fast"),
        environment={"hardware": {"cpu": "z"}},
    )
    comparison = compare_runs(project, a, b)
    assert comparison.code == (
        FileChange("data.bin", "M"),
        FileChange("gone.txt", "D"),
        FileChange("new é.txt", "A"),
        FileChange("train.py", "M"),
    )
    value = comparison_json(comparison)
    assert value["config"] == {"lr": [0.1, 0.2], "fast": [None, True]}
    assert value["hardware"] == {"cpu": [None, "z"]}
    assert value["command"] == [["python", "train.py"], ["python", "train.py", "--fast"]]
    assert value["metrics"] == {}
    assert value["data"] == {}


def test_the_patch_turns_a_into_b_byte_for_byte(repository: Path) -> None:
    project = open_here(repository)
    a = run_with(project, {"data.bin": bytes(range(256)), "old name.txt": "same\n" * 20})
    (repository / "old name.txt").rename(repository / "new name.txt")
    b = run_with(project, {"data.bin": bytes(range(255, -1, -1)), "train.py": "changed\n"})
    assert a.run.snapshot
    assert b.run.snapshot
    patch = format_patch(project, a.run.snapshot, b.run.snapshot)
    git(repository, "worktree", "add", "-q", "--detach", "../side", a.run.snapshot)
    git(repository.parent / "side", "apply", "--index", stdin=patch)
    tree = git(repository.parent / "side", "write-tree")
    assert tree == git(repository, "rev-parse", f"{b.run.snapshot}^{{tree}}")


def test_the_users_diff_settings_change_nothing_and_run_nothing(repository: Path) -> None:
    project = open_here(repository)
    a = run_with(project, {"train.py": "print('a')\n"})
    b = run_with(project, {"train.py": "print('b')\n", ".gitattributes": "*.py diff=evil\n"})
    assert a.run.snapshot
    assert b.run.snapshot
    before = format_patch(project, a.run.snapshot, b.run.snapshot)
    for key, value in {
        "diff.external": "touch EVIL",
        "diff.noprefix": "true",
        "diff.mnemonicPrefix": "true",
        "color.ui": "always",
        "diff.evil.command": "touch EVIL",
        "diff.evil.textconv": "touch EVIL; cat",
        "core.pager": "touch EVIL",
    }.items():
        git(repository, "config", key, value)
    assert before == format_patch(project, a.run.snapshot, b.run.snapshot)
    assert not (repository / "EVIL").exists()


def test_a_working_tree_that_is_as_the_run_was_does_not_differ(repository: Path) -> None:
    project = open_here(repository)
    environment = {"seeds": {"numpy": 3}}
    record = run_with(project, {"new.txt": "x"}, config={"lr": 0.1}, environment=environment)
    comparison = compare_with_worktree(project, record)
    assert (comparison.code, comparison.config, comparison.randomness) == ((), {}, {})
    assert "metrics" not in comparison.compared


def test_the_working_tree_shows_its_edits_and_stays_as_it_is(repository: Path) -> None:
    write_files(
        repository, {"repro.yaml": "config: [params.yaml]\n", "params.yaml": "lr: 0.1\nold: 1\n"}
    )
    project = open_here(repository)
    record = run_with(project, {"new.txt": "x"})
    write_files(repository, {"params.yaml": "lr: 0.2\n", "new.txt": "y", "train.py": "staged\n"})
    git(repository, "add", "train.py")
    index = (repository / ".git/index").read_bytes()
    comparison = compare_with_worktree(project, record)
    assert comparison.config == {"lr": (0.1, 0.2)}
    assert ["new.txt", "params.yaml", "train.py"] == [change.path for change in comparison.code]
    assert record.run.snapshot
    assert b"+y\n" in format_patch(project, record.run.snapshot, None)
    assert index == (repository / ".git/index").read_bytes()
    assert list((repository / ".git/repro/quarantine").iterdir()) == []


def test_only_code_of_git_revisions_is_compared(repository: Path) -> None:
    first = git(repository, "rev-parse", "HEAD")
    write_files(repository, {"train.py": "second\n"})
    git(repository, "commit", "-q", "-a", "-m", "second")
    project = open_here(repository)
    comparison = compare_code(project, first, git(repository, "rev-parse", "HEAD"))
    assert comparison.code == (FileChange("train.py", "M"),)
    assert comparison.compared == ("code",)


@pytest.mark.parametrize("both", [True, False])
def test_uncommitted_content_of_a_submodule_is_compared(repository: Path, both: bool) -> None:
    library = repository.parent / "library"
    library.mkdir()
    git(library, "init", "-q", "-b", "main")
    write_files(library, {"lib.py": "A = 1\n"})
    git(library, "add", "-A")
    git(library, "commit", "-q", "-m", "library")
    git(
        repository,
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "add",
        "-q",
        str(library),
        "lib",
    )
    git(repository, "commit", "-q", "-m", "with a submodule")
    project = open_here(repository)
    a = run_with(project, {"lib/lib.py": "A = 2\n"} if both else {})
    b = run_with(project, {"lib/lib.py": "A = 3\n"})
    paths = [change.path for change in compare_runs(project, a, b).code]
    assert ("lib/lib.py" if both else "submodules") in paths
    assert not compare_runs(project, b, b).differs


def test_a_patch_has_colours_only_if_asked(repository: Path) -> None:
    before = git(repository, "rev-parse", "HEAD")
    write_files(repository, {"train.py": "print('changed')\n"})
    git(repository, "commit", "-q", "-a", "-m", "second")
    project = open_here(repository)

    plain = format_patch(project, before, "HEAD")
    coloured = format_patch(project, before, "HEAD", coloured=True)

    assert b"\x1b[" not in plain
    assert b"\x1b[32m" in coloured

"""`kill -9` while runs are removed, collected and purged: nothing is lost, nothing is left over.

Needs strace. The short form takes a few points of each; `REPRO_CRASH_STEP=1` takes them all.
"""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.crash.test_kill_points import MOST_POINTS, killed_at
from tests.support import git, make_repository, write_files
from tests.support.cli import Cli, repro

STEP = int(os.environ.get("REPRO_CRASH_STEP", "0"))  # 0 takes the few points below
FEW = (11, 37)

Ask = Callable[..., str]

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")


def points() -> list[int]:
    return list(range(1, MOST_POINTS, STEP)) if STEP else list(FEW)


@pytest.fixture
def ask(cli: Cli) -> Ask:
    """What repro prints in a folder, asked in this process."""
    return lambda root, *words: cli("-C", str(root), *words).out


def runs_of(ask: Ask, root: Path) -> set[str]:
    return {run["name"] for run in json.loads(ask(root, "ls", "--json"))}


@pytest.fixture(scope="module")
def made(shelf: Path) -> Path:
    root = make_repository(shelf / "project")
    assert repro("run", "-n", "one", "--", "true", cwd=root).returncode == 0
    write_files(root, {"leak.txt": "the secret\n"})
    assert repro("run", "-n", "two", "--", "true", cwd=root).returncode == 0
    (root / "leak.txt").unlink()
    git(root, "repack", "-adq")
    return root


def test_a_removal_that_is_killed_loses_no_run(made: Path, tmp_path: Path, ask: Ask) -> None:
    for point in points():
        root = tmp_path / str(point)
        shutil.copytree(made, root)
        was_killed = killed_at(point, root, "rm", "two")
        left = runs_of(ask, root)
        trash = {entry["name"] for entry in json.loads(ask(root, "restore", "--json"))}
        assert "one" in left
        assert ("two" in left) is not ("two" in trash)
        ask(root, "fsck")
        if not was_killed:
            break


def test_a_collection_that_is_killed_goes_on(made: Path, tmp_path: Path, ask: Ask) -> None:
    for point in points():
        root = tmp_path / str(point)
        shutil.copytree(made, root)
        ask(root, "rm", "two")
        was_killed = killed_at(point, root, "gc", "--yes", "--keep-trash", "0s")
        ask(root, "gc", "--yes", "--keep-trash", "0s")
        assert runs_of(ask, root) == {"one"}
        assert git(root, "for-each-ref", "refs/repro/trash/") == ""
        git(root, "fsck", "--strict")
        if not was_killed:
            break


def test_a_purge_that_is_killed_is_finished_by_the_next(
    made: Path, tmp_path: Path, ask: Ask
) -> None:
    secret = git(made, "hash-object", "--stdin", stdin=b"the secret\n")
    [run] = [run["id"] for run in json.loads(ask(made, "ls", "--json")) if run["name"] == "two"]
    for point in points():
        root = tmp_path / str(point)
        shutil.copytree(made, root)
        was_killed = killed_at(point, root, "purge", run, "--yes")
        git(root, "fsck", "--strict")
        if was_killed:
            done = repro("purge", run, "--yes", cwd=root)
            assert done.returncode == 0 or "there is no run" in done.stderr, done.stderr
        assert runs_of(ask, root) == {"one"}
        listed = git(root, "cat-file", "--batch-all-objects", "--batch-check")
        assert secret not in listed
        ask(root, "fsck")
        if not was_killed:
            break

"""`kill -9` while runs are removed, collected and purged: nothing is lost, nothing is left over.

Needs strace. The short form takes a few points of each; `REPRO_CRASH_STEP=1` takes them all.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.crash.test_kill_points import MOST_POINTS, killed_at
from tests.support import git, make_repository, write_files

STEP = int(os.environ.get("REPRO_CRASH_STEP", "0"))  # 0 takes the few points below
FEW = (11, 37)

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")


def points() -> list[int]:
    return list(range(1, MOST_POINTS, STEP)) if STEP else list(FEW)


def repro(root: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "repro", *words],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def runs_of(root: Path) -> set[str]:
    return {run["name"] for run in json.loads(repro(root, "ls", "--json"))}


@pytest.fixture(scope="module")
def made(shelf: Path) -> Path:
    root = make_repository(shelf / "project")
    repro(root, "run", "-n", "one", "--", "true")
    write_files(root, {"leak.txt": "the secret\n"})
    repro(root, "run", "-n", "two", "--", "true")
    (root / "leak.txt").unlink()
    git(root, "repack", "-adq")
    return root


def test_a_removal_that_is_killed_loses_no_run(made: Path, tmp_path: Path) -> None:
    for point in points():
        root = tmp_path / str(point)
        shutil.copytree(made, root)
        was_killed = killed_at(point, root, "rm", "two")
        left = runs_of(root)
        trash = {entry["name"] for entry in json.loads(repro(root, "restore", "--json"))}
        assert "one" in left
        assert ("two" in left) is not ("two" in trash)
        repro(root, "fsck")
        if not was_killed:
            break


def test_a_collection_that_is_killed_goes_on(made: Path, tmp_path: Path) -> None:
    for point in points():
        root = tmp_path / str(point)
        shutil.copytree(made, root)
        repro(root, "rm", "two")
        was_killed = killed_at(point, root, "gc", "--yes", "--keep-trash", "0s")
        repro(root, "gc", "--yes", "--keep-trash", "0s")
        assert runs_of(root) == {"one"}
        assert git(root, "for-each-ref", "refs/repro/trash/") == ""
        git(root, "fsck", "--strict")
        if not was_killed:
            break


def test_a_purge_that_is_killed_is_finished_by_the_next(made: Path, tmp_path: Path) -> None:
    secret = git(made, "hash-object", "--stdin", stdin=b"the secret\n")
    [run] = [run["id"] for run in json.loads(repro(made, "ls", "--json")) if run["name"] == "two"]
    for point in points():
        root = tmp_path / str(point)
        shutil.copytree(made, root)
        was_killed = killed_at(point, root, "purge", run, "--yes")
        git(root, "fsck", "--strict")
        if was_killed:
            again = [sys.executable, "-m", "repro", "purge", run, "--yes"]
            done = subprocess.run(again, cwd=root, capture_output=True, text=True, check=False)
            assert done.returncode == 0 or "there is no run" in done.stderr, done.stderr
        assert runs_of(root) == {"one"}
        listed = git(root, "cat-file", "--batch-all-objects", "--batch-check")
        assert secret not in listed
        repro(root, "fsck")
        if not was_killed:
            break

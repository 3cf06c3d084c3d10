"""Datasets kept, shared, fetched, deleted and restored under `kill -9` at random moments.

The short form kills each verb at 4 moments, `REPRO_CRASH_KILLS=50` at as many
(see docs/contributing.md).
"""

import hashlib
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support import git, make_repository, write_files
from tests.support.cli import Cli
from tests.support.datasets import commit_all, share, unsound
from tests.support.trees import read_folder

from repro.store.content import ContentStore

KILLS = int(os.environ.get("REPRO_CRASH_KILLS", "4"))
STORE = ".git/repro/store"


def make_files(root: Path) -> dict[str, tuple[str, bytes]]:
    """A dataset of many small files and some large ones; what a folder of it reads as."""
    chance = random.Random(7)
    small = {f"data/set/{n % 7}/{n}.txt": chance.randbytes(200 + n) for n in range(150)}
    large = {f"data/set/large-{n}.bin": chance.randbytes(3 << 20) for n in range(5)}
    write_files(root, {**small, **large})
    return read_folder(root / "data/set")


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "repro", *words]


Run = Callable[..., object]


@pytest.fixture
def run(cli: Cli) -> Run:
    """Runs a command in a folder, in this process; it must succeed."""
    return lambda root, *words: cli("-C", str(root), *words)


def kill(root: Path, after_s: float, *words: str) -> bool:
    """Start a command of repro, and whether it was still at work when it was killed."""
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command(*words), cwd=root, **silent)
    time.sleep(after_s)
    process.kill()
    return bool(process.wait() != 0)


def duration(root: Path, *words: str) -> float:
    start = time.monotonic()
    subprocess.run(command(*words), cwd=root, capture_output=True, check=True)
    return time.monotonic() - start


def moments(whole_s: float) -> list[float]:
    """When to kill: once surely before the end, then after the start-up, which changes nothing."""
    later = [random.uniform(0.3 * min(whole_s, 0.5), whole_s) for _ in range(KILLS - 1)]
    return [0.1 * min(whole_s, 0.5), *later]


def stray_folders(root: Path) -> list[str]:
    """What repro would have left beside the user's files."""
    return sorted(path.name for path in (root / "data").iterdir() if path.name != "set")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "project")


@pytest.fixture
def kept(root: Path, run: Run) -> Path:
    """A repository with a kept dataset, and a store that nothing was sent to."""
    make_files(root)
    run(root, "data", "add", "--keep", "data/set")
    share(root)
    commit_all(root)
    return root


def test_an_add_that_was_killed_is_finished_by_the_next(root: Path, run: Run) -> None:
    before = make_files(root)
    whole_s = duration(root, "data", "add", "--keep", "data/set")
    n_killed = 0

    for after_s in moments(whole_s):
        shutil.rmtree(root / ".git/repro")
        for name in ("repro.yaml", "repro.lock", ".gitignore"):
            (root / name).unlink(missing_ok=True)
        n_killed += kill(root, after_s, "data", "add", "--keep", "data/set")
        assert unsound(root / STORE) == []
        assert read_folder(root / "data/set") == before
        run(root, "data", "add", "--keep", "data/set")
        run(root, "data", "verify")

    assert n_killed > 0
    assert stray_folders(root) == []
    assert read_folder(root / "data/set") == before
    git(root, "fsck", "--strict")


def test_a_push_that_was_killed_shows_no_half_object_and_the_next_finishes(
    kept: Path, tmp_path: Path, run: Run
) -> None:
    remote = tmp_path / "shared"
    whole_s = duration(kept, "data", "push")
    names = {path.name for path in remote.glob("??/??/*")}
    n_killed = 0

    for after_s in moments(whole_s):
        shutil.rmtree(remote)
        n_killed += kill(kept, after_s, "data", "push")
        assert unsound(remote) == []
        run(kept, "data", "push")
        assert {path.name for path in remote.glob("??/??/*")} == names

    assert n_killed > 0
    assert unsound(kept / STORE) == []
    git(kept, "fsck", "--strict")


def test_a_pull_that_was_killed_is_finished_by_the_next_and_leaves_nothing_stray(
    kept: Path, tmp_path: Path, run: Run
) -> None:
    before = read_folder(kept / "data/set")
    run(kept, "data", "push")
    git(tmp_path, "clone", "-q", str(kept), "clone")
    clone = tmp_path / "clone"
    whole_s = duration(clone, "data", "pull")
    n_killed = 0

    for after_s in moments(whole_s):
        shutil.rmtree(clone / ".git/repro")
        shutil.rmtree(clone / "data")
        n_killed += kill(clone, after_s, "data", "pull")
        assert unsound(clone / STORE) == []
        assert_no_half_file(clone / "data/set", before)
        run(clone, "data", "pull")
        assert read_folder(clone / "data/set") == before
        assert stray_folders(clone) == []

    assert n_killed > 0
    assert git(clone, "status", "--porcelain") == ""
    git(clone, "fsck", "--strict")


def assert_no_half_file(folder: Path, whole: dict[str, tuple[str, bytes]]) -> None:
    """Each file that is there is one of the dataset, and whole."""
    for name, found in read_folder(folder).items():
        assert found == whole[name], name


def test_a_gc_that_was_killed_deletes_nothing_that_is_needed(kept: Path, run: Run) -> None:
    content = ContentStore(kept / STORE)
    strays = [os.urandom(100) for _ in range(300)]
    words = ("data", "gc", "--grace", "0", "--yes")
    whole_s = duration(kept, *words)
    n_killed = 0

    for after_s in moments(1.2 * whole_s):
        for data in strays:
            content.put_bytes(data)
        n_killed += kill(kept, after_s, *words)
        run(kept, "data", "verify")
        run(kept, *words)
        assert not any(content.has(f"sha256:{sha256_of(data)}") for data in strays)

    assert n_killed > 0


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_a_checkout_of_data_that_was_killed_is_finished_by_the_next(kept: Path, run: Run) -> None:
    before = read_folder(kept / "data/set")
    run(kept, "run", "-n", "old", "--", "true")
    whole_s = duration_of_checkout(kept)
    n_killed = 0

    for after_s in moments(whole_s):
        shutil.rmtree(kept / "data/set")
        n_killed += kill(kept, after_s, "checkout", "old", "--data")
        assert_no_half_file(kept / "data/set", before)
        run(kept, "checkout", "old", "--data")
        assert read_folder(kept / "data/set") == before
        assert stray_folders(kept) == []

    assert n_killed > 0
    assert unsound(kept / STORE) == []
    git(kept, "fsck", "--strict")


def duration_of_checkout(root: Path) -> float:
    shutil.rmtree(root / "data/set")
    return duration(root, "checkout", "old", "--data")

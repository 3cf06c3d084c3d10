"""Another machine, where nothing is but git and repro: a run of somebody is done again."""

import os
import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
from tests.support import git, make_repository, write_files
from tests.support.cli import repro
from tests.support.gitservers import git_daemon
from tests.support.remotes import make_bare, runs_of

DATA = "data/iris.csv"  # not in git, but in a store for the team


@pytest.fixture
def elsewhere(tmp_path: Path) -> dict[str, str]:
    """The variables of somebody without any settings, not even a name."""
    home = tmp_path / "another" / "home"
    home.mkdir(parents=True)
    kept = ("PATH", "LC_ALL", "TZ", "PYTHONPATH")
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "HOME": str(home),
        "PYTHONPYCACHEPREFIX": str(tmp_path / "compiled"),
    }


def test_a_fresh_clone_does_an_experiment_again_bit_for_bit(
    tmp_path: Path, elsewhere: dict[str, str]
) -> None:
    demo = files("repro") / "demo"
    script = (demo / "train.py").read_text().replace("iris.csv", DATA)
    root = make_repository(tmp_path / "first", {"train.py": script, ".gitignore": "__pycache__\n"})
    data = (demo / "iris.csv").read_bytes()
    store = tmp_path / "store"
    store.mkdir()
    write_files(root, {DATA: data})
    assert repro("data", "add", "--keep", DATA, cwd=root).returncode == 0
    with (root / "repro.yaml").open("a") as file:
        file.write(f"store: {store}\n")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "iris as a dataset")
    write_files(root, {"train.py": script.replace("MOMENTUM = 0.0", "MOMENTUM = 0.9")})
    run = repro("run", "-n", "shared", "--", sys.executable, "train.py", "--epochs", "3", cwd=root)
    assert run.returncode == 0, run.stderr
    make_bare(tmp_path / "served" / "hub.git")

    with git_daemon(tmp_path / "served") as url:
        git(root, "remote", "add", "origin", f"{url}/hub.git")
        git(root, "push", "-q", "origin", "HEAD:refs/heads/main")
        git(tmp_path / "served/hub.git", "symbolic-ref", "HEAD", "refs/heads/main")
        assert repro("push", "--data", "--yes", cwd=root).returncode == 0
        [run_id] = runs_of(tmp_path / "served" / "hub.git")
        root.rename(tmp_path / "gone")  # no path of it may matter

        there = tmp_path / "another" / "deep" / "clone"

        def do(*words: str, ok: bool = True) -> str:
            done = subprocess.run(
                words, cwd=there, env=elsewhere, capture_output=True, text=True, check=False,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
            assert (done.returncode == 0) is ok, (words, done.stderr)
            return done.stdout + done.stderr

        there.parent.mkdir()
        git(there.parent, "clone", "-q", f"{url}/hub.git", str(there))
        us = (sys.executable, "-m", "repro")
        assert "no runs yet" in do(*us, "ls")
        assert do(*us, "pull").startswith("origin: 1 new run\n")
        assert do(*us, "ls").count("shared") == 1
        # Each refusal tells the command that goes on.
        wanted = do(*us, "rerun", "--verify", "--yes", "shared", ok=False)
        told = re.search(r"hint: `repro (data pull --run \S+)`", wanted)
        assert told is not None, wanted
        asked = do(*us, "rerun", "--verify", "shared", ok=False)
        assert "`--yes` agrees to run its command" in asked
        assert "1 object (2.7 KiB) fetched" in do(*us, "pull", "--data")
        assert told[1] == f"data pull --run {run_id}"

        beside = there.parent / "beside"
        do(*us, "checkout", "-w", str(beside), "shared", "--data")
        ended = do(*us, "rerun", "--verify", "--yes", "shared")

    assert "identical: 9 points of 3 metrics, bit for bit" in ended
    assert "MOMENTUM = 0.9" in (beside / "train.py").read_text()
    assert (beside / DATA).read_bytes() == data
    assert git(there, "status", "--short") == ""

"""`kill -9` at the n-th call that changes a file, for every n: no lie on disk, and it goes on.

Needs strace. The short form takes every 13th point; `REPRO_CRASH_STEP=1` takes them all
(see docs/contributing.md).
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support import git, make_repository, write_files

STEP = int(os.environ.get("REPRO_CRASH_STEP", "13"))
CALLS = "write,rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat,fsync,fdatasync"
MOST_POINTS = 400

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")


def user_state(root: Path) -> list[object]:
    return [
        (root / ".git" / "index").read_bytes(),
        (root / ".git" / "HEAD").read_bytes(),
        (root / ".git" / "config").read_bytes(),
        git(root, "--no-optional-locks", "status", "--porcelain"),
        sorted(path.name for path in root.iterdir()),
    ]


def killed_at(point: int, root: Path, *command: str) -> bool:
    """Run a command of repro whose processes die at their n-th change; whether one did."""
    strace = ["strace", "-f", "-qq", "-o", os.devnull, "-e", f"trace={CALLS}"]
    inject = ["-e", f"inject={CALLS}:signal=KILL:when={point}"]
    done = subprocess.run(
        [*strace, *inject, sys.executable, "-m", "repro", *command],
        cwd=root,
        capture_output=True,
        check=False,
    )
    return done.returncode != 0


def assert_sound(root: Path, before: list[object]) -> None:
    """Nothing of the user's changed, and what a ref names is whole."""
    assert user_state(root) == before
    git(root, "fsck", "--strict", "--connectivity-only")
    for ref in git(root, "for-each-ref", "--format=%(refname)", "refs/repro/runs/").split():
        git(root, "rev-list", "--objects", "--quiet", ref)


def test_a_run_killed_at_any_change_of_a_file_leaves_no_lie(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "project")
    write_files(root, {"train.py": "print('edited')\n", "new.py": "new\n"})
    before = user_state(root)

    points = 0
    for point in range(1, MOST_POINTS, STEP):
        if not killed_at(point, root, "run", "--", "true"):
            break
        points += 1
        assert_sound(root, before)
    worked = subprocess.run(
        [sys.executable, "-m", "repro", "run", "--", "true"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )

    assert worked.returncode == 0, worked.stderr
    assert points > 0
    assert_sound(root, before)
    assert git(root, "for-each-ref", "refs/repro/live/") == ""


def test_a_recovery_killed_at_any_change_is_finished_by_the_next(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "project")
    write_files(root, {"new.py": "new\n"})
    script = "import os, repro; repro.init(); repro.log({'loss': 1.0}); os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, check=False)
    before = user_state(root)

    for point in range(1, MOST_POINTS, STEP):
        if not killed_at(point, root, "ls"):
            break
        assert_sound(root, before)
    subprocess.run([sys.executable, "-m", "repro", "ls"], cwd=root, capture_output=True, check=True)

    [ref] = git(root, "for-each-ref", "--format=%(refname)", "refs/repro/runs/").split()
    assert '"lost"' in git(root, "show", f"{ref}:run.json")
    assert len(git(root, "show", f"{ref}:metrics/0.csv").splitlines()) == 2
    assert_sound(root, before)

"""Runs checked out in place, and what must hold then."""

from pathlib import Path
from typing import Any

from repro.core.query import resolve_run
from repro.core.restore import Restored, check_out
from tests.support import git
from tests.support.projects import make_run, open_here


def record(root: Path, **request: Any) -> str:
    """The id of a run of what is there now."""
    return make_run(open_here(root), **request).id


def check_out_run(root: Path, run: str, *, save: bool = False) -> Restored:
    """What `repro checkout RUN` does."""
    project = open_here(root)
    return check_out(project, resolve_run(project, run), save=save)


def assert_is_run(root: Path, run: str) -> None:
    """HEAD, index and tracked files are those of the run."""
    snapshot = git(root, "rev-parse", f"refs/repro/runs/{run}^")
    assert snapshot == git(root, "rev-parse", "HEAD")
    assert git(root, "status", "--porcelain", "--untracked-files=no") == ""
    assert git(root, "write-tree") == git(root, "rev-parse", "HEAD^{tree}")


def assert_sound(root: Path) -> None:
    """Nothing is broken, and nothing of a move is left."""
    git(root, "fsck", "--strict", "--connectivity-only")
    private = Path(git(root, "rev-parse", "--git-common-dir")) / "repro"
    assert not [path for path in (root / private / "restore").glob("*") if path.is_dir()]
    assert not list(Path(git(root, "rev-parse", "--absolute-git-dir")).glob("*.lock"))

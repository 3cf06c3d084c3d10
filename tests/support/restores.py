"""Datasets of runs restored, and all that a restore may not touch, as values that compare."""

import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from repro.core.query import resolve_run
from repro.core.restore import Restored, check_out, take_back_interrupted
from repro.core.restore_data import plan_restore
from repro.errors import ReproError
from tests.support import git
from tests.support.projects import open_here


def bring(
    root: Path,
    run: str,
    *names: str,
    save: bool = False,
    report: Callable[[int], None] = lambda _: None,
) -> Restored:
    """What `repro checkout RUN --data` does."""
    project = open_here(root)
    record = resolve_run(project, run)
    take_back_interrupted(project, record, save=save)
    plans = plan_restore(project, record, names)
    return check_out(project, record, save=save, data=plans, report=report)


def look_at(path: Path) -> tuple[str, object]:
    """Kind with mode, and content."""
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        return "link", str(path.readlink())
    if stat.S_ISDIR(status.st_mode):
        return f"folder {status.st_mode & 0o777:o}", None
    return f"file {status.st_mode & 0o777:o}", path.read_bytes()


def read_all(top: Path) -> dict[str, tuple[str, object]]:
    """Everything at and below `top`, empty folders and modes included, but `.git`."""
    found = {".": look_at(top)} if os.path.lexists(top) else {}
    if top.is_dir() and not top.is_symlink():
        for folder, folders, names in os.walk(top):
            if folder == str(top) and ".git" in folders:
                folders.remove(".git")
            for name in (*folders, *names):
                path = Path(folder, name)
                found[str(path.relative_to(top))] = look_at(path)
    return found


def everything(root: Path) -> dict[str, object]:
    """All that a refused checkout must leave as it was, and an undo must bring back."""
    return {
        "files": read_all(root),
        "head": (root / ".git/HEAD").read_text(),
        "index": (root / ".git/index").read_bytes(),
        "refs": git(root, "for-each-ref", "refs/heads", "refs/tags", "refs/repro"),
        "locks": [*(root / ".git").glob("*.lock")],
        "unfinished": list_unfinished(root),
    }


def list_unfinished(root: Path) -> list[str]:
    """What repro would have left of its own work."""
    private = root / ".git/repro"
    folders = [*(private / "staging").glob("*"), *(private / "store/incoming").glob("*")]
    folders += [path for path in (private / "restore").glob("*") if path.is_dir()]
    return [path.name for path in (*folders, *root.rglob(".repro-incoming-*"))]


def refused(root: Path, run: str, *names: str, save: bool = False) -> Any:
    """The error of a checkout that must leave everything as it was."""
    before = everything(root)
    with pytest.raises(ReproError) as raised:
        bring(root, run, *names, save=save)
    assert before == everything(root)
    return raised.value


def make_once(shelf: Path, name: str, root: Path, make: Callable[[], None]) -> None:
    """Let `root` be as `make` makes it."""
    made = shelf / name
    if not made.exists():
        make()
        shutil.copytree(root, made, symlinks=True)
        return
    for path in root.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.copytree(made, root, symlinks=True, dirs_exist_ok=True)

"""What a working tree holds, as values that compare."""

import os
import stat
import subprocess
from pathlib import Path

from tests.support import git


def read_folder(root: Path) -> dict[str, tuple[str, bytes]]:
    """Kind (`file`, `exec`, `link`) and content of each file below `root`, `.git` left out."""
    found = {}
    for folder, folders, names in os.walk(root):
        if ".git" in folders:
            folders.remove(".git")
        inside = Path(folder)
        links = [name for name in folders if (inside / name).is_symlink()]
        for name in {*names, *links} - {".git"}:
            found[(inside / name).relative_to(root).as_posix()] = _read(inside / name)
    return found


def _read(path: Path) -> tuple[str, bytes]:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return "link", os.fsencode(path.readlink())
    return "exec" if mode & 0o100 else "file", path.read_bytes()


def read_tree(root: Path, commit: str) -> dict[str, tuple[str, bytes]]:
    """The files that a commit holds, in the form of `read_folder`; no filter is applied."""
    kinds = {"100644": "file", "100755": "exec", "120000": "link"}
    found = {}
    for line in git(root, "ls-tree", "-r", "-z", commit).split("\0"):
        if line:
            facts, path = line.split("\t", 1)
            mode, _, oid = facts.split(" ")
            if mode in kinds:
                words = ["git", "cat-file", "blob", oid]
                found[path] = kinds[mode], subprocess.check_output(words, cwd=root)
    return found


def read_state(root: Path) -> dict[str, object]:
    """All of a working tree that a restore and its undo must leave as it was."""
    git_dir = Path(git(root, "rev-parse", "--absolute-git-dir"))
    index = git_dir / "index"
    return {
        "files": read_folder(root),
        "index": index.read_bytes() if index.exists() else None,
        "head": (git_dir / "HEAD").read_text(),
        "branches": git(root, "for-each-ref", "refs/heads", "refs/tags"),
        "stash": git(root, "stash", "list"),
        "undo": git(root, "for-each-ref", "refs/repro/undo"),
    }

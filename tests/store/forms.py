"""The forms a repository can have, each made by git itself."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support import git, make_repository, write_files

FILES: dict[str, str | bytes] = {
    "train.py": "print('hello')\n",
    "pkg/model.py": "WIDTH = 3\n",
    "pkg/data.bin": bytes(range(256)),
    "far/away.txt": "outside of the cone\n",
    ".gitignore": "*.log\nout/\n",
}


def plain(folder: Path) -> Path:
    return make_repository(folder / "project", FILES)


def linked_worktree(folder: Path) -> Path:
    plain(folder)
    git(folder / "project", "worktree", "add", "-q", "-b", "side", str(folder / "linked"))
    return folder / "linked"


def shallow(folder: Path) -> Path:
    origin = plain(folder)
    git(origin, "commit", "-q", "--allow-empty", "-m", "second")
    git(folder, "clone", "-q", "--depth=1", origin.as_uri(), "shallow")
    return folder / "shallow"


def partial(folder: Path) -> Path:
    origin = plain(folder)
    git(origin, "config", "uploadpack.allowFilter", "true")
    write_files(origin, {"train.py": "print('second')\n"})
    git(origin, "commit", "-q", "-a", "-m", "second")
    git(folder, "clone", "-q", "--filter=blob:none", origin.as_uri(), "partial")
    return folder / "partial"


def sparse(folder: Path) -> Path:
    root = plain(folder)
    git(root, "sparse-checkout", "set", "--cone", "pkg")
    assert not (root / "far").exists()
    return root


def sparse_index(folder: Path) -> Path:
    root = plain(folder)
    git(root, "sparse-checkout", "set", "--cone", "--sparse-index", "pkg")
    return root


def split_index(folder: Path) -> Path:
    root = plain(folder)
    git(root, "update-index", "--split-index")
    return root


def sha256(folder: Path) -> Path:
    root = folder / "project"
    root.mkdir()
    git(root, "init", "-q", "-b", "main", "--object-format=sha256")
    write_files(root, FILES)
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "first")
    return root


def reftable(folder: Path) -> Path:
    root = folder / "project"
    root.mkdir()
    command = ["git", "init", "-q", "-b", "main", "--ref-format=reftable"]
    if subprocess.run(command, cwd=root, capture_output=True, check=False).returncode != 0:
        pytest.skip("this git does not know reftable (2.45 does)")
    write_files(root, FILES)
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "first")
    return root


def submodule_inside(folder: Path) -> Path:
    library = make_repository(folder / "library", {"lib.py": "X = 1\n"})
    root = plain(folder)
    git(root, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(library), "lib")
    git(root, "commit", "-q", "-m", "with a submodule")
    return root


FORMS: dict[str, Callable[[Path], Path]] = {
    "files": plain,
    "linked-worktree": linked_worktree,
    "shallow": shallow,
    "partial-clone": partial,
    "sparse": sparse,
    "sparse-index": sparse_index,
    "split-index": split_index,
    "sha256": sha256,
    "reftable": reftable,
}

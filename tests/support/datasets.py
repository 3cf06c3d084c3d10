"""Datasets of a test: added to a project, shared through a folder, looked at in a store."""

import hashlib
from pathlib import Path

from repro.core.project import Project
from repro.core.tracking import Wish, add_dataset, choose_dataset
from tests.support import git, write_files
from tests.support.projects import open_here

FILES: dict[str, str | bytes] = {
    "one.bin": b"one" * 50_000,
    "two.txt": "two\n",
    "in/three.txt": "three\n",
    "in/deep/same.txt": "two\n",
}


def add_data(root: Path, path: str = "data/train", *, keep: bool = True) -> Project:
    """The project at `root` once what lies at `path` is a dataset of it."""
    project = open_here(root)
    add_dataset(project, choose_dataset(project, path, root, Wish(keep=keep)))
    return open_here(root)


def make_data(
    root: Path, files: dict[str, str | bytes] | None = None, *, path: str = "data/train"
) -> Project:
    """The project at `root` with a kept dataset of `files`."""
    chosen = FILES if files is None else files
    write_files(root, {f"{path}/{name}": data for name, data in chosen.items()})
    return add_data(root, path)


def share(root: Path, store: str = "../shared") -> Project:
    """The project at `root` once its `repro.yaml` names a store."""
    with (root / "repro.yaml").open("a") as file:
        file.write(f"store: {store}\n")
    return open_here(root)


def commit_all(root: Path, message: str = "data") -> str:
    """Commit all files, and give the commit."""
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", message)
    return git(root, "rev-parse", "HEAD")


def entry_of(root: Path, data: bytes) -> Path:
    """Where the content store of a repository has these bytes, or would have them."""
    name = hashlib.sha256(data).hexdigest()
    return root / ".git/repro/store" / name[:2] / name[2:4] / name


def flip_bit(path: Path, place: int = 0) -> None:
    """Damage a file without changing its size."""
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def unsound(folder: Path) -> list[str]:
    """Names of objects in a store or remote folder whose bytes are not those of their names."""
    return [
        path.name
        for path in folder.glob("??/??/*")
        if hashlib.sha256(path.read_bytes()).hexdigest() != path.name
    ]

"""Factories that the tests share: real git, real files."""

import hashlib
import shutil
import struct
import subprocess
from pathlib import Path

_TRAIN: dict[str, str | bytes] = {"train.py": "print('hello')\n"}


def git(cwd: Path, *args: str, stdin: bytes | None = None) -> str:
    """What a git command prints, less the last newline; a failing command fails the test."""
    done = subprocess.run(["git", *args], cwd=cwd, input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, f"git {' '.join(args)}: {done.stderr.decode(errors='replace')}"
    return done.stdout.decode(errors="surrogateescape").removesuffix("\n")


def write_files(root: Path, files: dict[str, str | bytes]) -> None:
    """Put files below `root`, making their folders."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def make_repository(root: Path, files: dict[str, str | bytes] | None = None) -> Path:
    """A repository on branch `main` whose one commit holds `files` (a `train.py` by default)."""
    root.mkdir(parents=True, exist_ok=True)
    git(root, "init", "-q", "-b", "main")
    write_files(root, _TRAIN if files is None else files)
    git(root, "add", "-A")
    git(root, "commit", "-q", "--allow-empty", "-m", "first")
    return root


def copy_repository(made: Path, root: Path) -> Path:
    """A copy of what `make_repository` made, to which three processes fewer are as good.

    Its index knows the copied file, as it knows the one that git added.
    """
    shutil.copytree(made, root, ignore=shutil.ignore_patterns("*.sample"))
    [name] = _TRAIN
    facts = (root / name).lstat()
    # Source: git's Documentation/gitformat-index.txt: an entry begins behind the 12 bytes of the
    # header, and the SHA-1 of all ends the file.
    index = bytearray((root / ".git/index").read_bytes()[:-20])
    times = (*divmod(facts.st_ctime_ns, 10**9), *divmod(facts.st_mtime_ns, 10**9))
    places = (facts.st_dev & 0xFFFFFFFF, facts.st_ino & 0xFFFFFFFF)
    struct.pack_into(">6I", index, 12, *times, *places)
    (root / ".git/index").write_bytes(index + hashlib.sha1(index).digest())
    return root

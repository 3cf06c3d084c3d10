"""Factories that the tests share: real git, real files."""

import subprocess
from pathlib import Path


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
    write_files(root, files if files is not None else {"train.py": "print('hello')\n"})
    git(root, "add", "-A")
    git(root, "commit", "-q", "--allow-empty", "-m", "first")
    return root

"""Hooks of a test: installed in a repository, and folders compared byte for byte."""

import os
import subprocess
import sys
from pathlib import Path

import repro
from repro.core.hooks.install import Installed, install_hooks
from repro.hooks import GIT_HOOKS
from repro.store.hookfiles import Program
from tests.support.projects import open_here

PROGRAM = Program(sys.executable, str(Path(repro.__file__).with_name("__main__.py")))


def install(root: Path, *hooks: str, local: bool = False) -> Installed:
    """Install some hooks in the clone at `root`, all of them by default."""
    repository = open_here(root).repository
    return install_hooks(repository, hooks or tuple(GIT_HOOKS), PROGRAM, local=local)


def write_script(path: Path, text: str, mode: int = 0o755) -> Path:
    """An executable shell script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}")
    path.chmod(mode)
    return path


def run_git(cwd: Path, *args: str, given: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    """How a git command ended, hooks and all."""
    return subprocess.run(
        ["git", *args],
        cwd=cwd,
        input=given,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **env},
    )


def message_of(root: Path, rev: str = "HEAD") -> str:
    """The whole message of a commit."""
    return run_git(root, "log", "-1", "--format=%B", rev).stdout.strip()


def image_of(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Mode and bytes of everything in a folder, by path."""
    return {
        str(path.relative_to(folder)): (
            path.lstat().st_mode,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in sorted(folder.rglob("*"))
    }

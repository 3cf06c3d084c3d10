"""States of a repository that a checkout meets."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support import git, write_files
from tests.support.checkouts import record


@pytest.fixture
def locked() -> Iterator[Callable[[Path], None]]:
    """Makes a folder that not even root can change anything in."""
    folders = []

    def lock(folder: Path) -> None:
        if os.geteuid():
            folder.chmod(0o555)
        elif subprocess.run(["chattr", "+i", folder], capture_output=True, check=False).returncode:
            pytest.skip("nothing stops root here")
        folders.append(folder)

    yield lock
    for folder in folders:
        if os.geteuid():
            folder.chmod(0o755)
        else:
            subprocess.run(["chattr", "-i", folder], check=True)


@pytest.fixture
def dirty(repository: Path) -> str:
    """A run with edited, staged, new, binary, executable and linked files, then taken away."""
    write_files(
        repository,
        {
            "kept.txt": "kept\n",
            "gone.txt": "deleted in the run\n",
            "pkg/model.py": "WIDTH = 3\n",
            ".gitignore": "*.log\nout/\n",
        },
    )
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "second")
    write_files(
        repository,
        {
            "train.py": "print('edited')\n",
            "new.py": "new\n",
            "data.bin": bytes(range(256)),
            "pkg/deep/er.py": "deeper\n",
        },
    )
    (repository / "run.sh").write_text("#!/bin/sh\n")
    (repository / "run.sh").chmod(0o755)
    (repository / "link").symlink_to("pkg")
    (repository / "gone.txt").unlink()
    git(repository, "add", "pkg", "run.sh")
    run = record(repository)
    git(repository, "stash", "-q", "-u")
    git(repository, "stash", "drop", "-q")
    return run

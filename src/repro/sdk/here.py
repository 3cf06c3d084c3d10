"""The project that a program works in."""

import os
import sys
import time
from pathlib import Path

from repro.core.project import Project, open_project
from repro.errors import NotARepositoryError


def find_project() -> tuple[Project, Path]:
    """The project around the current folder, else around the main script; and that folder.

    Raises:
        NotARepositoryError: Neither is in a repository.
    """
    cwd = Path.cwd()
    try:
        return project_at(cwd), cwd
    except NotARepositoryError:
        script = getattr(sys.modules.get("__main__"), "__file__", None)
        folder = Path(script).resolve().parent if script else cwd
        if folder == cwd or not folder.is_dir():
            raise
        try:
            return project_at(folder), folder
        except NotARepositoryError:
            pass
        raise


def project_at(folder: Path) -> Project:
    """The project around a folder.

    Raises:
        NotARepositoryError: There is none.
    """
    return open_project(folder, environ=os.environ, clock=time.time, entropy=os.urandom)

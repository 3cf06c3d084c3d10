"""Runs in hand-made virtual environments, and the index that has their packages."""

import json
import os
import shutil
import subprocess
import time
import venv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from repro.core.environment import capture_environment
from repro.core.project import Project, open_project
from repro.core.query import resolve_run
from repro.model.run import Record
from tests.support.drawing import draw
from tests.support.projects import make_run
from tests.support.wheels import make_index, make_wheel


@dataclass
class World:
    """A repository with a virtual environment whose packages are only names, and an index."""

    root: Path
    tmp: Path

    @property
    def project(self) -> Project:
        """The project with the variables of this moment, and the real clock."""
        return open_project(self.root, environ=os.environ, clock=time.time, entropy=draw)

    @property
    def site(self) -> Path:
        """Where the virtual environment has its packages."""
        return next(self.root.glob(".venv/lib/*/site-packages"))

    def have(self, packages: Mapping[str, str | Mapping[str, object]]) -> None:
        """Let exactly these packages look installed: versions, or a `direct_url.json` of 1.0."""
        for old in self.site.glob("*.dist-info"):
            shutil.rmtree(old)
        for name, what in packages.items():
            version = what if isinstance(what, str) else "1.0"
            info = self.site / f"{name.replace('-', '_')}-{version}.dist-info"
            info.mkdir()
            if not isinstance(what, str):
                (info / "direct_url.json").write_text(json.dumps(what))

    def run(self, packages: Mapping[str, str | Mapping[str, object]]) -> Record:
        """A run that had exactly these packages."""
        self.have(packages)
        project = self.project
        command = (".venv/bin/python", "train.py")
        environment = capture_environment(project, command)
        run = make_run(project, command=command, environment=environment)
        return resolve_run(project, run.id)

    def offer(self, packages: Sequence[tuple[str, str]], *, yanked: Sequence[str] = ()) -> str:
        """The URL of an index with a wheel of each of these; some are yanked, by file name."""
        wheels = [make_wheel(self.tmp / "wheels", name, version) for name, version in packages]
        return make_index(self.tmp / "index", wheels, yanked=yanked)


def make_world(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world whose installers know no index but its own."""
    for name in list(os.environ):
        if name.startswith(("PIP_", "UV_", "CONDA_", "VIRTUAL_ENV", "PYTHON")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    monkeypatch.setenv("PIP_INDEX_URL", (tmp_path / "index").as_uri())
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
    (repository / ".gitignore").write_text(".venv\n")
    venv.create(repository / ".venv", symlinks=True)
    return World(repository, tmp_path)


def versions_in(python: Path, *modules: str) -> list[str]:
    """The `VERSION` of modules as an interpreter imports them."""
    code = f"import {', '.join(modules)}; print(*[m.VERSION for m in ({', '.join(modules)},)])"
    done = subprocess.run(
        [str(python), "-c", code], cwd="/", capture_output=True, text=True, check=True
    )
    return done.stdout.split()

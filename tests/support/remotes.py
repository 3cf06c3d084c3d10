"""Bare repositories that runs are pushed to."""

from pathlib import Path

from repro.core.project import Project
from repro.core.push import Pushed, push_runs
from repro.core.push_plan import choose_to_push, plan_push
from repro.store.remoterefs import find_remote
from tests.support import git


def make_bare(root: Path, *options: str) -> Path:
    """A bare repository that lets anybody in."""
    root.mkdir(parents=True)
    git(root, "init", "-q", "--bare", *options)
    git(root, "config", "http.receivepack", "true")
    return root


def add_origin(root: Path, bare: Path) -> None:
    """Make `bare` the remote `origin` of a repository, and push its branch there."""
    git(root, "remote", "add", "origin", str(bare))
    git(root, "push", "-q", "origin", "HEAD:refs/heads/main")


def add_hook(bare: Path, name: str, script: str) -> None:
    """Have the server of a repository run a script of the shell."""
    path = bare / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def runs_of(bare: Path, carrier: str = "refs/repro") -> dict[str, str]:
    """The commit of each run that a repository has, by id."""
    listed = git(bare, "for-each-ref", "--format=%(refname:lstrip=-1) %(objectname)",
                 f"{carrier}/runs/")  # fmt: skip
    return dict(line.split(" ") for line in listed.splitlines())


def push_all(project: Project, *names: str, remote: str | None = None, **options: bool) -> Pushed:
    """Push runs, all of the clone where none is named."""
    found = find_remote(project.repository.git, remote, push=True)
    plan = plan_push(project, found, choose_to_push(project, names))
    return push_runs(project, plan, **options)

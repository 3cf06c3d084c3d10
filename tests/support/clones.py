"""Several clones of one bare remote, and runs that one of them gives to the others."""

from pathlib import Path

from repro.core.project import Project
from repro.store.refs import RUNS
from tests.support import git, make_repository
from tests.support.projects import open_here
from tests.support.records import make_record, open_at, write_run


class Team:
    """A bare remote `hub.git` with one commit, and clones of it.

    Attributes:
        hub: The bare repository.
    """

    def __init__(self, folder: Path, *init: str) -> None:
        self.folder = folder
        self.hub = folder / "hub.git"
        seed = folder / "seed"
        seed.mkdir(parents=True)
        git(seed, "init", "-q", "-b", "main", *init)
        make_repository(seed)
        git(folder, "clone", "-q", "--bare", str(seed), str(self.hub))
        git(self.hub, "config", "uploadpack.allowFilter", "true")

    def clone(self, name: str, *options: str, url: str = "") -> Path:
        """A clone called `name`; its root."""
        root = self.folder / name
        git(self.folder, "clone", "-q", *options, url or f"file://{self.hub}", str(root))
        return root


def give(root: Path, *ids: str, remote: str = "origin") -> None:
    """Have plain git push runs of a clone, all of its own by default."""
    specs = [f"{RUNS}{run_id}:{RUNS}{run_id}" for run_id in ids] or [f"{RUNS}*:{RUNS}*"]
    git(root, "push", "-q", remote, *specs)


def a_run(root: Path, **changes: object) -> str:
    """Write a run in a clone; its id."""
    return write_run(open_at(root), make_record(**changes)).run.id


def project_at(root: Path) -> Project:
    """The project of a clone."""
    return open_here(root)

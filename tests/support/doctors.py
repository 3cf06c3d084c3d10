"""What a doctor of a test examines: environments made by hand, objects that can be taken away."""

import shutil
import venv
from collections.abc import Iterable, Mapping
from pathlib import Path

from repro.core.doctor import examine
from repro.core.environment import capture_environment
from repro.core.project import Project
from repro.core.query import resolve_run
from repro.model.diagnosis import Item
from repro.model.run import Run
from tests.support import git
from tests.support.projects import make_run


def make_venv(folder: Path, packages: Mapping[str, str]) -> Path:
    """A virtual environment whose packages are their metadata only."""
    venv.create(folder, with_pip=False, symlinks=True)
    for name, version in packages.items():
        install(folder, name, version)
    return folder


def install(folder: Path, name: str, version: str, *, origin: str | None = None) -> None:
    """Put a package into a virtual environment, in the place of any other version of it."""
    [site] = folder.glob("lib/*/site-packages")
    for old in site.glob(f"{name}-*.dist-info"):
        shutil.rmtree(old)
    info = site / f"{name}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    if origin is not None:
        (info / "direct_url.json").write_text(origin)


def record_with(project: Project, *command: str, **request: object) -> Run:
    """A run of a command with the environment that it would meet now."""
    words = command or ("python", "train.py")
    return make_run(
        project, command=words, environment=capture_environment(project, words), **request
    )


def items_of(project: Project, run: str, *, ask_index: bool = False) -> dict[str, Item]:
    """The items of a run by their names; several of one name fail the test."""
    items = examine(project, resolve_run(project, run), ask_index=ask_index).items
    found = {one.item: one for one in items}
    assert len(found) == len(items), [one.item for one in items]
    return found


def states_of(items: Iterable[Item]) -> list[tuple[str, str]]:
    """Name and state of each item."""
    return [(one.item, one.state.value) for one in items]


def loosen(root: Path) -> None:
    """Give every object of a repository a file of its own."""
    for pack in (root / ".git/objects/pack").glob("*.pack"):
        data = pack.read_bytes()
        for part in pack.parent.glob(f"{pack.stem}.*"):
            part.unlink()
        git(root, "unpack-objects", "-q", stdin=data)


def drop_object(root: Path, name: str) -> None:
    """Take one object away from a repository whose objects are loose."""
    oid = git(root, "rev-parse", name)
    (root / ".git/objects" / oid[:2] / oid[2:]).unlink()

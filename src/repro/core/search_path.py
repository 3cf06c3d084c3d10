"""The `PYTHONPATH` of a run: as its record says it, and put back for another tree."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from repro.core.project import Project
from repro.errors import DamagedRecordError
from repro.model.diagnosis import Item, degraded, missing
from repro.model.needs import search_path_of
from repro.model.paths import validate_path
from repro.model.run import Record

VARIABLE = "PYTHONPATH"


def describe_search_path(value: str, root: Path, cwd: Path) -> tuple[str, ...]:
    """The folders of a `PYTHONPATH`, those inside of the repository relative to its root.

    Args:
        cwd: What its relative entries, and its empty ones, start from.
    """
    return tuple(dict.fromkeys(_describe(one, root, cwd) for one in value.split(os.pathsep)))


def _describe(entry: str, root: Path, cwd: Path) -> str:
    path = Path(os.path.normpath(cwd / entry))
    for top, place in ((root, path), (root.resolve(), path), (root.resolve(), path.resolve())):
        if place.is_relative_to(top) and ".git" not in place.relative_to(top).parts:
            return place.relative_to(top).as_posix()
    return str(path)


def recorded_search_path(record: Record, *, outside: bool) -> tuple[str, ...]:
    """The entries that a record names and that may be given back.

    Args:
        outside: Whether those that do not lie in the repository may be.
    """
    return tuple(one for one in search_path_of(record.environment) if _is_allowed(one, outside))


def _is_allowed(entry: str, outside: bool) -> bool:
    if entry.startswith("/"):
        return outside and "\0" not in entry
    try:
        if entry != ".":
            validate_path(entry)
    except DamagedRecordError:
        return False
    return True


def place_search_path(entries: Sequence[str], tree: Path) -> list[str]:
    """The absolute folders that entries mean in a tree."""
    return [os.path.normpath(tree / entry) for entry in entries]


def with_search_path(project: Project, record: Record, *, outside: bool) -> Project:
    """The project as a command of the run would see it: what the run had comes first."""
    root = project.repository.root
    entries = place_search_path(recorded_search_path(record, outside=outside), root)
    if not entries:
        return project
    present = project.environ.get(VARIABLE)
    joined = os.pathsep.join([*entries, *([present] if present else [])])
    return replace(project, environ={**project.environ, VARIABLE: joined})


def check_search_path(record: Record) -> Iterator[Item]:
    """Name the folders of `PYTHONPATH` whose code no record has."""
    for entry in search_path_of(record.environment):
        if not entry.startswith("/"):
            continue
        why = f"`{entry}` of {VARIABLE} is outside of the repository, so no record has it"
        if Path(entry).is_dir():
            yield degraded("environment", f"{why}; it lies here as it is now")
        else:
            yield missing("environment", f"{why}, and is not here", "bring it back")

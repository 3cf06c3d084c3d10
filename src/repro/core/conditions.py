"""What a recorded command meets when it is run again: interpreter, packages, variables."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from repro.core.editables import place_editables
from repro.core.environment import capture_environment
from repro.core.isolation import Isolated, roots_of
from repro.core.prefixes import link_prefix
from repro.core.project import Project
from repro.core.python_then import likely_command
from repro.core.randomness import user_environment
from repro.core.rebuild import activate, ensure_environment
from repro.core.search_path import (
    VARIABLE,
    describe_search_path,
    place_search_path,
    with_search_path,
)
from repro.core.surroundings import current_environment
from repro.core.trust import is_own
from repro.model.canonical import Json
from repro.model.conditions import packages_of, search_path_of
from repro.model.environment import OURS, environment_digest, packages_digest, part
from repro.model.paths import validate_path
from repro.model.relocate import relocate
from repro.model.run import Record
from repro.model.text import escape

# Of the run around us, if there is one: this is none of its part.
_OF_A_RUN = ("REPRO_RUN_ID", "REPRO_LIVE_DIR", "REPRO_RANDOM", "REPRO_FOREIGN", "REPRO_VARIED")


class Which(StrEnum):
    """Whose environment a command gets."""

    RECORDED = "recorded"
    CURRENT = "current"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Where a command of a run can be started as it was.

    Attributes:
        which: Whose environment this is.
        environ: The whole environment of the command.
        bin: Where the programs of its Python are, None where that is not known.
        prefixes: Folders of Python environments; code that is loaded from them is no run's own.
        notes: What is not as it was, for the user.
        search_path: What of `PYTHONPATH` is the run's or the user's, as a record says it.
    """

    which: Which
    environ: Mapping[str, str]
    bin: Path | None
    prefixes: tuple[str, ...]
    notes: tuple[str, ...] = ()
    search_path: tuple[str, ...] = ()


def restore_conditions(
    project: Project,
    record: Record,
    isolation: Isolated,
    which: Which | None,
    *,
    allow_foreign: bool = False,
    nearest: bool = False,
    on_progress: Callable[[str], None] = lambda _: None,
) -> Conditions:
    """Get ready to run a command in an isolated tree, with that tree's code and no other.

    Args:
        which: None is the current environment where it is the recorded one, else the recorded
            one, rebuilt.
        allow_foreign: Install packages from places that are no index of the user's.
        nearest: Take the nearest version of what cannot be had.
        on_progress: Told what is being done.

    Raises:
        MissingPackagesError: Something of the recorded environment cannot be had.
        DamagedRecordError: The record breaks FORMAT.md.
    """
    words = likely_command(project, record)
    outside = allow_foreign or is_own(project, record)
    given = with_search_path(project, record, outside=outside)
    now = current_environment(given, words, cwd=_place_now(project, record))
    search_path = _search_path(given, record)
    notes: tuple[str, ...] = ()
    is_asked_for = which is not None
    if which is None and not packages_of(record.environment):
        which = Which.CURRENT
        notes = ("the run has no record of its packages: it gets the present ones",)
    if which is None:
        is_same = environment_digest(now) == environment_digest(record.environment)
        which = Which.CURRENT if is_same else Which.RECORDED
    environ = {key: value for key, value in project.environ.items() if key not in _OF_A_RUN}
    siblings: list[Path] = []
    if which is Which.RECORDED:
        rebuilt = ensure_environment(
            project, record, allow_foreign=allow_foreign, nearest=nearest, on_progress=on_progress
        )
        environ = activate(rebuilt.folder, environ)
        prefix: str | None = str(rebuilt.folder)
        notes = rebuilt.notes
        siblings = place_editables(project, record, project.repository.private / "editables")
    else:
        prefix = _prefix(now)
        if prefix is not None and words != record.run.command and not is_asked_for:
            environ = activate(Path(prefix), environ)
    if prefix is not None and link_prefix(
        isolation.folder, roots_of(project), _prefix(record.environment), Path(prefix)
    ):
        # What it would bring up to date for this tree is the user's own, behind the links.
        environ["UV_NO_SYNC"] = "1"
    environ["PYTHONPATH"] = os.pathsep.join(
        [
            *_own_roots(record, isolation.folder),
            *map(str, siblings),
            *place_search_path(search_path, isolation.folder),
        ]
    )
    if not environ["PYTHONPATH"]:
        del environ["PYTHONPATH"]
    environ["PWD"] = str(isolation.cwd)
    return Conditions(
        which=which,
        environ=environ,
        bin=Path(prefix) / "bin" if prefix else None,
        prefixes=tuple(filter(None, dict.fromkeys([prefix, _prefix(now)]))),
        notes=(*notes, *_lacking_path(record, search_path)),
        search_path=search_path,
    )


def place_argv(
    project: Project,
    record: Record,
    isolation: Isolated,
    conditions: Conditions,
    argv: Sequence[str],
) -> tuple[str, ...]:
    """Give a command that names nothing of the original tree, nor of its environment.

    A program that the environment in its place lacks, such as the `bash` of a conda environment,
    stays where it was.
    """
    programs = str(conditions.bin) if conditions.bin else None

    def place(new_bin: str | None) -> tuple[str, ...]:
        return relocate(
            argv,
            old_roots=roots_of(project),
            new_root=str(isolation.folder),
            cwd=record.run.cwd,
            old_prefix=_prefix(record.environment),
            new_bin=new_bin,
        )

    placed = place(programs)
    is_absent = placed[0].startswith(f"{programs}/") and not Path(placed[0]).exists()
    return place(None) if is_absent else placed


def describe_conditions(
    project: Project, record: Record, conditions: Conditions, argv: Sequence[str], cwd: Path
) -> dict[str, Json]:
    """The environment that the command gets, as a record says it.

    Packages that stand on the path instead of being installed, editable ones and repro itself,
    count as they were recorded: these very trees were put in place.
    """
    inside = replace(project, environ=conditions.environ)
    environment = capture_environment(inside, argv, cwd=cwd)
    variables = {k: v for k, v in part(environment, "variables").items() if k != VARIABLE}
    if conditions.search_path:  # without what was put there for the tree
        variables[VARIABLE] = os.pathsep.join(conditions.search_path)
    environment["variables"] = variables
    if conditions.which is Which.CURRENT:
        return environment
    placed = {
        name: one
        for name, one in packages_of(record.environment).items()
        if name == OURS or _is_editable(one)
    }
    found = packages_of(environment)
    own = found.get(OURS)
    if own is not None and own.get("version") != placed.get(OURS, {}).get("version"):
        placed.pop(OURS, None)
    merged: dict[str, Any] = {**found, **placed}
    listed: list[Json] = [merged[name] for name in sorted(merged)]
    packages: dict[str, Json] = {
        "count": len(listed),
        "digest": packages_digest(listed),
        "list": listed,
    }
    return {**environment, "packages": packages}


def foreign_roots(project: Project, isolation: Isolated, conditions: Conditions) -> str:
    """The value of `REPRO_FOREIGN`: the original tree, then what in it is not its code."""
    prefixes = [prefix for prefix in conditions.prefixes if prefix]
    places = [str(project.repository.common_dir), str(isolation.folder), *prefixes]
    return os.pathsep.join([str(project.repository.root.resolve()), *dict.fromkeys(places)])


def _place_now(project: Project, record: Record) -> Path:
    folder = project.repository.root / record.run.cwd
    return folder if folder.is_dir() else project.repository.root


def _prefix(environment: Mapping[str, Json]) -> str | None:
    prefix = part(environment, "interpreter").get("prefix")
    return prefix if isinstance(prefix, str) and prefix.startswith("/") else None


def _is_editable(package: Mapping[str, Any]) -> bool:
    origin = package.get("origin")
    return isinstance(origin, dict) and origin.get("editable") is True


def _own_roots(record: Record, folder: Path) -> list[str]:
    """Where the run's own packages are imported from, in the isolated tree."""
    roots: list[str] = []
    for package in packages_of(record.environment).values():
        origin = package.get("origin")
        if not isinstance(origin, dict) or not _is_editable(package) or "path" not in origin:
            continue  # one that lies elsewhere is placed apart
        named = origin.get("import_roots")
        for root in named if isinstance(named, list) else []:
            if root != ".":
                validate_path(str(root))
            roots.append(os.path.normpath(folder / str(root)))
    return list(dict.fromkeys(roots))


def _search_path(project: Project, record: Record) -> tuple[str, ...]:
    value = user_environment(project.environ).get(VARIABLE)
    folder = _place_now(project, record)
    return describe_search_path(value, project.repository.root, folder) if value else ()


def _lacking_path(record: Record, given: Sequence[str]) -> list[str]:
    lacking = [one for one in search_path_of(record.environment) if one not in given]
    return [f"`{escape(one)}` of {VARIABLE} is not taken from the record" for one in lacking]

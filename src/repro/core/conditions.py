"""What a recorded command meets when it is run again: interpreter, packages, variables."""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from repro.core.editables import place_editables
from repro.core.environment import capture_environment
from repro.core.isolation import Isolated, roots_of
from repro.core.needed import list_worktrees
from repro.core.prefixes import link_prefix
from repro.core.project import Project
from repro.core.python_then import likely_command
from repro.core.randomness import user_environment
from repro.core.rebuild import (
    EnvironmentPlan,
    activate,
    ensure_environment,
    is_current,
    plan_environment,
)
from repro.core.search_path import (
    VARIABLE,
    describe_search_path,
    place_search_path,
    with_search_path,
)
from repro.core.surroundings import current_environment
from repro.core.trust import is_own
from repro.errors import DamagedRecordError, GitError
from repro.model.canonical import Json
from repro.model.environment import OURS, local_folder, packages_digest, part
from repro.model.needs import packages_of, replay_variables, search_path_of
from repro.model.paths import validate_path
from repro.model.relocate import relocate
from repro.model.run import Record
from repro.model.text import escape
from repro.model.varied import OF_PARAMS

# Of the run around us, if there is one: this is none of its part.
_OF_A_RUN = ("REPRO_RUN_ID", "REPRO_LIVE_DIR", "REPRO_RANDOM", "REPRO_FOREIGN", *OF_PARAMS)


class Which(StrEnum):
    """Whose environment a command gets; frozen is the current one, but no code that is in place."""

    RECORDED = "recorded"
    CURRENT = "current"
    FROZEN = "frozen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Where a command of a run can be started as it was.

    Attributes:
        which: Whose environment this is.
        environ: The whole environment of the command.
        bin: Where the programs of its Python are, None where that is not known.
        prefixes: Folders of Python environments; code that is loaded from them is no run's own.
        notes: What is not as it was, for the user.
        from_code: Packages that were built from the code of the run.
        search_path: What of `PYTHONPATH` is the run's or the user's, as a record says it.
    """

    which: Which
    environ: Mapping[str, str]
    bin: Path | None
    prefixes: tuple[str, ...]
    notes: tuple[str, ...] = ()
    from_code: tuple[str, ...] = ()
    search_path: tuple[str, ...] = ()


def plan_conditions(
    project: Project, record: Record, which: Which | None, *, nearest: bool = False
) -> EnvironmentPlan | None:
    """Say what `restore_conditions` would build; None where nothing is.

    Raises:
        DamagedRecordError: The record lists no packages.

    Cost: Captures the present environment where `which` leaves the choice.
    """
    if which is None:
        if not packages_of(record.environment):
            return None
        given = with_search_path(project, record, outside=is_own(project, record))
        words = likely_command(project, record)
        now = current_environment(given, words, cwd=_place_now(project, record))
        which = _choose(record, now)
    if which is Which.CURRENT:
        return None
    plan = plan_environment(project, record)
    return None if plan.built is not None and (plan.is_built or nearest) else plan


def restore_conditions(
    project: Project,
    record: Record,
    isolation: Isolated,
    which: Which | None,
    *,
    allow_foreign: bool = False,
    nearest: bool = False,
    replay: bool = True,
    on_progress: Callable[[str], None] = lambda _: None,
) -> Conditions:
    """Get ready to run a command in an isolated tree, with that tree's code and no other.

    Args:
        which: None is the current environment where it is the recorded one, else the recorded
            one, rebuilt.
        allow_foreign: Install packages from places that are no index of the user's.
        nearest: Take the nearest version of what cannot be had.
        replay: Set the variables that decide what is computed to what they were.
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
    which = which or _choose(record, now)
    environ = {key: value for key, value in project.environ.items() if key not in _OF_A_RUN}
    from_code: tuple[str, ...] = ()
    if which is Which.RECORDED:
        rebuilt = ensure_environment(
            project, record, allow_foreign=allow_foreign, nearest=nearest, on_progress=on_progress
        )
        environ = activate(rebuilt.folder, environ)
        prefix: str | None = str(rebuilt.folder)
        notes = rebuilt.notes
        from_code = rebuilt.from_code
    else:
        prefix = _prefix(now)
        if prefix is not None and words != record.run.command and not is_asked_for:
            environ = activate(Path(prefix), environ)
    siblings = []
    if which is not Which.CURRENT:
        siblings = place_editables(project, record, isolation.packages)
    if prefix is not None and link_prefix(
        isolation.folder, roots_of(project), _prefix(record.environment), Path(prefix)
    ):
        # What it would bring up to date for this tree is the user's own, behind the links.
        environ["UV_NO_SYNC"] = "1"
    said: list[str] = []
    if replay:
        environ, said = replay_variables(record.environment, environ)
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
        notes=(*notes, *said, *_lacking_path(record, search_path), *isolation.notes),
        from_code=from_code,
        search_path=search_path,
    )


def place_imports(project: Project, record: Record, folder: Path) -> tuple[str, ...]:
    """Give what a rebuilt environment takes from `PYTHONPATH`: the run's packages in place.

    The recorded code of those from elsewhere is put where all runs share it.

    Args:
        folder: Top of a tree that has the code of the run.

    Returns:
        Folders, absolute, the first to be searched first.

    Raises:
        DamagedRecordError: The record names something that is not in it, or leads elsewhere.
        StorageError: The disk is full or read-only.
    """
    placed = place_editables(project, record, _editables_folder(project))
    # Those placed come first: what git ignores in the project is there as it is now, too.
    return tuple(dict.fromkeys([*map(str, placed), *_own_roots(record, folder.absolute())]))


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
    count as they were recorded: these very trees were put in place. Where the rest of it is the
    current one, repro is as it is there. One that was built from the
    code of the run is a copy of the repository, as it was.
    """
    inside = replace(project, environ=conditions.environ)
    environment = capture_environment(inside, argv, cwd=cwd)
    variables = {k: v for k, v in part(environment, "variables").items() if k != VARIABLE}
    if conditions.search_path:  # without what was put there for the tree
        variables[VARIABLE] = os.pathsep.join(conditions.search_path)
    environment["variables"] = variables
    if conditions.which is Which.CURRENT:
        return environment
    recorded = packages_of(record.environment)
    found = packages_of(environment)
    is_recorded = conditions.which is Which.RECORDED
    placed = {
        name: one
        for name, one in recorded.items()
        if (name == OURS and is_recorded) or (name != OURS and _is_placed(one, is_recorded))
    }
    for name in conditions.from_code:  # from a copy of it in a folder that is gone by now
        if name in found and name in recorded:
            placed[name] = {**found[name], "origin": recorded[name].get("origin")}
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


def find_spoiled(record: Record, environment: Mapping[str, Json]) -> list[str]:
    """What of a rebuilt environment is not as recorded any more, by name.

    It is shared, and whatever ran in it may have installed into it; and it borrows its interpreter,
    which the system may have replaced by a newer one.

    Args:
        environment: As `describe_conditions` gives it.
    """
    recorded, found = packages_of(record.environment), packages_of(environment)
    names = (recorded.keys() | found.keys()) - {OURS}
    changed = [name for name in names if _version(recorded, name) != _version(found, name)]
    was, is_now = (
        part(one, "interpreter").get("version") for one in (record.environment, environment)
    )
    return [*(["Python"] if was != is_now else []), *sorted(changed)]


def _version(packages: Mapping[str, Mapping[str, Json]], name: str) -> Json:
    return packages[name].get("version") if name in packages else None


def foreign_roots(
    project: Project, record: Record, isolation: Isolated, conditions: Conditions
) -> str:
    """The value of `REPRO_FOREIGN`: trees that no code may come from, and what in them may be used.

    Those are all working trees of the repository and, where packages in place elsewhere were put
    in place from the record, their folders.
    """
    repository = project.repository
    roots = [repository.root.resolve()]
    with suppress(DamagedRecordError, GitError):  # one that is not there has no code
        roots += list_worktrees(repository)
    if conditions.which is not Which.CURRENT:
        packages = packages_of(record.environment)
        origins = (part(one, "origin") for name, one in packages.items() if name != OURS)
        roots += filter(None, (local_folder(one) for one in origins if one.get("editable") is True))
    places = [repository.common_dir, isolation.folder]
    for prefix in map(Path, filter(None, conditions.prefixes)):
        # One at the root, or above it as /usr may be, is no reason to look away from the code.
        is_above = any(root.is_relative_to(prefix.resolve()) for root in roots)
        places += [prefix / "bin", *prefix.glob("lib*/python*")] if is_above else [prefix]
    lines = ["\n".join(dict.fromkeys(map(str, paths))) for paths in (roots, places)]
    return "\n\n".join(lines)


def _choose(record: Record, now: Mapping[str, Json]) -> Which:
    return Which.CURRENT if is_current(record, now) else Which.RECORDED


def _editables_folder(project: Project) -> Path:
    return project.repository.private / "editables"


def _place_now(project: Project, record: Record) -> Path:
    folder = project.repository.root / record.run.cwd
    return folder if folder.is_dir() else project.repository.root


def _prefix(environment: Mapping[str, Json]) -> str | None:
    prefix = part(environment, "interpreter").get("prefix")
    return prefix if isinstance(prefix, str) and prefix.startswith("/") else None


def _is_placed(package: Mapping[str, Any], is_recorded: bool) -> bool:
    """Whether an editable package has its recorded code; one of which nothing was kept has not."""
    return _is_editable(package) and (is_recorded or bool({"tree", "path"} & {*package["origin"]}))


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

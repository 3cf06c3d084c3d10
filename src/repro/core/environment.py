"""The environment that a command would meet: interpreter, packages, machine, variables."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from repro.core.project import Project
from repro.core.randomness import user_environment
from repro.core.search_path import VARIABLE, describe_search_path
from repro.model.canonical import Json
from repro.model.environment import OURS, local_folder, packages_digest
from repro.model.secrets import allowed_variables, redact_text
from repro.store.container import read_container
from repro.store.cuda import read_cuda
from repro.store.editable import find_import_roots
from repro.store.hardware import read_hardware
from repro.store.indexes import read_indexes
from repro.store.interpreter import Interpreter, read_interpreter, read_own_interpreter
from repro.store.packages import Package, find_version, scan_packages
from repro.store.which import find_interpreter

_OF_SYSTEM = ("/usr/lib/", "/usr/lib64/")


def capture_environment(
    project: Project, command: Sequence[str], *, cwd: Path | None = None
) -> dict[str, Json]:
    """Give the environment part of a record (FORMAT.md section "The record").

    What cannot be learnt is said under `error` in its part; nothing is raised for it.

    Args:
        command: What will run. Empty: this process is the run, and our interpreter its own.
        cwd: Where it runs; the root of the project by default.

    Returns:
        `interpreter`, `platform`, `packages` (sorted by name, with a `digest`), `hardware`,
        `cuda`, `container`, `conda`, `indexes`, `variables`, and the versions of `git` and
        `repro`. What an editable package outside of the project holds is not said: that is up
        to `core.surroundings`.

    Cost: Under 10 ms; a foreign interpreter is started once and then remembered.
    """
    project = replace(project, environ=user_environment(project.environ))
    own = read_own_interpreter()
    interpreter = _interpreter(project, command, cwd or project.repository.root) or own
    private, environ = project.repository.private, project.environ
    prefix = _text(interpreter.facts.get("prefix"))
    scanned = [] if "error" in interpreter.facts else scan_packages(interpreter.paths)
    versions = [(package.name, package.version) for package in scanned]
    return {
        "interpreter": dict(interpreter.facts),
        "platform": _platform(),
        "packages": _packages(interpreter, scanned, project.repository.root),
        "hardware": read_hardware(environ=environ, cache=private / "gpus.json"),
        "cuda": read_cuda(versions, prefix=prefix, environ=environ),
        "container": read_container(environ=environ),
        "conda": _conda(prefix, environ),
        "indexes": read_indexes(prefix=prefix, environ=environ),
        "variables": _variables(project, cwd or project.repository.root),
        "git": ".".join(map(str, project.repository.git.version)),
        "repro": find_version(own.paths, OURS),
    }


def _variables(project: Project, cwd: Path) -> dict[str, Json]:
    variables = allowed_variables(project.environ)
    path = project.environ.get(VARIABLE)
    if path:
        entries = describe_search_path(path, project.repository.root, cwd)
        variables[VARIABLE] = redact_text(os.pathsep.join(entries))
    return dict(sorted(variables.items()))


def _interpreter(project: Project, command: Sequence[str], cwd: Path) -> Interpreter | None:
    if not command:
        return None
    found = find_interpreter(
        command, environ=project.environ, cwd=cwd, root=project.repository.root
    )
    if found is None:
        return None
    cache = project.repository.private / "interpreters"
    return read_interpreter(found, environ=project.environ, cwd=cwd, cache=cache)


def _packages(interpreter: Interpreter, scanned: list[Package], root: Path) -> dict[str, Json]:
    if "error" in interpreter.facts:
        return {"count": 0, "digest": None, "error": "the interpreter gave no answer", "list": []}
    listed: list[Json] = [_encode(package, root) for package in scanned]
    packages: dict[str, Json] = {
        "count": len(listed),
        "digest": packages_digest(listed),
        "list": listed,
    }
    system = {str(Path(one.metadata).parent) for one in scanned if _is_of_system(one)}
    if system:
        packages["system"] = [*sorted(system)]
    return packages


def _is_of_system(package: Package) -> bool:
    """Whether it lies where only the package manager of the operating system installs."""
    return package.metadata.startswith(_OF_SYSTEM)


def _encode(package: Package, root: Path) -> dict[str, Json]:
    value: dict[str, Json] = {"name": package.name, "version": package.version}
    if package.origin is not None:
        value["origin"] = _origin(package, package.origin, root)
    return value


def _origin(package: Package, origin: dict[str, Json], root: Path) -> dict[str, Json]:
    """An origin inside the project as a path from its top: the same in every clone of it.

    The roots of an editable one are relative to that top, too; elsewhere, to its own folder.
    """
    folder = local_folder(origin)
    if folder is None:
        return origin
    inside = _relative(folder, root)
    if inside is not None:
        origin = {**{key: value for key, value in origin.items() if key != "url"}, "path": inside}
    if origin.get("editable") is not True:
        return origin
    is_wheel = package.metadata.endswith(".dist-info")  # else the source is on the path itself
    roots = find_import_roots(Path(package.metadata)) if is_wheel else [folder]
    top = folder if inside is None else root
    named: list[Json] = [path for path in (_relative(one, top) for one in roots) if path]
    return {**origin, "import_roots": named}


def _relative(path: Path, top: Path) -> str | None:
    """A path from `top` on, also where a link leads there; None for one that is outside."""
    for one, other in ((path, top), (path.resolve(), top.resolve())):
        if one.is_relative_to(other):
            return one.relative_to(other).as_posix()
    return None


def _conda(prefix: str | None, environ: Mapping[str, str]) -> dict[str, Json] | None:
    """The conda environment: that of the interpreter, else the active one."""
    active = environ.get("CONDA_PREFIX")
    found = prefix if prefix and Path(prefix, "conda-meta").is_dir() else active
    if not found:
        return None
    named = environ.get("CONDA_DEFAULT_ENV") if found == active else None
    return {"prefix": found, "name": named or Path(found).name}


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None


def _platform() -> dict[str, Json]:
    uname = os.uname()
    return {
        "system": uname.sysname,
        "release": uname.release,
        "machine": uname.machine,
        "libc": _libc(),
    }


def _libc() -> str | None:
    try:
        return os.confstr("CS_GNU_LIBC_VERSION")
    except (ValueError, OSError):  # another libc does not know the question
        return "musl" if any(Path("/lib").glob("ld-musl-*")) else None

"""The environment that a command would meet: interpreter, packages, machine, variables."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from repro.core.project import Project
from repro.model.canonical import Json, format_json
from repro.model.secrets import allowed_variables
from repro.store.hardware import read_hardware
from repro.store.interpreter import Interpreter, read_interpreter, read_own_interpreter
from repro.store.packages import Package, find_version, scan_packages
from repro.store.which import find_interpreter

_DISTRIBUTION = "git-repro"


def capture_environment(
    project: Project, command: Sequence[str], *, cwd: Path | None = None
) -> dict[str, Json]:
    """Give the environment part of a record (FORMAT.md section "The record").

    What cannot be learnt is said under `error` in its part; nothing is raised for it.

    Args:
        command: What will run. Empty: this process is the run, and our interpreter its own.
        cwd: Where it runs; the root of the project by default.

    Returns:
        `interpreter`, `platform`, `packages` (sorted by name, with a `digest` over names,
        versions and origins), `hardware`, `variables`, and the versions of `git` and `repro`.

    Cost: Under 10 ms; a foreign interpreter is started once and then remembered.
    """
    own = read_own_interpreter()
    interpreter = _interpreter(project, command, cwd or project.repository.root) or own
    private = project.repository.private
    return {
        "interpreter": dict(interpreter.facts),
        "platform": _platform(),
        "packages": _packages(interpreter, project.repository.root),
        "hardware": read_hardware(environ=project.environ, cache=private / "gpus.json"),
        "variables": dict(sorted(allowed_variables(project.environ).items())),
        "git": ".".join(map(str, project.repository.git.version)),
        "repro": find_version(own.paths, _DISTRIBUTION),
    }


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


def _packages(interpreter: Interpreter, root: Path) -> dict[str, Json]:
    if "error" in interpreter.facts:
        return {"count": 0, "digest": None, "error": "the interpreter gave no answer", "list": []}
    listed: list[Json] = [_encode(package, root) for package in scan_packages(interpreter.paths)]
    digest = "sha256:" + hashlib.sha256(format_json(listed)).hexdigest()
    return {"count": len(listed), "digest": digest, "list": listed}


def _encode(package: Package, root: Path) -> dict[str, Json]:
    value: dict[str, Json] = {"name": package.name, "version": package.version}
    if package.origin is not None:
        value["origin"] = _relative(package.origin, root)
    return value


def _relative(origin: dict[str, Json], root: Path) -> dict[str, Json]:
    """An origin inside the project as a path from its top: the same in every clone of it."""
    url = urlsplit(str(origin["url"]))
    if url.scheme != "file":
        return origin
    path = Path(unquote(url.path))
    for top in (root, root.resolve()):
        if path.is_relative_to(top):
            rest = {key: value for key, value in origin.items() if key != "url"}
            return {**rest, "path": path.relative_to(top).as_posix()}
    return origin


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

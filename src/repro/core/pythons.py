"""An interpreter of the version that a run had, found among those that are installed here."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from repro.core.project import Project
from repro.model.canonical import Json
from repro.model.environment import part
from repro.model.requirements import Lacking
from repro.model.versions import Version, find_nearest, parse_version
from repro.store.installer import find_uv
from repro.store.interpreter import (
    Interpreter,
    is_python_name,
    read_interpreter,
    read_own_interpreter,
)
from repro.store.probe import ask_program

_UV_TIMEOUT_S = 20.0
_FREE = re.compile(r"-[0-9]+t")  # in the ABI of a build without the global interpreter lock
# What would lead an interpreter to other packages, or another standard library.
_UNWANTED = ("PYTHONPATH", "PYTHONHOME", "__PYVENV_LAUNCHER__")


@dataclass(frozen=True, slots=True)
class Python:
    """An interpreter to make an environment with.

    Attributes:
        executable: Its path.
        lacking: What it is not, when it is only the nearest one.
    """

    executable: str
    version: str
    abi: str
    lacking: Lacking | None = None


@dataclass(frozen=True, slots=True)
class _Wanted:
    implementation: str
    version: Version
    text: str
    is_free: bool


def find_python(project: Project, environment: Mapping[str, Json]) -> Python | Lacking:
    """Give an interpreter of the recorded version, or the nearest one of the same series.

    Looked at are the recorded one, ours, those on the PATH, of pyenv and of uv. Nothing is
    downloaded. An interpreter of another series, 3.12 for 3.11, is never near.

    Cost: A start of each interpreter that was not seen before, until one fits.
    """
    facts = part(environment, "interpreter")
    text = facts.get("version")
    version = parse_version(text) if isinstance(text, str) else None
    if version is None or not isinstance(text, str) or len(version.release) < 2:
        return Lacking("Python", "", "the record does not say which interpreter the run had")
    implementation, abi = facts.get("implementation"), str(facts.get("abi") or "")
    wanted = _Wanted(str(implementation or "cpython"), version, text, _is_free(abi))
    near: dict[str, Python] = {}
    for found in _interpreters(project, wanted, facts.get("executable")):
        python = _matching(found, wanted)
        if python is not None and python.version == text:
            return python
        if python is not None:
            near.setdefault(python.version, python)
    reason = "this interpreter is not installed here"
    nearest = find_nearest(text, near)
    lacking = Lacking(_name(wanted), text, reason, nearest)
    if nearest is None:
        return lacking
    found_near = near[nearest]
    return Python(found_near.executable, found_near.version, found_near.abi, lacking)


def _name(wanted: _Wanted) -> str:
    name = "Python" if wanted.implementation == "cpython" else "PyPy"
    # Capitals keep it apart from a distribution of that name.
    return f"{name} (free-threaded)" if wanted.is_free else name


def _is_free(abi: str) -> bool:
    return _FREE.search(abi) is not None


def _matching(found: Interpreter, wanted: _Wanted) -> Python | None:
    facts = found.facts
    version = parse_version(str(facts.get("version")))
    if version is None or facts.get("implementation") != wanted.implementation:
        return None
    abi = str(facts.get("abi"))
    if version.release[:2] != wanted.version.release[:2] or _is_free(abi) != wanted.is_free:
        return None
    return Python(str(facts.get("executable")), str(facts["version"]), abi)


def _interpreters(project: Project, wanted: _Wanted, recorded: Json) -> Iterator[Interpreter]:
    """From the most likely to the least, each once."""
    seen: set[str] = set()
    yield read_own_interpreter()
    environ = {key: value for key, value in project.environ.items() if key not in _UNWANTED}
    cache = project.repository.private / "interpreters"
    for path in _paths(project, wanted, recorded):
        if path not in seen and Path(path).is_file():
            seen.add(path)
            yield read_interpreter(path, environ=environ, cwd=Path("/"), cache=cache)


def _paths(project: Project, wanted: _Wanted, recorded: Json) -> Iterator[str]:
    if isinstance(recorded, str) and recorded.startswith("/") and is_python_name(recorded):
        yield recorded
    environ = project.environ
    series = ".".join(map(str, wanted.version.release[:2]))
    stem = "pypy" if wanted.implementation == "pypy" else "python"
    names = [f"{stem}{series}{'t' if wanted.is_free else ''}", f"{stem}3", stem]
    folders = [Path(one) for one in environ.get("PATH", "").split(":") if one.startswith("/")]
    yield from (str(folder / name) for name in names[:1] for folder in folders)
    home = environ.get("PYENV_ROOT") or str(Path(environ.get("HOME") or "/", ".pyenv"))
    versions = sorted(Path(home, "versions").glob("*/bin/python"), reverse=True)
    yield from (str(path) for path in versions if series in path.parts[-3])
    yield from (str(folder / name) for name in names[1:] for folder in folders)
    yield from _of_uv(project, [wanted.text, series])


def _of_uv(project: Project, requests: list[str]) -> Iterator[str]:
    uv = find_uv(project.environ)
    for request in requests if uv else ():
        argv = [str(uv), "python", "find", "--no-config", "--no-project", "--no-python-downloads"]
        answer = ask_program(
            [*argv, request], environ=project.environ, cwd=Path("/"), timeout_s=_UV_TIMEOUT_S
        )
        yield answer.out.decode(errors="replace").strip()

"""Which Python interpreter a command would start."""

import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from repro.store.interpreter import is_python_name

_SHEBANG = re.compile(rb"#![ \t]*([^\r\n]+)")
# How pip and uv write a shebang whose path is too long or has spaces.
_LONG_SHEBANG = re.compile(rb"#!/bin/sh\r?\n'''exec' (?:\"([^\"\n]+)\"|([^ \n]+)) ")
# The variable whose environment a tool takes rather than the `.venv` of the project.
_TAKEN_FIRST = {
    "uv": "UV_PROJECT_ENVIRONMENT",
    "poetry": "VIRTUAL_ENV",
    "pipenv": "VIRTUAL_ENV",
}
_PROJECT_TOOLS = {"hatch", "pdm", "pipenv", "poetry", "rye", "uv"}
_CONDAS = {"conda", "mamba", "micromamba"}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a command runs: variables, current folder, top of the project."""

    environ: Mapping[str, str]
    cwd: Path
    root: Path


def find_interpreter(
    command: Sequence[str], *, environ: Mapping[str, str], cwd: Path, root: Path
) -> str | None:
    """Give the path of the interpreter that a command would start, without running anything.

    A command that is a Python, or a script whose first line names one, is certain. For tools
    that start one in turn (`uv run`, `conda run`, `env`, `srun`) it is the one they would take;
    for any other command the active virtual environment's, or the first on the PATH.

    Args:
        environ: The whole environment of the command.
        cwd: Where it runs.
        root: Top of the project, where tools keep its virtual environment.

    Returns:
        An absolute path, links not followed; None where there is no interpreter to be found.
    """
    place = _Place(environ, cwd, root)
    for found in _candidates(command, place):
        if found is not None:
            return str(Path(found).absolute())
    return None


def is_certain(
    command: Sequence[str], *, environ: Mapping[str, str], cwd: Path, root: Path
) -> bool:
    """Whether the program of a command is a Python, or a script whose first line names one."""
    place = _Place(environ, cwd, root)
    program = _which(command[0], place) if command else None
    if program is None or is_tool(program):
        return False
    return _python_of(program, place) is not None


def is_tool(program: str) -> bool:
    """Whether a program is one that starts the Python of another environment than its own."""
    return Path(program).name in _PROJECT_TOOLS | _CONDAS


def _candidates(command: Sequence[str], place: _Place) -> Iterator[str | None]:
    """From the most certain to the least."""
    program = _which(command[0], place) if command else None
    if program is not None:
        # Before the interpreter of the tool itself, for many of these are written in Python.
        name = Path(program).name
        if name in _CONDAS:
            yield _conda_python(command, program)
        variable = _TAKEN_FIRST.get(name)
        if variable is not None and place.environ.get(variable):
            yield _existing(place.root / place.environ[variable])
        if name in _PROJECT_TOOLS:
            yield _existing(place.root / ".venv")
        yield _python_of(program, place)
    for word in command[1:]:
        if is_python_name(word):
            yield _python(word, place)
    for variable in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        prefix = place.environ.get(variable)
        yield _existing(Path(prefix)) if prefix else None
    for word in ("python", "python3"):
        yield _python(word, place)


def _python_of(program: str, place: _Place) -> str | None:
    """The interpreter that a program is, or that the first line of a script names."""
    if is_python_name(program) or is_python_name(os.path.realpath(program)):
        return _behind_shim(program, place)
    try:
        with Path(program).open("rb") as file:
            head = file.read(4096)
    except OSError:
        return None
    words = _shebang(head)
    if words and Path(words[0]).name == "env":
        words = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
    return _python(words[0], place) if words and is_python_name(words[0]) else None


def _shebang(head: bytes) -> list[str]:
    long = _LONG_SHEBANG.match(head)
    if long is not None:
        return [os.fsdecode(long[1] or long[2])]
    match = _SHEBANG.match(head)
    return os.fsdecode(match[1]).split() if match else []


def _python(word: str, place: _Place) -> str | None:
    program = _which(word, place)
    return _behind_shim(program, place) if program is not None else None


def _which(word: str, place: _Place) -> str | None:
    if os.sep in word:
        path = place.cwd / word
        return str(path) if path.is_file() and os.access(path, os.X_OK) else None
    return shutil.which(word, path=place.environ.get("PATH") or os.defpath)


def _behind_shim(program: str, place: _Place) -> str:
    """What pyenv would start for its shim; the shim itself where that is not clear.

    A shim costs a fifth of a second, for it is a shell script.

    Source: pyenv, "Understanding Python version selection", README.md.
    """
    shims = Path(program).parent
    if shims.name != "shims" or not (shims.parent / "versions").is_dir():
        return program
    for version in _pyenv_versions(shims.parent, place):
        inside = shims.parent / "versions" / version / "bin" / Path(program).name
        if inside.is_file():
            return str(inside)
    return program


def _pyenv_versions(pyenv: Path, place: _Place) -> list[str]:
    chosen = place.environ.get("PYENV_VERSION")
    if chosen:
        return chosen.split(":")
    names = [folder / ".python-version" for folder in (place.cwd, *place.cwd.parents)]
    for path in (*names, pyenv / "version"):
        try:
            lines = path.read_text(errors="replace").splitlines()
        except OSError:
            continue
        versions = [line.strip() for line in lines if line.strip() and line[0] != "#"]
        if versions:
            return versions
    return []


def _conda_python(command: Sequence[str], program: str) -> str | None:
    """The interpreter of the environment that `conda run -n NAME` or `-p PREFIX` asks for."""
    for option, value in pairwise(command):
        if option in ("-p", "--prefix"):
            return _existing(Path(value))
        if option in ("-n", "--name"):
            installed = Path(os.path.realpath(program)).parent.parent
            return _existing(installed if value == "base" else installed / "envs" / value)
    return None


def _existing(prefix: Path) -> str | None:
    path = prefix / "bin" / "python"
    return str(path) if path.is_file() else None

"""What a Python interpreter is, and where it looks for packages.

Our own is read in this process. Another one is asked by running it, once: its answer is kept
in a file that can be deleted at any time, and counts as long as nothing it rests on changed.
"""

import hashlib
import json
import os
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from repro.atomic import write_file
from repro.errors import StorageError
from repro.model.canonical import Json
from repro.store.probe import ask_program

_TIMEOUT_S = 20.0  # a first start from a network file system takes seconds
_MARK = "repro-interpreter:"  # a site hook may print too
_PYTHON = re.compile(r"(python|pypy)[0-9.]*(t|d|-dbg)?")
_FACTS = ("implementation", "version", "executable", "prefix", "abi")
# What decides, beside its file, where an interpreter looks for packages.
_VARIABLES = ("HOME", "PYTHONHOME", "PYTHONNOUSERSITE", "PYTHONPATH", "PYTHONUSERBASE")
# Runs under any Python since 2.7. The empty entry is the current folder, whose files could
# hide the standard library's.
_PROGRAM = f"""
import sys
sys.path[:] = [path for path in sys.path if path]
import json
about = getattr(sys, "implementation", None)
tag = getattr(about, "cache_tag", None) or "python"
multiarch = getattr(about, "_multiarch", None)
print({_MARK!r} + json.dumps({{
    "implementation": getattr(about, "name", "cpython"),
    "version": sys.version.split()[0],
    "executable": sys.executable,
    "prefix": sys.prefix,
    "abi": tag + getattr(sys, "abiflags", "") + ("-" + multiarch if multiarch else ""),
    "paths": sys.path,
    "user_site": getattr(sys.modules.get("site"), "USER_SITE", None),
}}))
"""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python interpreter.

    Attributes:
        facts: `implementation`, `version`, `executable`, `prefix`, `abi`; or, of one that
            gave no answer, `executable` and `error`.
        paths: Folders in which it looks for packages, in its order; without the script's own.
    """

    facts: dict[str, Json]
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Told:
    """An answer: facts by name, `sys.path`, and where the user's own packages would be."""

    facts: dict[str, str]
    paths: tuple[str, ...]
    user_site: str | None


def read_own_interpreter() -> Interpreter:
    """The interpreter that runs this."""
    about = sys.implementation
    multiarch = getattr(about, "_multiarch", "")
    facts: dict[str, Json] = {
        "implementation": about.name,
        "version": sys.version.split()[0],
        "executable": sys.executable,
        "prefix": sys.prefix,
        "abi": f"{about.cache_tag or 'python'}{sys.abiflags}{multiarch and '-'}{multiarch}",
    }
    return Interpreter(facts, _own_paths())


def read_interpreter(
    executable: str, *, environ: Mapping[str, str], cwd: Path, cache: Path
) -> Interpreter:
    """Give the interpreter at `executable`, as a command would meet it there.

    Args:
        environ: The whole environment of the command.
        cwd: Where the command runs.
        cache: Folder of remembered answers; made when the first one comes.

    Cost: Starts the interpreter the first time, and after a change of its packages.
    """
    if is_own(executable):
        return read_own_interpreter()
    key = _key(executable, environ, cwd)
    place = cache / f"{key}.json"
    told = _recall(place) if key is not None else None
    if told is None:
        asking = [executable, "-c", _PROGRAM]
        reply = ask_program(asking, environ=environ, cwd=cwd, timeout_s=_TIMEOUT_S)
        told = _parse_answer(reply.out)
        if told is None:
            error = reply.error or "it did not say what it is"
            return Interpreter({"executable": executable, "error": error}, ())
        if key is not None:
            _remember(place, told)
    return Interpreter(dict(told.facts), told.paths)


def is_python_name(path: str) -> bool:
    """Whether a program is a Python interpreter, going by its name."""
    return _PYTHON.fullmatch(Path(path).name) is not None


def is_environment(prefix: str) -> bool:
    """Whether a folder is an environment of its own, virtual or of conda, not a system's."""
    return any(Path(prefix, name).exists() for name in ("pyvenv.cfg", "conda-meta"))


def is_own(executable: str) -> bool:
    """Whether that is the interpreter that runs this, in the same virtual environment."""
    settings = _venv_settings(executable)
    is_in_venv = sys.prefix != sys.base_prefix
    if (settings is not None) != is_in_venv:
        return False
    try:
        if settings is not None:
            return settings.parent.samefile(sys.prefix)
        return Path(executable).samefile(sys.executable)
    except OSError:
        return False


def _own_paths() -> tuple[str, ...]:
    """`sys.path` without what stands for the running script: that depends on who imports us."""
    paths = [str(path) for path in sys.path]  # scripts put Path objects into it
    main = sys.modules.get("__main__")
    script = getattr(main, "__file__", None)
    own = {str(Path(script).parent), str(Path(script).resolve().parent)} if script else set()
    if getattr(main, "__spec__", None) is not None:  # python -m: the current folder
        with suppress(OSError):  # it was deleted
            own.add(str(Path.cwd()))
    if paths and paths[0] in own and not sys.flags.safe_path:
        del paths[0]
    return tuple(path for path in paths if path)


def _venv_settings(executable: str) -> Path | None:
    """The `pyvenv.cfg` that Python itself would obey: links are not followed, as by Python."""
    places = (folder / "pyvenv.cfg" for folder in Path(executable).absolute().parents[:2])
    return next((settings for settings in places if settings.is_file()), None)


def _key(executable: str, environ: Mapping[str, str], cwd: Path) -> str | None:
    """Name of the remembered answer; None for what may be another interpreter the next time."""
    real = os.path.realpath(executable)
    try:
        with Path(real).open("rb") as file:
            is_script = file.read(2) == b"#!"
        if is_script or not is_python_name(real):
            return None
        status = Path(real).stat()
        settings = _venv_settings(executable)
        changed = settings.stat().st_mtime_ns if settings else None
    except OSError:
        return None
    parts = [executable, real, status.st_size, status.st_mtime_ns, changed]
    parts += [environ.get(name) for name in _VARIABLES]
    parts.append(str(cwd) if environ.get("PYTHONPATH") else None)  # it may hold relative paths
    return hashlib.sha256(repr(parts).encode(errors="surrogateescape")).hexdigest()


def _parse_answer(out: bytes) -> _Told | None:
    for line in reversed(out.decode(errors="replace").splitlines()):
        if line.startswith(_MARK):
            return _checked(line.removeprefix(_MARK))
    return None


def _checked(text: str) -> _Told | None:
    """What an interpreter, or a file that anyone may have edited, says; None for nonsense."""
    try:
        told = json.loads(text)
        facts = {name: told[name] for name in _FACTS}
        paths, user_site = told["paths"], told["user_site"]
    except (ValueError, TypeError, LookupError, RecursionError):
        return None
    texts = [*facts.values(), *(paths if isinstance(paths, list) else [None]), user_site or ""]
    if not all(isinstance(text, str) for text in texts):
        return None
    return _Told(facts, tuple(paths), user_site)


def _times(told: _Told) -> list[list[Json]]:
    """When each folder that has, or would have, packages was last changed."""
    times: list[list[Json]] = []
    for path in dict.fromkeys([*told.paths, *([told.user_site] if told.user_site else [])]):
        try:
            times.append([path, Path(path).stat().st_mtime_ns])
        except (OSError, ValueError):
            times.append([path, None])
    return times


def _recall(place: Path) -> _Told | None:
    """The remembered answer, if no folder it names changed since."""
    try:
        kept = json.loads(place.read_bytes())
        told = _checked(kept["told"])
        times = kept["times"]
    except (OSError, ValueError, TypeError, LookupError, RecursionError):
        return None
    return told if told is not None and times == _times(told) else None


def _remember(place: Path, told: _Told) -> None:
    said = {**told.facts, "paths": told.paths, "user_site": told.user_site}
    kept = {"told": json.dumps(said), "times": _times(told)}
    try:
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_file(place, json.dumps(kept).encode())
    except (OSError, StorageError):
        pass  # it is asked again the next time

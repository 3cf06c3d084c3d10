"""Which Python interpreters are installed on this machine, found by the names of their files."""

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

_UV = re.compile(r"cpython-(\d+\.\d+\.\d+)-")
_VERSION = re.compile(r"(\d+)\.(\d+)(\.\d+)?")


def find_pythons(version: str, environ: Mapping[str, str]) -> Iterator[str]:
    """Give paths of interpreters that may be of a version, the likeliest first.

    Those on the PATH, and those that uv and pyenv have put into their own folders under the
    version's name. Nothing is started, so whether they are must be asked of them.

    Args:
        version: Such as `3.11.9`; nothing is given for what is no version.
    """
    match = _VERSION.fullmatch(version)
    if match is None:
        return
    minor = f"{match[1]}.{match[2]}"
    yield from _managed(version, minor, environ)
    for name in (f"python{minor}", f"python{match[1]}", "python"):
        found = shutil.which(name, path=environ.get("PATH") or os.defpath)
        if found is not None:
            yield found


def _managed(version: str, minor: str, environ: Mapping[str, str]) -> Iterator[str]:
    home = Path(environ.get("HOME") or "/nonexistent")
    data = Path(environ.get("XDG_DATA_HOME") or home / ".local/share")
    for folder in _list_folder(Path(environ.get("UV_PYTHON_INSTALL_DIR") or data / "uv/python")):
        named = _UV.match(folder.name)
        if named is not None and named[1] == version:
            yield str(folder / "bin" / f"python{minor}")
    pyenv = Path(environ.get("PYENV_ROOT") or home / ".pyenv")
    yield str(pyenv / "versions" / version / "bin" / f"python{minor}")


def _list_folder(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []

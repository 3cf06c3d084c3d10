"""Which CUDA and cuDNN a program would load, told by names and small files alone."""

import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from repro.model.canonical import Json

# Distributions of NVIDIA's wheels; the suffix `-cu12` names the CUDA they are for.
_RUNTIME = re.compile(r"nvidia-cuda-runtime(-cu\d+)?")
_CUDNN = re.compile(r"nvidia-cudnn(-cu\d+)?")
# Files of `conda-meta`: name, version, build.
_CONDA_RUNTIME = re.compile(r"(?:cuda-cudart|cudatoolkit)-(\d[\w.]*)-[^-]+\.json")
_CONDA_CUDNN = re.compile(r"cudnn-(\d[\w.]*)-[^-]+\.json")
_VERSION_TEXT = re.compile(rb"CUDA Version (\d[\d.]*)")  # of version.txt, up to CUDA 11.0
_LIBRARY = re.compile(r"libcudnn\.so\.(\d+\.\d+(?:\.\d+)*)")
_LIBRARY_FOLDERS = ("usr/lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu", "usr/lib64")
_LIBRARIES = ("libcudnn.so.9", "libcudnn.so.8", "libcudnn.so")
_LARGEST = 1 << 16  # bytes read of a version file


def read_cuda(
    packages: Iterable[tuple[str, str]],
    *,
    prefix: str | None,
    environ: Mapping[str, str],
    root: Path = Path("/"),
) -> dict[str, Json] | None:
    """Give the versions `runtime` and `cudnn` of installed libraries and `toolkit` of the system.

    What is not there is None; all of it is None where there is no CUDA. Frameworks that carry
    their own libraries inside of their packages say so by their own version.

    Args:
        packages: Names and versions of the installed distributions.
        prefix: Of the interpreter, whose `conda-meta` counts.
        environ: Says by `CUDA_HOME` or `CUDA_PATH` where the toolkit is.
        root: Above `usr`.

    Cost: a few looks for files; a listing where there is a `conda-meta`.
    """
    listed = list(packages)
    conda = _list_conda(prefix)
    toolkit = _find_toolkit(environ, root)
    facts: dict[str, Json] = {
        "runtime": _version_of(listed, _RUNTIME) or _first(conda, _CONDA_RUNTIME),
        "cudnn": _version_of(listed, _CUDNN)
        or _first(conda, _CONDA_CUDNN)
        or _find_cudnn(toolkit, root),
        "toolkit": _read_toolkit(toolkit) if toolkit else None,
    }
    return facts if any(facts.values()) else None


def _version_of(packages: list[tuple[str, str]], name: re.Pattern[str]) -> str | None:
    return next((version for found, version in packages if name.fullmatch(found)), None)


def _first(names: list[str], pattern: re.Pattern[str]) -> str | None:
    return next((match[1] for match in map(pattern.fullmatch, names) if match), None)


def _list_conda(prefix: str | None) -> list[str]:
    try:
        return sorted(os.listdir(f"{prefix}/conda-meta")) if prefix else []
    except OSError:
        return []


def _find_toolkit(environ: Mapping[str, str], root: Path) -> Path | None:
    named = environ.get("CUDA_HOME") or environ.get("CUDA_PATH")
    folder = Path(named) if named else root / "usr/local/cuda"
    return folder if folder.is_dir() else None


def _read_toolkit(folder: Path) -> str | None:
    try:
        told = json.loads(_read(folder / "version.json"))
        version = told["cuda"]["version"]
    except (ValueError, TypeError, LookupError, RecursionError):
        match = _VERSION_TEXT.search(_read(folder / "version.txt"))
        return match[1].decode() if match else None
    return version if isinstance(version, str) else None


def _find_cudnn(toolkit: Path | None, root: Path) -> str | None:
    """The version in the name of the file that the link `libcudnn.so.9` leads to."""
    folders = [toolkit / "lib64"] if toolkit else []
    folders += [root / folder for folder in _LIBRARY_FOLDERS]
    for folder in folders:
        for name in _LIBRARIES:
            match = _LIBRARY.fullmatch(Path(os.path.realpath(folder / name)).name)
            if match is not None:
                return match[1]
    return None


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST)
    except OSError:
        return b""

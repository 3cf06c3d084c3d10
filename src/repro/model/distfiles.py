"""Names of distribution files: which version one is of, and which interpreters it fits."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from repro.model.versions import parse_version

_SEPARATORS = re.compile(r"[-_.]+")
_SDISTS = (".tar.gz", ".zip", ".tar.bz2", ".tgz", ".tar.xz")
_OLD_MANYLINUX = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}
_LINUX = re.compile(r"(many|musl)linux_([0-9]+)_([0-9]+)_(.+)")
_NUMBERS = re.compile(r"[0-9]+")
_MAC_ARCHS = {"universal2", "universal", "fat64", "intel", "fat"}
_MACHINES = {"arm64": "arm64", "aarch64": "aarch64", "amd64": "x86_64"}


@dataclass(frozen=True, slots=True)
class Target:
    """The interpreter that a file must fit.

    Attributes:
        implementation: As `sys.implementation.name`.
        version: Of the interpreter, such as `3.11.7`.
        system: As `uname` says: `Linux`, `Darwin`.
        machine: As `uname` says.
        libc: `glibc 2.36`, `musl`, or None.
        is_free_threaded: Built without the global interpreter lock.
    """

    implementation: str
    version: str
    system: str
    machine: str
    libc: str | None = None
    is_free_threaded: bool = False

    @property
    def numbers(self) -> tuple[int, int]:
        """Major and minor version."""
        found = [int(number) for number in _NUMBERS.findall(self.version)[:2]]
        return (found[0], found[1]) if len(found) == 2 else (3, 0)


@dataclass(frozen=True, slots=True)
class DistFile:
    """What the name of a distribution file says.

    Attributes:
        tags: Python, ABI and platform tags of a wheel, each several joined by `.`; None of a
            source distribution.
    """

    version: str
    tags: tuple[str, str, str] | None


def parse_filename(filename: str, name: str) -> DistFile | None:
    """Read the name of a file that an index lists under the normalised `name`; None for others.

    Source: the "Binary distribution format" and "Source distribution format" of the PyPA.
    """
    if filename.endswith(".whl"):
        parts = filename.removesuffix(".whl").split("-")
        if len(parts) not in (5, 6) or _normalise(parts[0]) != name:
            return None
        return _checked(DistFile(parts[1], (parts[-3], parts[-2], parts[-1])))
    for suffix in _SDISTS:
        if filename.endswith(suffix):
            stem = filename.removesuffix(suffix)
            # Old ones kept dashes in their names, so the name decides where it ends.
            for place in (match.start() for match in re.finditer("-", stem)):
                if _normalise(stem[:place]) == name:
                    found = _checked(DistFile(stem[place + 1 :], None))
                    if found is not None:
                        return found
    return None


def _checked(found: DistFile) -> DistFile | None:
    return found if parse_version(found.version) is not None else None


def _normalise(name: str) -> str:
    return _SEPARATORS.sub("-", name).lower()


def fits(file: DistFile, target: Target) -> bool:
    """Whether a file can be installed for `target`: any source distribution can be tried."""
    if file.tags is None:
        return True
    pythons, abis, platforms = (tag.split(".") for tag in file.tags)
    return (
        any(_fits_python(python, abi, target) for python in pythons for abi in abis)
        and any(abi in {"none", "abi3"} or _is_own_abi(abi, target) for abi in abis)
        and any(_fits_platform(platform, target) for platform in platforms)
    )


def has_other_platform(files: Iterable[DistFile], target: Target) -> bool:
    """Whether there are files, and none of them is for the system or machine of `target`."""
    tags = [file.tags for file in files]
    platforms = [platform for tag in tags if tag for platform in tag[2].split(".")]
    return bool(tags) and all(tags) and not any(_fits_platform(one, target) for one in platforms)


def _fits_python(tag: str, abi: str, target: Target) -> bool:
    major, minor = target.numbers
    match = re.fullmatch(r"([a-z]+)([0-9])([0-9]*)", tag)
    if match is None:
        return False
    kind, of_major, of_minor = match[1], int(match[2]), int(match[3]) if match[3] else None
    if of_major != major:
        return False
    if kind == "py":
        return of_minor is None or of_minor <= minor
    if kind != {"cpython": "cp", "pypy": "pp"}.get(target.implementation):
        return False
    if abi == "abi3":
        return not target.is_free_threaded and of_minor is not None and of_minor <= minor
    if abi == "none":
        return of_minor is None or of_minor <= minor
    return of_minor == minor


def _is_own_abi(abi: str, target: Target) -> bool:
    if target.implementation != "cpython":
        return abi.startswith(target.implementation)
    own = f"cp{''.join(map(str, target.numbers))}"
    return abi == f"{own}t" if target.is_free_threaded else abi in {own, f"{own}m", f"{own}mu"}


def _fits_platform(tag: str, target: Target) -> bool:
    if tag == "any":
        return True
    machine = _MACHINES.get(target.machine.lower(), target.machine.lower())
    if target.system == "Linux":
        return _fits_linux(tag, machine, target.libc or "")
    if target.system == "Darwin":
        arch = tag.split("_", 3)[-1] if tag.startswith("macosx_") else ""
        return arch == machine or arch in _MAC_ARCHS
    return False


def _fits_linux(tag: str, machine: str, libc: str) -> bool:
    if tag == f"linux_{machine}":
        return True
    for old, version in _OLD_MANYLINUX.items():
        if tag == f"{old}_{machine}":
            return _has_glibc(libc, version)
    match = _LINUX.fullmatch(tag)
    if match is None or match[4] != machine:
        return False
    if match[1] == "musl":
        return libc == "musl"
    return _has_glibc(libc, (int(match[2]), int(match[3])))


def _has_glibc(libc: str, least: tuple[int, int]) -> bool:
    if libc == "musl":
        return False
    numbers = [int(number) for number in _NUMBERS.findall(libc)[:2]]
    return len(numbers) < 2 or (numbers[0], numbers[1]) >= least

"""The hashes of distribution files that lock files pin, by name and version."""

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath

from repro.model.canonical import Json

_SEPARATORS = re.compile(r"[-_.]+")
# A line of requirements: a name, extras, `==`, a version, and hashes before a comment.
# Possessive, for a line of nothing but spaces must not take long.
_PIN = re.compile(r"\s*+([A-Za-z0-9._-]++)\s*+(?:\[[^\]]*+\])?+\s*+===?\s*+([^\s;#\\]+)")
_OPTION = re.compile(r"--hash[= ](sha(?:256|384|512):[0-9a-f]+)")

Pin = tuple[str, str, str]  # name, version, hash


def read_hashes(lockfiles: Mapping[str, bytes]) -> dict[tuple[str, str], tuple[str, ...]]:
    """Give the hashes by normalised name and version.

    Args:
        lockfiles: The bytes of each by its path. What cannot be read, and files of other
            kinds, give nothing.

    Source: PEP 751 for `pylock.toml`; the files that uv, Poetry, PDM, Pipenv and pip write.
    """
    found: dict[tuple[str, str], dict[str, None]] = {}
    for path, data in lockfiles.items():
        read = _reader(PurePosixPath(path).name)
        if read is None:
            continue
        try:
            pins = list(read(data))
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
            continue
        for name, version, digest in pins:
            key = (_SEPARATORS.sub("-", name).lower(), version)
            found.setdefault(key, {})[digest] = None
    return {key: tuple(digests) for key, digests in found.items()}


def _reader(name: str) -> Callable[[bytes], Iterator[Pin]] | None:
    if name == "Pipfile.lock":
        return _read_pipfile
    if name.endswith(".lock") or re.fullmatch(r"pylock(\..+)?\.toml", name):
        return _read_toml
    return _read_lines if name.endswith((".txt", ".in")) else None


def _read_toml(data: bytes) -> Iterator[Pin]:
    value = tomllib.loads(data.decode())
    packages = value.get("package", value.get("packages", []))
    for package in packages:
        name, version = package.get("name"), package.get("version")
        if not isinstance(name, str) or not isinstance(version, str):
            continue
        files = [*package.get("files", []), *package.get("wheels", [])]
        if "sdist" in package:
            files.append(package["sdist"])
        for file in files:
            yield from ((name, version, digest) for digest in _digests(file))


def _digests(file: Mapping[str, Json]) -> Iterator[str]:
    one, several = file.get("hash"), file.get("hashes")
    if isinstance(one, str):
        yield one
    if isinstance(several, dict):
        yield from (f"{kind}:{digest}" for kind, digest in several.items())


def _read_pipfile(data: bytes) -> Iterator[Pin]:
    value = json.loads(data)
    for section in ("default", "develop"):
        for name, entry in value.get(section, {}).items():
            version = str(entry.get("version", "")).removeprefix("==")
            yield from ((name, version, str(digest)) for digest in entry.get("hashes", []))


def _read_lines(data: bytes) -> Iterator[Pin]:
    text = data.decode().replace("\\\r\n", " ").replace("\\\n", " ")
    for line in text.splitlines():
        pin = _PIN.match(line)
        if pin is not None:
            rest = re.split(r"\s#", line, maxsplit=1)[0]
            yield from ((pin[1], pin[2], digest) for digest in _OPTION.findall(rest))

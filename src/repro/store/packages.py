"""Installed distributions, read from the names of their metadata folders.

A name costs one directory entry; asking `importlib.metadata` costs 20 times as much, for it
parses the metadata of every distribution. Only an origin (PEP 610) is a file to open.
"""

import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from repro.model.canonical import Json
from repro.model.secrets import redact_url

_SEPARATORS = re.compile(r"[-_.]+")
_SUFFIXES = (".dist-info", ".egg-info", ".egg")
_PYTHON_TAG = re.compile(r"-py[0-9][0-9.]*(-.*)?\Z")  # foo-1.0-py3.11-linux-x86_64.egg-info
_VERSION = re.compile(rb"^Version:[ \t]*(.*?)[ \t]*\r?$", re.MULTILINE)
_LARGEST = 1 << 16  # bytes read of a metadata file; its headers come first
_VCS_KEYS = {"vcs": "vcs", "commit_id": "commit", "requested_revision": "revision"}


@dataclass(frozen=True, slots=True)
class Package:
    """An installed distribution.

    Attributes:
        name: Normalised (PEP 503): lower case, words joined by `-`.
        version: As its metadata says, empty if that says nothing.
        origin: Where it came from if not from an index, without credentials: `url`, and of
            `editable`, `vcs`, `commit`, `revision`, `hash`, `subdirectory` what is known.
        metadata: Folder of its metadata; makes no difference between two.
    """

    name: str
    version: str
    origin: dict[str, Json] | None = None
    metadata: str = field(default="", compare=False)


def normalise_name(name: str) -> str:
    """Give the one spelling of a distribution's name.

    Source: PEP 503, "Simple Repository API", 2015.
    """
    return _SEPARATORS.sub("-", name).lower()


def scan_packages(paths: Iterable[str]) -> list[Package]:
    """Give the distributions that an interpreter with this `sys.path` has, sorted by name.

    The first folder that has a name wins, as when importing. Folders that cannot be read
    are passed over, as the interpreter does.

    Cost: One listing of each folder, one look for a file per distribution.
    """
    found: dict[str, Package] = {}
    homes: dict[str, str] = {}
    links: dict[str, str] = {}
    for folder in dict.fromkeys(paths):
        for entry in _list_folder(folder):
            if entry.endswith(".egg-link"):
                links.setdefault(normalise_name(entry.removesuffix(".egg-link")), folder)
            elif entry.endswith(_SUFFIXES) and not entry.startswith("~"):  # a failed uninstall
                name, version = _split(entry)
                if name and name not in found:
                    found[name] = _read_package(f"{folder}/{entry}", name, version)
                    homes[name] = folder
    for name in links.keys() & found.keys():
        if homes[name] != links[name]:  # `setup.py develop`: the metadata is with the source
            origin: dict[str, Json] = {"editable": True, "url": Path(homes[name]).as_uri()}
            found[name] = replace(found[name], origin=origin)
    return [found[name] for name in sorted(found)]


def find_version(paths: Iterable[str], name: str) -> str | None:
    """The version of one distribution, by a normalised name; None where it is not installed.

    Cost: One listing of each folder until it is found; opens no file.
    """
    for folder in dict.fromkeys(paths):
        for entry in _list_folder(folder):
            if entry.endswith(_SUFFIXES):
                found, version = _split(entry)
                if found == name:
                    return version or None
    return None


def parse_origin(data: bytes) -> dict[str, Json] | None:
    """Read a `direct_url.json`; None where it is not one.

    Source: PEP 610, "Recording the Direct URL Origin of installed distributions", 2019.
    """
    try:
        said = json.loads(data)
        url = said["url"]
    except (ValueError, TypeError, LookupError, RecursionError):
        return None
    if not isinstance(url, str):
        return None
    origin: dict[str, Json] = {"url": redact_url(url)}
    folder, archive, vcs = (_part(said, key) for key in ("dir_info", "archive_info", "vcs_info"))
    if folder.get("editable") is True:
        origin["editable"] = True
    for key, ours in _VCS_KEYS.items():
        if isinstance(vcs.get(key), str):
            origin[ours] = vcs[key]
    digest = _hash(archive)
    if digest is not None:
        origin["hash"] = digest
    if isinstance(said.get("subdirectory"), str):
        origin["subdirectory"] = said["subdirectory"]
    return origin


def _part(said: dict[str, Json], key: str) -> dict[str, Json]:
    part = said.get(key)
    return part if isinstance(part, dict) else {}


def _hash(archive: dict[str, Json]) -> str | None:
    """`sha256:<hex>` of an archive; an older `hash` field says `sha256=<hex>`."""
    hashes = archive.get("hashes")
    if isinstance(hashes, dict) and hashes:
        algorithm = "sha256" if "sha256" in hashes else min(hashes)
        return f"{algorithm}:{hashes[algorithm]}"
    old = archive.get("hash")
    return old.replace("=", ":", 1) if isinstance(old, str) else None


def _list_folder(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _split(entry: str) -> tuple[str, str]:
    """Name and version of a metadata folder; no version where its name does not say it."""
    stem, _, suffix = entry.rpartition(".")
    if suffix != "dist-info":
        stem = _PYTHON_TAG.sub("", stem)
    # At the last `-`: old wheels kept one in a name, none ever has one in a version.
    name, dash, version = stem.rpartition("-")
    return (normalise_name(name), version) if dash else (normalise_name(stem), "")


def _read_package(path: str, name: str, version: str) -> Package:
    if not version:
        version = _read_version(path)
    if not path.endswith(".dist-info"):
        return Package(name, version, metadata=path)
    data = _read(f"{path}/direct_url.json")
    return Package(name, version, parse_origin(data) if data else None, metadata=path)


def _read_version(path: str) -> str:
    for metadata in (f"{path}/METADATA", f"{path}/PKG-INFO", f"{path}/EGG-INFO/PKG-INFO", path):
        match = _VERSION.search(_read(metadata))
        if match is not None:
            return match[1].decode(errors="replace")
    return ""


def _read(path: str) -> bytes:
    """The start of a file, empty where there is none: most distributions have no origin."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(fd, _LARGEST)
    except OSError:
        return b""
    finally:
        os.close(fd)

"""What must be installed to have a recorded environment again, read from a record without trust.

A record may come from anybody. What reaches an installer is built here from names, versions and
addresses that each match a narrow form, so that no text of a record can be read as an option,
as a second requirement, or as a variable of the user's environment.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import quote, unquote, urlsplit

from repro.errors import DamagedRecordError
from repro.model.canonical import Json
from repro.model.environment import OURS, part
from repro.model.marking import BARE, is_marked
from repro.model.paths import validate_path
from repro.model.text import escape
from repro.model.versions import parse_version

_LONGEST = 2048  # characters of an address
_SHOWN = 80  # characters of a text that is wrong
# Source: PEP 508, "Dependency specification for Python Software Packages", "Names".
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,198}[A-Za-z0-9])?\Z")
_PLAIN_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.!+_-]*\Z")
# Installers put variables in the place of `${NAME}`, and read ` #`, ` --` and `;` as more than
# an address.
_URL = re.compile(r"[a-z]+://[A-Za-z0-9._~:/?@!&'()*+,=%-]+\Z")
_COMMIT = re.compile(r"[0-9a-f]{7,64}\Z")
_HASH = re.compile(r"sha(?:256|384|512):[0-9a-f]{64,128}\Z")
_VCS_SCHEMES = {"https", "http", "ssh", "git", "file"}
_ARCHIVE_SCHEMES = {"https", "http"}


class Kind(StrEnum):
    """Where a distribution came from."""

    INDEX = "index"
    VCS = "vcs"
    ARCHIVE = "archive"
    LOCAL = "local"
    COPY = "copy"
    EDITABLE = "editable"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class Requirement:
    """A distribution that was installed.

    Attributes:
        name: Normalised.
        version: As its metadata said.
        address: What an installer takes, of all that came from no index: a URL without
            credentials. Of a copy of code of the run: the path in the repository, maybe `.`.
            None where the record tells none that can be used.
        hashes: `sha256:<hex>` of each file that may be installed; empty where none is known.
    """

    name: str
    version: str
    kind: Kind = Kind.INDEX
    address: str | None = None
    hashes: tuple[str, ...] = ()

    @property
    def is_foreign(self) -> bool:
        """Whether it comes from a place that the record names, and no index of the user."""
        return self.kind in {Kind.VCS, Kind.ARCHIVE, Kind.LOCAL}

    @property
    def line(self) -> str:
        """It in a file of requirements."""
        what = f"{self.name}=={self.version}"
        if self.address is not None:
            is_path = self.kind is Kind.COPY  # the one address that is no URL may hold anything
            what = f"{self.name} @ {quote(self.address) if is_path else self.address}"
            if self.address.startswith("git+file:"):  # pip refuses that behind a name
                what = f"{self.address}{'&' if '#' in self.address else '#'}egg={self.name}"
        hashes = "" if self.kind is Kind.VCS else self.hashes
        return " ".join([what, *(f"--hash={digest}" for digest in hashes)])


@dataclass(frozen=True, slots=True)
class Lacking:
    """What cannot be had as it was.

    Attributes:
        name: Of a distribution, or `python`.
        version: The recorded one, empty where there is none.
        reason: In words that follow a colon.
        nearest: The version to take in its place, None where there is no such choice.
    """

    name: str
    version: str
    reason: str
    nearest: str | None = None

    def __str__(self) -> str:
        what = f"{escape(self.name)} {escape(self.version)}".rstrip()
        offer = f"; the nearest is {escape(self.nearest)}" if self.nearest else ""
        return f"{what}: {escape(self.reason)}{offer}"


@dataclass(frozen=True, slots=True)
class Requirements:
    """All of an environment.

    Attributes:
        wanted: In the order of their names, those that are not installed from anywhere too.
        unusable: Entries of the record that name nothing to install.
    """

    wanted: tuple[Requirement, ...]
    unusable: tuple[Lacking, ...]


def read_requirements(
    environment: Mapping[str, Json], hashes: Mapping[tuple[str, str], Sequence[str]]
) -> Requirements:
    """Give what an `environment.json` lists.

    Args:
        environment: Of a record, trusted in nothing.
        hashes: Hashes that lock files give, by normalised name and version.

    Raises:
        DamagedRecordError: It lists no packages at all, for it could not learn them.
    """
    listed = part(environment, "packages").get("list")
    if not isinstance(listed, list) or "error" in part(environment, "packages"):
        raise DamagedRecordError(
            "the run could not learn which packages it had, so they cannot be installed again",
            hint="`repro show RUN --env` shows what it recorded",
        )
    wanted: dict[str, Requirement] = {}
    unusable: list[Lacking] = []
    for entry in listed:
        found = _read_entry(entry)
        if isinstance(found, Lacking):
            unusable.append(found)
        elif found.name not in wanted:
            known = hashes.get((found.name, found.version), ())
            if known and found.kind is Kind.INDEX:
                found = replace(found, hashes=tuple(filter(_HASH.match, known)))
            wanted[found.name] = found
    return Requirements(tuple(wanted[name] for name in sorted(wanted)), tuple(unusable))


def _read_entry(entry: Json) -> Requirement | Lacking:
    facts = entry if isinstance(entry, dict) else {}
    name, version, origin = facts.get("name"), facts.get("version"), facts.get("origin")
    if not isinstance(name, str) or not _NAME.match(name):
        return Lacking(_shown(name), "", "is no name of a distribution")
    name = re.sub("[-_.]+", "-", name).lower()
    text = version if isinstance(version, str) else ""
    if name == OURS:
        return Requirement(name, text, Kind.OWN)
    place = origin if isinstance(origin, dict) else {}
    if place.get("editable") is not None:
        return Requirement(name, text, Kind.EDITABLE)
    if not _PLAIN_VERSION.match(text) or parse_version(text) is None:
        reason = "is no version that can be asked for" if text else "the record has no version"
        return Lacking(name, _shown(text) if text else "", reason)
    if "url" not in place and "path" not in place:
        return Requirement(name, text)
    return _read_place(name, text, place)


def _read_place(name: str, version: str, place: Mapping[str, Json]) -> Requirement | Lacking:
    path, url = place.get("path"), place.get("url")
    if isinstance(path, str):
        if path == "." or (path.strip() and _is_inner(path)):
            return Requirement(name, version, Kind.COPY, path)
        return Lacking(name, version, f"came from `{_shown(path)}`, which is no path to follow")
    address = _bare(url) if isinstance(url, str) else None
    if address is None:
        return Lacking(name, version, f"came from `{_shown(url)}`, which is no address to ask")
    scheme = urlsplit(address).scheme
    if "vcs" in place:
        return _read_vcs(name, version, address, place)
    if scheme in _ARCHIVE_SCHEMES:
        return Requirement(name, version, Kind.ARCHIVE, _with(address, place), _hashes(place))
    if scheme == "file":
        return Requirement(name, version, Kind.LOCAL, _with(address, place), _hashes(place))
    return Lacking(name, version, f"came from `{_shown(url)}`, which is no address to ask")


def _read_vcs(
    name: str, version: str, address: str, place: Mapping[str, Json]
) -> Requirement | Lacking:
    commit = place.get("commit")
    if place["vcs"] != "git" or urlsplit(address).scheme not in _VCS_SCHEMES:
        return Lacking(name, version, f"came from {_shown(place['vcs'])}, which is not git")
    if not isinstance(commit, str) or not _COMMIT.match(commit):
        return Lacking(name, version, "came from git, but the record names no commit of it")
    return Requirement(name, version, Kind.VCS, _with(f"git+{address}@{commit}", place))


def _bare(url: str) -> str | None:
    """An address without a login that was taken out; None for what is no plain address."""
    bare = url.replace(f"{BARE}@", "", 1)
    if len(bare) > _LONGEST or is_marked(bare):
        return None
    if bare.startswith("file:///"):  # a path may hold anything: as an address it is quoted
        bare = "file://" + quote(unquote(bare.removeprefix("file://")))
    return bare if _URL.match(bare) else None


def _with(address: str, place: Mapping[str, Json]) -> str:
    """An address that leads to a folder inside what it names, where the record says so."""
    folder = place.get("subdirectory")
    if not isinstance(folder, str) or not _is_inner(folder):
        return address
    return f"{address}#subdirectory={quote(folder)}"


def _is_inner(path: str) -> bool:
    try:
        validate_path(path)
    except DamagedRecordError:
        return False
    return True


def _hashes(place: Mapping[str, Json]) -> tuple[str, ...]:
    digest = place.get("hash")
    return (digest,) if isinstance(digest, str) and _HASH.match(digest) else ()


def _shown(value: Json) -> str:
    text = value if isinstance(value, str) else type(value).__name__
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."

"""What a record says of the packages, arguments and files that a run needed."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from repro.model.canonical import Json
from repro.model.environment import part
from repro.model.secrets import REDACTED

# Reasons of `Omitted` that say more than that a file is not in the record.
LOOKS_SECRET = "looks secret"  # noqa: S105  it is none itself
EXCLUDED = "excluded"

OURS = "git-repro"  # in its place comes the repro that reproduces a run


def packages_of(environment: Mapping[str, Json]) -> dict[str, Mapping[str, Json]]:
    """The packages of an environment by name, as it says them; what is no package is left out."""
    listed = part(environment, "packages").get("list")
    found = (one for one in (listed if isinstance(listed, list) else []) if isinstance(one, dict))
    return {str(one["name"]): one for one in found if isinstance(one.get("name"), str)}


def list_editables(environment: Mapping[str, Json]) -> dict[str, str]:
    """The URL of each editable package that lies outside of the project, by its name."""
    found = {}
    for name, package in packages_of(environment).items():
        origin = package.get("origin")
        if isinstance(origin, Mapping) and origin.get("editable") is True and name != OURS:
            url = origin.get("url")
            if isinstance(url, str):
                found[name] = url
    return found


def names_code(environment: Mapping[str, Json], name: str) -> bool:
    """Whether an environment says which code an editable package had."""
    origin = packages_of(environment)[name].get("origin")
    return isinstance(origin, Mapping) and isinstance(origin.get("tree"), str)


def local_path(url: str) -> Path | None:
    """The path that a `file:` URL names; None for any other URL."""
    parts = urlsplit(url)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def list_redacted(command: Sequence[str]) -> list[str]:
    """Names of what was taken out of a command: options, variables, or `argument 3`."""
    names = []
    for position, word in enumerate(command):
        if REDACTED not in word:
            continue
        name, equals, _ = word.partition("=")
        before = command[position - 1] if position else ""
        if equals and REDACTED not in name and " " not in name:
            names.append(name)
        elif word == REDACTED and before.startswith("-"):
            names.append(before)
        else:
            names.append(f"argument {position}")
    return list(dict.fromkeys(names))

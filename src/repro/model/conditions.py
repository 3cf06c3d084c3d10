"""What a record says of the packages, arguments and files that a run needed."""

from collections.abc import Mapping, Sequence

from repro.model.canonical import Json
from repro.model.environment import OURS, part
from repro.model.secrets import REDACTED

# Reasons of `Omitted` that say more than that a file is not in the record.
LOOKS_SECRET = "looks secret"  # noqa: S105  it is none itself
EXCLUDED = "excluded"
_WISHED = {LOOKS_SECRET, EXCLUDED}


def packages_of(environment: Mapping[str, Json]) -> dict[str, Mapping[str, Json]]:
    """The packages of an environment by name, as it says them; what is no package is left out."""
    listed = part(environment, "packages").get("list")
    found = (one for one in (listed if isinstance(listed, list) else []) if isinstance(one, dict))
    return {str(one["name"]): one for one in found if isinstance(one.get("name"), str)}


def search_path_of(environment: Mapping[str, Json]) -> list[str]:
    """The entries of `PYTHONPATH`: absolute, or relative to the root of the repository."""
    value = part(environment, "variables").get("PYTHONPATH")
    return [one for one in value.split(":") if one] if isinstance(value, str) else []


def list_editables(environment: Mapping[str, Json]) -> dict[str, str]:
    """Where each editable package lay whose code that of the project does not hold, by its name.

    Not of repro itself, in whose place the one that reproduces a run is put.
    """
    found = {}
    for name, package in packages_of(environment).items():
        origin = package.get("origin")
        if isinstance(origin, Mapping) and origin.get("editable") is True and name != OURS:
            # A folder in the project that git ignores has no URL, and a tree of its own.
            place = origin.get("url" if "tree" not in origin or "url" in origin else "path")
            if isinstance(place, str):
                found[name] = place
    return found


def named_tree(environment: Mapping[str, Json], name: str) -> str | None:
    """The git tree with the code of an editable package; None where the record has none."""
    origin = packages_of(environment)[name].get("origin")
    tree = origin.get("tree") if isinstance(origin, Mapping) else None
    return tree if isinstance(tree, str) else None


def list_left_out(environment: Mapping[str, Json], name: str) -> list[str]:
    """What the record leaves out of the code of an editable package, but for what looks secret."""
    origin = packages_of(environment)[name].get("origin")
    listed = origin.get("omitted") if isinstance(origin, Mapping) else None
    found = (one for one in (listed if isinstance(listed, list) else []) if isinstance(one, dict))
    return [str(one.get("path")) for one in found if one.get("reason") not in _WISHED]


def list_redacted(command: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Names of what was taken out of a command, each with the variables that give it back.

    A name is the option or variable that it belongs to, or else `argument 3`.
    """
    if not any(REDACTED in word for word in command):
        return {}
    # Here, for most commands have no secret, and every run that ends would pay for the patterns.
    from repro.model.redacted import find_redacted  # noqa: PLC0415

    return {
        one.option or f"argument {one.position}": one.variables for one in find_redacted(command)
    }

"""Which environment a run had: digests over what decides the code that Python loads."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from repro.model.canonical import Json, format_json
from repro.model.readable import format_value

# Numbers that a scheduler gives: with them, no two jobs would have the same environment.
_OF_ONE_LAUNCH = ("SLURM_JOB_ID",)


OURS = "git-repro"  # our own distribution


def environment_digest(environment: Mapping[str, Json]) -> str:
    """Give one name for all environments that bring the same interpreter and packages.

    Args:
        environment: As `environment.json` of a record has it. What it does not say counts as
            null, so that a record of any age has a digest.

    Returns:
        `sha256:<64 hex>` over the canonical JSON of `implementation`, `version`, `abi`,
        `system`, `machine`, and `packages`, which is their digest.
    """
    facts: dict[str, Json] = {
        "implementation": part(environment, "interpreter").get("implementation"),
        "version": part(environment, "interpreter").get("version"),
        "abi": part(environment, "interpreter").get("abi"),
        "system": part(environment, "platform").get("system"),
        "machine": part(environment, "platform").get("machine"),
        "packages": part(environment, "packages").get("digest"),
    }
    return "sha256:" + hashlib.sha256(format_json(facts)).hexdigest()


def part(environment: Mapping[str, Json], name: str) -> Mapping[str, Json]:
    """One part of an environment; empty where that is absent, or is no mapping."""
    value = environment.get(name)
    return value if isinstance(value, Mapping) else {}


def packages_digest(listed: Sequence[Json]) -> str:
    """Give one name for all installations that bring the same code.

    Args:
        listed: The `list` of `packages`. Of an editable one whose code is recorded, that code
            and where it is imported from count, not where it lay nor what its git said of it.
    """
    return "sha256:" + hashlib.sha256(format_json([_counted(one) for one in listed])).hexdigest()


_CODE = ("editable", "import_roots", "tree")


def _counted(package: Json) -> Json:
    origin = package.get("origin") if isinstance(package, dict) else None
    if not isinstance(package, dict) or not isinstance(origin, dict) or "tree" not in origin:
        return package
    return {**package, "origin": {key: origin[key] for key in _CODE if key in origin}}


def local_folder(origin: Mapping[str, Json]) -> Path | None:
    """The absolute path that an origin with a `file:` URL names; None for any other."""
    url = origin.get("url")
    try:
        path = unquote(urlsplit(url).path) if isinstance(url, str) and url[:5] == "file:" else ""
    except ValueError:  # such as a bracket without its other
        return None
    return Path(path) if path.startswith("/") and "\0" not in path else None


def split_launch(
    environment: Mapping[str, Json],
) -> tuple[dict[str, Json], dict[str, Json]]:
    """Part the variables that are other ones in each job from what stays the same."""
    variables = part(environment, "variables")
    launch = {name: variables[name] for name in _OF_ONE_LAUNCH if name in variables}
    if not launch:
        return dict(environment), {}
    rest: Json = {name: value for name, value in variables.items() if name not in launch}
    return {**environment, "variables": rest}, launch


def environment_facts(environment: Mapping[str, Json]) -> Iterator[str]:
    """The few facts that tell most, for a person."""
    interpreter, packages = environment.get("interpreter"), environment.get("packages")
    if isinstance(interpreter, dict):
        words = [interpreter.get("implementation"), interpreter.get("version")]
        yield " ".join(format_value(word) for word in words if word is not None)
    if isinstance(packages, dict) and isinstance(packages.get("count"), int):
        yield f"{packages['count']} packages"
    hardware = environment.get("hardware")
    if isinstance(hardware, dict):
        gpus = hardware.get("gpus")
        yield f"{format_value(hardware.get('cpu'))}, {format_value(hardware.get('cores'))} cores"
        if isinstance(gpus, list) and gpus:
            yield f"{len(gpus)} GPU{'s' if len(gpus) > 1 else ''}"

"""Which environment a run had, as one digest over what decides the code that Python loads."""

import hashlib
from collections.abc import Mapping

from repro.model.canonical import Json, format_json


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

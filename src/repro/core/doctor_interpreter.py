"""Whether the interpreter and the kind of machine that a run had are here."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from repro.core.project import Project
from repro.core.trust import is_own
from repro.model.canonical import Json
from repro.model.diagnosis import Item, degraded, missing, ok
from repro.model.environment import part
from repro.model.run import Record
from repro.store.interpreter import read_interpreter
from repro.store.pythons import find_pythons

_SAME = ("implementation", "version", "abi")


def has_interpreter(recorded: Mapping[str, Json], now: Mapping[str, Json]) -> bool:
    """Whether two environments have the same interpreter, wherever that lies."""
    return _facts(recorded) == _facts(now)


def _facts(environment: Mapping[str, Json]) -> tuple[Json, ...]:
    interpreter = part(environment, "interpreter")
    return tuple(interpreter.get(key) for key in _SAME)


def check_interpreter(project: Project, record: Record, now: Mapping[str, Json]) -> Item:
    """Look for the interpreter of a run.

    Args:
        now: The environment that its command would meet.

    Cost: starts interpreters that nobody asked before, only where the present one is another.
    """
    recorded = part(record.environment, "interpreter")
    version = recorded.get("version")
    if not isinstance(version, str):
        reason = recorded.get("error") or "nothing is said of it"
        return degraded("interpreter", f"which one it was is not recorded: {reason}")
    name = f"{recorded.get('implementation')} {version}"
    if has_interpreter(record.environment, now):
        return ok("interpreter", f"{name} is at `{part(now, 'interpreter').get('executable')}`")
    nearest = None
    for facts in _others(project, record, version):
        if all(facts.get(key) == recorded.get(key) for key in _SAME):
            return ok("interpreter", f"{name} is at `{facts['executable']}`")
        if nearest is None and _minor(facts.get("version")) == _minor(version):
            nearest = facts
    hint = f"`uv python install {version}` installs it"
    if nearest is None:
        was = f"; it was at `{recorded.get('executable')}`"
        return missing("interpreter", f"{name} is not on this machine{was}", hint)
    other = f"{nearest['implementation']} {nearest['version']} at `{nearest['executable']}`"
    return degraded("interpreter", f"{name} is not on this machine; the nearest is {other}", hint)


def _others(project: Project, record: Record, version: str) -> Iterator[Mapping[str, Json]]:
    places = list(find_pythons(version, project.environ))
    executable = part(record.environment, "interpreter").get("executable")
    # What a record from elsewhere names is not started, for it may be anything.
    if isinstance(executable, str) and is_own(project, record):
        places.insert(0, executable)
    cache = project.repository.private / "interpreters"
    for place in dict.fromkeys(places):
        if Path(place).is_file():
            root = project.repository.root
            found = read_interpreter(place, environ=project.environ, cwd=root, cache=cache)
            if "error" not in found.facts:
                yield found.facts


def _minor(version: Json) -> str:
    return str(version).rpartition(".")[0]


def check_platform(record: Record, now: Mapping[str, Json]) -> Iterator[Item]:
    """Whether this machine is of the kind that the run had."""
    recorded, here = part(record.environment, "platform"), part(now, "platform")
    was, is_now = (f"{one.get('system')} {one.get('machine')}" for one in (recorded, here))
    if not recorded:
        return
    if was == is_now:
        yield ok("platform", is_now)
    else:
        detail = f"the run was on {was}, and this is {is_now}"
        hint = "packages may lack files for it, and the last digits of results may differ"
        yield degraded("platform", detail, hint)


def check_gpus(record: Record, now: Mapping[str, Json]) -> Iterator[Item]:
    """Whether the graphics cards that the run had are here, by their names."""
    was = _gpu_names(record.environment)
    here = _gpu_names(now)
    if not was:
        return
    if was == here:
        yield ok("gpu", ", ".join(was))
    elif here:
        detail = f"the run had {', '.join(was)}; here is {', '.join(here)}"
        yield degraded("gpu", detail, "the last digits of results may differ")
    else:
        detail = f"the run had {', '.join(was)}; here is none"
        yield degraded("gpu", detail, "what needs one fails, all else computes other last digits")


def _gpu_names(environment: Mapping[str, Json]) -> list[str]:
    listed = part(environment, "hardware").get("gpus")
    found = listed if isinstance(listed, list) else []
    return sorted(str(one.get("name")) for one in found if isinstance(one, dict))

"""Whether the interpreter and the kind of machine that a run had are here."""

from collections.abc import Iterator, Mapping

from repro.core.project import Project
from repro.core.pythons import find_python
from repro.core.trust import is_own
from repro.model.canonical import Json
from repro.model.diagnosis import Item, degraded, missing, ok
from repro.model.environment import part
from repro.model.requirements import Lacking
from repro.model.run import Record

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
    found = find_python(project, _trusted(project, record))
    hint = f"`uv python install {version}` installs it"
    if isinstance(found, Lacking):
        was = f"; it was at `{recorded.get('executable')}`"
        return missing("interpreter", f"{name} is not on this machine{was}", hint)
    if found.lacking is None:
        return ok("interpreter", f"{name} is at `{found.executable}`")
    other = f"{found.version} at `{found.executable}`"
    return degraded("interpreter", f"{name} is not on this machine; the nearest is {other}", hint)


def _trusted(project: Project, record: Record) -> Mapping[str, Json]:
    """The recorded environment; of a record from elsewhere without the program that it names."""
    if is_own(project, record):
        return record.environment
    facts = dict(part(record.environment, "interpreter"))
    # To learn about an interpreter it is started, and this may be anything.
    facts.pop("executable", None)
    return {**record.environment, "interpreter": facts}


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

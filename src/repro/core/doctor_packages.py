"""Whether the environment of a run can be had again: as it is, rebuilt already, or by the index."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from repro.core.doctor_around import Around, Offer
from repro.core.doctor_interpreter import check_interpreter, has_interpreter
from repro.core.project import Project
from repro.errors import RemoteError
from repro.model.canonical import Json
from repro.model.conditions import OURS, local_path, packages_of
from repro.model.diagnosis import Item, State, count_of, degraded, missing, ok, worst
from repro.model.environment import environment_digest, part
from repro.model.run import Record
from repro.store.packages import normalise_name
from repro.version import VERSION

ENVS = "envs"  # folder of .git/repro with rebuilt environments

_MARKER = "complete.json"  # what a rebuilt environment has once it is whole
# Source: PEP 508, "Dependency specification for Python Software Packages", 2015.
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_SHOWN = 3
_LEAST_NAME = 12  # characters of a digest that name a folder


@dataclass(frozen=True, slots=True)
class _Package:
    """A package that is not installed as the run had it.

    Attributes:
        installed: The version that is installed; None where none is.
    """

    name: str
    version: str
    origin: Mapping[str, Json] | None
    installed: str | None

    def __str__(self) -> str:
        if self.installed is None:
            return f"`{self.name}` {self.version} (not installed)"
        is_same = self.installed == self.version
        now = "from elsewhere" if is_same else f"{self.installed} is installed"
        return f"`{self.name}` {self.version} ({now})"


def check_environment(project: Project, record: Record, around: Around) -> Iterator[Item]:
    """Look for the interpreter and each package; what cannot be had is an item of its own.

    Cost: one request for each package that is not installed as it was, in threads.
    """
    recorded, now = record.environment, around.environment(record)
    packages = packages_of(recorded)
    reason = part(recorded, "packages").get("error")
    if not packages:
        detail = f"its packages are not recorded: {reason or 'there were none'}"
        yield (
            degraded("environment", detail) if reason or not recorded else ok("environment", detail)
        )
        yield check_interpreter(project, record, now)
        return
    differing = _find_differing(packages, packages_of(now))
    python = " ".join(
        str(part(recorded, "interpreter").get(key)) for key in ("implementation", "version")
    )
    total = count_of(len(packages), "package")
    if not differing and has_interpreter(recorded, now):
        others = len(packages_of(now)) - len(packages)
        beside = f", and {others} more" if others > 0 else ""
        yield ok("environment", f"{python} with {total} as recorded{beside}")
        yield check_interpreter(project, record, now)
        return
    built = find_built(project, environment_digest(recorded))
    if built is not None:
        yield ok("environment", f"{python} with {total} is rebuilt already in `{built}`")
        yield ok("interpreter", f"{python} is in the rebuilt environment")
        return
    interpreter = check_interpreter(project, record, now)
    items, unasked = _check_each(differing, part(recorded, "interpreter"), around)
    yield _sum_up(record, total, differing, [interpreter, *items], unasked)
    yield interpreter
    yield from items


def find_built(project: Project, digest: str) -> Path | None:
    """The rebuilt environment of a digest, once it is whole."""
    envs = project.repository.private / ENVS
    name = digest.removeprefix("sha256:")
    try:
        folders = [one for one in sorted(os.listdir(envs)) if name.startswith(one)]
    except OSError:  # none was ever rebuilt
        return None
    for folder in (envs / one for one in folders if len(one) >= _LEAST_NAME):
        if (folder / _MARKER).is_file() and os.access(folder / "bin" / "python", os.X_OK):
            return folder
    return None


def _find_differing(
    recorded: Mapping[str, Mapping[str, Json]], now: Mapping[str, Mapping[str, Json]]
) -> list[_Package]:
    found = []
    for name, facts in recorded.items():
        origin, version = facts.get("origin"), str(facts.get("version") or "")
        there = now.get(name)
        if there is None or (version, _source(origin)) != (
            str(there.get("version") or ""),
            _source(there.get("origin")),
        ):
            installed = None if there is None else str(there.get("version") or "")
            known = origin if isinstance(origin, Mapping) else None
            found.append(_Package(name, version, known, installed))
    return found


def _source(origin: Json) -> tuple[Json, ...] | None:
    """What tells where a package came from; the code of an editable one is another item."""
    if not isinstance(origin, Mapping):
        return None
    return tuple(origin.get(key) for key in ("url", "path", "editable", "commit", "hash"))


def _check_each(
    differing: Iterable[_Package], interpreter: Mapping[str, Json], around: Around
) -> tuple[list[Item], list[tuple[_Package, str]]]:
    """The packages that are a problem, and those that nobody could be asked about, with why."""
    items: list[Item] = []
    wanted: list[_Package] = []
    for one in differing:
        if one.name == OURS:
            items += _check_ours(one)
        elif one.origin is not None:
            items += _check_origin(one, one.origin)
        elif not _NAME.fullmatch(one.name) or not one.version:
            hint = "it has to be installed by hand"
            items.append(missing(_item(one), "the record does not say what can be asked for", hint))
        else:
            wanted.append(one)
    if not around.ask_index:
        return items, [(one, "the package index was not asked") for one in wanted]
    answers = around.ask(((normalise_name(one.name), one.version) for one in wanted), interpreter)
    unasked: list[tuple[_Package, str]] = []
    for one in wanted:
        answer = answers[normalise_name(one.name), one.version]
        if isinstance(answer, RemoteError):
            unasked.append((one, f"the package index cannot be asked: {answer.message}"))
        else:
            items += _check_offer(one, answer)
    return items, unasked


def _item(one: _Package) -> str:
    return f"packages:{one.name}"


def _check_ours(one: _Package) -> Iterator[Item]:
    """A rebuilt environment gets the repro that rebuilds it."""
    if one.version != VERSION:
        yield degraded(_item(one), f"the run had repro {one.version}, and this one is {VERSION}")


def _check_origin(one: _Package, origin: Mapping[str, Json]) -> Iterator[Item]:
    """A package that came from no index; an editable one is left to the item of these."""
    url = origin.get("url")
    if origin.get("editable") is True or not isinstance(url, str):
        return  # without a URL it lies in the project, and so in the code of the run
    place = local_path(url)
    if place is None:
        commit = f" at {str(origin.get('commit'))[:10]}" if "commit" in origin else ""
        detail = f"{one} has to be fetched from `{url}`{commit}"
        yield degraded(_item(one), detail, "whether it is still there was not asked")
    elif not place.exists():
        detail = f"{one} was installed from `{place}`, which is gone"
        yield missing(_item(one), detail, "bring that file or folder back")
    else:
        yield degraded(_item(one), f"{one} comes from `{place}`, as that is now")


def _check_offer(one: _Package, offer: Offer) -> Iterator[Item]:
    item = _item(one)
    nearest = f"the nearest that can be had is {offer.nearest}" if offer.nearest else None
    hint = nearest or "install it by hand, from where it came"
    if not offer.is_known:
        yield missing(item, f"no package index has `{one.name}`; the run had {one.version}", hint)
    elif not offer.has_version:
        yield missing(item, f"{one.version} is gone from the package index", hint)
    elif not offer.fits:
        yield missing(item, f"no file of {one.version} is for this interpreter and machine", hint)
    elif offer.is_yanked:
        detail = f"{one.version} was yanked: it can be had still, but its maker withdrew it"
        yield degraded(item, detail, nearest)


def _sum_up(
    record: Record,
    total: str,
    differing: list[_Package],
    items: list[Item],
    unasked: list[tuple[_Package, str]],
) -> Item:
    """One item for all of the environment."""
    listed = ", ".join(map(str, differing[:_SHOWN]))
    more = f" and {len(differing) - _SHOWN:,} more" if len(differing) > _SHOWN else ""
    detail = f"{len(differing):,} of {total} not installed as recorded: {listed}{more}"
    if not differing:
        detail = f"{total} installed as recorded, by another interpreter"
    state = worst(items)
    if unasked and state is not State.MISSING:
        state = State.DEGRADED
    if unasked:
        detail += f"; {unasked[0][1]}"
    elif state is State.OK:
        detail += "; all can be had"
    else:
        gone = sum(one.state is State.MISSING for one in items)
        detail += f"; {gone} cannot be had" if gone else ""
    hint = f"`repro env create {record.run.id}` rebuilds it"
    return Item("environment", state, detail, hint)

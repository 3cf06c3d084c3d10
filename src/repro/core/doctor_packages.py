"""Whether the environment of a run can be had again: as it is, rebuilt already, or by the index."""

import os
import shlex
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass

from repro.core.doctor_around import Around, Offer
from repro.core.doctor_interpreter import check_interpreter, has_interpreter
from repro.core.project import Project
from repro.core.rebuild import plan_environment
from repro.errors import RemoteError
from repro.model.canonical import Json
from repro.model.diagnosis import Item, State, degraded, missing, ok, worst
from repro.model.environment import local_folder, part
from repro.model.needs import list_copies, packages_of
from repro.model.readable import count_of
from repro.model.requirements import Kind, Requirement, Requirements
from repro.model.run import Record
from repro.store.installer import open_installer
from repro.store.packages import normalise_name
from repro.version import VERSION

_BY_HAND = "install it by hand, from where it came"
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class _Package:
    """A package that is not installed as the run had it.

    Attributes:
        installed: The version that is installed; None where none is.
    """

    name: str
    version: str
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
        yield from _check_copies(recorded, ())
        return
    plan = plan_environment(project, record)
    if plan.is_built:
        yield ok("environment", f"{python} with {total} is rebuilt already in `{plan.folder}`")
        yield ok("interpreter", f"{python} is in the rebuilt environment")
        return
    interpreter = check_interpreter(project, record, now)
    names = {normalise_name(one.name) for one in differing}
    items, unasked = _check_each(record, plan.requirements, names, around)
    if unasked and has_interpreter(recorded, now):
        python = str(part(now, "interpreter").get("executable"))
        if open_installer(project.environ).has_cached(python, list(unasked)):
            unasked = {}
    reason = next(iter(unasked.values()), None)
    yield _sum_up(record, total, differing, [interpreter, *items], reason)
    yield interpreter
    yield from items
    yield from _check_copies(recorded, names)


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
            found.append(_Package(name, version, installed))
    return found


def _source(origin: Json) -> tuple[Json, ...] | None:
    """What tells where a package came from; the code of an editable one is another item."""
    if not isinstance(origin, Mapping):
        return None
    if origin.get("editable") is True:
        return ("editable",)
    return tuple(origin.get(key) for key in ("url", "path", "editable", "commit", "hash"))


def _check_each(
    record: Record, requirements: Requirements, differing: Container[str], around: Around
) -> tuple[list[Item], dict[Requirement, str]]:
    """The packages that are a problem, and those that nobody could be asked about, with why.

    To rebuild an environment all of it is needed, but what is installed from an index as it was
    is taken to be still there.
    """
    items = [
        missing(f"packages:{one.name}", f"{one.version} {one.reason}".strip(), _BY_HAND)
        for one in requirements.unusable
    ]
    wanted: list[Requirement] = []
    for one in requirements.wanted:
        if one.kind is Kind.OWN:
            items += _check_ours(one)
        elif one.is_foreign:
            items += _check_foreign(one, record.run.id)
        elif one.name in differing and one.kind is Kind.COPY:
            items.append(_copied(one, record.run.id))
        elif one.name in differing and one.kind is Kind.INDEX:
            wanted.append(one)
    if not around.ask_index:
        return items, dict.fromkeys(wanted, "the package index was not asked")
    interpreter = part(record.environment, "interpreter")
    answers = around.ask(((one.name, one.version) for one in wanted), interpreter)
    unasked: dict[Requirement, str] = {}
    for one in wanted:
        answer = answers[one.name, one.version]
        if isinstance(answer, RemoteError):
            unasked[one] = f"the package index cannot be asked: {answer.message}"
        else:
            items += _check_offer(one, answer)
    return items, unasked


def _check_ours(one: Requirement) -> Iterator[Item]:
    """A rebuilt environment gets the repro that rebuilds it."""
    if one.version != VERSION:
        detail = f"the run had repro {one.version}, and this one is {VERSION}"
        yield degraded(_item(one), detail)


def _check_copies(recorded: Mapping[str, Json], differing: Container[str]) -> Iterator[Item]:
    """Copies of the repository that are installed still: nothing tells which code they are of."""
    for name, place in list_copies(recorded).items():
        if normalise_name(name) not in differing:
            detail = f"installed is a copy of `{place}`, which may differ from the code of the run"
            hint = f"`pip install -e {shlex.quote(place)}` has its code in the record of each run"
            yield degraded(f"packages:{name}", detail, hint)


def _copied(one: Requirement, run: str) -> Item:
    detail = f"{one.version} was a copy of `{one.address}` in the repository, which is not kept"
    hint = f"`repro env create {run} --nearest` builds it from the code of the run"
    return degraded(_item(one), detail, hint)


def _check_foreign(one: Requirement, run: str) -> Iterator[Item]:
    """A package that came from no index."""
    place = local_folder({"url": one.address})
    if place is None:
        detail = f"{one.version} came from `{one.address}`; whether it is still there is not known"
        yield degraded(_item(one), detail, f"`repro env create {run}` fetches it, once you agree")
    elif not os.path.lexists(place):
        detail = f"{one.version} was installed from `{place}`, which is gone"
        yield missing(_item(one), detail, "bring that file or folder back")
    else:
        yield degraded(_item(one), f"{one.version} comes from `{place}`, as that is now")


def _check_offer(one: Requirement, offer: Offer) -> Iterator[Item]:
    item = _item(one)
    nearest = f"the nearest that can be had is {offer.nearest}" if offer.nearest else None
    hint = nearest or _BY_HAND
    if not offer.is_known:
        yield missing(item, f"no package index has `{one.name}`; the run had {one.version}", hint)
    elif not offer.has_version:
        yield missing(item, f"{one.version} is gone from the package index", hint)
    elif not offer.fits:
        yield missing(item, f"no file of {one.version} is for this interpreter and machine", hint)
    elif offer.is_yanked:
        detail = f"{one.version} was yanked: it can be had still, but its maker withdrew it"
        yield degraded(item, detail, nearest)


def _item(one: Requirement) -> str:
    return f"packages:{one.name}"


def _sum_up(
    record: Record,
    total: str,
    differing: list[_Package],
    items: list[Item],
    unasked: str | None,
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
        detail += f"; {unasked}"
    elif state is State.OK:
        detail += "; all can be had"
    else:
        gone = sum(one.state is State.MISSING for one in items)
        detail += f"; {gone} cannot be had" if gone else ""
    run = record.run.id
    hint = f"`repro env create {run}` rebuilds it"
    if state is State.MISSING:
        hint = (
            f"`repro env create {run}` lists the nearest choices; "
            f"`repro rerun {run} --env current` takes what is installed"
        )
    return Item("environment", state, detail, hint)

"""Which packages of an environment cannot be had, found out one by one, with the nearest choice."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from repro.errors import RemoteError
from repro.model.requirements import Kind, Lacking, Requirement
from repro.model.versions import find_nearest, is_same_version
from repro.store.package_index import PackageIndex, Release

Install = Callable[[Sequence[Requirement]], str | None]

_AT_ONCE = 8  # requests
_MOST_TRIES = 64  # of an installer


def find_lacking(
    index: PackageIndex,
    requirements: Sequence[Requirement],
    install: Install,
    is_kept: Callable[[Requirement], bool],
) -> list[Lacking]:
    """Say which of some requirements, that could not be installed together, are to blame.

    What no index offers is known from the indexes. What they offer and yet fails, as a source
    distribution that cannot be built, is found by trying halves.

    Args:
        install: Tries to install some of them; gives why that fails, None when it does not.
        is_kept: Whether a requirement of an index can be installed without asking it.

    Cost: A request for each requirement, then some tries to install for each that fails.
    """
    pairs = list(zip(requirements, _ask_all(index, requirements), strict=True))
    gone = [answer.lacking for _, answer in pairs if answer.lacking is not None]
    rest = [(one, answer) for one, answer in pairs if answer.lacking is None]
    unasked = [(one, answer.error) for one, answer in rest if answer.error and not is_kept(one)]
    asked = [one for one, answer in rest if answer.error is None]
    # What an installer has in its cache needs no index. To try those one by one that it cannot
    # ask for either takes minutes, for it waits for the network each time.
    if unasked and install([one for one, _ in unasked]) is not None:
        gone += [Lacking(one.name, one.version, error) for one, error in unasked]
    search = _Search(install)
    search.run(asked)
    offered = {one.name: answer.offered for one, answer in pairs}
    failing = [
        Lacking(one.name, one.version, reason, find_nearest(one.version, offered[one.name]))
        for one, reason in search.failing
    ]
    return sorted([*gone, *failing], key=lambda one: one.name)


def find_gone(index: PackageIndex, requirements: Sequence[Requirement]) -> list[Lacking]:
    """Say which of some requirements no index offers; what cannot be asked is not among them.

    Cost: A request for each requirement.
    """
    return [one.lacking for one in _ask_all(index, requirements) if one.lacking is not None]


@dataclass(frozen=True, slots=True)
class _Answered:
    """What an index says of a requirement: that it lacks it, or other versions to take.

    Attributes:
        error: Why it could not be asked.
    """

    lacking: Lacking | None
    offered: tuple[str, ...] = ()
    error: str | None = None


def _ask_all(index: PackageIndex, requirements: Sequence[Requirement]) -> "list[_Answered]":
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(lambda one: _ask(index, one), requirements))


def _ask(index: PackageIndex, one: Requirement) -> _Answered:
    try:
        releases = index.releases(one.name, wanted=one.version)
    except RemoteError as error:
        return _Answered(None, error=error.message if one.kind is Kind.INDEX else None)
    others = tuple(_choices(releases or (), one.version))
    if one.kind is not Kind.INDEX:
        return _Answered(None, (*others, *_same(releases or (), one.version)))
    reason = _missing_reason(index, releases, one.version)
    if reason is None:
        return _Answered(None, others)
    return _Answered(Lacking(one.name, one.version, reason, find_nearest(one.version, others)))


def _choices(releases: Iterable[Release], version: str) -> Iterable[str]:
    return (
        one.version
        for one in releases
        if one.has_fitting_file and not one.is_yanked and not is_same_version(one.version, version)
    )


def _same(releases: Iterable[Release], version: str) -> Iterable[str]:
    return (
        one.version
        for one in releases
        if one.has_fitting_file and is_same_version(one.version, version)
    )


def _missing_reason(
    index: PackageIndex, releases: Sequence[Release] | None, version: str
) -> str | None:
    if releases is None:
        return "no package index that is set knows it: a private one, or it was taken away"
    found = [one for one in releases if is_same_version(one.version, version)]
    if not found:
        if "+" in version:
            return "a build of another index or machine, which no index that is set has"
        return "the index has no such version any more"
    if any(one.has_fitting_file for one in found):
        return None
    target = index.target
    here = f"Python {'.'.join(map(str, target.numbers))} on {target.system} {target.machine}"
    if all(one.is_foreign for one in found):
        return f"it has files for other machines only, and none for {here}"
    return f"it has no file for {here}"


@dataclass(slots=True)
class _Search:
    """Halves tried until each failing requirement stands alone."""

    install: Install
    failing: list[tuple[Requirement, str]] = field(default_factory=list)
    tries: int = 0

    def run(self, some: Sequence[Requirement]) -> None:
        if not some:
            return
        self.tries += 1
        reason = self.install(some)
        if reason is None:
            return
        if len(some) == 1 or self.tries > _MOST_TRIES:
            self.failing += [(one, reason) for one in some]
            return
        middle = len(some) // 2
        self.run(some[:middle])
        self.run(some[middle:])

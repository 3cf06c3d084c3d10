"""What this machine and its package index have now, asked once for all runs that are examined."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from repro.core.environment import capture_environment
from repro.core.project import Project
from repro.core.python_then import likely_command
from repro.core.search_path import VARIABLE, with_search_path
from repro.core.trust import is_own
from repro.errors import RemoteError
from repro.model.canonical import Json
from repro.model.distfiles import Target
from repro.model.run import Record
from repro.model.versions import find_nearest, is_same_version
from repro.store.target import make_target

if TYPE_CHECKING:
    from repro.store.package_index import PackageIndex

INDEX_CACHE = "index-cache"

_MOST_AT_ONCE = 8
_HOPELESS = 8  # questions without any answer, after which no more are asked


@dataclass(frozen=True, slots=True)
class Offer:
    """What the package index says of one version of a distribution.

    Attributes:
        is_known: Whether it has the distribution at all.
        has_version: Whether it has that version.
        is_yanked: Whether its maker withdrew it.
        fits: Whether a file of it is for this interpreter and machine.
        nearest: The nearest version with such a file; None where there is none.
    """

    is_known: bool
    has_version: bool = False
    is_yanked: bool = False
    fits: bool = False
    nearest: str | None = None


class Around:
    """Answers, each asked for when it is first needed.

    Attributes:
        ask_index: Whether the network may be used.
    """

    def __init__(self, project: Project, *, ask_index: bool) -> None:
        self.project = project
        self.ask_index = ask_index
        self._environments: dict[tuple[tuple[str, ...], str, str | None], Mapping[str, Json]] = {}
        self._offers: dict[tuple[str, str, Target], Offer | RemoteError] = {}
        self._n_failed = self._n_answered = 0
        self._counting = Lock()

    def environment(self, record: Record) -> Mapping[str, Json]:
        """The environment that the command of a run would meet now.

        Of a run of somebody else only the name of its program counts, where that is no path:
        to learn about an interpreter it is started.
        """
        run = record.run
        words, cwd = run.command, run.cwd
        if is_own(self.project, record):
            words = likely_command(self.project, record)
            project = with_search_path(self.project, record, outside=True)
        else:
            words = tuple(word for word in words[:1] if "/" not in word)
            cwd = "."
            project = self.project
        key = (words, cwd, project.environ.get(VARIABLE))
        if key not in self._environments:
            folder = self.project.repository.root / cwd
            place = folder if folder.is_dir() else self.project.repository.root
            self._environments[key] = capture_environment(project, words, cwd=place)
        return self._environments[key]

    def ask(
        self, packages: Iterable[tuple[str, str]], interpreter: Mapping[str, Json]
    ) -> dict[tuple[str, str], Offer | RemoteError]:
        """What the package index offers of versions, for an interpreter as a record has it.

        Args:
            packages: Normalised name and version of each.

        Returns:
            The error of each that could not be asked; the others answer all the same.

        Cost: up to eight requests at once, one for each that was not asked before.
        """
        facts = [str(interpreter.get(key) or "") for key in ("implementation", "version", "abi")]
        target = make_target(implementation=facts[0], version=facts[1], abi=facts[2])
        wanted = list(dict.fromkeys(packages))
        unasked = [one for one in wanted if (*one, target) not in self._offers]
        if unasked:
            try:
                index = self._open(target)
            except RemoteError as error:
                return dict.fromkeys(wanted, error)
            with ThreadPoolExecutor(_MOST_AT_ONCE) as pool:
                answers = list(pool.map(lambda one: self._ask(index, *one), unasked))
            for one, answer in zip(unasked, answers, strict=True):
                self._offers[(*one, target)] = answer
        return {one: self._offers[(*one, target)] for one in wanted}

    def _open(self, target: Target) -> "PackageIndex":
        # Here, for the modules of the web take longer to import than all other checks need.
        from repro.store.package_index import open_index  # noqa: PLC0415

        project = self.project
        cache = project.repository.private / INDEX_CACHE
        return open_index(project.environ, cache, target=target, now=project.clock())

    def _ask(self, index: "PackageIndex", name: str, version: str) -> Offer | RemoteError:
        with self._counting:
            if self._n_failed >= _HOPELESS and not self._n_answered:
                return RemoteError("the package index did not answer before")
        try:
            releases = index.releases(name, wanted=version)
        except RemoteError as error:
            with self._counting:
                self._n_failed += 1
            return error
        with self._counting:
            self._n_answered += 1
        if releases is None:
            return Offer(is_known=False)
        same = [one for one in releases if is_same_version(one.version, version)]
        fitting = [one.version for one in releases if one.has_fitting_file and not one.is_yanked]
        return Offer(
            is_known=True,
            has_version=bool(same),
            is_yanked=any(one.is_yanked for one in same),
            fits=any(one.has_fitting_file for one in same),
            nearest=find_nearest(version, fitting),
        )

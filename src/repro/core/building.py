"""One environment built: whole at the end, or nothing of it and what of it cannot be had."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import repro
from repro.core.lacking import find_gone, find_lacking
from repro.core.project import Project
from repro.core.pythons import Python, find_python
from repro.errors import StorageError
from repro.model.canonical import Json
from repro.model.environment import part
from repro.model.requirements import Kind, Lacking, Requirement
from repro.model.text import escape
from repro.store import envs
from repro.store.envs import Built, Substitute
from repro.store.installer import Installer, Outcome, open_installer
from repro.store.package_index import PackageIndex, open_index
from repro.store.target import make_target
from repro.version import VERSION

OnStep = Callable[[str], None]

_SCRIPTS = (("repro", "repro.__main__:main"), ("git-repro", "repro.__main__:main"))
_PLACED = {Kind.EDITABLE, Kind.OWN}  # installed from nowhere
_SHOWN = 8  # hex digits of a digest


def open_builder(
    project: Project,
    environment: Mapping[str, Json],
    digest: str,
    listing: str,
    *,
    on_progress: OnStep,
) -> "tuple[Builder | None, list[Lacking]]":
    """Give what builds a recorded environment with an interpreter that is here.

    None where there is no such interpreter, and none that is near; what it lacks is given too.
    """
    python = find_python(project, environment)
    if isinstance(python, Lacking):
        return None, [python]
    implementation = str(part(environment, "interpreter").get("implementation") or "cpython")
    builder = Builder(project, implementation, digest, listing, python, on_progress)
    return builder, [python.lacking] if python.lacking else []


@dataclass(frozen=True, slots=True)
class Builder:
    """What building takes.

    Attributes:
        implementation: Of the interpreter, as `sys.implementation.name`.
        digest: Of the recorded environment.
        listing: Hash of its list of packages.
        python: The interpreter to take.
        on_progress: Is told each step.
    """

    project: Project
    implementation: str
    digest: str
    listing: str
    python: Python
    on_progress: OnStep

    def survey(self, wanted: Sequence[Requirement]) -> list[Lacking]:
        """What of some requirements no index has; installs nothing."""
        self.on_progress("asking for each package")
        return find_gone(self._index(), [one for one in wanted if one.kind is Kind.INDEX])

    def build(
        self, folder: Path, wanted: Sequence[Requirement], substitutes: Sequence[Substitute]
    ) -> tuple[Built | None, list[Lacking]]:
        """Build an environment, or give what of it cannot be had; then nothing is left of it."""
        waiting = "waiting for another process that builds it"
        with envs.building(folder, on_wait=lambda: self.on_progress(waiting)) as held:
            built = envs.read_built(folder, self.listing)
            if built is not None and list(built.substitutes) == list(substitutes):
                return built, []
            envs.clear(folder)
            try:
                return self._build(folder, wanted, substitutes, held)
            except BaseException:
                envs.clear(folder)
                raise

    def _build(
        self,
        folder: Path,
        wanted: Sequence[Requirement],
        substitutes: Sequence[Substitute],
        held: int,
    ) -> tuple[Built | None, list[Lacking]]:
        installer = open_installer(self.project.environ, on_line=self.on_progress, held=held)
        prompt = f"repro-{self.digest.removeprefix('sha256:')[:_SHOWN]}"
        outcome = installer.create(folder, self.python.executable, prompt=prompt)
        if outcome.error is not None:
            raise _no_installer(installer, self.python, outcome.error)
        chosen = [one for one in wanted if one.kind not in _PLACED]
        self.on_progress(f"installing {len(chosen)} packages with {installer.name}")
        if chosen:  # first without the network, which may be slow, or not there at all
            outcome = installer.install_kept(folder, chosen)
            outcome = installer.install(folder, chosen) if outcome.error else outcome
        if outcome.error is not None:
            lacking = self._find_lacking(installer, folder, chosen)
            if lacking:
                envs.clear(folder)
                return None, lacking
        notes = [*_notes(outcome), *self._put_own(folder, wanted)]
        installer.finish(folder, [one.name for one in chosen])
        built = Built(
            folder=folder,
            digest=self.digest,
            listing=self.listing,
            python=self.python.version,
            packages=len(chosen),
            installer=installer.name,
            substitutes=tuple(substitutes),
            notes=tuple(notes),
        )
        envs.mark_built(built)
        return built, []

    def _find_lacking(
        self, installer: Installer, folder: Path, chosen: Sequence[Requirement]
    ) -> list[Lacking]:
        self.on_progress("not all of it can be had: looking at each package")
        return find_lacking(
            self._index(),
            chosen,
            lambda some: installer.install(folder, some).error,
            lambda one: installer.has_cached(str(folder / "bin" / "python"), [one]),
        )

    def _index(self) -> PackageIndex:
        return open_index(
            self.project.environ,
            self.project.repository.private / "index-cache",
            target=make_target(
                implementation=self.implementation,
                version=self.python.version,
                abi=self.python.abi,
            ),
            now=self.project.clock(),
        )

    def _put_own(self, folder: Path, wanted: Sequence[Requirement]) -> list[str]:
        """Install the repro that runs, where the run had one: what it records must be read here."""
        recorded = next((one for one in wanted if one.kind is Kind.OWN), None)
        if recorded is None:
            return []
        source = Path(repro.__file__).parent
        name = recorded.name
        envs.put_package(folder, source, name=name, version=VERSION, scripts=_SCRIPTS)
        if recorded.version == VERSION:
            return []
        return [f"{name} is {VERSION}, which runs this; the run had {escape(recorded.version)}"]


def _notes(outcome: Outcome) -> list[str]:
    names = dict.fromkeys(outcome.yanked)
    return [f"{escape(one)} was withdrawn from the index, and is installed" for one in names]


def _no_installer(installer: Installer, python: Python, reason: str) -> StorageError:
    return StorageError(
        f"no environment can be made for `{escape(python.executable)}` with {installer.name}: "
        f"{escape(reason)}",
        hint="install uv, or Python's own venv and pip (`python3-venv` on Debian)",
    )

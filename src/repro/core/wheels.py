"""The packages that runs had installed, fetched as files that can be installed without network."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from repro.core.project import Project
from repro.core.pythons import Python, find_python
from repro.core.rebuild import plan_environment
from repro.model.requirements import Kind, Lacking, Requirement
from repro.model.run import Record
from repro.store.installer import open_pip

OnStep = Callable[[str], None]

_NEEDLESS = {Kind.OWN, Kind.COPY}  # repro itself, and code that the run holds anyway


@dataclass(frozen=True, slots=True)
class Wheels:
    """What was fetched.

    Attributes:
        files: Wheels, in the order of their names.
        lacking: Packages that are not among them, each with the reason in words.
    """

    files: tuple[Path, ...]
    lacking: tuple[tuple[str, str], ...]


def fetch_wheels(
    project: Project, records: Sequence[Record], folder: Path, *, on_step: OnStep = lambda _: None
) -> Wheels:
    """Fetch what an index has of the packages of runs into a folder; nothing is built or executed.

    Raises:
        DamagedRecordError: A record lists no packages.
        StorageError: The disk is full, read-only or forbidden.

    Cost: one download for each package that pip does not keep in its cache.
    """
    lacking: dict[str, str] = {}
    done: set[tuple[str, str, str]] = set()
    for record in records:
        plan = plan_environment(project, record)
        python = find_python(project, record.environment)
        wanted = []
        for one in plan.requirements.wanted:
            if one.kind is Kind.INDEX and (plan.python, one.name, one.version) not in done:
                done.add((plan.python, one.name, one.version))
                wanted.append(one)
            elif one.kind is not Kind.INDEX and one.kind not in _NEEDLESS:
                lacking[f"{one.name} {one.version}"] = "it came from no package index"
        if isinstance(python, Lacking):
            reason = f"there is no Python {plan.python} here to choose its file for"
            lacking |= {f"{one.name} {one.version}": reason for one in wanted}
        elif wanted:
            lacking |= _fetch(project, python, wanted, folder, on_step)
    return Wheels(tuple(sorted(folder.glob("*.whl"))), tuple(sorted(lacking.items())))


def _fetch(
    project: Project,
    python: Python,
    wanted: Sequence[Requirement],
    folder: Path,
    on_step: OnStep,
) -> dict[str, str]:
    """Fetch wheels for one interpreter; why some could not be had, by name and version."""
    with tempfile.TemporaryDirectory(prefix="repro-pip-") as scratch:
        pip, error = open_pip(project.environ, Path(scratch) / "env", python.executable)
        if pip is None:
            return {f"{one.name} {one.version}": error for one in wanted}
        on_step(f"fetching {len(wanted)} packages")
        if pip.download(wanted, folder) is None:
            return {}
        # pip stops at the first that cannot be had.
        lacking = {}
        for number, one in enumerate(wanted):
            on_step(f"fetching packages, {number + 1:,} of {len(wanted):,}")
            reason = pip.download([one], folder)
            if reason is not None:
                lacking[f"{one.name} {one.version}"] = reason
        return lacking

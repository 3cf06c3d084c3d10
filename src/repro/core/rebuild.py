"""The environment of a run, built again: planned, made once, shared by all runs that had it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from repro.core.project import Project
from repro.core.query import code_of, read_part, short_id
from repro.errors import MissingPackagesError
from repro.model.canonical import Json
from repro.model.environment import environment_digest, packages_digest, part
from repro.model.lockhashes import read_hashes
from repro.model.paths import validate_path
from repro.model.requirements import (
    Kind,
    Lacking,
    Requirement,
    Requirements,
    read_requirements,
)
from repro.model.run import Record
from repro.model.text import escape
from repro.store.beside import write_tree_into
from repro.store.envs import Built, Substitute, read_built
from repro.store.target import own_target

if TYPE_CHECKING:
    from repro.core.building import Builder

_AGREES = "`--yes` agrees to install it"
_OWN_CODE = "the code of the run"
_SHOWN = 12  # hex digits of a commit

OnStep = Callable[[str], None]

NEAREST = "-nearest"  # at the end of a folder whose environment is not as recorded


@dataclass(frozen=True, slots=True)
class EnvironmentPlan:
    """How the environment of a run would be built again.

    Attributes:
        digest: Of the recorded environment, as `environment_digest` gives it.
        listing: Hash of the recorded list of packages, which a forged digest does not change.
        folder: Where it is, or would be, exactly as recorded.
        nearest_folder: Where it is, or would be, with the nearest of what cannot be had.
        built: What is there, or what `--nearest` once made in its place; None where neither is.
        python: Version of the recorded interpreter.
        requirements: What is to be installed, and what cannot be read.
        is_other_platform: Recorded on another system or machine than this.
    """

    digest: str
    listing: str
    folder: Path
    nearest_folder: Path
    built: Built | None
    python: str
    requirements: Requirements
    is_other_platform: bool

    @property
    def is_built(self) -> bool:
        """Whether it is there, exactly as recorded."""
        return self.built is not None and not self.built.substitutes

    @property
    def foreign(self) -> tuple[Requirement, ...]:
        """What comes from places that the record names, which needs consent."""
        return tuple(one for one in self.requirements.wanted if one.is_foreign)

    @property
    def editables(self) -> tuple[Requirement, ...]:
        """What was installed as editable: its code is placed beside, not installed."""
        return tuple(one for one in self.requirements.wanted if one.kind is Kind.EDITABLE)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """An environment that is there.

    Attributes:
        python: Path of its interpreter.
        is_new: Whether it was built just now.
        substitutes: What is not as recorded, for the nearest was taken.
        notes: What to know about it, in sentences.
    """

    folder: Path
    python: Path
    digest: str
    is_new: bool
    substitutes: tuple[Substitute, ...]
    notes: tuple[str, ...]

    @property
    def from_code(self) -> tuple[str, ...]:
        """The packages that were built from the code of the run."""
        return tuple(one.name for one in self.substitutes if one.taken == _OWN_CODE)


def envs_folder(project: Project) -> Path:
    """The folder of all rebuilt environments."""
    return project.repository.private / "envs"


def folder_name(environment: Mapping[str, Json]) -> str:
    """The name of the folder that a recorded environment has once it is rebuilt."""
    listing = _listing(environment)
    name = environment_digest(environment).removeprefix("sha256:")
    if part(environment, "packages").get("digest") != listing:
        # A record says it is what it is not: it must not stand where another one belongs.
        name = f"{name}-{listing.removeprefix('sha256:')[:16]}"
    return name


def is_current(record: Record, environment_now: Mapping[str, Json]) -> bool:
    """Whether an environment, such as `capture_environment` gives, is the recorded one."""
    digest = part(record.environment, "packages").get("digest")
    return digest is not None and (
        environment_digest(record.environment) == environment_digest(environment_now)
    )


def plan_environment(project: Project, record: Record) -> EnvironmentPlan:
    """Say what building the environment of a run again takes.

    Raises:
        DamagedRecordError: The record lists no packages.

    Cost: Starts no process where the record has no lock files, and where it is built already.
    """
    environment = record.environment
    digest, listing = environment_digest(environment), _listing(environment)
    folder = envs_folder(project) / folder_name(environment)
    built = read_built(folder, listing)
    hashes = {} if built else read_hashes(_lockfiles(project, record))
    requirements = read_requirements(environment, hashes)
    nearest = folder.with_name(folder.name + NEAREST)
    if any(one.kind is Kind.COPY for one in requirements.wanted):  # it holds code of this run
        nearest = nearest.with_name(f"{nearest.name}-{code_of(record.run)[:_SHOWN]}")
    platform, here = part(environment, "platform"), own_target()
    version = part(environment, "interpreter").get("version")
    return EnvironmentPlan(
        digest=digest,
        listing=listing,
        folder=folder,
        nearest_folder=nearest,
        built=built or read_built(nearest, listing),
        python=version if isinstance(version, str) else "",
        requirements=requirements,
        is_other_platform=(platform.get("system"), platform.get("machine"))
        != (here.system, here.machine),
    )


def ensure_environment(
    project: Project,
    record: Record,
    *,
    allow_foreign: bool = False,
    nearest: bool = False,
    on_progress: OnStep = lambda _: None,
) -> Rebuilt:
    """Give the environment of a run, built now if it is not there.

    Args:
        allow_foreign: Install what comes from repositories, addresses and paths of the record.
        nearest: Take the nearest choice for what cannot be had, and say which.
        on_progress: Is told each step.

    Raises:
        MissingPackagesError: Parts of it cannot be had; each is listed with the nearest choice.
        DamagedRecordError: The record lists no packages.
        StorageError: The disk is full, read-only or forbidden.

    Cost: Milliseconds where it is there: a small file is read, and no process started.
    """
    plan = plan_environment(project, record)
    if plan.built is not None and (plan.is_built or nearest):
        return _rebuilt(plan.built, is_new=False)
    # Here, for what asks indexes over the network takes longer to import than all above takes.
    from repro.core.building import open_builder  # noqa: PLC0415

    lacking = [*plan.requirements.unusable, *_platform_lacking(record, plan)]
    lacking += [_copied(one) for one in plan.requirements.wanted if one.kind is Kind.COPY]
    if not allow_foreign:
        lacking += [_needs_consent(one) for one in plan.foreign]
    builder, python_lacking = open_builder(
        project, record.environment, plan.digest, plan.listing, on_progress=on_progress
    )
    lacking = [*python_lacking, *lacking]
    if builder is None or not _can_go_on(lacking, nearest=nearest):
        known = builder.survey(plan.requirements.wanted) if builder else []
        raise _missing(project, record, [*lacking, *known])
    with _code(project, record, plan) as code:
        built, failing = _build(builder, plan, lacking, code, nearest=nearest)
    if built is None:
        raise _missing(project, record, failing)
    return _rebuilt(built, is_new=True)


def activate(folder: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process whose programs come from that of a folder first."""
    changed = {key: value for key, value in environ.items() if key != "PYTHONHOME"}
    path = environ.get("PATH")
    programs = str(folder / "bin")
    changed["PATH"] = f"{programs}:{path}" if path else programs
    changed["VIRTUAL_ENV"] = str(folder)
    return changed


def _build(
    builder: "Builder",
    plan: EnvironmentPlan,
    lacking: Sequence[Lacking],
    code: Path | None,
    *,
    nearest: bool,
) -> tuple[Built | None, Sequence[Lacking]]:
    """Build as recorded; then with the nearest of what that, and one more try, shows to lack."""
    built, folder = None, plan.nearest_folder if lacking else plan.folder
    substitutes: list[Substitute] = []
    for _ in range(3):
        substitutes += [_substitute(one) for one in lacking]
        wanted = _substituted(plan.requirements.wanted, substitutes, code)
        built, lacking = builder.build(folder, wanted, substitutes)
        is_tried = {one.name for one in substitutes} & {one.name for one in lacking}
        if built is not None or is_tried or not _can_go_on(lacking, nearest=nearest):
            break
        folder = plan.nearest_folder
    return built, lacking


def _rebuilt(built: Built, *, is_new: bool) -> Rebuilt:
    taken = [
        f"{escape(one.name)} is {escape(one.taken)}, the nearest to {escape(one.wanted)}"
        for one in built.substitutes
    ]
    return Rebuilt(
        folder=built.folder,
        python=built.executable,
        digest=built.digest,
        is_new=is_new,
        substitutes=built.substitutes,
        notes=(*taken, *built.notes),
    )


def _listing(environment: Mapping[str, Json]) -> str:
    listed = part(environment, "packages").get("list")
    return packages_digest(listed if isinstance(listed, list) else [])


def _lockfiles(project: Project, record: Record) -> dict[str, bytes]:
    """The lock files that are in the record, by their paths."""
    listed = record.environment.get("lockfiles")
    paths = [
        entry["path"]
        for entry in (listed if isinstance(listed, list) else [])
        if isinstance(entry, dict) and isinstance(entry.get("path"), str)
    ]
    found: dict[str, bytes] = {}
    for path in filter(None, map(str, paths)):
        validate_path(path)
        data = read_part(project, record, f"environment/{path}")
        if data is not None:
            found[path] = data
    return found


def _platform_lacking(record: Record, plan: EnvironmentPlan) -> list[Lacking]:
    if not plan.is_other_platform:
        return []
    platform, here = part(record.environment, "platform"), own_target()
    there = f"{platform.get('system')} {platform.get('machine')}"
    return [Lacking("Platform", there, "this is another machine", f"{here.system} {here.machine}")]


def _needs_consent(one: Requirement) -> Lacking:
    where = one.address or ""
    return Lacking(one.name, one.version, f"comes from {where}: {_AGREES}")


def _can_go_on(lacking: Sequence[Lacking], *, nearest: bool) -> bool:
    return not lacking or (nearest and all(one.nearest is not None for one in lacking))


def _substitute(one: Lacking) -> Substitute:
    return Substitute(one.name, one.version, one.nearest or "")


def _copied(one: Requirement) -> Lacking:
    what = f"was installed as a copy of `{one.address}` in the repository, of which nothing is kept"
    return Lacking(one.name, one.version, what, _OWN_CODE)


@contextmanager
def _code(project: Project, record: Record, plan: EnvironmentPlan) -> Iterator[Path | None]:
    """A folder with the code of the run, where packages are copies of it; gone at the end."""
    if not any(one.kind is Kind.COPY for one in plan.requirements.wanted):
        yield None
        return
    with TemporaryDirectory(prefix="repro-code-") as name:
        folder = Path(name, "code")
        folder.mkdir()
        tree = f"{code_of(record.run)}^{{tree}}"
        write_tree_into(project.repository, tree, folder, Path(name, "index"))
        yield folder


def _substituted(
    wanted: Sequence[Requirement], substitutes: Sequence[Substitute], code: Path | None
) -> tuple[Requirement, ...]:
    taken = {one.name: one.taken for one in substitutes}
    return tuple(_taken(one, taken[one.name], code) if one.name in taken else one for one in wanted)


def _taken(one: Requirement, version: str, code: Path | None) -> Requirement:
    if one.kind is Kind.COPY and code is not None and version == _OWN_CODE:
        source = code / (one.address or ".")
        if source.resolve().is_relative_to(code.resolve()):  # no link of the run leads out
            return replace(one, kind=Kind.LOCAL, address=source.as_uri())
    return replace(one, version=version, kind=Kind.INDEX, address=None, hashes=())


def _missing(project: Project, record: Record, lacking: Sequence[Lacking]) -> MissingPackagesError:
    short = short_id(project, record.run.id)
    number = "a part" if len(lacking) == 1 else f"{len(lacking)} parts"
    return MissingPackagesError(
        f"{number} of the environment of run `{short}` cannot be had as recorded",
        items=[str(one) for one in lacking],
        hint=_next_step(short, lacking),
    )


def _next_step(short: str, lacking: Sequence[Lacking]) -> str:
    if all(one.reason.endswith(_AGREES) for one in lacking):
        return "add `--yes`, once you have looked at them"
    if all(one.nearest is not None for one in lacking):
        return f"`repro env create {short} --nearest` takes the nearest"
    return (
        "look at the network, and at the indexes that pip or uv is set to; "
        f"`repro rerun {short} --env current` takes the present packages"
    )

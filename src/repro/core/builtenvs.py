"""The rebuilt environments that there are: listed with the runs that had them, and removed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from repro.core.known import KnownRuns, open_runs
from repro.core.project import Project
from repro.core.rebuild import NEAREST, envs_folder, folder_name
from repro.errors import DamagedRecordError, InvalidInputError
from repro.model.canonical import parse_json
from repro.model.text import escape
from repro.store import envs
from repro.store.envs import Built
from repro.store.objects import open_objects, read_file

_FILE = "environment.json"
_SHORTEST = 4  # characters of a digest that name one
_SHORT = 12  # that are shown


@dataclass(frozen=True, slots=True)
class RebuiltEnv:
    """A folder of rebuilt environments.

    Attributes:
        name: Of its folder: the digest, in hex.
        built: What its maker said; None where it is not whole.
        size: Bytes.
        runs: Ids of the runs that had this environment.
    """

    name: str
    folder: Path
    built: Built | None
    size: int
    runs: tuple[str, ...]

    @property
    def short(self) -> str:
        """The start of its name, which names it well enough."""
        digits, nearest, code = self.name.partition(NEAREST)
        return digits[:_SHORT] + nearest + code


def list_envs(project: Project) -> list[RebuiltEnv]:
    """Give the rebuilt environments, in the order of their digests.

    Cost: Reads the environment of each run, and looks at each file of each environment.
    """
    folders = envs.list_folders(envs_folder(project))
    if not folders:
        return []
    using = _runs_by_folder(project)
    return [
        RebuiltEnv(
            name=folder.name,
            folder=folder,
            built=envs.read_built(folder),
            size=envs.size_of(folder),
            runs=tuple(sorted(using.get(folder.name.partition(NEAREST)[0], ()))),
        )
        for folder in folders
    ]


def choose_envs(project: Project, digests: Sequence[str]) -> list[RebuiltEnv]:
    """Give the environments that these digests, or the first characters of them, name.

    Raises:
        InvalidInputError: A digest names none, or several.
    """
    found = list_envs(project)
    chosen: dict[str, RebuiltEnv] = {}
    for digest in digests:
        text = digest.removeprefix("sha256:")
        exact = [one for one in found if one.name == text]
        near = [one for one in found if _is_short_for(text, one.name)]
        named = exact or near
        if len(named) != 1:
            what = "several environments are" if named else "no rebuilt environment is"
            raise InvalidInputError(
                f"{what} called `{escape(digest)}`", hint="`repro env ls` lists them"
            )
        chosen[named[0].name] = named[0]
    return list(chosen.values())


def _is_short_for(text: str, name: str) -> bool:
    digits, *kind = text.partition(NEAREST)
    all_digits, *all_kind = name.partition(NEAREST)
    return len(digits) >= _SHORTEST and all_digits.startswith(digits) and kind == all_kind


def find_unused(project: Project) -> list[RebuiltEnv]:
    """The environments that no run had, and those that were left half made."""
    return [one for one in list_envs(project) if not one.runs or one.built is None]


def remove_envs(chosen: Sequence[RebuiltEnv]) -> None:
    """Take environments away.

    Raises:
        BusyRepositoryError: One is just being made.
        StorageError: One cannot be taken away.
    """
    for one in chosen:
        envs.remove(one.folder)


def _runs_by_folder(project: Project) -> dict[str, list[str]]:
    using: dict[str, list[str]] = {}
    names: dict[bytes, str | None] = {}
    with open_runs(project) as runs:
        for run_id, data in _environments(project, runs):
            if data not in names:
                names[data] = _folder_name(data)
            name = names[data]
            if name is not None:
                using.setdefault(name, []).append(run_id)
        for run_id, live in runs.live.items():
            using.setdefault(folder_name(live.record().environment), []).append(run_id)
    return {name: list(dict.fromkeys(ids)) for name, ids in using.items()}


def _environments(project: Project, runs: KnownRuns) -> Iterator[tuple[str, bytes]]:
    objects = open_objects(project.repository, many=True)
    try:
        for run_id, commit in runs.sealed.commits.items():
            try:
                data = read_file(objects, commit, _FILE)
            except DamagedRecordError:
                continue  # `repro ls` says so
            if data is not None:
                yield run_id, data
    finally:
        objects.close()


def _folder_name(data: bytes) -> str | None:
    try:
        value = parse_json(data, name=_FILE)
    except DamagedRecordError:
        return None
    return folder_name(value) if isinstance(value, dict) else None

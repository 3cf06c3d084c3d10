"""The commits of submodules that a record does not hold, found in repositories on this machine."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from repro.core.codetarget import CodeTarget, is_filled, list_tree
from repro.core.project import Project
from repro.errors import DamagedRecordError
from repro.model.paths import validate_path
from repro.store.git import Git
from repro.store.present import SUBMODULE


@dataclass(frozen=True, slots=True)
class Inner:
    """A submodule whose commit is here.

    Attributes:
        path: From the top of the outermost working tree.
        git: The git program, with the repository that has the commit.
        git_dir: The git folder of that.
    """

    path: str
    commit: str
    git: Git
    git_dir: Path


@dataclass(frozen=True, slots=True)
class Absent:
    """A submodule whose commit no repository here has.

    Attributes:
        path: From the top of the outermost working tree.
        url: Where `.gitmodules` says it comes from; None where that does not name it.
    """

    path: str
    commit: str
    url: str | None


@dataclass(frozen=True, slots=True)
class _Level:
    """A tree that may name submodules.

    Attributes:
        git: In the repository that has it.
        prefix: Where it lies, with a `/` at its end; empty for the top.
        shelves: Folders in which git folders of its submodules are, by their names.
    """

    git: Git
    tree: str
    prefix: str
    shelves: tuple[Path, ...]


def find_inner(
    project: Project, code: CodeTarget, recorded: Mapping[str, str]
) -> Iterator[Inner | Absent]:
    """Look for each submodule that is not in the record, those inside submodules included.

    Looked at are the working tree as it is now, and what git keeps of submodules that have none.
    An outer one is given before those inside it.

    Args:
        recorded: Trees of the record, by path.

    Raises:
        DamagedRecordError: A path leads out of its folder.

    Cost: four git processes for each submodule, one where there is none.
    """
    repository = project.repository
    shelves = tuple(
        dict.fromkeys(folder / "modules" for folder in (repository.git_dir, repository.common_dir))
    )
    top = _Level(repository.git, code.tree, "", shelves)
    waiting = [top, *(_recorded_level(top, path, tree) for path, tree in recorded.items())]
    while waiting:
        level = waiting.pop(0)
        links = {path: oid for path, oid in _links(level) if level.prefix + path not in recorded}
        named = read_modules(level.git, level.tree) if links else {}
        for path, oid in links.items():
            full = level.prefix + path
            validate_path(full)
            name, url = named.get(path, (path, None))
            places = [repository.root / full, *_shelved(level.shelves, name)]
            found = next(filter(None, (_look(level.git, place, oid) for place in places)), None)
            if found is None:
                yield Absent(full, oid, url)
                continue
            git, git_dir = found
            yield Inner(full, oid, git, git_dir)
            waiting.append(_Level(git, oid, f"{full}/", (git_dir / "modules",)))


def read_modules(git: Git, tree: str) -> dict[str, tuple[str, str | None]]:
    """Name and URL of each submodule that `.gitmodules` of a tree, or commit, tells; by path."""
    words = ("config", "--null", "--blob", f"{tree}:.gitmodules", "--get-regexp")
    said = git.run(*words, r"^submodule\..*\.(path|url)$", ok=(0, 1, 128)).out
    paths: dict[str, str] = {}
    urls: dict[str, str] = {}
    for entry in said.decode(errors="surrogateescape").split("\0"):
        key, _, value = entry.partition("\n")
        name, _, kind = key.removeprefix("submodule.").rpartition(".")
        (paths if kind == "path" else urls)[name] = value
    return {path: (name, urls.get(name)) for name, path in paths.items()}


def _recorded_level(top: _Level, path: str, tree: str) -> _Level:
    """What of a recorded tree its own submodules are named in; they lie beside it."""
    named = read_modules(top.git, top.tree).get(path, (path, None))[0]
    shelves = tuple(place / "modules" for place in _shelved(top.shelves, named))
    return _Level(top.git, tree, f"{path}/", shelves)


def _links(level: _Level) -> Iterator[tuple[str, str]]:
    for line in list_tree(level.git, level.tree):
        facts, _, path = line.partition("\t")
        if facts.startswith(SUBMODULE):
            yield path, facts.split(" ")[2]


def _shelved(shelves: Sequence[Path], name: str) -> list[Path]:
    try:
        validate_path(name)
    except DamagedRecordError:  # git, too, takes no such name
        return []
    return [shelf / name for shelf in shelves]


def _look(outer: Git, place: Path, oid: str) -> tuple[Git, Path] | None:
    """The repository at `place`, a working tree or a git folder, if it has the commit."""
    if is_filled(place):
        asked = Git(place, _plain(outer)).run("rev-parse", "--absolute-git-dir", ok=range(256))
        if asked.code != 0:
            return None
        git_dir = Path(asked.out.decode(errors="surrogateescape").removesuffix("\n"))
    elif (place / "HEAD").is_file():
        git_dir = place
    else:
        return None
    # Its own setting may name a working tree that is gone.
    where = {"GIT_DIR": str(git_dir), "GIT_WORK_TREE": str(git_dir)}
    git = Git(git_dir, {**_plain(outer), **where})
    # Without the network: a partial clone would else fetch what it lacks.
    words = ("cat-file", "-e", f"{oid}^{{commit}}")
    asked = git.run(*words, env={"GIT_NO_LAZY_FETCH": "1"}, ok=range(256))
    return (git, git_dir) if asked.code == 0 else None


def _plain(git: Git) -> dict[str, str]:
    away = ("GIT_DIR", "GIT_WORK_TREE")
    return {name: value for name, value in git.environ.items() if name not in away}

"""The code of packages that are installed in place from folders elsewhere."""

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from threading import Thread

from repro.atomic import storage_errors, write_file
from repro.core.capture import fold_omitted, limits_of
from repro.core.project import Project
from repro.core.sieve import Sieve
from repro.core.started import EDITABLES
from repro.errors import DamagedRecordError, GitError, StorageError
from repro.model.canonical import Json
from repro.model.environment import OURS, local_folder, packages_digest, part
from repro.model.ids import is_id
from repro.model.paths import validate_path
from repro.model.run import Omitted, Record
from repro.model.text import escape
from repro.store.beside import write_tree_into
from repro.store.git import join_names, split_names
from repro.store.leftout import Limits
from repro.store.objects import is_oid
from repro.store.quarantine import Quarantine, open_quarantine
from repro.store.refs import LIVE, RUNS
from repro.store.sibling import Look, Sibling, look_at_sibling, snapshot_sibling

_HOLDERS = "editables/holders.json"  # of the private folder
_MOST_HOLDERS = 64
_MOST_OMITTED = 100  # entries for one package
_SHOWN = 3  # names of what was left out
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,198}[a-z0-9])?\Z")  # as PEP 503 normalises it
# What tools leave beside code, anew at each use of it; without a `.gitignore` it is untracked.
_MADE = re.compile(
    r"(?:^|/)(?:__pycache__|\.(?:mypy|pytest|ruff)_cache|\.tox|\.nox|\.venv|node_modules"
    r"|\.ipynb_checkpoints)/|\.py[co]\Z"
)


Looks = Callable[[], Mapping[Path, Look | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Editables:
    """The code of packages installed in place from elsewhere.

    Attributes:
        environment: With what is known of them now.
        trees: What a record must hold, by the name of the distribution.
        held: Run commits that hold some of these trees already.
        warnings: What is not kept, in words.
    """

    environment: dict[str, Json]
    trees: Mapping[str, str]
    held: tuple[str, ...]
    warnings: tuple[str, ...]


def look_ahead(project: Project, environment: Mapping[str, Json]) -> Looks:
    """Begin to ask the git of each folder what it holds, while something else is done."""
    found: dict[Path, Look | None] = {}

    def look(folder: Path) -> None:
        found[folder] = look_at_sibling(folder, project.repository)

    folders = {folder for _, _, folder in _folders(project, environment)}
    threads = [Thread(target=look, args=(folder,)) for folder in folders]
    for thread in threads:
        thread.start()

    def wait() -> Mapping[Path, Look | None]:
        for thread in threads:
            thread.join()
        return found

    return wait


def keep_editables(
    project: Project,
    quarantine: Quarantine,
    environment: Mapping[str, Json],
    looks: Looks,
    *,
    run: str | None = None,
    share: bool = True,
) -> Editables:
    """Write the code of each package in place that the code of the project does not hold.

    That is from outside of the project, or from a folder in it that git ignores. One that cannot
    be read is a warning: a run that may not need it is not stopped.

    Args:
        environment: As `capture_environment` gives it.
        looks: What `look_ahead` gave.
        run: Id of the run whose record will hold the trees, for later ones to share them.
        share: Whether to name what an earlier record holds.

    Raises:
        StorageError: The disk is full or read-only.

    Cost: one `git status` for each.
    """
    limits = _limits(project)
    known = _find_holders(project) if share else {}
    seen = looks()
    listed = list(_listed(environment))
    trees: dict[str, str] = {}
    warnings: list[str] = []
    for position, name, folder in _folders(project, environment):
        placed = _placed_tree(listed[position])
        if placed is not None:
            trees[name] = placed
            continue
        try:
            look = seen.get(folder)
            sibling = snapshot_sibling(folder, quarantine, limits, look=look, whole=known)
        except GitError as error:
            warnings.append(f"the code of editable `{name}` is not kept: {error.message}")
            continue
        trees[name] = sibling.tree
        listed[position] = _described(listed[position], sibling)
        warnings += _left_out(name, sibling.omitted)
    held = [known[tree] for tree in trees.values() if tree in known]
    if run is not None:
        _remember_holders(project, run, {n: t for n, t in trees.items() if t not in known})
    packages = {**part(environment, "packages"), "list": listed}
    if trees:
        packages["digest"] = packages_digest(listed)
    return Editables(
        environment={**environment, "packages": packages},
        trees=trees,
        held=tuple(dict.fromkeys(held)),
        warnings=tuple(warnings),
    )


def read_present_tree(project: Project, folder: Path) -> str | None:
    """The tree that a run would keep of the code in a folder now; None where it cannot be read.

    Cost: one `git status`; what changed is hashed, and nothing of it is kept.
    """
    try:
        with open_quarantine(project.repository) as quarantine:
            look = look_at_sibling(folder, project.repository)
            return snapshot_sibling(folder, quarantine, _limits(project), look=look).tree
    except GitError:
        return None


def _placed_tree(package: Json) -> str | None:
    """The tree of a package whose code was put in place from a record, as a rerun does."""
    origin = package.get("origin") if isinstance(package, dict) else None
    tree = origin.get("tree") if isinstance(origin, dict) else None
    return tree if isinstance(tree, str) else None


def _listed(environment: Mapping[str, Json]) -> list[Json]:
    listed = part(environment, "packages").get("list")
    return listed if isinstance(listed, list) else []


def _in_place(environment: Mapping[str, Json]) -> Iterator[tuple[int, str, dict[str, Json]]]:
    """Position in the list, name and origin of each package that is in place.

    Not of repro itself, in whose place the one that reproduces a run is put.
    """
    for position, package in enumerate(_listed(environment)):
        if isinstance(package, dict):
            name, origin = package.get("name"), package.get("origin")
            is_named = isinstance(name, str) and _NAME.match(name)
            if name == OURS or not is_named or not isinstance(origin, dict):
                continue
            if origin.get("editable") is True:
                yield position, str(name), origin


def _folders(project: Project, environment: Mapping[str, Json]) -> Iterator[tuple[int, str, Path]]:
    """Position, name and folder of each package whose code the project does not hold."""
    found = list(_in_place(environment))
    inside = [str(origin["path"]) for _, _, origin in found if origin.get("path", ".") != "."]
    ignored = _ignored(project, inside) if inside else set()
    for position, name, origin in found:
        folder = local_folder(origin)
        if folder is None and origin.get("path") in ignored:
            folder = project.repository.root / str(origin["path"])
        if folder is not None:
            yield position, name, folder


def _ignored(project: Project, paths: list[str]) -> set[Json]:
    """Which folders of the project git ignores, so that no snapshot has them."""
    git = project.repository.git
    words = ("check-ignore", "-z", "--stdin")
    return set(split_names(git.run(*words, stdin=join_names(paths), ok=(0, 1)).out))


def _limits(project: Project) -> Limits:
    """As for the project's own files; what it says its runs read and make is none of theirs."""
    return replace(
        limits_of(project.settings, (), Sieve(project)),
        is_produced=lambda path: _MADE.search(path) is not None,
        is_strict=True,
    )


def _described(package: Json, sibling: Sibling) -> Json:
    assert isinstance(package, dict)
    origin = package["origin"]
    assert isinstance(origin, dict)
    facts: dict[str, Json] = {
        "tree": sibling.tree,
        "commit": sibling.commit,
        "dirty": sibling.dirty,
        "remote": sibling.remote,
    }
    if sibling.omitted:
        folded = fold_omitted(sibling.omitted, _MOST_OMITTED)
        facts["omitted"] = [
            {"path": one.path, "size": one.size, "reason": one.reason} for one in folded
        ]
    return {**package, "origin": {**origin, **facts}}


def _left_out(name: str, omitted: tuple[Omitted, ...]) -> list[str]:
    if not omitted:
        return []
    named = ", ".join(f"`{escape(one.path)}` ({one.reason})" for one in omitted[:_SHOWN])
    more = f" and {len(omitted) - _SHOWN} more" if len(omitted) > _SHOWN else ""
    return [f"of editable `{name}` the record leaves out {named}{more}"]


def _read_holders(project: Project) -> dict[str, tuple[str, str]]:
    """Which run recorded a tree last, and as what, as far as it is remembered."""
    try:
        kept = json.loads((project.repository.private / _HOLDERS).read_bytes())
        known = {tree: (str(run), str(name)) for tree, (run, name) in kept.items()}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return {}
    return {
        tree: (run, name)
        for tree, (run, name) in known.items()
        if is_oid(tree) and is_id(run) and _NAME.match(name)
    }


def _remember_holders(project: Project, run: str, trees: Mapping[str, str]) -> None:
    if not trees:
        return
    new = {tree: (run, name) for name, tree in trees.items()}
    kept = {tree: holder for tree, holder in _read_holders(project).items() if tree not in new}
    newest = list({**kept, **new}.items())[-_MOST_HOLDERS:]
    # Where it cannot be written, the next run stores what it could have shared.
    place = project.repository.private / _HOLDERS
    with suppress(OSError, StorageError):
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_file(place, json.dumps(dict(newest)).encode())


def _find_holders(project: Project) -> dict[str, str]:
    """Map each tree that the record of an earlier run has in its place to that run's commit."""
    asked = _read_holders(project)
    if not asked:
        return {}
    names = [f"{RUNS}{run}\n{RUNS}{run}:{EDITABLES}/{name}\n" for run, name in asked.values()]
    git = project.repository.git
    told = git.run("cat-file", "--batch-check=%(objectname)", stdin="".join(names).encode())
    oids = told.out.decode(errors="replace").split("\n")
    pairs = zip(asked, oids[::2], oids[1::2], strict=False)
    return {tree: commit for tree, commit, found in pairs if found == tree and is_oid(commit)}


def place_editables(project: Project, record: Record, folder: Path) -> list[Path]:
    """Write the recorded code of each package that was in place elsewhere.

    It goes to `folder/<name>-<12 digits of its tree>`, and is taken as it is where that exists:
    a folder that others use is none to give, for a program may write to its packages.

    Returns:
        The folders to put first on `PYTHONPATH`, absolute, in the order of the names.

    Raises:
        DamagedRecordError: The record names something that is not in it, or leads elsewhere.
        StorageError: The disk is full or read-only.
    """
    commit = record.commit or f"{LIVE}{record.run.id}"
    roots: list[Path] = []
    for _, name, origin in _in_place(record.environment):
        if "tree" not in origin:
            continue
        tree = _tree_in(project, commit, name)
        if tree is None or tree != origin["tree"]:
            raise DamagedRecordError(
                f"run `{record.run.id}` does not hold the code of editable `{name}` that it names",
                hint="`repro show RUN --env` shows what it names",
            )
        target = folder_of_placed(folder.absolute(), name, tree)
        _place(project, tree, target)
        roots += [_root(target, path) for path in _named_roots(origin)]
    return roots


def folder_of_placed(folder: Path, name: str, tree: str) -> Path:
    """Where `place_editables` writes the code of a package."""
    return folder / f"{name}-{tree[:12]}"


def _tree_in(project: Project, commit: str, name: str) -> str | None:
    return project.repository.git.find(f"{commit}:{EDITABLES}/{name}")


def _place(project: Project, tree: str, target: Path) -> None:
    if target.is_dir():
        return
    mark = f"{os.getpid()}-{os.urandom(6).hex()}"
    coming = target.with_name(f".{target.name}-{mark}")
    index = target.with_name(f".{target.name}-{mark}.index")
    try:
        with storage_errors("the code of an editable package"):
            coming.mkdir(parents=True, mode=0o700)
        write_tree_into(project.repository, tree, coming, index)
        try:
            coming.rename(target)
        except OSError:
            if not target.is_dir():  # else another process was a step ahead
                raise
    except OSError as error:
        raise StorageError(f"`{target}` cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(coming, ignore_errors=True)
        index.unlink(missing_ok=True)


def _named_roots(origin: Mapping[str, Json]) -> list[str]:
    """The import roots, relative to the folder of the package."""
    named = origin.get("import_roots")
    paths = [path for path in named if isinstance(path, str)] if isinstance(named, list) else []
    top = origin.get("path")
    if not isinstance(top, str):
        return paths
    inside = (PurePosixPath(path) for path in paths)
    return [path.relative_to(top).as_posix() for path in inside if path.is_relative_to(top)]


def _root(target: Path, path: str) -> Path:
    if path == ".":
        return target
    validate_path(path)
    if not (target / path).resolve().is_relative_to(target.resolve()):
        raise DamagedRecordError(f"`{escape(path)}` of an editable package leads out of it")
    return target / path

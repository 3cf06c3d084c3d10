"""The code of packages that are installed in place from folders elsewhere."""

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from repro.atomic import storage_errors, write_file
from repro.core.capture import fold_omitted, limits_of
from repro.core.project import Project
from repro.errors import DamagedRecordError, GitError, StorageError
from repro.model.canonical import Json
from repro.model.environment import local_folder, packages_digest, part
from repro.model.ids import is_id
from repro.model.paths import validate_path
from repro.model.run import Omitted, Record
from repro.model.text import escape
from repro.store.beside import write_tree_into
from repro.store.objects import is_oid
from repro.store.quarantine import Quarantine
from repro.store.refs import LIVE, RUNS
from repro.store.sibling import Sibling, snapshot_sibling
from repro.store.snapshot import Limits

FOLDER = "editables"  # of a record
_HOLDERS = "editables.json"  # of the private folder
_MOST_HOLDERS = 64
_MOST_OMITTED = 100  # entries for one package
_SHOWN = 3  # names of what was left out
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,198}[a-z0-9])?\Z")  # as PEP 503 normalises it
# What tools leave beside code, anew at each use of it; without a `.gitignore` it is untracked.
_MADE = re.compile(
    r"(?:^|/)(?:__pycache__|\.(?:mypy|pytest|ruff)_cache|\.tox|\.nox|\.venv|node_modules"
    r"|\.ipynb_checkpoints)/|\.py[co]\Z"
)


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


def has_editables(environment: Mapping[str, Json]) -> bool:
    """Whether a package of the environment is installed in place from outside of the project."""
    return any(True for _ in _outside(environment))


def keep_editables(
    project: Project,
    quarantine: Quarantine,
    environment: Mapping[str, Json],
    *,
    run: str | None = None,
    share: bool = True,
) -> Editables:
    """Write the code of each package that is installed in place from outside of the project.

    One that cannot be read is a warning: a run that may not need it is not stopped.

    Args:
        environment: As `capture_environment` gives it.
        run: Id of the run whose record will hold the trees, for later ones to share them.
        share: Whether to name what an earlier record holds.

    Raises:
        StorageError: The disk is full or read-only.

    Cost: one `git status` for each.
    """
    limits = _limits(project)
    known = _find_holders(project) if share else {}
    listed = list(_listed(environment))
    trees: dict[str, str] = {}
    warnings: list[str] = []
    for position, name, folder in _outside(environment):
        placed = _placed_tree(listed[position])
        if placed is not None:
            trees[name] = placed
            continue
        try:
            sibling = snapshot_sibling(folder, quarantine, limits, known)
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


def _placed_tree(package: Json) -> str | None:
    """The tree of a package whose code was put in place from a record, as a rerun does."""
    origin = package.get("origin") if isinstance(package, dict) else None
    tree = origin.get("tree") if isinstance(origin, dict) else None
    return tree if isinstance(tree, str) else None


def _listed(environment: Mapping[str, Json]) -> list[Json]:
    listed = part(environment, "packages").get("list")
    return listed if isinstance(listed, list) else []


def _outside(environment: Mapping[str, Json]) -> Iterator[tuple[int, str, Path]]:
    """Position in the list, name and folder of each package that is in place elsewhere."""
    for position, package in enumerate(_listed(environment)):
        origin = package.get("origin") if isinstance(package, dict) else None
        if isinstance(package, dict) and isinstance(origin, dict) and origin.get("editable"):
            name, folder = package.get("name"), local_folder(origin)
            if isinstance(name, str) and _NAME.match(name) and folder is not None:
                yield position, name, folder


def _limits(project: Project) -> Limits:
    """As for the project's own files; what it says its runs read and make is none of theirs."""
    return replace(
        limits_of(project.settings), is_produced=lambda path: _MADE.search(path) is not None
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
    with suppress(OSError, StorageError):
        write_file(project.repository.private / _HOLDERS, json.dumps(dict(newest)).encode())


def _find_holders(project: Project) -> dict[str, str]:
    """Map each tree that the record of an earlier run has in its place to that run's commit."""
    asked = _read_holders(project)
    if not asked:
        return {}
    names = [f"{RUNS}{run}\n{RUNS}{run}:{FOLDER}/{name}\n" for run, name in asked.values()]
    git = project.repository.git
    told = git.run("cat-file", "--batch-check=%(objectname)", stdin="".join(names).encode())
    oids = told.out.decode(errors="replace").split("\n")
    pairs = zip(asked, oids[::2], oids[1::2], strict=False)
    return {tree: commit for tree, commit, found in pairs if found == tree and is_oid(commit)}


def place_editables(project: Project, record: Record, folder: Path) -> list[Path]:
    """Write the recorded code of each package that was in place elsewhere.

    It goes to `folder/<name>-<12 digits of its tree>`, and is taken as it is where that exists.

    Returns:
        The folders to put first on `PYTHONPATH`, absolute, in the order of the names.

    Raises:
        DamagedRecordError: The record names something that is not in it, or leads elsewhere.
        StorageError: The disk is full or read-only.
    """
    commit = record.commit or f"{LIVE}{record.run.id}"
    roots: list[Path] = []
    for position, name, _ in _outside(record.environment):
        package = _listed(record.environment)[position]
        origin = package["origin"] if isinstance(package, dict) else None
        if not isinstance(origin, dict) or "tree" not in origin:
            continue
        tree = _tree_in(project, commit, name)
        if tree is None or tree != origin["tree"]:
            raise DamagedRecordError(
                f"run `{record.run.id}` does not hold the code of editable `{name}` that it names",
                hint="`repro show RUN --env` shows what it names",
            )
        target = folder.absolute() / f"{name}-{tree[:12]}"
        _place(project, tree, target)
        roots += [_root(target, path) for path in _named_roots(origin)]
    return roots


def _tree_in(project: Project, commit: str, name: str) -> str | None:
    args = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit}:{FOLDER}/{name}")
    return project.repository.git.run(*args, ok=(0, 1, 128)).out.decode().strip() or None


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
    named = origin.get("import_roots")
    return [path for path in named if isinstance(path, str)] if isinstance(named, list) else []


def _root(target: Path, path: str) -> Path:
    if path == ".":
        return target
    validate_path(path)
    if not (target / path).resolve().is_relative_to(target.resolve()):
        raise DamagedRecordError(f"`{escape(path)}` of an editable package leads out of it")
    return target / path

"""What lies around the code of a run: packages in place elsewhere, and lock files."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from repro.core.environment import capture_environment
from repro.core.project import Project
from repro.core.started import LOCKFILES, surrounding_files
from repro.model.canonical import Json
from repro.model.environment import OURS
from repro.model.needs import packages_of
from repro.model.secrets import is_secret_file, redact_text
from repro.store.git import Repository, split_names
from repro.store.lockfiles import LockFile, find_lockfiles
from repro.store.objects import blob_id
from repro.store.quarantine import Existing, Quarantine, open_quarantine

if TYPE_CHECKING:
    from repro.core.editables import Looks

_PLAIN = ("100644", "100755")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a record holds beside the code.

    Attributes:
        environment: What `environment.json` says.
        editables: The tree of each package in place elsewhere, by its name.
        lockfiles: The blob of each lock file that is kept, by its path.
        loose: Content of those blobs that are not in the code.
        held: Run commits that hold some of `editables` already.
        warnings: What is not kept, in words.
    """

    environment: dict[str, Json]
    editables: Mapping[str, str] = field(default_factory=dict)
    lockfiles: Mapping[str, str] = field(default_factory=dict)
    loose: Mapping[str, bytes] = field(default_factory=dict)
    held: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def beside(self) -> dict[str, bytes | Existing]:
        """What the code does not reach and a commit beside it must, by path in the record."""
        return {
            **{f"{LOCKFILES}/{path}": content for path, content in self.loose.items()},
            **surrounding_files(self.editables, {}),
        }


def look_around(project: Project, environment: Mapping[str, Json]) -> "Looks | None":
    """Begin to look at packages in place elsewhere; None where there are none.

    Most environments have none, and load nothing for it.
    """
    if not _has_editables(environment):
        return None
    from repro.core.editables import look_ahead  # noqa: PLC0415

    return look_ahead(project, environment)


def keep_surroundings(
    project: Project,
    quarantine: Quarantine,
    environment: Mapping[str, Json],
    *,
    tree: str,
    cwd: Path,
    looks: "Looks | None",
    run: str | None = None,
    share: bool = True,
) -> Surroundings:
    """Keep what lies around the code, and add to the environment what it is.

    Args:
        environment: As `capture_environment` gives it; an empty one stays empty.
        tree: Of the code, in the quarantine.
        cwd: Where the command runs.
        looks: As `look_around` gave it for this environment.
        run: Id of the run that is recorded.
        share: Whether to name what an earlier record holds.

    Raises:
        StorageError: The disk is full or read-only.
    """
    if not environment:
        return Surroundings(environment={})
    root = project.repository.root.resolve()
    inside = cwd.resolve()
    folder = inside.relative_to(root).as_posix() if inside.is_relative_to(root) else "."
    files = find_lockfiles(project.repository.root, folder)
    known = _blobs_in(quarantine, tree, [file.path for file in files]) if files else {}
    locks = [_keep(project.repository, file, known.get(file.path)) for file in files]
    around = Surroundings(
        environment={**environment, "lockfiles": [lock.facts for lock in locks]},
        lockfiles={lock.path: lock.blob for lock in locks if lock.blob is not None},
        loose={lock.path: lock.loose for lock in locks if lock.loose is not None},
        warnings=tuple(lock.warning for lock in locks if lock.warning is not None),
    )
    if looks is None:
        return around
    return _with_editables(project, quarantine, around, looks, run=run, share=share)


def current_environment(
    project: Project, command: Sequence[str], *, cwd: Path | None = None
) -> dict[str, Json]:
    """The environment that a command would meet, with the code of packages in place elsewhere.

    Its `environment_digest` can be compared with that of a record.
    """
    environment = capture_environment(project, command, cwd=cwd)
    looks = look_around(project, environment)
    if looks is None:
        return environment
    with open_quarantine(project.repository) as quarantine:
        around = Surroundings(environment=environment)
        kept = _with_editables(project, quarantine, around, looks, run=None, share=True)
        return kept.environment


def _has_editables(environment: Mapping[str, Json]) -> bool:
    packages = packages_of(environment)
    origins = [package.get("origin") for name, package in packages.items() if name != OURS]
    # One whose folder is the root of the project is its code.
    return any(
        isinstance(one, dict) and one.get("editable") is True and one.get("path") != "."
        for one in origins
    )


def _with_editables(
    project: Project,
    quarantine: Quarantine,
    around: Surroundings,
    looks: "Looks",
    *,
    run: str | None,
    share: bool,
) -> Surroundings:
    from repro.core.editables import keep_editables  # noqa: PLC0415

    kept = keep_editables(project, quarantine, around.environment, looks, run=run, share=share)
    return replace(
        around,
        environment=kept.environment,
        editables=kept.trees,
        held=kept.held,
        warnings=(*around.warnings, *kept.warnings),
    )


@dataclass(frozen=True, slots=True)
class _Lock:
    """A lock file: what is said of it, its blob if it is kept, its content if that is new."""

    path: str
    facts: dict[str, Json]
    blob: str | None = None
    loose: bytes | None = None
    warning: str | None = None


def _keep(repository: Repository, file: LockFile, blob: str | None) -> _Lock:
    facts: dict[str, Json] = {"path": file.path, "size": file.size, "sha256": file.sha256}
    if file.content is None:
        return _Lock(file.path, {**facts, "left_out": "too large or unreadable"})
    if blob is not None:  # as the snapshot has it, credentials or not
        return _Lock(file.path, facts, blob)
    if is_secret_file(file.path):
        return _Lock(file.path, {**facts, "left_out": "looks secret"})
    try:
        text = file.content.decode()
    except UnicodeDecodeError:
        return _Lock(file.path, {**facts, "left_out": "is no text"})
    bare = redact_text(text).encode()
    if bare != file.content:
        # Of a short secret even the digest would tell.
        facts["sha256"], facts["size"] = hashlib.sha256(bare).hexdigest(), len(bare)
        facts["redacted"] = True
    warning = None
    if "redacted" in facts:
        warning = f"lock file `{file.path}` is kept without the credentials in it"
    return _Lock(file.path, facts, blob_id(bare, repository.object_format), bare, warning)


def _blobs_in(quarantine: Quarantine, tree: str, paths: Sequence[str]) -> dict[str, str]:
    """The blobs of those of `paths` that are files in the tree."""
    words = ("ls-tree", "-z", "--full-tree", tree, "--", *paths)
    found = {}
    env = {**quarantine.env, "GIT_LITERAL_PATHSPECS": "1"}
    for line in split_names(quarantine.repository.git.run(*words, env=env).out):
        facts, _, path = line.partition("\t")
        mode, _, oid = facts.split(" ")
        if mode in _PLAIN:
            found[path] = oid
    return found

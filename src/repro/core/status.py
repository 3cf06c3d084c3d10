"""What a run would record now, without recording it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from repro.core.capture import limits_of, take_code
from repro.core.project import Project
from repro.core.query import list_runs
from repro.model.canonical import Json
from repro.model.datastate import DataState
from repro.model.run import Omitted, Record, Status
from repro.model.secrets import redact_config
from repro.store.clonekey import read_marker
from repro.store.lockfile import FILE as LOCK
from repro.store.paramsfile import read_config_files
from repro.store.quarantine import open_quarantine
from repro.store.settings import FILE
from repro.store.snapshot import Snapshot

if TYPE_CHECKING:
    from repro.core.measured import OnProgress

_TEMPLATE = """\
# Settings of repro for this project; a line without its `# ` counts. Commit this file.

# Params files whose values belong to the config of every run, later ones winning.
# config: [params.yaml]

# Files that hold metrics when the command has ended: JSON, CSV or TSV.
# metrics: [metrics.json]

# Files that the command produces and repro shall keep; patterns as in .gitignore.
# artifacts: [models/*.pt]

# Datasets that runs read: `repro data add PATH` writes them here.
# data: {train: data/train}

# Where kept bytes of datasets are shared: a folder, or a URL.
# store: s3://bucket/prefix

# Untracked files that a snapshot of the code leaves out; each one is named in the record.
# snapshot: {max_file: 10MiB, max_total: 100MiB, exclude: ["*.ckpt"]}
"""
# Git's letters of `git status --porcelain`, the more telling first.
_KINDS = {"U": "conflict", "A": "new", "D": "deleted", "R": "renamed", "C": "copied"}


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file of the snapshot that is not as the base has it.

    Attributes:
        kind: `modified`, `new`, `deleted`, `renamed`, `copied`, `conflict` or `untracked`.
    """

    path: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """The conditions that a run started now would record.

    Attributes:
        base: The commit HEAD names, None before the first commit.
        branch: None when HEAD is detached.
        dirty: Whether the code differs from the base.
        changes: By path.
        submodules: Paths of those whose content goes into the record.
        has_settings: Whether there is a `repro.yaml`.
        config: What the params files say.
        data: Datasets as they are now.
        live: Runs in progress, newest first.
    """

    base: str | None
    branch: str | None
    dirty: bool
    changes: tuple[FileChange, ...]
    omitted: tuple[Omitted, ...]
    submodules: tuple[str, ...]
    has_settings: bool
    config: Mapping[str, Json]
    data: tuple[DataState, ...]
    live: tuple[Record, ...]


def look_around(project: Project, *, on_progress: "OnProgress | None" = None) -> Present:
    """Give what a run would record now.

    Args:
        on_progress: Called several times a second while datasets are read.

    Raises:
        InvalidInputError: A params file is absent or wrong, as it would be for a run.

    Cost: takes the snapshot that a run would take, and throws it away; hashes the files of
    datasets that are new since the last time.
    """
    repository = project.repository
    with open_quarantine(repository) as quarantine:
        taken = take_code(project, quarantine)
    working = taken.working
    return Present(
        base=working.base,
        branch=working.branch,
        dirty=working.base is None or taken.tree != working.base_tree or bool(taken.submodules),
        changes=_changes(project, taken),
        omitted=taken.omitted,
        submodules=tuple(sorted(taken.submodules)),
        has_settings=(repository.root / FILE).exists(),
        config=redact_config(
            read_config_files(repository.root, project.settings.config),
            read_marker(repository.private),
        ),
        data=_look_at_data(project, on_progress),
        live=tuple(list_runs(project, status=Status.RUNNING).records),
    )


def _look_at_data(project: Project, on_progress: "OnProgress | None") -> tuple[DataState, ...]:
    if not (project.settings.data or (project.repository.root / LOCK).exists()):
        return ()
    # Here, for many projects have no datasets, and would pay 30 ms for SQLite and threads.
    from repro.core.datastatus import look_at_data  # noqa: PLC0415

    return look_at_data(project, on_progress=on_progress)


def _changes(project: Project, taken: Snapshot) -> tuple[FileChange, ...]:
    working = taken.working
    found = {change.path: _kind(change.code) for change in working.changes}
    found |= dict.fromkeys((*working.assumed, *working.skipped), "modified")
    is_produced = limits_of(project.settings).is_produced
    left_out = {omitted.path for omitted in taken.omitted}
    for path in working.untracked:
        if path not in left_out and not is_produced(path):
            found[path] = "untracked"
    return tuple(FileChange(path, found[path]) for path in sorted(found))


def _kind(code: str) -> str:
    return next((kind for letter, kind in _KINDS.items() if letter in code), "modified")


def write_settings(project: Project) -> bool:
    """Put a `repro.yaml` with every setting as a comment into the project; False if it has one."""
    try:
        with (project.repository.root / FILE).open("x", encoding="utf-8") as file:
            file.write(_TEMPLATE)
    except FileExistsError:
        return False
    return True

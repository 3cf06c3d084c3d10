"""Two runs, or a run and the working tree as it is, diffed part by part."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from repro.core.capture import commit_code, take_code
from repro.core.environment import capture_environment
from repro.core.harm import refuse_harmful
from repro.core.project import Project, who_am_i
from repro.core.query import code_of
from repro.core.surroundings import keep_surroundings, look_around
from repro.model.canonical import Json
from repro.model.config import config_from_command, merge_config
from repro.model.diff import (
    Change,
    Comparison,
    DataChange,
    FileChange,
    diff_command,
    diff_config,
    diff_drawn,
    diff_environment,
    diff_metrics,
    find_changed_data,
)
from repro.model.run import Record
from repro.model.secrets import redact_config
from repro.model.values import ABSENT, Value
from repro.store.clonekey import read_marker
from repro.store.git import split_names
from repro.store.paramsfile import read_config_files
from repro.store.quarantine import Quarantine, open_quarantine

if TYPE_CHECKING:
    from repro.core.measured import OnProgress

ALL_PARTS = (
    "code",
    "command",
    "config",
    "data",
    "environment",
    "hardware",
    "randomness",
    "metrics",
)
_PARTS_NOW = ("code", "config", "data", "environment", "hardware", "randomness")
_SUBMODULES = "submodules"


@dataclass(frozen=True, slots=True)
class CodeState:
    """One side's code.

    Attributes:
        commit: The one whose tree it is.
        holder: The commit whose tree may hold its submodules; None where nothing does.
    """

    commit: str
    holder: str | None


def compare_runs(project: Project, a: Record, b: Record) -> Comparison:
    """Say in what B differs from A.

    Raises:
        DamagedRecordError: The code of one is missing, or was made to do harm.

    Cost: of datasets that differ, the manifest pages of folders that do.
    """
    for record in (a, b):
        refuse_harmful(project, record)
    code = diff_code(project, code_state_of(a), code_state_of(b), {})
    changed = find_changed_data(a.data, b.data)
    data = _compare_data(project, a, b, changed) if changed else {}
    return _compare(a, b, code, data, ALL_PARTS)


def compare_with_worktree(
    project: Project,
    a: Record,
    *,
    words: Sequence[str] = (),
    on_progress: "OnProgress | None" = None,
) -> Comparison:
    """Say in what running A's command here and now would differ from A.

    Config counts as the files of `repro.yaml` and the command say it now; what only code or
    `-c` set stays as A had it, and so do seeds. The working tree has no results of its own.
    A dataset counts as it lies now where the project says that it is, else where A had it.

    Args:
        words: What starts the interpreter that counts; the command of A by default.
        on_progress: Called several times a second while datasets are read.

    Raises:
        InvalidInputError: A config file is wrong.

    Cost: takes a snapshot, and hashes the files of datasets that are new since the last time.
    """
    refuse_harmful(project, a)
    folder = project.repository.root / a.run.cwd
    environment = capture_environment(project, words or a.run.command, cwd=folder)
    looks = look_around(project, environment)
    with _working_code(project) as (code, quarantine):
        changes = diff_code(project, code_state_of(a), code, quarantine.env)
        around = keep_surroundings(
            project,
            quarantine,
            environment,
            tree=f"{code.commit}^{{tree}}",
            cwd=folder,
            looks=looks,
        )
    environment = {**a.environment, **around.environment}
    now = replace(a, config=_config_now(project, a), environment=environment)
    has_data = bool(a.data or project.settings.data)
    data = _compare_data(project, a, None, (), on_progress) if has_data else {}
    return _compare(a, now, changes, data, _PARTS_NOW)


def compare_code(project: Project, a: str, b: str) -> Comparison:
    """Say in what the code of commit B differs from that of commit A, and nothing else."""
    changes = diff_code(project, CodeState(a, None), CodeState(b, None), {})
    return Comparison(code=changes, compared=("code",))


def format_patch(
    project: Project,
    a: str,
    b: str | None,
    *,
    stat: bool = False,
    coloured: bool = False,
    reverse: bool = False,
) -> bytes:
    """The patch from commit A to commit B, as `git diff` prints it, for `git apply`.

    Args:
        b: None is the working tree.
        stat: The summary by file in place of the patch.
        coloured: With the colours that git is set to, for a terminal.
        reverse: From B to A instead.
    """
    shape = ["--stat" if stat else "--patch", "--color=always" if coloured else "--no-color"]
    shape += ["-R"] if reverse else []
    if b is not None:
        return _patch(project, a, b, {}, shape)
    with _working_code(project) as (code, quarantine):
        return _patch(project, a, code.commit, quarantine.env, shape)


def comparison_json(comparison: Comparison) -> dict[str, Json]:
    """The comparison as `--json` prints it; a key that one side lacks has null there."""
    files: list[Json] = [{"path": one.path, "status": one.status} for one in comparison.code]
    return {
        "code": {"files": files},
        "command": _pair(comparison.command) if comparison.command else None,
        "config": _pairs(comparison.config),
        "data": {name: change_json(change) for name, change in comparison.data.items()},
        "environment": _pairs(comparison.environment),
        "hardware": _pairs(comparison.hardware),
        "randomness": _pairs(comparison.randomness),
        "metrics": _pairs(comparison.metrics),
    }


def _pairs(changes: Mapping[str, Change]) -> dict[str, Json]:
    return {key: _pair(change) for key, change in changes.items()}


def _pair(change: Change) -> list[Json]:
    return [_null(change[0]), _null(change[1])]


def _null(value: Value) -> Json:
    return None if value is ABSENT else value


def change_json(change: DataChange) -> dict[str, Json]:
    """What differs in a dataset as `--json` prints it."""
    return {
        "added": list(change.added),
        "removed": list(change.removed),
        "changed": list(change.changed),
        "bytes": {
            "added": change.size_added,
            "removed": change.size_removed,
            "changed": [change.size_before, change.size_after],
        },
        "unlisted": change.unlisted,
    }


def _compare_data(
    project: Project,
    a: Record,
    b: Record | None,
    names: Sequence[str],
    on_progress: "OnProgress | None" = None,
) -> dict[str, DataChange]:
    # Here, for most comparisons are of no datasets, and would pay 30 ms for SQLite and threads.
    from repro.core.datadiff import compare_data  # noqa: PLC0415

    return compare_data(project, a, b, names=names, on_progress=on_progress)


def _compare(
    a: Record,
    b: Record,
    code: tuple[FileChange, ...],
    data: dict[str, DataChange],
    parts: tuple[str, ...],
) -> Comparison:
    environment, hardware, randomness = diff_environment(a, b)
    return Comparison(
        code=code,
        command=diff_command(a, b),
        config=diff_config(a.config, b.config),
        data=data,
        environment=environment,
        hardware=hardware,
        randomness=randomness,
        drawn=diff_drawn(a, b),
        metrics=diff_metrics(a, b),
        compared=parts,
    )


def code_state_of(record: Record) -> CodeState:
    """The code of a run.

    Raises:
        DamagedRecordError: Its record names none.
    """
    return CodeState(code_of(record.run), record.commit or None)


def _config_now(project: Project, a: Record) -> dict[str, Json]:
    files = read_config_files(project.repository.root, project.settings.config)
    merged = merge_config(a.config, files, config_from_command(a.run.command))
    return redact_config(merged, read_marker(project.repository.private))


@contextmanager
def _working_code(project: Project) -> Iterator[tuple[CodeState, Quarantine]]:
    """The working tree as a commit, and the quarantine in which git sees it."""
    with open_quarantine(project.repository) as quarantine:
        code = commit_code(
            quarantine,
            take_code(project, quarantine),
            author=who_am_i(project),
            when=project.clock(),
            title="the working tree",
        )
        holder = code.anchor if code.submodules else None
        yield CodeState(code.snapshot, holder), quarantine


def diff_code(
    project: Project, a: CodeState, b: CodeState, env: Mapping[str, str]
) -> tuple[FileChange, ...]:
    """The files that differ, submodules included.

    Args:
        env: Variables with which git finds both sides, such as those of a quarantine.
    """
    changes = _changed_files(project, a.commit, b.commit, env)
    before, after = _submodules(project, a.holder, env), _submodules(project, b.holder, env)
    if before != after:
        if before and after:
            changes += _changed_files(project, before, after, env)
        else:  # one side's submodules are as their commits say: no content of them to compare
            changes.append(FileChange(_SUBMODULES, "A" if after else "D"))
    return tuple(changes)


def _changed_files(project: Project, a: str, b: str, env: Mapping[str, str]) -> list[FileChange]:
    if a == b:
        return []
    args = ("diff-tree", "-r", "-z", "--name-status", "--no-renames", "--end-of-options", a, b)
    words = split_names(project.repository.git.run(*args, env=env).out)
    return [FileChange(path, status) for status, path in zip(words[::2], words[1::2], strict=True)]


def _submodules(project: Project, holder: str | None, env: Mapping[str, str]) -> str | None:
    """The tree of the recorded content of submodules, None where there is none."""
    if holder is None:
        return None
    return project.repository.git.find(f"{holder}:{_SUBMODULES}", env=env)


def _patch(project: Project, a: str, b: str, env: Mapping[str, str], shape: Sequence[str]) -> bytes:
    # The plumbing command: the user's prefixes, pagers and diff programs are not for it.
    args = ["diff-tree", "-r", "--no-ext-diff", "--no-textconv", "--find-renames", *shape]
    args += ["--binary"] if "--patch" in shape else []
    return project.repository.git.run(*args, "--end-of-options", a, b, env=env).out

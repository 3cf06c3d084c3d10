"""Records as values, and written as run commits without running anything."""

import itertools
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from repro.model.ids import RunId, new_id
from repro.model.run import MetricSummary, Record, Run, Status
from repro.model.times import format_time
from repro.store.archive import FILE, format_lines
from repro.store.git import Identity, Repository, open_repository
from repro.store.quarantine import CommitSpec, open_quarantine, publish, write_commits
from repro.store.refs import RUNS, RefUpdate, read_ref
from repro.store.runs import encode_record
from tests.support import git
from tests.support.drawing import draw

NOW = 1_764_000_000.0
ADA = Identity("Ada", "ada@example.org")

_counter = itertools.count()


def make_record(**changes: Any) -> Record:
    """A finished run of `python train.py`; keys of Run and of Record may be given.

    Each one is created a second after the one made before it.
    """
    created = changes.pop("created", None) or format_time(NOW + next(_counter))
    outer = {"config", "metrics", "summary", "data", "environment", "artifacts", "verdict"}
    outer |= {"randomness", "generators"}
    parts = {key: changes.pop(key) for key in list(changes) if key in outer}
    values: dict[str, Any] = {
        "id": new_id(draw),
        "name": None,
        "status": Status.FINISHED,
        "created": created,
        "started": created,
        "ended": created,
        "duration_s": 1.5,
        "command": ("python", "train.py"),
        "cwd": ".",
        "exit_code": 0,
        "user": "Ada",
        "host": "engine",
    }
    values.update(changes)
    return Record(run=Run(**{**values, "status": Status(values["status"])}), **parts)


def a_summary(last: float, **changes: Any) -> MetricSummary:
    """The summary of a metric with one point."""
    values = {
        "last": last, "last_step": 0, "first": last, "min": last, "min_step": 0,
        "max": last, "max_step": 0, "mean": last, "count": 1, "goal": None,
    }  # fmt: skip
    return MetricSummary(**{**values, **changes})


def write_run(
    repository: Repository,
    record: Record,
    *,
    files: Mapping[str, bytes] | None = None,
    ref_id: str | None = None,
) -> Record:
    """Make `record` a run commit on HEAD, under its ref; the record as it is then.

    Args:
        files: Laid over the files of the record.
        ref_id: The id in the ref, where it shall not be the record's.
    """
    [written] = write_runs(repository, [record], files=files, ref_id=ref_id)
    return written


def write_runs(
    repository: Repository,
    records: Sequence[Record],
    *,
    files: Mapping[str, bytes] | None = None,
    ref_id: str | None = None,
) -> list[Record]:
    """Do for several records at once what `write_run` does for one."""
    base = git(repository.root, "rev-parse", "HEAD")
    records = [
        one if one.run.snapshot else replace(one, run=replace(one.run, base=base, snapshot=base))
        for one in records
    ]
    specs = [
        CommitSpec(
            message=f"run {one.run.id}: test",
            when=NOW,
            author=ADA,
            parents=[base],
            files={**encode_record(one), **(files or {})},
        )
        for one in records
    ]
    with open_quarantine(repository) as quarantine:
        commits = write_commits(quarantine, specs)
        written = [replace(one, commit=oid) for one, oid in zip(records, commits, strict=True)]
        refs = [RefUpdate(RUNS + (ref_id or one.run.id), new=one.commit) for one in written]
        publish(quarantine, tips=commits, exclude=[base], refs=refs)
    return written


def run_id(text: str) -> RunId:
    """An id that starts with `text`."""
    return RunId(text.ljust(12, "0"))


def open_at(root: Path) -> Repository:
    """The repository around `root`."""
    return open_repository(root, os.environ)


def move_ref(root: Path, old: str, new: str) -> str:
    """Give a run another ref, as if it had come from a remote; its commit."""
    oid = git(root, "rev-parse", old)
    git(root, "update-ref", new, oid)
    git(root, "update-ref", "-d", old)
    return oid


def write_archive(
    repository: Repository,
    runs: Mapping[str, str],
    ref: str,
    *,
    files: Mapping[str, bytes] | None = None,
    parents: Sequence[str] | None = None,
) -> str:
    """Make an archive of runs, a commit by id, under `ref`; its commit.

    Args:
        files: In place of the one that is right.
        parents: Likewise.
    """
    spec = CommitSpec(
        message="archive\n",
        when=NOW,
        author=ADA,
        parents=list(runs.values()) if parents is None else parents,
        files={FILE: format_lines(runs)} if files is None else files,
    )
    with open_quarantine(repository) as quarantine:
        [commit] = write_commits(quarantine, [spec])
        update = RefUpdate(ref, commit, read_ref(repository.git, ref))
        publish(quarantine, tips=[commit], exclude=[], refs=[update])
    return commit

"""The trailer `Repro-Run: <id>` of a commit whose code is that of a recorded run."""

import os
import re
from pathlib import Path

from repro.core.project import Project
from repro.errors import DamagedRecordError
from repro.model.canonical import parse_json
from repro.model.ids import is_id
from repro.store.busy import find_operation
from repro.store.codetrees import find_same_code, order_by_date
from repro.store.objects import read_file, reading
from repro.store.refs import RunRefs
from repro.store.staged import write_index_tree

TRAILER = "Repro-Run"

_MOST_READ = 32  # records, to find the newest run of one code
_NEVER = ("merge", "squash")
# As `git commit --verbose` has it, behind any comment character; all below is no message.
_SCISSORS = re.compile(rb"^[^\n]{1,8} -{24} >8 -{24}\n.*", re.MULTILINE | re.DOTALL)


def annotate(project: Project, message: Path, *, source: str | None) -> str | None:
    """Add the trailer to the message of a commit where it belongs; the id that was added.

    Not to that of a merge or a squash, nor while git is in the middle of something: what a rebase
    makes anew has the trailers that it had.
    A message without a word stays so, as that is how a commit is given up. A trailer that is
    there already stays, but where `git commit --amend` has other code than the run it names.

    Args:
        source: Where git says that the message comes from; None where it says nothing.
    """
    repository = project.repository
    if (
        source in _NEVER
        or find_operation(repository)
        or (repository.git_dir / "SQUASH_MSG").exists()
    ):
        return None
    run_ids = find_runs_of_index(project)
    if not run_ids or not _has_words(project, message.read_bytes()):
        return None
    named = _read_trailers(project, message)
    if named and (source != "commit" or not named.isdisjoint(run_ids)):
        return None
    newest = _newest(project, run_ids)
    how = ("--if-exists=replace", "--if-missing=add", "--where=end", "--no-divider")
    trailer = f"{TRAILER}: {newest}"
    repository.git.run("interpret-trailers", "--in-place", *how, "--trailer", trailer, str(message))
    return newest


def find_runs_of_index(project: Project) -> dict[str, str]:
    """The runs whose code is exactly what the index holds: their commits by id."""
    repository = project.repository
    commits = RunRefs(repository).commits
    if not commits:
        return {}
    scratch = repository.git_dir / f"repro-index-{os.getpid()}"
    tree = write_index_tree(repository, scratch)
    if tree is None:
        return {}
    return {run: commits[run] for run in find_same_code(repository, commits, tree)}


def _has_words(project: Project, message: bytes) -> bool:
    text = _SCISSORS.sub(b"", message)
    return bool(project.repository.git.run("stripspace", "--strip-comments", stdin=text).out)


def _read_trailers(project: Project, message: Path) -> set[str]:
    """The runs that a message names already."""
    told = project.repository.git.text(
        "interpret-trailers", "--parse", "--no-divider", str(message)
    )
    pairs = (line.partition(":") for line in told.splitlines())
    return {value.strip() for key, _, value in pairs if key.lower() == TRAILER.lower()}


def _newest(project: Project, run_ids: dict[str, str]) -> str:
    """The one that was started last, of those that ended last."""
    ids = {commit: run for run, commit in run_ids.items()}
    newest = order_by_date(project.repository, list(ids))[:_MOST_READ]
    created = {}
    with reading(project.repository) as objects:
        for commit in newest:
            try:
                value = parse_json(read_file(objects, commit, "run.json") or b"", name="run.json")
            except DamagedRecordError:
                continue
            moment = value.get("created") if isinstance(value, dict) else None
            created[commit] = moment if isinstance(moment, str) else ""
    chosen = max(created, key=lambda commit: (created[commit], ids[commit]), default=newest[0])
    assert is_id(ids[chosen])
    return ids[chosen]

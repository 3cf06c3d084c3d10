"""Two commits of one run brought together in one (FORMAT.md section "Merging")."""

import operator
from collections.abc import Sequence
from dataclasses import replace
from itertools import product

from repro.core.amend import describe_commit
from repro.errors import ConflictError
from repro.model.canonical import format_json
from repro.model.curation import (
    find_differing_facts,
    is_later_attempt,
    merge,
    stamp_of,
)
from repro.model.run import Run
from repro.model.sharing import Overruled
from repro.model.text import escape
from repro.store.git import Git, Identity, Repository
from repro.store.objects import Commit, Objects, TreeEntry, read_commit, read_tree, reading
from repro.store.quarantine import CommitSpec, Existing, Quarantine, write_commits
from repro.store.runs import RUN_FILE, encode_run, read_record

# What happened, and so what no amendment changes; a newer version may put other files beside it.
_SEALED = {
    "config.yaml", "metrics.json", "metrics", "data.json", "data", "environment.json",
    "environment", "launch.json", "editables", "randomness.json", "generators.json",
    "artifacts.json", "artifacts", "media.jsonl", "media", "output.log", "notebook", "submodules",
}  # fmt: skip

_WORDS = ("name", "note")  # of which a run has one; of tags both sides' are kept


def reconcile(quarantine: Quarantine, run_id: str, ours: str, theirs: str) -> str:
    """Give the commit that has all that was said of a run in two places.

    That is one of both if it is on top of the other. Else it is a merge commit, written into the
    quarantine, that depends on nothing but the two: every clone makes the same one, in either
    order, so that two that merge at once need not merge again.

    Args:
        ours: A commit of the run, here or in the quarantine; `theirs` likewise.

    Raises:
        ConflictError: They are no amendments of one run: they disagree on what happened.
        NewerFormatError: A newer repro wrote one of them.
        DamagedRecordError: One of them breaks FORMAT.md.
    """
    inside = _inside(quarantine)
    for older, newer in ((ours, theirs), (theirs, ours)):
        if _is_ancestor(inside.git, older, newer):
            return newer
    first, second = sorted((ours, theirs))
    with reading(inside) as objects:
        spec = _merge(objects, run_id, first, second)
    [merged] = write_commits(quarantine, [spec])
    return merged


def find_overruled(
    repository: Repository, run_id: str, sides: Sequence[str], whole: str
) -> tuple[Overruled, ...]:
    """Give the words that a side of a merge said, and that the merge does not say.

    Args:
        sides: Commits of the run.
        whole: The commit that `reconcile` made of them.
    """
    found = []
    with reading(repository) as objects:
        holds = read_record(objects, whole).run
        said = {side: read_record(objects, side).run for side in sides}
        for what in _WORDS:
            word = operator.attrgetter(what)
            lost = [side for side in sides if word(said[side]) != word(holds)]
            others = [side for side in sides if side not in lost]
            for one, other in product(lost, others[:1]):
                before = _before(repository.git, objects, one, other)
                if before is None or word(before) != word(said[one]):
                    found.append(Overruled(run_id, what))
                    break
    return tuple(found)


def _before(git: Git, objects: Objects, one: str, other: str) -> Run | None:
    """The run as it was before two amended it; None where they have no record in common."""
    asked = git.run("merge-base", one, other, ok=(0, 1))
    oid = asked.out.decode().strip()
    if not oid or RUN_FILE not in read_tree(objects, oid):
        return None
    return read_record(objects, oid).run


def _inside(quarantine: Quarantine) -> Repository:
    """The repository with the objects of the quarantine in sight."""
    git = quarantine.repository.git
    return replace(
        quarantine.repository, git=replace(git, environ={**git.environ, **quarantine.env})
    )


def _is_ancestor(git: Git, older: str, newer: str) -> bool:
    return git.run("merge-base", "--is-ancestor", older, newer, ok=(0, 1)).code == 0


def _merge(objects: Objects, run_id: str, first: str, second: str) -> CommitSpec:
    one, other = (read_record(objects, oid).run for oid in (first, second))
    trees = [read_tree(objects, oid) for oid in (first, second)]
    commits = [read_commit(objects, oid) for oid in (first, second)]
    _check_same_run(run_id, one, other)
    if is_later_attempt(one, other) or is_later_attempt(other, one):
        place = 0 if is_later_attempt(one, other) else 1
        files, code = trees[place], commits[place].parents[:1]
    else:
        files = _join_files(run_id, (one, other), trees)
        code = _common_code(run_id, commits)
    merged = merge(one, other)
    newest = max(
        zip(commits, (first, second), strict=True), key=lambda it: (it[0].author_time, it[1])
    )
    return CommitSpec(
        message=describe_commit(merged),
        when=newest[0].author_time,
        author=Identity(newest[0].author, newest[0].email),
        parents=[*code, first, second],
        files={
            **{name: Existing(f"{entry.mode:06o}", entry.oid) for name, entry in files.items()},
            RUN_FILE: format_json(encode_run(merged)),
        },
    )


def _check_same_run(run_id: str, one: Run, other: Run) -> None:
    if one.id != run_id or other.id != run_id:
        raise _conflict(run_id, "a commit of another run under its id")
    if differing := find_differing_facts(one, other):
        raise _conflict(run_id, f"another `{differing[0]}`")


def _common_code(run_id: str, commits: list[Commit]) -> tuple[str, ...]:
    one, other = (commit.parents[:1] for commit in commits)
    if one != other:
        raise _conflict(run_id, "other code")
    return one


def _join_files(
    run_id: str, runs: tuple[Run, Run], trees: list[dict[str, TreeEntry]]
) -> dict[str, TreeEntry]:
    """Files that were put there afterwards: of each the newer; all others must be the same."""
    joined = {}
    for name in sorted({*trees[0], *trees[1]} - {RUN_FILE}):
        there = [(run, tree[name]) for run, tree in zip(runs, trees, strict=True) if name in tree]
        if name in _SEALED and (len(there) == 1 or there[0][1] != there[1][1]):
            raise _conflict(run_id, f"another `{escape(name)}`")
        joined[name] = max(
            (stamp_of(run, name), entry.oid, entry.mode, entry) for run, entry in there
        )[-1]
    return joined


def _conflict(run_id: str, what: str) -> ConflictError:
    return ConflictError(
        f"run `{run_id}` cannot be merged: the other side has {what}",
        hint=f"both stay as they are; `git log --all --grep 'Repro-Run: {run_id}'` lists them",
    )

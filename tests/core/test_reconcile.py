"""Two commits of one run are brought together the same way wherever that is done."""

import json
import random
from pathlib import Path

import pytest
from tests.support import git
from tests.support.projects import make_run, open_here
from tests.support.records import make_record, write_run

from repro.core.amend import amend_run
from repro.core.curate import rename_run, set_note, tag_run, untag_run
from repro.core.project import Project
from repro.core.query import resolve_run
from repro.core.reconcile import reconcile
from repro.core.trust import is_own
from repro.errors import ConflictError
from repro.model.run import Run
from repro.store.quarantine import open_quarantine, publish
from repro.store.refs import RUNS, RefUpdate


def merge_refs(project: Project, run_id: str, ours: str, theirs: str) -> str:
    """Reconcile two commits and move the run's own ref to what came out."""
    with open_quarantine(project.repository) as quarantine:
        merged = reconcile(quarantine, run_id, ours, theirs)
        if merged != ours:
            update = RefUpdate(RUNS + run_id, new=merged, old=ours)
            publish(quarantine, tips=[merged], exclude=[ours, theirs], refs=[update])
    return merged


def two_sides(project: Project, run: Run, *changes) -> list[str]:
    """The run amended by each change from the same start, its ref as it was at last."""
    ref = RUNS + run.id
    start = git(project.repository.root, "rev-parse", ref)
    tips = []
    for change in changes:
        git(project.repository.root, "update-ref", ref, start)
        change(resolve_run(project, run.id))
        tips.append(git(project.repository.root, "rev-parse", ref))
    return tips


def clone(source: Path, target: Path) -> Project:
    git(source, "clone", "-q", str(source), str(target))
    git(target, "fetch", "-q", str(source), "refs/repro/*:refs/repro/*")
    return open_here(target)


def both_ways(project: Project, run: Run, ours: str, theirs: str) -> str:
    with open_quarantine(project.repository) as one, open_quarantine(project.repository) as other:
        merged = reconcile(one, run.id, ours, theirs)
        assert merged == reconcile(other, run.id, theirs, ours)
    return merged


def test_of_two_commits_on_top_of_each_other_it_is_the_newer_one(repository: Path) -> None:
    project = open_here(repository)
    run = make_run(project)
    before = git(repository, "rev-parse", RUNS + run.id)
    tag_run(project, resolve_run(project, run.id), ["a"])
    after = git(repository, "rev-parse", RUNS + run.id)
    assert both_ways(project, run, before, after) == after
    assert both_ways(project, run, after, after) == after


def test_a_merge_has_what_both_said_and_both_as_parents(repository: Path) -> None:
    project = open_here(repository)
    run = make_run(project, {"loss": 0.5}, tags=("old",))
    tips = two_sides(
        project,
        run,
        lambda record: tag_run(project, record, ["a"]),
        lambda record: (
            untag_run(project, record, ["old"]), tag_run(project, record, ["b"]),
            set_note(project, record, "theirs"),
        ),
    )  # fmt: skip
    merged = merge_refs(project, run.id, tips[1], tips[0])
    record = resolve_run(project, run.id)
    assert set(record.run.tags) == {"a", "b"}
    assert record.run.note == "theirs"
    parents = git(repository, "log", "-1", "--format=%P", merged).split()
    assert parents == [run.snapshot, *sorted(tips)]
    assert git(repository, "diff", "--name-only", tips[0], merged) == "run.json"
    git(repository, "fsck", "--strict", "--connectivity-only")


def test_two_clones_that_merge_the_same_two_make_the_same_commit(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = open_here(repository)
    run = make_run(project)
    other = clone(repository, tmp_path / "other")
    rename_run(project, resolve_run(project, run.id), "here")
    ours = git(repository, "rev-parse", RUNS + run.id)
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Bob")
    monkeypatch.setenv("GIT_COMMITTER_NAME", "Bob")
    set_note(other, resolve_run(other, run.id), "there")
    theirs = git(tmp_path / "other", "rev-parse", RUNS + run.id)
    git(repository, "fetch", "-q", str(tmp_path / "other"), f"{RUNS}*:refs/x/*")
    git(tmp_path / "other", "fetch", "-q", str(repository), f"{RUNS}*:refs/x/*")
    merged = merge_refs(other, run.id, theirs, ours)
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Eve")
    assert merge_refs(project, run.id, ours, theirs) == merged


def test_a_merged_run_can_be_amended_and_merged_again(repository: Path) -> None:
    project = open_here(repository)
    run = make_run(project)
    tips = two_sides(
        project,
        run,
        *(lambda record, tag=tag: tag_run(project, record, [tag]) for tag in "abc"),
    )
    merged = merge_refs(project, run.id, tips[2], tips[0])
    rename_run(project, resolve_run(project, run.id), "after")
    again = git(repository, "rev-parse", RUNS + run.id)
    parents = git(repository, "log", "-1", "--format=%P", again).split()
    assert parents == [run.snapshot, merged]
    merge_refs(project, run.id, again, tips[1])
    after = resolve_run(project, run.id).run
    assert (after.name, set(after.tags)) == ("after", {"a", "b", "c"})


def test_a_merge_of_ones_own_run_is_own(repository: Path) -> None:
    project = open_here(repository)
    run = make_run(project)
    tips = two_sides(
        project,
        run,
        lambda record: tag_run(project, record, ["a"]),
        lambda record: tag_run(project, record, ["b"]),
    )
    merge_refs(project, run.id, tips[1], tips[0])
    assert is_own(project, resolve_run(project, run.id))


def test_the_newer_of_two_verdicts_is_kept(repository: Path) -> None:
    project = open_here(repository)
    run = make_run(project)
    newer, older = '{"is": "newer"}', '{"is": "older"}'

    def put(text: str):
        return lambda record: amend_run(project, run.id, files={"extra.json": text.encode()})

    tips = two_sides(project, run, put(older), put(newer))
    merged = both_ways(project, run, *tips)
    merge_refs(project, run.id, tips[1], tips[0])
    assert git(repository, "show", f"{merged}:extra.json") == newer


def test_a_continued_run_keeps_what_was_said_of_the_attempt_before(repository: Path) -> None:
    project = open_here(repository)
    run = make_run(project, {"loss": 0.5}, name="old", tags=("a",))
    tips = two_sides(
        project,
        run,
        lambda record: (
            rename_run(project, record, "new"), untag_run(project, record, ["a"]),
            tag_run(project, record, ["b"]),
        ),
        lambda record: make_run(project, {"loss": 0.1}, resume=run.id),
    )  # fmt: skip
    merge_refs(project, run.id, tips[1], tips[0])
    record = resolve_run(project, run.id)
    assert len(record.run.attempts) == 2
    assert (record.run.name, record.run.tags) == ("new", ("b",))
    assert git(repository, "rev-parse", f"{RUNS}{run.id}^1") == record.run.snapshot


def test_a_tag_taken_off_stays_off_in_the_next_attempt(repository: Path) -> None:
    project = open_here(repository)
    run = make_run(project, tags=("a", "b"))
    untag_run(project, resolve_run(project, run.id), ["a"])
    first = git(repository, "rev-parse", RUNS + run.id)
    make_run(project, resume=run.id)
    after = resolve_run(project, run.id).run
    assert after.tags == ("b",)
    assert after.curation is not None
    assert json.loads(git(repository, "show", f"{first}:run.json"))["curation"]["untagged"] == (
        after.curation.untagged
    )


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"command": ("rm", "-rf", "/")}, "another `command`"),
        ({"duration_s": 2.0}, "another `duration_s`"),
        ({"config": {"lr": 2}}, "another `config.yaml`"),
    ],
)
def test_runs_that_disagree_on_what_happened_are_a_conflict(
    repository: Path, changes: dict, what: str
) -> None:
    project = open_here(repository)
    values = {"id": "k3f9zq7d2m4x", "created": "2026-11-24T20:05:01.250000Z"}
    ours = write_run(project.repository, make_record(**values))
    git(repository, "update-ref", "-d", RUNS + ours.run.id)
    theirs = write_run(project.repository, make_record(**values, **changes))
    with (
        open_quarantine(project.repository) as quarantine,
        pytest.raises(ConflictError, match=f"`k3f9zq7d2m4x` cannot be merged: .*{what}"),
    ):
        reconcile(quarantine, ours.run.id, ours.commit, theirs.commit)


def test_another_run_under_the_id_is_a_conflict(repository: Path) -> None:
    project = open_here(repository)
    ours, theirs = (write_run(project.repository, make_record()) for _ in range(2))
    with (
        open_quarantine(project.repository) as quarantine,
        pytest.raises(ConflictError, match="another run under its id"),
    ):
        reconcile(quarantine, ours.run.id, ours.commit, theirs.commit)


def test_other_code_is_a_conflict(repository: Path) -> None:
    project = open_here(repository)
    values = {"id": "k3f9zq7d2m4x", "created": "2026-11-24T20:05:01.250000Z"}
    ours = write_run(project.repository, make_record(**values, snapshot=None))
    git(repository, "update-ref", "-d", RUNS + ours.run.id)
    git(repository, "commit", "-q", "--allow-empty", "-m", "more")
    theirs = write_run(project.repository, make_record(**values, base=ours.run.base))
    with (
        open_quarantine(project.repository) as quarantine,
        pytest.raises(ConflictError, match="cannot be merged"),
    ):
        reconcile(quarantine, ours.run.id, ours.commit, theirs.commit)


def edit(project: Project, run_id: str, chance: random.Random) -> None:
    record = resolve_run(project, run_id)
    tag = chance.choice("abcd")
    choice = chance.randrange(4)
    if choice == 0:
        rename_run(project, record, f"name-{chance.randrange(3)}")
    elif choice == 1:
        set_note(project, record, f"note-{chance.randrange(3)}")
    elif choice == 2 and tag in record.run.tags:
        untag_run(project, record, [tag])
    else:
        tag_run(project, record, [tag])


@pytest.mark.parametrize("seed", range(3))
def test_three_clones_with_wrong_clocks_converge(
    repository: Path, tmp_path: Path, seed: int
) -> None:
    """Edits and exchanges in any order, by plain git; then two rounds around."""
    chance = random.Random(seed)
    first = open_here(repository)
    run = make_run(first, tags=("a",))
    names = {name: tmp_path / name for name in ("b", "c")}
    clones = {"a": repository, **names}
    for path in names.values():
        clone(repository, path)
    offsets = {"a": 0.0, "b": -20_000.0, "c": 40_000.0}

    def open_clone(name: str) -> Project:
        return open_here(clones[name], clock=lambda: 1_800_000_000.0 + offsets[name])

    def pull(into: str, source: str) -> None:
        path, project = clones[into], open_clone(into)
        git(path, "fetch", "-q", str(clones[source]), f"+{RUNS}*:refs/from/{source}/*")
        theirs = git(path, "rev-parse", f"refs/from/{source}/{run.id}")
        merge_refs(project, run.id, git(path, "rev-parse", RUNS + run.id), theirs)

    for _ in range(10):
        offsets = {name: offset + chance.random() for name, offset in offsets.items()}
        edit(open_clone(chance.choice("abc")), run.id, chance)
        if chance.random() < 0.5:
            pull(*chance.sample("abc", 2))
    for into, source in [("a", "b"), ("a", "c"), ("b", "a"), ("c", "a")]:
        pull(into, source)
    tips = {git(path, "rev-parse", RUNS + run.id) for path in clones.values()}
    assert len(tips) == 1
    git(repository, "fsck", "--strict", "--connectivity-only")

"""Whoever looks sees what was said of a run before, and by whom."""

from pathlib import Path

import pytest
from tests.core.test_reconcile import merge_refs, two_sides
from tests.support.projects import begin, make_run, open_here

from repro.core.amend import amend_run
from repro.core.curate import rename_run, set_note, tag_run, untag_run
from repro.core.history import Change, read_history
from repro.core.query import resolve_run


def changes(project, run):
    steps = read_history(project, resolve_run(project, run.id))
    return [change for step in steps for change in step.changes]


def test_each_change_is_told_oldest_first_with_what_was_before(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = open_here(repository)
    run = make_run(project, name="old", tags=("a",))
    rename_run(project, resolve_run(project, run.id), "new")
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Bob")
    project = open_here(repository, clock=lambda: 1e9)  # years late
    set_note(project, resolve_run(project, run.id), "first")
    set_note(project, resolve_run(project, run.id), "")
    untag_run(project, resolve_run(project, run.id), ["a"])
    tag_run(project, resolve_run(project, run.id), ["b", "c"])
    amend_run(project, run.id, files={"extra.json": b"{}"})

    steps = read_history(project, resolve_run(project, run.id))

    assert [step.by for step in steps][:2] == ["Ada <ada@example.org>", "Bob <ada@example.org>"]
    told = [(change.what, change.before, change.after) for step in steps for change in step.changes]
    assert told[:-1] == [
        ("name", "old", "new"),
        ("note", None, "first"),
        ("note", "first", None),
        ("untag", "a", None),
        ("tag", None, "b"),
        ("tag", None, "c"),
    ]
    assert told[-1][:2] == ("extra.json", None)


def test_both_sides_of_a_merge_are_told(repository: Path) -> None:
    project = open_here(repository)
    run = make_run(project)
    tips = two_sides(
        project,
        run,
        lambda record: set_note(project, record, "one"),
        lambda record: set_note(project, record, "other"),
    )
    merge_refs(project, run.id, tips[1], tips[0])

    assert changes(project, run) == [Change("note", None, "one"), Change("note", None, "other")]


def test_a_run_that_nobody_changed_or_that_is_in_progress_has_no_history(repository: Path) -> None:
    project = open_here(repository)
    run = make_run(project)
    live = begin(project)

    assert changes(project, run) == []
    assert changes(project, live) == []
    live.journal.close()


def test_another_attempt_is_told(repository: Path) -> None:
    project = open_here(repository)
    run = make_run(project)
    make_run(project, resume=run.id)

    assert changes(project, run) == [Change("attempt", None, "finished")]

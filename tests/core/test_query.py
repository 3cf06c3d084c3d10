"""Runs found: every way to name one, and lists that nothing can spoil."""

import json
import os
from pathlib import Path

import pytest
from tests.support import git, write_files
from tests.support.projects import begin, make_run, open_here
from tests.support.records import a_summary, make_record, open_at, run_id, write_run

from repro.core.known import describe_problem
from repro.core.query import (
    full_json,
    list_runs,
    read_part,
    read_points,
    resolve_code,
    resolve_run,
    run_json,
    short_id,
)
from repro.errors import AmbiguousRunError, DamagedRecordError, ReproError, UnknownRunError
from repro.model.run import Status
from repro.store.refs import RUNS, UNDO


def ids(root: Path, **choice: object) -> list[str]:
    return [record.run.id for record in list_runs(open_here(root), **choice).records]  # type: ignore[arg-type]


def test_runs_are_listed_newest_first(repository: Path) -> None:
    project = open_here(repository)
    runs = [make_run(project, {"loss": 0.5}) for _ in range(3)]
    assert [run.id for run in reversed(runs)] == ids(repository)
    assert [runs[2].id] == ids(repository, limit=1)


def test_a_list_is_the_same_after_deleting_the_index(repository: Path) -> None:
    project = open_here(repository)
    make_run(project, {"loss": 0.5}, config={"lr": 0.1}, tags=("a",))
    make_run(project, status="failed")
    before = list_runs(project).records
    (project.repository.private / "index.db").unlink()
    assert before == list_runs(project).records


def test_a_status_chooses_as_its_text_does(repository: Path) -> None:
    run = make_run(open_here(repository))
    for status in (Status.FINISHED, "finished"):
        assert [one.run.id for one in list_runs(open_here(repository), status=status).records] == [
            run.id
        ]
    assert not list_runs(open_here(repository), status=Status.FAILED).records


def test_status_and_tag_choose_live_runs_too(repository: Path) -> None:
    project = open_here(repository)
    done = make_run(project, tags=("a",))
    live = begin(project, tags=("a", "b"))
    assert [live.id] == ids(repository, status="running")
    assert [done.id] == ids(repository, status="finished")
    assert [live.id, done.id] == ids(repository, tag="a")
    assert [live.id] == ids(repository, tag="b")
    live.journal.close()


def test_a_run_in_progress_is_listed_and_shown_with_what_it_logged(repository: Path) -> None:
    project = open_here(repository)
    live = begin(project, name="now", config={"lr": 0.1})
    live.journal.log(3, 5.0, {"loss": 0.25})
    live.journal.append({"k": "config", "c": {"depth": 2}})
    record = resolve_run(project, "now")
    assert (record.run.status, record.commit) == (Status.RUNNING, "")
    assert record.metrics["loss"].last == 0.25
    assert record.config == {"lr": 0.1, "depth": 2}
    assert [(3, 0.25)] == [(p.step, p.value) for p in read_points(project, record)["loss"]]
    assert resolve_run(project, "@").run.id == live.id == resolve_run(project, live.id[:5]).run.id
    live.journal.close()


def test_a_sealed_run_wins_over_what_is_left_in_live(repository: Path) -> None:
    project = open_here(repository)
    run = make_run(project)
    folder = project.live / run.id
    live = begin(project)
    live.journal.close()
    folder.mkdir()
    start = (live.dir / "start.json").read_text().replace(live.id, run.id)
    (folder / "start.json").write_text(start)
    assert resolve_run(project, run.id).run.status == Status.FINISHED


def test_a_run_that_is_continued_is_running(repository: Path) -> None:
    project = open_here(repository)
    run = make_run(project, {"loss": 1.0})
    live = begin(project, resume=run.id)
    assert resolve_run(project, run.id).run.status == Status.RUNNING
    assert [Status.RUNNING] == [record.run.status for record in list_runs(project).records]
    live.journal.close()


def test_a_damaged_run_hides_no_other(repository: Path) -> None:
    project = open_here(repository)
    good = make_run(project)
    bad = write_run(project.repository, make_record(), files={"run.json": b"{"}).run.id
    newer = make_record()
    content = b'{"format": 7, "id": "%b"}' % newer.run.id.encode()
    write_run(project.repository, newer, files={"run.json": content})
    git(repository, "update-ref", f"{RUNS}not-an-id", "HEAD")
    (project.live / run_id("kkkk")).mkdir()
    (project.live / run_id("kkkk") / "start.json").write_text("{}")
    listing = list_runs(project)
    assert [good.id] == [record.run.id for record in listing.records]
    said = {problem.id: describe_problem(problem) for problem in listing.problems}
    assert {bad, newer.run.id, "not-an-id", run_id("kkkk")} == set(said)
    assert said[newer.run.id] == (
        f"run `{newer.run.id}` was written by a newer repro (format 7; this one reads up to 1)"
    )
    with pytest.raises(DamagedRecordError, match=f"run `{bad}` is damaged"):
        resolve_run(project, bad)


def test_prefixes_are_unique_among_live_and_damaged_runs_too(repository: Path) -> None:
    opened = open_at(repository)
    shown = write_run(opened, make_record(id=run_id("aaaaaaaa"))).run.id
    near = run_id("aaaaaaab")
    write_run(opened, make_record(id=near), files={"run.json": b"{}"})
    for _ in range(2):
        listing = list_runs(open_here(repository))
        assert ({shown: "aaaaaaaa"}, 2) == ({shown: listing.short[shown]}, listing.total)
    assert short_id(open_here(repository), shown) == "aaaaaaaa"
    git(repository, "update-ref", "-d", RUNS + near)
    listing = list_runs(open_here(repository))
    assert ("aaaaaa", 1) == (listing.short[shown], listing.total)
    live = begin(open_here(repository))
    listing = list_runs(open_here(repository))
    assert ({shown, live.id}, 2) == (set(listing.short), listing.total)
    live.journal.close()


def test_a_run_under_the_ref_of_another_is_damaged(repository: Path) -> None:
    project = open_here(repository)
    write_run(project.repository, make_record(), ref_id=run_id("zzzz"))
    with pytest.raises(DamagedRecordError, match="zzzz"):
        resolve_run(project, "zzzz")


def test_every_way_to_name_a_run(repository: Path) -> None:
    project = open_here(repository)
    first, second, third = (make_run(project, name=name) for name in ("one", "two", "one"))
    expected = {
        first.id: first.id,
        first.id[:4]: first.id,
        f"refs/repro/runs/{first.id}": first.id,
        "two": second.id,
        "one": third.id,
        "@": third.id,
        "@{0}": third.id,
        "@{1}": second.id,
        "@{2}": first.id,
    }
    assert expected == {text: resolve_run(project, text).run.id for text in expected}


def test_an_exact_name_wins_over_the_start_of_an_id(repository: Path) -> None:
    project = open_here(repository)
    other = make_run(project)
    named = make_run(project, name=other.id[:6])
    assert named.id == resolve_run(project, other.id[:6]).run.id
    assert other.id == resolve_run(project, other.id[:7]).run.id


def test_a_whole_id_cannot_be_taken_by_a_name(repository: Path) -> None:
    project = open_here(repository)
    mine = make_run(project)
    make_run(project, name=str(mine.id))
    assert mine.id == resolve_run(project, mine.id).run.id


def test_the_start_of_several_ids_is_refused_and_they_are_listed(repository: Path) -> None:
    opened = open_at(repository)
    for tail in ("b", "c"):
        write_run(opened, make_record(id=run_id(f"abcd{tail}")))
    with pytest.raises(AmbiguousRunError) as caught:
        resolve_run(open_here(repository), "abcd")
    assert caught.value.candidates == (run_id("abcdb"), run_id("abcdc"))
    assert short_id(open_here(repository), run_id("abcdb")) == "abcdb0"


def test_the_parent_run_is_reached(repository: Path) -> None:
    project = open_here(repository)
    first = make_run(project, name="root")
    second = make_run(project, parent=first.id)
    third = make_run(project, parent=second.id, name="leaf~x")
    assert second.id == resolve_run(project, "@~1").run.id == resolve_run(project, "leaf~x~").run.id
    assert first.id == resolve_run(project, f"{third.id}~2").run.id
    assert first.id == resolve_run(project, "@~1~1").run.id
    with pytest.raises(UnknownRunError, match="no parent"):
        resolve_run(project, "root~1")


def test_a_parent_that_is_not_here_is_said(repository: Path) -> None:
    project = open_here(repository)
    make_run(project, parent=run_id("ffff"))
    with pytest.raises(UnknownRunError, match="is not in this repository"):
        resolve_run(project, "@~1")


@pytest.mark.parametrize(
    "text",
    [
        "", "-", "--all", "--output=x", "-x", "nothing", "abc", "@{99}", "@{-1}", "@{x}", "@{-2}",
        "~", "~1", "HEAD", "main", "a\0b", "../..", "refs/heads/main", "x" * 100_000, "é\x1b[2J",
        "\udcff", "@" * 3, "%s", "'; DROP TABLE run; --",
    ],
)  # fmt: skip
def test_what_is_no_run_is_one_error_with_a_next_step(repository: Path, text: str) -> None:
    project = open_here(repository)
    make_run(project, name="baseline")
    with pytest.raises(UnknownRunError) as caught:
        resolve_run(project, text)
    assert caught.value.hint
    assert len(caught.value.message) < 300
    assert "\x1b" not in caught.value.message


def test_near_names_are_given(repository: Path) -> None:
    project = open_here(repository)
    make_run(project, name="baseline")
    with pytest.raises(UnknownRunError, match="did you mean `baseline`"):
        resolve_run(project, "basline")


def test_there_being_no_run_is_said(repository: Path) -> None:
    with pytest.raises(UnknownRunError, match="no run yet"):
        resolve_run(open_here(repository), "@")


def test_a_name_that_looks_like_an_option_is_a_name(repository: Path) -> None:
    project = open_here(repository)
    run = make_run(project, name="--all")
    assert run.id == resolve_run(project, "--all").run.id
    assert run.snapshot == resolve_code(project, "--all")


def undo_entry(root: Path, number: int, target: str | None, worktree: str | None) -> None:
    content = json.dumps({"target": target, "worktree": worktree})
    blob = git(root, "hash-object", "-w", "--stdin", stdin=content.encode())
    tree = git(root, "mktree", stdin=f"100644 blob {blob}\tundo.json\n".encode())
    git(root, "update-ref", f"{UNDO}{number}", git(root, "commit-tree", "-m", "undo", tree))


def test_the_run_last_checked_out_in_this_worktree_is_found(repository: Path) -> None:
    project = open_here(repository)
    first, second, third = (make_run(project) for _ in range(3))
    undo_entry(repository, 9, first.id, None)
    undo_entry(repository, 10, second.id, None)
    undo_entry(repository, 11, third.id, "side")
    undo_entry(repository, 12, None, None)
    assert second.id == resolve_run(project, "@{-1}").run.id
    git(repository, "worktree", "add", "-q", "--detach", "../side")
    assert third.id == resolve_run(open_here(repository.parent / "side"), "@{-1}").run.id


def test_code_is_named_by_run_or_by_git_revision(repository: Path) -> None:
    project = open_here(repository)
    write_files(repository, {"train.py": "print('changed')\n"})
    run = make_run(project, name="dirty")
    head = git(repository, "rev-parse", "HEAD")
    assert run.snapshot != head
    assert run.snapshot == resolve_code(project, "dirty") == resolve_code(project, "@^{code}")
    assert head == resolve_code(project, "main") == resolve_code(project, "HEAD")
    assert head == resolve_code(project, head[:8])
    assert run.snapshot == git(repository, "rev-parse", f"{RUNS}{run.id}^")


@pytest.mark.parametrize("text", ["--all", "-x", "nothing", "", "a\0b", "nothing^{code}", "HEAD:x"])
def test_what_is_no_code_is_one_error(repository: Path, text: str) -> None:
    with pytest.raises(UnknownRunError):
        resolve_code(open_here(repository), text)


def test_a_linked_worktree_sees_the_same_runs(repository: Path) -> None:
    run = make_run(open_here(repository))
    git(repository, "worktree", "add", "-q", "-b", "side", "../side")
    assert [run.id] == ids(repository.parent / "side")


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_both_object_formats_are_read(tmp_path: Path, object_format: str) -> None:
    root = tmp_path / "other"
    root.mkdir()
    git(root, "init", "-q", f"--object-format={object_format}")
    git(root, "commit", "-q", "--allow-empty", "-m", "first")
    written = write_run(open_at(root), make_record(config={"a": 1}))
    assert [written] == list_runs(open_here(root)).records
    assert written == resolve_run(open_here(root), written.run.id)


def test_points_and_parts_of_a_sealed_run_are_read(repository: Path) -> None:
    project = open_here(repository)
    make_run(project, {"loss": 0.5}, steps=3)
    record = resolve_run(project, "@")
    assert [0, 1, 2] == [point.step for point in read_points(project, record)["loss"]]
    assert read_part(project, record, "run.json")
    assert read_part(project, record, "absent") is None


def test_the_shape_of_a_run_in_json_is_stable(repository: Path) -> None:
    opened = open_at(repository)
    metrics = {"loss": a_summary(0.5)}
    record = write_run(opened, make_record(metrics=metrics, extra={"new": 1}))
    value = run_json(record)
    promised = {
        "id", "name", "status", "created", "started", "ended", "duration_s", "command", "cwd",
        "exit_code", "base", "snapshot", "branch", "dirty", "user", "host", "tags", "note",
        "config", "metrics", "data", "omitted", "parent", "rerun_of", "sweep", "trial", "identity",
    }  # fmt: skip
    assert promised <= set(value)
    assert "new" not in value
    assert {
        "last",
        "last_step",
        "first",
        "min",
        "min_step",
        "max",
        "max_step",
        "mean",
        "count",
    } <= set(
        value["metrics"]["loss"]  # type: ignore[index,call-overload,arg-type]
    )
    assert {"environment", "artifacts", "verdict"} <= set(full_json(record))


def test_a_hundred_thousand_names_cost_no_error(repository: Path) -> None:
    with pytest.raises(ReproError):
        resolve_run(open_here(repository), "~1" * 50_000)


def test_a_read_only_repository_is_read(repository: Path) -> None:
    project = open_here(repository)
    run = make_run(project)
    os.chmod(project.repository.private, 0o500)  # noqa: PTH101
    try:
        assert [run.id] == ids(repository)
    finally:
        os.chmod(project.repository.private, 0o700)  # noqa: PTH101

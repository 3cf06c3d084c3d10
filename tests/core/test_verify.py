"""Recorded runs judged: what is read, what is stored, and which cause is named first."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support import git, write_files
from tests.support.projects import begin, make_run, open_here
from tests.support.records import make_record, open_at, write_run

from repro.core.curate import tag_run
from repro.core.project import Project
from repro.core.query import resolve_run
from repro.core.verify import check_metrics, store_verdict, verdict_json, verify_runs
from repro.errors import DamagedRecordError, InvalidInputError, UsageError
from repro.model.canonical import Json
from repro.model.output import LIMIT, cut_output
from repro.model.run import Artifact, Record, Status
from repro.model.verdict import Outcome, Tolerance
from repro.store.content import ContentStore
from repro.store.refs import RUNS


def recorded(project: Project, metrics: dict[str, float] | None = None, **request) -> Record:
    return resolve_run(project, make_run(project, metrics, **request).id)


def with_output(repository: Path, output: bytes, **changes) -> Record:
    files = {"output.log": output}
    return write_run(open_at(repository), make_record(**changes), files=files)


def test_equal_points_are_identical_and_nothing_is_asked_for_causes(repository: Path) -> None:
    project = open_here(repository)
    a = recorded(project, {"loss": 0.5, "acc": 1.0}, steps=3)
    b = recorded(project, {"loss": 0.5, "acc": 1.0}, steps=3, rerun_of=a.run.id)

    verdict = verify_runs(project, a, b)

    assert verdict.outcome is Outcome.IDENTICAL
    assert (verdict.run, verdict.rerun_of) == (b.run.id, a.run.id)
    assert {name: one.points for name, one in verdict.metrics.items()} == {"acc": 3, "loss": 3}
    assert verdict.causes == ()


def test_a_divergence_names_its_place_and_its_causes(repository: Path) -> None:
    project = open_here(repository)
    a = recorded(project, {"loss": 0.5})
    write_files(repository, {"train.py": "print('changed')\n"})
    b = recorded(project, {"loss": 0.75})

    value = verdict_json(verify_runs(project, a, b))

    assert value["verdict"] == "diverged"
    assert value["first"] == {"metric": "loss", "step": 0, "values": [0.5, 0.75]}
    assert value["causes"] == [{"part": "code", "what": "`train.py` modified"}]
    within = verify_runs(project, a, b, tolerance=Tolerance(rtol=0.5))
    assert within.outcome is Outcome.WITHIN
    assert within.causes != ()


def test_sounds_and_pages_that_were_logged_decide_nothing_as_media_do(repository: Path) -> None:
    project = open_here(repository)
    a, b = (recorded(project, {"loss": 0.5}) for _ in range(2))
    page = Artifact("media/html/page_0_0.html", 1, f"sha256:{'a' * 64}", "git")
    other = replace(page, digest=f"sha256:{'b' * 64}")

    assert (
        verify_runs(project, replace(a, artifacts=(page,)), replace(b, artifacts=(other,))).outcome
        is Outcome.IDENTICAL
    )
    kept = [replace(one, path="page.html") for one in (page, other)]
    assert (
        verify_runs(
            project, replace(a, artifacts=(kept[0],)), replace(b, artifacts=(kept[1],))
        ).outcome
        is Outcome.DIVERGED
    )


def test_conditions_that_cannot_be_compared_do_not_take_the_verdict(repository: Path) -> None:
    project = open_here(repository)
    a = with_output(repository, b"a\n")
    b = with_output(repository, b"b\n")
    b = replace(b, run=replace(b.run, snapshot=None))

    verdict = verify_runs(project, a, b)

    assert verdict.outcome is Outcome.DIVERGED
    assert verdict.causes[0].part == "unknown"
    assert "names no snapshot" in verdict.causes[0].what


def test_results_that_are_in_the_summary_alone_are_compared(repository: Path) -> None:
    project = open_here(repository)
    a, same, other = (
        write_run(open_at(repository), make_record(summary={"best": {"acc": value}}))
        for value in (0.5, 0.5, 0.75)
    )

    assert verify_runs(project, a, same).outcome is Outcome.IDENTICAL
    verdict = verify_runs(project, a, other)
    assert verdict.outcome is Outcome.DIVERGED
    assert verdict.summary == {"best.acc": Outcome.DIVERGED}


def test_a_run_in_progress_is_incomparable(repository: Path) -> None:
    project = open_here(repository)
    a = recorded(project, {"loss": 0.5})
    live = begin(project)
    live.journal.log(0, 1.0, {"loss": 0.5})

    verdict = verify_runs(project, a, resolve_run(project, live.run.id))

    live.journal.close()
    assert verdict.outcome is Outcome.INCOMPARABLE
    assert verdict.missing == ("the rerun is still running",)
    assert verdict.causes == ()


def test_code_of_the_original_tree_is_reason_enough(repository: Path) -> None:
    a = with_output(repository, b"a\n")
    b = with_output(repository, b"b\n", foreign=("train.py",))

    verdict = verify_runs(open_here(repository), a, b)

    assert verdict.outcome is Outcome.INCOMPARABLE
    assert verdict.causes == ()


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        (
            {"warnings": ("the command was ended: it took longer than 60 s",)},
            "the rerun was ended: it took longer than 60 s",
        ),
        ({}, "the rerun was ended: SIGTERM came from outside"),
    ],
)
def test_a_command_that_was_ended_is_the_cause_and_nothing_is_guessed(
    repository: Path, changes: dict[str, tuple[str, ...]], what: str
) -> None:
    a = with_output(repository, b"a\nb\n")
    killed = {"status": "killed", "signal": "SIGTERM", "exit_code": 143, **changes}
    b = with_output(repository, b"a\n", **killed)

    verdict = verify_runs(open_here(repository), a, b)

    assert verdict.outcome is Outcome.DIVERGED
    assert [(cause.part, cause.what) for cause in verdict.causes] == [("command", what)]


def test_a_metric_that_one_side_lacks_makes_nobody_guess(repository: Path) -> None:
    project = open_here(repository)
    a, b = recorded(project, {"loss": 0.5, "acc": 1.0}), recorded(project, {"loss": 0.5})

    verdict = verify_runs(project, a, b)

    assert verdict.outcome is Outcome.INCOMPARABLE
    assert verdict.causes == ()


def test_a_metric_that_neither_has_is_an_error(repository: Path) -> None:
    project = open_here(repository)
    a = recorded(project, {"loss": 0.5})

    with pytest.raises(InvalidInputError, match="did you mean `loss`"):
        verify_runs(project, a, a, metrics=["los"])


def test_a_metric_is_known_before_anything_is_run(repository: Path) -> None:
    a = recorded(open_here(repository), {"loss": 0.5})
    check_metrics(replace(a, summary={"best": {"acc": 1}}), ["loss", "best.acc"])

    with pytest.raises(UsageError, match="did you mean `loss`"):
        check_metrics(a, ["los"])


def test_the_root_of_the_project_and_the_ids_of_both_runs_are_masked(repository: Path) -> None:
    project = open_here(repository)
    a = make_record()
    b = make_record(rerun_of=a.run.id)
    root = os.fsencode(repository)
    a = write_run(
        open_at(repository), a, files={"output.log": b"%b/x run %b\n" % (root, a.run.id.encode())}
    )
    b = write_run(
        open_at(repository), b, files={"output.log": b"/w/t/x run %b\n" % b.run.id.encode()}
    )

    assert verify_runs(project, a, b).outcome is Outcome.DIVERGED  # nobody said what /w/t is
    verdict = verify_runs(project, a, b, same_paths=[(str(repository), "/w/t")])
    assert verdict.outcome is Outcome.IDENTICAL
    assert verdict.output is not None
    assert verdict.output.masked == 1


def test_the_worktree_and_the_environment_of_a_rerun_are_known(repository: Path) -> None:
    project = open_here(repository)
    a = make_record(environment={"interpreter": {"prefix": "/venvs/one"}})
    b = make_record(rerun_of=a.run.id, environment={"interpreter": {"prefix": "/venvs/two"}})
    tree = project.repository.private / "worktrees" / a.run.id
    before = f"{repository}/train.py with /venvs/one/lib\n"
    after = f"{tree}/train.py with /venvs/two/lib\n"
    a = write_run(open_at(repository), a, files={"output.log": before.encode()})
    b = write_run(open_at(repository), b, files={"output.log": after.encode()})

    assert verify_runs(project, a, b).outcome is Outcome.IDENTICAL


def test_the_worktrees_of_a_rerun_and_of_its_own_rerun_are_known(repository: Path) -> None:
    project = open_here(repository)
    root = make_record()
    a, b = make_record(rerun_of=root.run.id), make_record()
    b = replace(b, run=replace(b.run, rerun_of=a.run.id))
    before, after = (project.worktrees / one.run.id for one in (root, a))
    a = write_run(open_at(repository), a, files={"output.log": f"{before}/sub\n".encode()})
    b = write_run(open_at(repository), b, files={"output.log": f"{after}-2/sub\n".encode()})
    other = write_run(
        open_at(repository),
        replace(b, run=replace(b.run, id="aaaaaaaaaaaa")),
        files={"output.log": f"{after}/other\n".encode()},
    )

    assert verify_runs(project, a, b).outcome is Outcome.IDENTICAL
    assert verify_runs(project, a, other).outcome is Outcome.DIVERGED


def test_packages_in_place_are_known_wherever_a_rerun_has_them(repository: Path) -> None:
    project = open_here(repository)
    origin: Json = {"url": "file:///home/ada/lib", "editable": True, "tree": "ab" * 20}
    package: Json = {"name": "mylib", "version": "1", "origin": origin}
    environment: dict[str, Json] = {"packages": {"list": [package]}}
    a = make_record(environment=environment)
    b = make_record(environment=environment, rerun_of=a.run.id)
    placed = project.worktrees / f"{a.run.id}-2.packages" / f"mylib-{'ab' * 6}"
    line = "{}/src/mylib/__init__.py:2: UserWarning: old\n"
    a = write_run(
        open_at(repository), a, files={"output.log": line.format("/home/ada/lib").encode()}
    )
    b = write_run(open_at(repository), b, files={"output.log": line.format(placed).encode()})

    assert verify_runs(project, a, b).outcome is Outcome.IDENTICAL


def _long(middle: bytes) -> bytes:
    line = b"x" * 99 + b"\n"
    half = line * (LIMIT // 100)
    return half + middle + b"\n" + half


def test_a_cut_output_is_compared_whole_where_the_store_has_it(repository: Path) -> None:
    project = open_here(repository)
    content = ContentStore(project.store)
    first, second = _long(b"loss 0.5"), _long(b"loss 0.6")
    a, b = (
        with_output(repository, cut_output(one, LIMIT, content.put_bytes(one)))
        for one in (first, second)
    )

    assert verify_runs(project, a, a).outcome is Outcome.IDENTICAL
    verdict = verify_runs(project, a, b)
    assert verdict.outcome is Outcome.DIVERGED
    assert verdict.output is not None
    assert verdict.output.first is not None
    assert verdict.output.first.texts == ("loss 0.5", "loss 0.6")


@pytest.mark.parametrize("digest", ["sha256:" + "0" * 64, "other"])
def test_a_cut_output_of_which_the_rest_is_not_here_proves_nothing(
    repository: Path, digest: str
) -> None:
    project = open_here(repository)
    if digest == "other":  # of bytes in the store that are not that output
        digest = ContentStore(project.store).put_bytes(b"secret\n")
    cut = with_output(repository, cut_output(_long(b"loss 0.5"), LIMIT, digest))
    whole = with_output(repository, _long(b"loss 0.6"), id="aaaaaaaaaaaa")

    verdict = verify_runs(project, cut, whole)

    assert verdict.outcome is Outcome.INCOMPARABLE
    assert verdict.output is not None
    assert (verdict.output.is_cut, verdict.output.first) == (True, None)


def test_a_short_output_that_prints_such_a_mark_is_taken_as_it_is(repository: Path) -> None:
    project = open_here(repository)
    digest = ContentStore(project.store).put_bytes(b"secret\n")
    mark = f"[… 7 bytes left out; all of it in the store as {digest} …]\n".encode()
    a, b = with_output(repository, mark), with_output(repository, b"x\n")

    verdict = verify_runs(project, a, b)

    assert verdict.outcome is Outcome.DIVERGED
    assert "secret" not in str(verdict)


def test_a_stored_verdict_comes_with_the_record_and_changes_nothing_else(repository: Path) -> None:
    project = open_here(repository)
    a = recorded(project, {"loss": 0.5})
    b = recorded(project, {"loss": 0.75}, rerun_of=a.run.id)
    ref = RUNS + b.run.id
    verdict = verify_runs(project, a, b)

    store_verdict(project, b.run.id, verdict)

    after = resolve_run(project, b.run.id)
    assert after.verdict == verdict
    assert after.run.curation is not None
    assert list(after.run.curation.files) == ["verdict.json"]
    run = replace(after.run, curation=None)
    assert replace(after, commit=b.commit, verdict=None, run=run) == b
    assert git(repository, "diff", "--name-only", b.commit, ref) == "run.json\nverdict.json"
    parents = git(repository, "rev-parse", f"{ref}^1", f"{ref}^2").split()
    assert parents == [b.run.snapshot, b.commit]
    git(repository, "fsck", "--strict", "--connectivity-only")


def test_a_verdict_stored_twice_is_written_once_and_survives_tags(repository: Path) -> None:
    project = open_here(repository)
    a = recorded(project, {"loss": 0.5})
    b = recorded(project, {"loss": 0.5}, rerun_of=a.run.id)
    verdict = verify_runs(project, a, b)
    store_verdict(project, b.run.id, verdict)
    before = git(repository, "rev-parse", RUNS + b.run.id)

    store_verdict(project, b.run.id, verdict)
    assert before == git(repository, "rev-parse", RUNS + b.run.id)
    tag_run(project, resolve_run(project, b.run.id), ["good"])
    assert resolve_run(project, b.run.id).verdict == verdict


def test_a_verdict_of_a_run_that_is_gone_is_not_stored(repository: Path) -> None:
    project = open_here(repository)
    a = recorded(project, {"loss": 0.5})
    verdict = verify_runs(project, a, a)

    with pytest.raises(DamagedRecordError, match="gone"):
        store_verdict(project, "zzzzzzzzzzzz", verdict)


def test_a_lost_run_is_incomparable(repository: Path) -> None:
    lost = with_output(repository, b"a\n", status=Status.LOST, exit_code=None)

    verdict = verify_runs(open_here(repository), lost, lost)

    assert verdict.outcome is Outcome.INCOMPARABLE

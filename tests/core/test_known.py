"""Runs that are sealed while somebody looks at them are neither lost nor damaged."""

import shutil
from pathlib import Path

import pytest
from tests.support.projects import begin, open_here
from tests.support.records import make_record, move_ref, write_run

from repro.core.known import open_runs, read_run
from repro.core.project import Project
from repro.core.record import seal_run
from repro.core.start import LiveRun
from repro.errors import DamagedRecordError
from repro.model.run import Status
from repro.store.refs import REMOTES, RUNS


def seal(project: Project, live: LiveRun) -> None:
    live.journal.append({"k": "end", "t": project.clock(), "status": "finished", "exit_code": 0})
    live.journal.close()
    seal_run(project, live.dir)


@pytest.mark.parametrize("is_continued", [False, True])
def test_a_run_that_is_sealed_before_its_journals_are_read_is_finished(
    repository: Path, *, is_continued: bool
) -> None:
    project = open_here(repository)
    live = begin(project)
    if is_continued:
        seal(project, live)
        live = begin(project, resume=live.id)
    live.journal.log(0, project.clock(), {"loss": 0.5})
    with open_runs(project) as runs:
        assert live.id in runs.live
        seal(project, live)
        record = read_run(runs, live.id)
        assert record.run.status == Status.FINISHED
        assert record.metrics["loss"].last == 0.5
        assert [record.run.id] == [one.run.id for one in runs.index.select()]


def test_journals_that_cannot_be_read_are_an_error_still(repository: Path) -> None:
    project = open_here(repository)
    live = begin(project)
    live.journal.close()
    [journal] = live.dir.glob("journal-*.jsonl")
    with open_runs(project) as runs:
        journal.unlink()
        journal.mkdir()
        with pytest.raises(DamagedRecordError):
            read_run(runs, live.id)


def test_a_run_in_progress_here_is_so_whatever_a_remote_says_of_it(repository: Path) -> None:
    project = open_here(repository)
    live = begin(project)
    shown = write_run(project.repository, make_record(id=live.id, status="running"))
    move_ref(repository, RUNS + live.id, f"{REMOTES}origin/live/{live.id}")
    with open_runs(project) as runs:
        assert live.id in runs.live
        assert read_run(runs, live.id).commit == ""
        assert runs.index.ids() == [live.id]
    seal(project, live)
    with open_runs(project) as runs:
        assert live.id not in runs.live
        assert read_run(runs, live.id).run.status == Status.FINISHED
        assert runs.sealed[live.id] != shown.commit


def test_a_copy_of_a_live_folder_is_a_problem_and_hides_no_run(repository):
    run = begin(open_here(repository))
    copy = run.dir.with_name("zzzzzzzz0000")
    shutil.copytree(run.dir, copy)
    with open_runs(open_here(repository)) as runs:
        assert set(runs.live) == {run.id}
        assert [problem.id for problem in runs.problems] == ["zzzzzzzz0000"]
        assert f"it says it is `{run.id}`" in str(runs.problems[0].error)
    run.journal.close()

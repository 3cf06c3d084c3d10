"""How far runs in progress have come."""

from tests.support.projects import begin, end, log, make_run, open_here

from repro.core.advance import read_progress


def test_progress_is_of_those_runs_in_progress_that_say_how_far_they_go(repository):
    project = open_here(repository)
    over = make_run(project, {"loss": 1.0}, config={"max_steps": 10})
    silent, telling = begin(project), begin(project, config={"max_steps": 10})
    log(telling, 4, loss=1.0)
    try:
        found = read_progress(project, [over.id, silent.id, telling.id])
        assert {run: str(progress) for run, progress in found.items()} == {telling.id: "4/10"}
        assert read_progress(project, []) == {}
    finally:
        end(silent, repository)
        end(telling, repository)

"""A sweep runs to its end, whatever its trials do."""

from pathlib import Path

from tests.support.projects import open_here
from tests.support.sweeploops import losses, run_here
from tests.support.sweeps import make_sweep

from repro.core.sweep.options import Reason


def test_each_trial_of_a_grid_is_run_once_and_told(repository: Path):
    project = open_here(repository)
    at = make_sweep(project, metric="loss")
    ran = run_here(project, at, losses(0.5, 0.25))
    assert ran.outcome.reason is Reason.DONE
    assert (ran.states, ran.values) == (["finished"] * 2, [0.5, 0.25])

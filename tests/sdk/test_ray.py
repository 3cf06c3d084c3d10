"""Trials of Ray Tune become runs of the process that leads the search."""

import os
import pickle
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from repro.model.run import Status
from tests.sdk.scripts import points, record, records

pytest.importorskip("ray.tune", reason="Ray Tune is not here: pip install 'git-repro[ray]'")

from repro.ray import ReproLoggerCallback

SEARCH = """
import pathlib
import sys
import ray
import repro.ray
from ray import tune

bad = pathlib.Path(sys.argv[1]) / "bad"

def train(config):
    start = 0
    for step in range(start, 3):
        if config["lr"] == 2 and step == 1 and bad.exists():
            raise ValueError("bad")
        tune.report({"loss": config["lr"] * 0.5 + step, "nested": {"acc": step}, "note": "text"})

ray.init(address="local", num_cpus=2, include_dashboard=False, logging_level="ERROR")
trainable = train
run_config = tune.RunConfig(
    name="exp",
    storage_path=sys.argv[1] + "/results",
    callbacks=[repro.ray.ReproLoggerCallback(tags=["a"])],
    verbose=0,
)
tune.Tuner(
    trainable, param_space={"lr": tune.grid_search([1, 2])}, run_config=run_config
).fit()
bad.unlink()
tune.Tuner.restore(
    sys.argv[1] + "/results/exp", trainable=trainable, resume_errored=True
).fit()
"""


def test_trials_are_runs_and_one_that_is_restored_continues_its_own(
    repository: Path, tmp_path: Path
) -> None:
    (tmp_path / "bad").touch()
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SEARCH, str(tmp_path)],
        env={**os.environ, "RAY_USAGE_STATS_ENABLED": "0"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]

    found = {one.config["lr"]: one for one in records(repository)}
    assert set(found) == {1, 2}
    assert [found[lr].run.status for lr in (1, 2)] == ["finished", "finished"]
    series = points(repository, found[1])
    assert [(one.step, one.value) for one in series["loss"]] == [(1, 0.5), (2, 1.5), (3, 2.5)]
    assert [one.value for one in series["nested/acc"]] == [0, 1, 2]
    assert found[1].run.tags == ("a", "tune:exp")
    assert found[1].summary["ray"]["experiment"] == "exp"
    assert [one.status for one in found[2].run.attempts] == [Status.FAILED, Status.FINISHED]


def trial(name: str = "t1") -> Any:
    return SimpleNamespace(trial_id=name, config={"lr": 0.1}, trainable_name="train")


def test_many_trials_are_open_at_once(sdk: ModuleType, repository: Path) -> None:
    callback = ReproLoggerCallback(excludes=["skip"])
    for name in ("t1", "t2"):
        callback.log_trial_start(trial(name))
    for step in (1, 2):
        for name in ("t2", "t1"):
            result = {"training_iteration": step, "loss": step, "skip": 1, "done": False}
            callback.log_trial_result(step, trial(name), result)
    callback.log_trial_end(trial("t1"), failed=True)
    callback.on_experiment_end([])

    found = {one.run.name: one for one in records(repository)}
    assert found["train-t1"].run.status is Status.FAILED
    assert found["train-t2"].run.status is Status.KILLED
    assert {*found["train-t1"].metrics} == {"loss"}
    assert found["train-t2"].metrics["loss"].count == 2


def test_what_ray_keeps_of_it_finds_the_runs_again(sdk: ModuleType, repository: Path) -> None:
    first = ReproLoggerCallback()
    first.log_trial_start(trial())
    first.log_trial_result(1, trial(), {"training_iteration": 1, "loss": 1.0})
    first.log_trial_end(trial())
    again = pickle.loads(pickle.dumps(ReproLoggerCallback()))
    again.set_state(first.get_state())
    again.log_trial_restore(trial())
    again.log_trial_result(2, trial(), {"training_iteration": 2, "loss": 2.0})
    again.log_trial_end(trial())

    assert record(repository).metrics["loss"].count == 2


def test_without_ray_the_error_names_the_extra() -> None:
    code = "import sys; sys.modules['ray.tune.logger'] = None; import repro.ray"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert "pip install 'git-repro[ray]'" in done.stderr.splitlines()[-1]

"""Trials of a study of Optuna become runs, and a study can be kept in git."""

import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

import optuna
import pytest
from optuna.storages import JournalStorage

from repro.errors import UsageError
from repro.model.run import Record, Status
from repro.optuna import Callback, GitJournalBackend
from tests.sdk.scripts import media_of, points, record, records, run
from tests.support import git

optuna.logging.set_verbosity(optuna.logging.ERROR)


def objective(trial: Any) -> float:
    x = trial.suggest_float("x", -1, 1)
    trial.suggest_categorical("opt", ["sgd", None])
    for step in (1, 2):
        trial.report(x + step, step)
    if trial.number == 1:
        raise optuna.TrialPruned
    if trial.number == 2:
        raise ValueError("bad")
    return float(x + 3)


def by_name(root: Path) -> dict[str | None, Record]:
    return {found.run.name: found for found in records(root)}


def test_each_trial_is_a_run_that_says_how_it_ended(sdk: ModuleType, repository: Path) -> None:
    study = optuna.create_study(study_name="mnist", direction="maximize")

    study.optimize(objective, n_trials=3, catch=ValueError, callbacks=[Callback("f1", tags=["a"])])

    found = by_name(repository)
    first = found["mnist-0"]
    value = study.trials[0].params["x"]
    assert first.config == {**first.config, "x": value, "opt": study.trials[0].params["opt"]}
    assert [(one.step, one.value) for one in points(repository, first)["f1"]] == [
        (1, value + 1),
        (2, value + 2),
        (3, value + 3),
    ]
    assert first.metrics["f1"].goal == "maximize"
    assert first.run.tags == ("a", "study:mnist")
    assert first.run.created < first.run.ended
    told = first.summary["optuna"]
    assert (told["study"], told["trial"], told["state"]) == ("mnist", 0, "complete")
    assert told["distributions"]["x"]["attributes"]["high"] == 1
    assert found["mnist-1"].summary["optuna"]["state"] == "pruned"
    assert found["mnist-1"].metrics["f1"].count == 2
    assert [found[f"mnist-{n}"].run.status for n in range(3)] == ["finished", "finished", "failed"]
    assert [found[f"mnist-{n}"].run.pruned for n in range(3)] == [False, True, False]
    assert first.run.identity != found["mnist-1"].run.identity


def test_an_objective_that_is_tracked_logs_to_its_own_run(
    sdk: ModuleType, repository: Path
) -> None:
    callback = Callback()
    both = threading.Barrier(2)

    @callback.track_in_repro()
    def tracked(trial: Any) -> float:
        sdk.log({"early": trial.number})
        both.wait(30)
        with sdk.init({"width": trial.number}) as joined:
            sdk.log({"late": trial.number, "spread": sdk.Histogram([1, 2])})
        assert sdk.run.id == joined.id
        both.wait(30)
        return float(trial.suggest_float("x", 0, 1) + 10 * trial.number)

    optuna.create_study(study_name="s").optimize(tracked, 2, n_jobs=2, callbacks=[callback])

    found = by_name(repository)
    for number in range(2):
        one = found[f"s-{number}"]
        series = points(repository, one)
        assert [point.value for point in series["early"]] == [number]
        assert [(point.step, point.value) for point in series["late"]] == [(1, number)]
        assert [(medium.name, medium.step) for medium in media_of(repository, one)] == [
            ("spread", 1)
        ]
        assert one.config["width"] == number
        assert one.metrics["value"].last == one.config["x"] + 10 * number
        assert one.run.status is Status.FINISHED
    assert sdk.run is None


def test_an_error_that_ends_the_study_ends_the_run_of_its_trial(
    sdk: ModuleType, repository: Path
) -> None:
    callback = Callback()

    @callback.track_in_repro()
    def failing(trial: Any) -> float:
        trial.suggest_int("n", 3, 3)
        raise KeyError("x")

    with pytest.raises(KeyError):
        optuna.create_study(study_name="s").optimize(failing, 1, callbacks=[callback])

    found = record(repository)
    assert found.run.status is Status.FAILED
    assert found.config["n"] == 3
    assert found.summary["optuna"]["state"] == "fail"


def test_a_study_can_be_one_run(sdk: ModuleType, repository: Path) -> None:
    study = optuna.create_study(study_name="s", directions=["minimize", "maximize"])
    with sdk.init(name="mine"):
        study.optimize(
            lambda trial: (trial.suggest_int("n", 0, 9), trial.number),
            n_trials=2,
            callbacks=[Callback(["loss", "acc"], as_runs=False)],
        )

    found = record(repository)
    series = points(repository, found)
    assert [(one.step, one.value) for one in series["acc"]] == [(0, 0), (1, 1)]
    assert [one.value for one in series["params/n"]] == [one.params["n"] for one in study.trials]
    assert found.metrics["loss"].goal == "minimize"


def test_an_older_study_is_recorded_by_hand_and_each_trial_once(
    sdk: ModuleType, repository: Path
) -> None:
    study = optuna.create_study(study_name="old")
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=1)
    callback = pickle.loads(pickle.dumps(Callback()))

    for _ in range(2):
        for trial in study.trials:
            callback(study, trial)

    assert record(repository).run.created.startswith(f"{study.trials[0].datetime_start:%Y-%m-%dT}")


def test_names_that_do_not_fit_the_values_are_refused(sdk: ModuleType, repository: Path) -> None:
    study = optuna.create_study()
    with pytest.raises(ValueError, match="2 names of metrics for 1 values"):
        study.optimize(lambda trial: 1.0, n_trials=1, callbacks=[Callback(["a", "b"])])


def test_recording_can_be_switched_off(
    sdk: ModuleType, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPRO_MODE", "disabled")
    optuna.create_study().optimize(lambda trial: 1.0, n_trials=1, callbacks=[Callback()])

    assert records(repository) == []


def test_runs_that_are_open_end_with_their_process(repository: Path) -> None:
    script = """
    import optuna, repro.optuna
    callback = repro.optuna.Callback()
    @callback.track_in_repro()
    def objective(trial):
        repro.log({"loss": 1})
        if os.fork() == 0:
            repro.log({"child": 2}, step=1)
            os._exit(0)
        os.wait()
        sys.exit(3)
    optuna.create_study(study_name="s").optimize(objective, 1, callbacks=[callback])
    """
    run(repository, script, code_is=3)

    found = record(repository)
    assert found.run.status is Status.FAILED
    assert {"loss", "child"} <= set(found.metrics)


def test_without_optuna_the_error_names_the_extra() -> None:
    code = "import sys; sys.modules['optuna'] = None; import repro.optuna"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert "pip install 'git-repro[sweep]'" in done.stderr.splitlines()[-1]


def search(name: str, n_trials: int, *, remote: str | None = None) -> list[dict[str, Any]]:
    study = optuna.create_study(
        storage=JournalStorage(GitJournalBackend(name, remote=remote)),
        study_name="s",
        load_if_exists=True,
        sampler=optuna.samplers.RandomSampler(seed=1),
    )

    def report(trial: Any) -> float:
        trial.report(0.5, 0)
        trial.set_user_attr("host", "a")
        return float(trial.suggest_float("x", 0, 1))

    study.optimize(report, n_trials=n_trials)
    return [
        {"number": one.number, "x": one.params["x"], "value": one.value, "state": one.state.name}
        for one in study.trials
    ]


def test_a_study_goes_on_in_another_clone(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = search("mnist", 3)
    git(tmp_path, "clone", "-q", str(repository), "other")
    git(tmp_path / "other", "fetch", "-q", "origin", "refs/repro/studies/*:refs/repro/studies/*")
    monkeypatch.chdir(tmp_path / "other")

    after = search("mnist", 2)

    assert after[:3] == before
    assert [one["number"] for one in after] == [*range(5)]
    assert {one["state"] for one in after} == {"COMPLETE"}


def test_processes_share_a_study_and_no_trial_is_lost(repository: Path) -> None:
    script = """
    import optuna, repro.optuna
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        storage=optuna.storages.JournalStorage(repro.optuna.GitJournalBackend("s")),
        study_name="s", load_if_exists=True)
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), 4)
    """
    code = "import os, signal, sys, threading, time\nimport repro\n" + "\n".join(
        line[4:] for line in script.splitlines()
    )
    both = [
        subprocess.Popen([sys.executable, "-W", "ignore", "-c", code], env=os.environ)
        for _ in range(2)
    ]
    assert [one.wait(120) for one in both] == [0, 0]

    found = search("s", 0)
    assert [one["number"] for one in found] == [*range(8)]
    assert {one["state"] for one in found} == {"COMPLETE"}


def test_a_backend_goes_to_other_processes(repository: Path) -> None:
    search("s", 1)
    again = pickle.loads(pickle.dumps(GitJournalBackend("s")))

    assert len(again.read_logs(0)) == len(GitJournalBackend("s").read_logs(0)) > 3


def test_a_name_that_no_ref_can_have_is_refused(repository: Path) -> None:
    for name in ("", "a/b", "a..b", "x.lock", "-x", "a b", "a" * 101):
        with pytest.raises(UsageError, match="cannot be the name of a study"):
            GitJournalBackend(name)

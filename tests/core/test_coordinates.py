"""Runs as points among what varies between them."""

import math
from dataclasses import replace

import pytest
from tests.support.projects import make_run, open_here
from tests.support.records import a_summary, make_record, open_at, write_runs
from tests.support.sweeps import ask, make_sweep, tell

from repro.core.coordinates import read_coordinates, sweep_coordinates
from repro.core.query import list_runs
from repro.errors import UnknownRunError
from repro.model.condition import Space
from repro.model.space import Categorical, Uniform
from repro.model.sweep import Ledger, TrialState
from repro.model.sweepspec import Method


def write(repository, records):
    return [one.run.id for one in write_runs(open_at(repository), records)]


def test_params_that_vary_come_first_then_metrics_and_those_with_a_goal_are_shown(repository):
    ids = write(
        repository,
        [
            make_record(
                config={"lr": lr, "same": 1, "net": {"kind": kind}},
                metrics={"loss": a_summary(lr, goal="minimize"), "noise": a_summary(1.0)},
            )
            for lr, kind in [(0.1, "a"), (0.2, "b")]
        ],
    )

    found = read_coordinates(open_here(repository), ids)

    assert [axis.word for axis in found.axes] == [
        "config.lr", "config.net.kind", "metrics.loss", "metrics.noise",
    ]  # fmt: skip
    assert [found.axes[place].title for place in found.shown] == ["lr", "net.kind", "loss"]
    assert [axis.values for axis in found.axes][:2] == [(0.1, 0.2), (0.0, 1.0)]
    assert [point.run for point in found.points] == ids


def shown_metrics(found):
    return [found.axes[n].title for n in found.shown if found.axes[n].key.space is Space.METRIC]


def test_where_nothing_has_a_goal_a_metric_that_differs_is_shown_and_none_that_counts(repository):
    epoch = a_summary(9.0, first=0.0, min=0.0, mean=4.5, count=10)
    metrics = {"epoch": epoch, "same": a_summary(1.0)}
    records = [
        make_record(config={"lr": lr}, metrics={**metrics, "acc": a_summary(lr)})
        for lr in (0.1, 0.2)
    ]
    ids = write(repository, records)

    assert shown_metrics(read_coordinates(open_here(repository), ids)) == ["acc"]


def test_what_the_sweep_of_the_runs_searches_by_is_shown(repository):
    project = open_here(repository)
    at = make_sweep(
        project, space={"lr": Uniform(0, 1)}, metric="val", method=Method.RANDOM, run_cap=3
    )
    metrics = {"acc": a_summary(0.5, goal="maximize"), "val": a_summary(0.2)}
    records = [
        make_record(config={"lr": lr}, metrics=metrics, sweep=at.sweep.id, trial=n)
        for n, lr in enumerate((0.1, 0.2))
    ]

    assert shown_metrics(read_coordinates(project, write(repository, records))) == ["val"]


def test_runs_of_a_sweep_that_is_not_here_are_points_too(repository):
    metrics = {"acc": a_summary(0.5), "val": a_summary(0.2)}
    records = [
        make_record(config={"lr": lr}, metrics=metrics, sweep="zzzzzzzzzzzz", trial=0)
        for lr in (0.1, 0.2)
    ]

    assert shown_metrics(read_coordinates(open_here(repository), write(repository, records)))


def test_runs_without_a_place_on_an_axis_are_found_by_what_the_axis_says_of_them(repository):
    values = [math.inf, 10**400, math.nan, -math.inf, 1.0, 2.0]
    records = [make_record(config={"lr": value}) for value in values]
    ids = write(repository, [*records, make_record(config={"lr": None}), make_record()])
    project = open_here(repository)
    [lr] = read_coordinates(project, ids).axes

    found = list_runs(project, where=lr.without)

    assert sorted(one.run.id for one in found.records) == sorted({*ids} - {*ids[4:6]})


def test_a_run_that_is_gone_is_an_error(repository):
    make_run(open_here(repository))
    with pytest.raises(UnknownRunError, match="not there any more"):
        read_coordinates(open_here(repository), ["abcdefghjkmn"])


def test_trials_that_are_over_are_points_with_the_value_of_the_sweep(repository):
    space = {"lr": Uniform(1e-5, 0.1, is_log=True), "opt": Categorical(("sgd", "adam"))}
    at = make_sweep(
        open_here(repository), space=space, metric="loss", method=Method.RANDOM, run_cap=3
    )
    entries = [
        ask(0, "anna", params={"lr": 0.001, "opt": "adam"}), tell(0, "anna", 0.25),
        ask(1, "bert", params={"lr": 0.1, "opt": "sgd"}),
        tell(1, "bert", None, state=TrialState.FAILED),
        ask(2, "carl", params={"lr": 0.01, "opt": "sgd"}),
    ]  # fmt: skip
    found = sweep_coordinates(replace(at, ledger=Ledger().extended(entries)))

    assert [(axis.title, axis.kind) for axis in found.axes] == [
        ("lr", "log"), ("opt", "category"), ("loss", "linear"),
    ]  # fmt: skip
    assert found.axes[-1].values == (0.25, None)
    assert [point.label for point in found.points] == ["trial 0", "trial 1"]

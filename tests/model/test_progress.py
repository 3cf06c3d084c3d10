"""Progress is told only where it is beyond doubt."""

import math
from typing import Any

import pytest
from tests.support.records import make_record

from repro.model.progress import Progress, find_progress, last_step
from repro.model.run import MetricSummary, Record, Status
from repro.model.series import Point, summarise


def metric(*steps: int, value: float = 1.0) -> MetricSummary:
    return summarise({"m": [Point(step, value, 0.0) for step in steps]})["m"]


def running(config: dict[str, Any], **metrics: MetricSummary) -> Record:
    return make_record(status=Status.RUNNING, config=config, metrics=metrics)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"max_steps": 1000}, Progress(340, 1000, "max_steps")),
        ({"trainer": {"max_epochs": 400}}, Progress(340, 400, "trainer.max_epochs")),
        ({"steps": 340}, Progress(340, 340, "steps")),
        ({"max_steps": -1, "num_epochs": 500}, Progress(340, 500, "num_epochs")),
        ({"steps": 339}, None),
        ({"steps": 1000, "epochs": 1000}, None),
        ({"a": {"steps": 1000}, "b": {"steps": 1000}}, None),
        ({"steps": 1000.0}, None),
        ({"steps": True}, None),
        ({"steps": "1000"}, None),
        ({"steps": [1000]}, None),
        ({"lr": 1000}, None),
        ({}, None),
    ],
)
def test_the_only_param_that_counts_steps_tells_the_total(config, expected):
    assert find_progress(running(config, loss=metric(1, 340))) == expected


def test_steps_from_0_on_are_one_more_than_the_last_one():
    found = find_progress(running({"steps": 10}, loss=metric(*range(10)), val=metric(0, 5)))

    assert str(found) == "10/10"


def test_a_metric_called_epoch_tells_of_epochs():
    record = running({"epochs": 100}, loss=metric(1, 50), epoch=metric(1, 50, value=2.0))

    assert str(find_progress(record)) == "2/100"


@pytest.mark.parametrize("value", [math.nan, math.inf, 101.0, -1.0])
def test_an_epoch_that_makes_no_sense_tells_nothing(value):
    record = running({"epochs": 100}, epoch=metric(1, 50, value=value))

    assert find_progress(record) is None


def test_without_points_there_is_none():
    assert find_progress(running({"steps": 10})) is None
    assert last_step(running({})) is None


def test_a_run_that_is_over_makes_none():
    record = make_record(config={"steps": 10}, metrics={"loss": metric(1, 5)})

    assert find_progress(record) is None
    assert last_step(record) == 5

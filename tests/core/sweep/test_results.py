"""What counts of a trial is one finite number, under the name that the sweep gives it."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.projects import make_run, open_here
from tests.support.records import a_summary, make_record

from repro.core.query import resolve_run
from repro.core.sweep.results import find_value, read_steps, read_value, thin_steps
from repro.model.space import Constant
from repro.model.sweepspec import EarlyStop, Method, SweepSpec

LOSS = a_summary(0.5, first=0.9, min=0.1, max=0.9, mean=0.4, count=4)


def spec_of(metric: str | None, **more) -> SweepSpec:
    return SweepSpec(method=Method.RANDOM, space={"lr": Constant(1)}, metric=metric, **more)


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        ("loss", 0.5),
        ("loss.min", 0.1),
        ("loss.max", 0.9),
        ("loss.first", 0.9),
        ("loss.mean", 0.4),
        ("metrics.loss.min", 0.1),
        ("val.loss", 7.0),
        ("val.max", 8.0),  # a metric that is called so, not the largest `val`
        ("acc", 0.75),  # set by the program
        ("other", None),
        ("loss.other", None),
        ("word", None),
        ("flag", None),
        (None, None),
    ],
)
def test_a_metric_is_its_last_value_or_the_statistic_that_is_named(metric, value):
    metrics = {
        "loss": LOSS, "val.loss": a_summary(7.0), "val.max": a_summary(8.0), "val": a_summary(1.0)
    }  # fmt: skip
    summary = {"acc": 0.75, "word": "good", "flag": True}
    record = make_record(metrics=metrics, summary=summary)
    assert read_value(spec_of(metric), record) == value


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_there_and_does_not_count(bad):
    nothing = {"min": None, "max": None, "mean": None} if math.isnan(bad) else {}
    record = make_record(metrics={"loss": a_summary(bad, **nothing)}, summary={"acc": str(bad)})
    for metric in ("loss", "loss.min"):
        assert find_value(spec_of(metric), record) is not None
        assert read_value(spec_of(metric), record) is None
    record = make_record(summary={"acc": "NaN"})
    assert math.isnan(find_value(spec_of("acc"), record))
    assert read_value(spec_of("acc"), record) is None


def test_values_on_the_way_are_read_only_where_trials_are_stopped_early(repository: Path):
    project = open_here(repository)
    record = resolve_run(project, make_run(project, {"loss": 0.5}, steps=3).id)
    early = EarlyStop(kind="median")
    assert read_steps(project, spec_of("loss", early=early), record) == (
        (0, 0.5), (1, 0.5), (2, 0.5)
    )  # fmt: skip
    assert read_steps(project, spec_of("loss.min", early=early), record)[-1] == (2, 0.5)
    assert read_steps(project, spec_of("other", early=early), record) == ()
    assert read_steps(project, spec_of("loss"), record) == ()


@given(st.lists(st.floats(allow_nan=False), max_size=200), st.integers(2, 20))
def test_thinning_keeps_both_ends_the_order_and_the_limit(values, limit):
    steps = list(enumerate(values))
    thin = thin_steps(steps, limit)
    assert len(thin) == min(len(steps), limit)
    assert list(thin) == sorted(set(thin))
    assert set(thin) <= set(steps)
    if steps:
        assert (thin[0], thin[-1]) == (steps[0], steps[-1])

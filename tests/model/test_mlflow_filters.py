"""What MLflow finds by a filter, ours finds by the same text.

The examples are checked against MLflow itself where it is installed; to do so:
`uv pip install mlflow-skinny`, then this file.
"""

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.evaluate import holds
from tests.support.filters import NUMBER, TEXT, Known
from tests.support.records import a_summary, make_record

from repro.model.binding import parse_filter
from repro.model.run import Record

# Params are texts: MLflow knows no others.
RUNS: list[dict[str, Any]] = [
    {
        "status": "finished", "name": "base", "metrics": {"acc": 0.95, "val loss": 0.1, "m/x": 1.0},
        "params": {"model": "LogisticRegression", "batch-size": "two", "a.b": "x"},
    },
    {
        "status": "failed", "name": "Base line", "metrics": {"acc": 0.9, "val loss": math.nan},
        "params": {"model": "logistic_regression", "batch-size": "100%"},
    },
    {
        "status": "killed", "name": "other", "metrics": {"acc": -1.5e3, "m/x": math.inf},
        "params": {"model": "GPT-3", "a.b": "it_is"},
    },
    {"status": "running", "name": "x", "metrics": {}, "params": {"model": "a\nb"}},
]  # fmt: skip
NAMES = {"params": ["model", "batch-size", "a.b"], "metrics": ["acc", "val loss", "m/x"]}

KNOWN = Known(
    config=dict.fromkeys(NAMES["params"], TEXT), metrics=dict.fromkeys(NAMES["metrics"], NUMBER)
)

FILTERS = [
    ("metrics.acc > 0.92", [0]),
    ("metrics.acc > .92", [0]),
    ("metric.acc >= 0.9", [0, 1]),
    ("metrics.acc < 1e-4", [2]),
    ("metrics.acc <= -1.5E3", [2]),
    ("metrics.acc = 0.95", [0]),
    ("metrics.acc != 0.95", [1, 2]),
    ("metrics.acc>0.92", [0]),
    ("metrics.`val loss` < 1", [0]),
    ('metrics."val loss" < 1', [0]),
    ("metrics.`val loss` != 1", [0, 1]),
    ("metrics.`m/x` > 5", [2]),
    ("metrics.acc > 0 AND metrics.acc < 0.92", [1]),
    ("metrics.acc > 0 and params.model = 'LogisticRegression'", [0]),
    ('params.model = "LogisticRegression"', [0]),
    ("param.model = 'GPT-3'", [2]),
    ("parameters.model != 'GPT-3'", [0, 1, 3]),
    ("params.`batch-size` = 'two'", [0]),
    ('params."batch-size" != "two"', [1]),
    ("params.a.b = 'x'", [0]),
    ("params.`a.b` LIKE 'it%'", [2]),
    ("params.model LIKE '%Regression'", [0]),
    ("params.model LIKE 'logistic%'", [1]),
    ("params.model ILIKE 'LOGISTIC%'", [0, 1]),
    ("params.model ilike '%gpt%'", [2]),
    ("params.`batch-size` LIKE '100_'", [1]),
    ("params.model LIKE 'GPT'", []),
    ("params.`a.b` IS NULL", [1, 3]),
    ("params.`a.b` IS NOT NULL", [0, 2]),
    ("params.`batch-size` is null AND params.model = 'GPT-3'", [2]),
    ("attributes.status = 'FAILED'", [1]),
    ("attribute.status != 'FAILED'", [0, 2, 3]),
    ("status = 'FINISHED'", [0]),
    ("attr.status = 'KILLED'", [2]),
    ("run.status = 'RUNNING'", [3]),
    ("attributes.status = 'FINISHED' and metrics.acc > 0.92 and params.model LIKE 'Log%'", [0]),
]


def ours(run: dict[str, Any]) -> Record:
    metrics = {name: a_summary(value) for name, value in run["metrics"].items()}
    facts = {"name": run["name"], "status": run["status"]}
    return make_record(config=run["params"], metrics=metrics, **facts)


RECORDS = [ours(run) for run in RUNS]


def found(text: str) -> list[int]:
    condition = parse_filter(text, KNOWN, now=0.0)
    assert condition is not None
    return [number for number, record in enumerate(RECORDS) if holds(condition, record)]


@pytest.fixture(scope="module")
def mlflow_finds() -> Callable[[str], list[int]]:
    search = pytest.importorskip("mlflow.utils.search_utils")
    entities = pytest.importorskip("mlflow.entities")
    runs = []
    for number, run in enumerate(RUNS):
        info = entities.RunInfo(
            str(number), "0", "ada", run["status"].upper(), 0, 1, "active", run_name=run["name"]
        )
        metrics = [entities.Metric(name, value, 0, 0) for name, value in run["metrics"].items()]
        params = [entities.Param(name, value) for name, value in run["params"].items()]
        runs.append(entities.Run(info, entities.RunData(metrics=metrics, params=params)))
    return lambda text: [int(run.info.run_id) for run in search.SearchUtils.filter(runs, text)]


@pytest.mark.parametrize(("text", "numbers"), FILTERS)
def test_a_filter_of_mlflow_finds_what_it_finds_there(text, numbers):
    assert found(text) == numbers


@pytest.mark.parametrize(("text", "numbers"), FILTERS)
def test_mlflow_finds_the_same(text, numbers, mlflow_finds):
    assert mlflow_finds(text) == numbers


def texts() -> st.SearchStrategy[str]:
    """A filter that both read."""
    numbers = st.sampled_from(["0", "1", "-1.5e3", "0.95", ".9", "1E-4"])
    words = st.sampled_from(["two", "x", "GPT-3", "gpt%", "%_%", "l%", "LogisticRegression", "a"])
    statuses = st.sampled_from(["FINISHED", "FAILED", "KILLED", "RUNNING"])
    comparisons = st.sampled_from(["<", "<=", "=", "!=", ">", ">="])

    def joined(*parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.tuples(*parts).map(" ".join)

    metrics = st.sampled_from(NAMES["metrics"]).map("metrics.`{}`".format)
    params = st.sampled_from(NAMES["params"]).map("params.`{}`".format)
    terms = (
        joined(metrics, comparisons, numbers)
        | joined(params, st.sampled_from(["=", "!=", "LIKE", "ILIKE"]), words.map("'{}'".format))
        | joined(params, st.sampled_from(["IS NULL", "IS NOT NULL"]))
        | joined(
            st.just("attributes.status"), st.sampled_from(["=", "!="]), statuses.map('"{}"'.format)
        )
    )
    return st.lists(terms, min_size=1, max_size=4).map(" AND ".join)


@given(text=texts())
def test_any_common_filter_finds_the_same(text, mlflow_finds):
    assert found(text) == mlflow_finds(text)

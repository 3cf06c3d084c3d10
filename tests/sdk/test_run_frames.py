"""Data frames of runs: the same whether records are read for them or columns of the index."""

import math

import pandas
import polars
import pytest

import repro
from repro.errors import FilterError, UsageError
from repro.sdk import runlist
from tests.support.projects import open_here
from tests.support.records import a_summary, make_record, write_run

ODD = [
    {"lr": 0.1, "n": 1, "opt": {"name": "adam", "betas": [0.9, 0.99]}, "wide": True, "x": None},
    {"lr": 1, "n": 2, "opt": {"name": "[0.9]", "betas": []}, "wide": False, "x": "a"},
    {"lr": math.inf, "n": 3, "opt": {"name": "sgd", "betas": {}}, "seeds": [1, 2], "x": 1},
    {"n": 1 << 70, "huge": 1 << 70, "x": "é🦊", "a b.c": 1},
    {},
]


@pytest.fixture(params=[1000, 1], ids=["records", "columns"])
def repository(request, repository, monkeypatch):
    """Lists longer than a chunk are made into frames from the columns of the index."""
    monkeypatch.setattr(runlist, "CHUNK", request.param)
    return repository


@pytest.fixture
def project(repository):
    return open_here(repository)


def write(project, **changes):
    return write_run(project.repository, make_record(**changes))


def write_odd(project):
    for number, config in enumerate(ODD):
        write(
            project,
            name=f"r{number}",
            config=config,
            metrics={"loss": a_summary(float(number), count=number)} if number else {},
            summary={"best": {"epoch": number}} if number % 2 else {},
            tags=("b", "a, c") if number == 1 else (),
        )


def test_a_frame_has_a_row_for_each_run_in_the_order_of_the_list(project):
    write_odd(project)
    runs = repro.runs(sort="name")

    assert runs.to_pandas()["name"].tolist() == ["r0", "r1", "r2", "r3", "r4"]
    assert runs.to_pandas()["id"].tolist() == runs.ids
    assert runs.to_polars()["id"].to_list() == runs.ids
    assert repro.runs(sort="-name")[1:3].to_polars()["name"].to_list() == ["r3", "r2"]


def test_columns_are_called_as_in_the_query_language(project):
    write_odd(project)

    there = list(repro.runs().to_pandas().columns)

    assert there[:3] == ["id", "name", "status"]
    assert there[there.index("tags") + 1 :] == [
        "config.a b.c", "config.huge", "config.lr", "config.n", "config.opt.betas",
        "config.opt.name", "config.seeds", "config.wide", "config.x", "metrics.loss",
        "summary.best.epoch",
    ]  # fmt: skip
    assert repro.runs().to_polars().columns == there


def test_columns_have_the_types_of_their_values(project):
    write_odd(project)

    kinds = {name: str(kind) for name, kind in repro.runs().to_pandas().dtypes.items()}

    assert kinds["created"] == "datetime64[us, UTC]"
    assert kinds["duration"] == "float64"
    assert kinds["status"] == "category"
    assert kinds["exit_code"] == "int64"
    assert kinds["dirty"] == "bool"
    assert kinds["config.n"] == "Float64"
    assert kinds["config.lr"] == "Float64"
    assert kinds["config.wide"] == "boolean"
    assert kinds["config.opt.name"] == "string"
    assert kinds["config.opt.betas"] == "object"
    assert kinds["config.x"] == "object"
    assert kinds["metrics.loss"] == "float64"
    assert kinds["summary.best.epoch"] == "Int64"


def test_values_are_those_that_were_recorded(project):
    write_odd(project)
    runs = repro.runs(sort="name")

    there = runs.to_pandas()
    assert there["config.lr"].isna().tolist() == [False, False, False, True, True]
    assert there["config.lr"].tolist()[:3] == [0.1, 1.0, math.inf]
    assert there["config.opt.betas"].tolist()[:3] == [[0.9, 0.99], [], {}]
    assert there["config.opt.name"].tolist()[:3] == ["adam", "[0.9]", "sgd"]
    assert there["config.x"].tolist() == [None, "a", 1, "é🦊", None]
    assert there["tags"].tolist() == [[], ["a, c", "b"], [], [], []]
    assert there["metrics.loss"].tolist()[1:] == [1.0, 2.0, 3.0, 4.0]
    assert math.isnan(there["metrics.loss"][0])
    assert runs.to_polars()["config.seeds"].to_list() == [None, None, [1, 2], None, None]


def test_all_statistics_of_metrics_are_had_by_asking(project):
    write(project, metrics={"loss": a_summary(0.5, min=0.25), "loss.min": a_summary(7.0)})

    there = repro.runs().to_pandas(statistics=True)

    assert there["metrics.loss.min"].tolist() == [7.0]  # a metric of that name wins
    assert there["metrics.loss.max"].tolist() == [0.5]
    assert str(there["metrics.loss.count"].dtype) == "int64"
    assert str(there["metrics.loss.last_step"].dtype) == "int64"
    assert list(repro.runs().to_polars(statistics=True).columns) == list(there.columns)


def test_the_columns_that_are_named_are_given_in_that_order(project):
    write(
        project,
        config={"lr": 0.1},
        metrics={"loss": a_summary(0.5, min=0.25)},
        environment={"python": {"version": "3.11.4"}},
        data={"train": {"path": "d", "digest": "sha256:x", "files": 2, "bytes": 3, "kept": True}},
        tags=("x",),
    )
    words = ["loss.min", "lr", "env.python.version", "data.train.files", "tags", "status"]

    there = repro.runs().to_pandas(columns=words)

    assert list(there.columns) == words
    assert there.iloc[0].tolist() == [0.25, 0.1, "3.11.4", 2, ["x"], "finished"]
    assert repro.runs().to_polars(columns=words).columns == words
    assert list(repro.runs().to_pandas(columns=["metrics.*"]).columns) == ["metrics.loss"]
    assert list(repro.runs().to_pandas("metrics.loss").columns) == ["metrics.loss"]


def test_a_column_that_is_named_is_there_although_no_run_of_the_list_has_it(project):
    write(project, config={"lr": 0.1})
    write(project, name="b")
    write(project, name="b")

    there = repro.runs(name="b").to_pandas(columns=["lr", "exit_code"])

    assert there["lr"].isna().all()
    assert len(there) == 2
    assert "config.lr" not in repro.runs(name="b").to_pandas()


def test_a_name_that_no_run_has_is_an_error(project):
    write(project, config={"lr": 0.1})

    with pytest.raises(FilterError, match="lrr"):
        repro.runs().to_pandas(columns=["lrr"])
    with pytest.raises(UsageError, match=r"nothing\.\*"):
        repro.runs().to_polars(columns=["nothing.*"])


def test_no_runs_are_an_empty_frame_with_the_fields(project):
    assert len(repro.runs().to_pandas()) == 0
    assert "created" in repro.runs().to_pandas()
    assert repro.runs().to_polars().schema["created"] == polars.Datetime("us", "UTC")


def test_a_byte_that_is_no_text_is_escaped_in_both(project):
    write(project, config={"path": "a\udcff", "b\udcff": 1})
    write(project, config={"path": "b"})

    assert sorted(repro.runs().to_pandas()["config.path"]) == ["a\\xff", "b"]
    assert sorted(repro.runs().to_polars()["config.path"]) == ["a\\xff", "b"]


def test_a_run_in_progress_is_a_row_without_an_end(sdk):
    sdk.init(config={"lr": 0.1})
    sdk.log({"loss": 0.5})

    there = sdk.runs().to_pandas()

    assert there["status"].tolist() == ["running"]
    assert there["ended"].isna().all()
    assert str(there["ended"].dtype) == "datetime64[us, UTC]"
    assert str(there["exit_code"].dtype) == "Int64"
    assert there["metrics.loss"].tolist() == [0.5]
    assert isinstance(there["created"][0], pandas.Timestamp)

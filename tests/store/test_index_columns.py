"""Columns of the run index: the same whether runs are few or most of them."""

import math
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.records import a_summary, make_record, open_at, run_id, write_run

from repro.model.condition import Key, Space
from repro.model.values import Value
from repro.store.index import RunIndex
from repro.store.refs import RunRefs

KEYS: dict[Key, list[Value]] = {
    Key(Space.FIELD, "name"): ["one", None, None],
    Key(Space.FIELD, "duration"): [1.5, 1.5, 1.5],
    Key(Space.TAG, ""): [["a", "b"], [], []],
    Key(Space.CONFIG, "lr"): [0.1, True, None],
    Key(Space.CONFIG, "layers"): [[64, {"a": "ü"}], "[64]", None],
    Key(Space.CONFIG, "none"): [None, None, None],
    Key(Space.METRIC, "loss"): [0.5, None, None],
    Key(Space.METRIC, "loss", "min"): [0.25, None, None],
    Key(Space.SUMMARY, "best.at"): [["x"], 3, None],
    Key(Space.ENV, "platform.system"): ["Linux", "Linux", None],
    Key(Space.DATA, "train"): [None, None, None],
}


@pytest.fixture(params=["few", "most"])
def index(
    repository: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RunIndex]:
    """An index of runs `a…`, `b…` and `c…`, of which few, or most, are asked for."""
    monkeypatch.setattr("repro.store.index_columns._FEW", 0 if request.param == "few" else 100)
    opened = open_at(repository)
    linux = {"platform": {"system": "Linux"}}
    loss = a_summary(0.5, min=0.25)
    first = {"lr": 0.1, "layers": [64, {"a": "ü"}], "none": None}
    write_run(
        opened,
        make_record(
            id=run_id("aaaa"), name="one", tags=("b", "a"), config=first, metrics={"loss": loss},
            summary={"best": {"at": ["x"]}}, environment=linux,
        ),
    )  # fmt: skip
    second = {"lr": True, "layers": "[64]"}
    rest = {"metrics": {"nan": a_summary(math.nan)}, "summary": {"best": {"at": 3}}}
    write_run(opened, make_record(id=run_id("bbbb"), config=second, environment=linux, **rest))
    write_run(opened, make_record(id=run_id("cccc")))
    with RunIndex(opened, RunRefs(opened, now_ns=time.time_ns)) as index:
        yield index


def columns_of(index: RunIndex, *letters: str) -> dict[Key, list[Value]]:
    ids = [run_id(letter * 4) for letter in letters]
    return dict(zip(KEYS, index.columns(list(KEYS), ids), strict=True))


def test_each_key_has_a_column_in_the_order_of_the_runs(index: RunIndex) -> None:
    assert columns_of(index, "a", "b", "c") == KEYS
    turned = {key: [values[1], values[0]] for key, values in KEYS.items()}
    assert columns_of(index, "b", "a") == turned


def test_a_run_that_is_not_there_has_no_values(index: RunIndex) -> None:
    found = columns_of(index, "z", "a")
    for key, values in KEYS.items():
        assert found[key][1] == values[0]
        assert not found[key][0]


def test_nan_is_a_value(index: RunIndex) -> None:
    [[value]] = index.columns([Key(Space.METRIC, "nan")], [run_id("bbbb")])
    assert isinstance(value, float)
    assert math.isnan(value)


def test_no_runs_and_no_keys_are_empty(index: RunIndex) -> None:
    assert index.columns([Key(Space.CONFIG, "lr")], []) == [[]]
    assert index.columns([], [run_id("aaaa")]) == []

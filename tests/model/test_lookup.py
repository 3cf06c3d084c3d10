"""What a run has under a name of the query language."""

import pytest
from tests.support.records import a_summary, make_record

from repro.model.condition import Key, Space
from repro.model.lookup import look_up
from repro.model.values import ABSENT, Value

RECORD = make_record(
    name="n", tags=("a", "b"),
    config={"lr": 0.1, "model": {"width": 64, "a.b": {"c": None}}, "x.y": 1, "empty": {}},
    metrics={"loss": a_summary(2.0, min=1.0, max=None, min_step=7)},
    summary={"best": {"f1": 0.9}},
    data={"train": {"digest": "xxh3:1", "files": 3}, "odd": 1, "a.b": {"bytes": 9}},
    environment={"packages.count": 12, "interpreter": {"version": "3.11"}},
)  # fmt: skip


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (Key(Space.FIELD, "name"), "n"),
        (Key(Space.FIELD, "branch"), ABSENT),
        (Key(Space.FIELD, "nothing"), ABSENT),
        (Key(Space.TAG, ""), "a, b"),
        (Key(Space.CONFIG, "lr"), 0.1),
        (Key(Space.CONFIG, "model.width"), 64),
        (Key(Space.CONFIG, "model.a.b.c"), None),
        (Key(Space.CONFIG, "model"), ABSENT),
        (Key(Space.CONFIG, "x.y"), 1),
        (Key(Space.CONFIG, "empty"), {}),
        (Key(Space.METRIC, "loss"), 2.0),
        (Key(Space.METRIC, "loss", "min"), 1.0),
        (Key(Space.METRIC, "loss", "max"), ABSENT),
        (Key(Space.METRIC, "loss", "min_step"), 7),
        (Key(Space.METRIC, "f1"), ABSENT),
        (Key(Space.SUMMARY, "best.f1"), 0.9),
        (Key(Space.DATA, "train"), "xxh3:1"),
        (Key(Space.DATA, "train.files"), 3),
        (Key(Space.DATA, "a.b.bytes"), 9),
        (Key(Space.DATA, "odd"), ABSENT),
        (Key(Space.ENV, "packages.count"), 12),
        (Key(Space.ENV, "interpreter.version"), "3.11"),
    ],
)
def test_each_space_has_its_values(key: Key, expected: Value) -> None:
    assert look_up(RECORD, key) == expected


def test_a_run_without_tags_has_none() -> None:
    assert look_up(make_record(), Key(Space.TAG, "")) is ABSENT

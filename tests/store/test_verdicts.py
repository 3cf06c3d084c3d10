import json
import math

import pytest
from tests.support.records import make_record, open_at, run_id, write_run

from repro.core.query import full_json
from repro.errors import DamagedRecordError
from repro.model.canonical import format_json, parse_json
from repro.model.verdict import (
    ArtifactState,
    Cause,
    Deviation,
    First,
    LineDifference,
    MetricVerdict,
    Outcome,
    OutputVerdict,
    Tolerance,
    Verdict,
)
from repro.store.objects import open_objects
from repro.store.runs import read_record
from repro.store.verdicts import decode_verdict, encode_verdict


def a_verdict(**changes):
    first = First("loss", 3, (0.5, None))
    values = {
        "run": run_id("bbbb"), "rerun_of": run_id("aaaa"), "outcome": Outcome.DIVERGED,
        "tolerance": Tolerance(1e-6, 0.5), "first": first, "missing": ("no\nline",),
        "ends": ("finished, exit code 0", "failed, exit code 1"),
        "metrics": {
            "acc": MetricVerdict(outcome=Outcome.INCOMPARABLE, points=0),
            "loss": MetricVerdict(
                outcome=Outcome.DIVERGED, points=4, first=first,
                largest_absolute=Deviation(math.inf, 1, (math.inf, 1.0)),
                largest_relative=Deviation(0.5, 2, (1.0, -0.0)),
            ),
        },
        "summary": {"acc": Outcome.WITHIN},
        "artifacts": {"a/b.pt": ArtifactState.ADDED},
        "output": OutputVerdict(
            lines=9, masked=2, first=LineDifference(4, ("x\x1b", None)), is_cut=True
        ),
        "causes": (Cause("code", "`train.py` modified"),),
    }  # fmt: skip
    return Verdict(**{**values, **changes})


def through_text(verdict):
    return parse_json(format_json(encode_verdict(verdict)), name="verdict.json")


@pytest.mark.parametrize(
    "verdict",
    [
        a_verdict(),
        a_verdict(first=None, output=None, metrics={}, artifacts={}, causes=(), missing=()),
    ],
)
def test_a_verdict_comes_back_the_same(verdict):
    assert verdict == decode_verdict(through_text(verdict), "verdict.json")


def test_a_verdict_with_nan_comes_back():
    verdict = a_verdict(first=First("loss", 0, (math.nan, -math.inf)))

    back = decode_verdict(through_text(verdict), "verdict.json")

    assert back.first is not None
    assert repr(back.first.values) == "(nan, -inf)"


def test_keys_of_a_newer_repro_are_ignored():
    value = {**through_text(a_verdict()), "colour": "red"}

    assert decode_verdict(value, "verdict.json") == a_verdict()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("run", "../x"),
        ("rerun_of", None),
        ("verdict", "splendid"),
        ("tolerance", 1),
        ("first", {"metric": "loss", "step": 1, "values": [1.0]}),
        ("first", {"metric": "loss", "step": 1.5, "values": [1.0, 2.0]}),
        ("first", []),
        ("ends", ["one"]),
        ("missing", [1]),
        ("metrics", {"loss": 1}),
        ("metrics", {"loss": {"verdict": "identical", "points": -1}}),
        ("artifacts", {"a": "odd"}),
        ("output", {"lines": -1, "masked": 0, "cut": False}),
        ("output", {"lines": 1, "masked": 0, "cut": 1}),
        ("causes", [{"part": "code"}]),
    ],
)
def test_a_verdict_that_breaks_the_format_is_refused(key, value):
    with pytest.raises(DamagedRecordError):
        decode_verdict({**through_text(a_verdict()), key: value}, "verdict.json")


def test_a_record_brings_its_verdict(repository):
    verdict = a_verdict()
    written = write_run(open_at(repository), make_record(id=verdict.run, verdict=verdict))
    objects = open_objects(open_at(repository), many=False)

    record = read_record(objects, written.commit)

    objects.close()
    assert record.verdict == verdict
    shown = json.loads(format_json(full_json(record)))["verdict"]
    assert (shown["verdict"], shown["run"]) == ("diverged", verdict.run)


def test_a_verdict_about_another_run_is_refused(repository):
    written = write_run(open_at(repository), make_record(verdict=a_verdict()))
    objects = open_objects(open_at(repository), many=False)

    with pytest.raises(DamagedRecordError, match="about another run"):
        read_record(objects, written.commit)
    objects.close()

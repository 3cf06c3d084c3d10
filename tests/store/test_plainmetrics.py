"""The quick reader of a `metrics.json` gives what the strict one gives, or leaves it to it."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.records import a_summary

from repro.errors import DamagedRecordError
from repro.model.canonical import format_json, parse_json
from repro.model.run import MetricSummary
from repro.store.fields import Fields
from repro.store.plainmetrics import read_plain_metrics
from repro.store.runs import decode_metrics, encode_metrics

KEYS = tuple(MetricSummary.__dataclass_fields__)
SUMMARY = encode_metrics({"loss": a_summary(0.5, goal="minimize")})["loss"]
FLOATS = st.floats() | st.integers(-(1 << 70), 1 << 70) | st.just(-0.0)
NUMBERS = FLOATS | st.sampled_from(("NaN", "Infinity", None, True, "x"))
NAMES = st.text(max_size=4) | st.sampled_from(("loss", "goal", 'a":', "a:-0,", *KEYS))


def strict(data: bytes) -> str:
    """What the strict reader says: values with their types, or that it refuses."""
    try:
        values = Fields(parse_json(data, name="metrics.json"), "metrics.json").values
        metrics = decode_metrics(values["metrics"], "metrics.json")
        summary = Fields(values["summary"], "metrics.json").values
    except (DamagedRecordError, KeyError):
        return "refused"
    return repr((metrics, dict(summary)))


def text_of(metrics: Mapping[str, Any], summary: Mapping[str, Any]) -> bytes:
    return json.dumps({"metrics": metrics, "summary": summary}).encode()


@given(
    metrics=st.dictionaries(NAMES, st.fixed_dictionaries(dict.fromkeys(KEYS, NUMBERS)), max_size=3),
    summary=st.dictionaries(NAMES, NUMBERS | st.lists(st.integers(), max_size=2), max_size=3),
    is_canonical=st.booleans(),
)
def test_whatever_the_quick_reader_reads_the_strict_one_reads_alike(
    metrics: dict[str, Any], summary: dict[str, Any], *, is_canonical: bool
) -> None:
    value = {"metrics": metrics, "summary": summary}
    data = format_json(value) if is_canonical else json.dumps(value).encode()
    found = read_plain_metrics(data)
    assert found is None or repr(found) == strict(data)


@given(
    numbers=st.fixed_dictionaries(
        {
            key: st.integers(-(10**18) + 1, 10**18 - 1)
            if key == "count" or key.endswith("step")
            else st.floats(allow_nan=False, allow_infinity=False)
            for key in KEYS
            if key != "goal"
        }
    )
)
def test_what_we_write_of_finite_numbers_is_read_at_once(numbers: dict[str, Any]) -> None:
    summary = MetricSummary(**numbers, goal=None)
    data = format_json(
        {"metrics": encode_metrics({"val/loss": summary, "acc": summary}), "summary": {"best": 1}}
    )
    assert repr(read_plain_metrics(data)) == strict(data)


def twice(key: str) -> bytes:
    one = json.dumps(SUMMARY)
    return (
        b'{"metrics": {"loss": %b}, "summary": {}}'
        % one.replace("{", f'{{"{key}" : 1.0, ', 1).encode()
    )


ODD = {
    "a key twice": twice("last"),
    "a key twice, a goal lacking": twice("last").replace(b', "goal": "minimize"', b""),
    "a metric twice": text_of({"loss": SUMMARY}, {}).replace(
        b'{"loss":', b'{"loss": %b, "loss" :' % json.dumps(SUMMARY).encode()
    ),
    "a summary twice": text_of({}, {"a": 1}).replace(b'{"a": 1', b'{"a": 1, "a"\t: 1'),
    "an integer beyond 64 bits": text_of({"loss": {**SUMMARY, "last": 1 << 64}}, {}),
    "an integer zero with a sign": text_of({"loss": SUMMARY}, {}).replace(
        b'"first": 0.5', b'"first":\n-0'
    ),
    "a number out of range": text_of({}, {"a": 1}).replace(b"1", b"1e999"),
    "a nested summary": text_of({}, {"a": [1, 2]}),
    "half a surrogate pair": text_of({}, {"a": "\ud800"}),
    "not UTF-8": text_of({}, {"a": "b"}).replace(b'"b"', b'"\xff"'),
    "a byte order mark": b"\xef\xbb\xbf" + text_of({}, {}),
    "more behind it": text_of({}, {}) + b"{}",
    "another key": text_of({}, {}).replace(b"{", b'{"more": 1, ', 1),
    "no summary": b'{"metrics": {}}',
    "nothing": b"",
}


@pytest.mark.parametrize("data", ODD.values(), ids=ODD)
def test_what_is_odd_is_left_to_the_strict_reader(data: bytes) -> None:
    assert read_plain_metrics(data) is None

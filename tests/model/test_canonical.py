"""Canonical JSON: one value has one text, and nothing else is read back."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.errors import DamagedRecordError
from repro.model.canonical import MAX_BYTES, decode_json, format_json, parse_json

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_what_is_written_is_read_back(value):
    assert parse_json(format_json(value), name="x") == value


@given(values)
def test_text_is_utf8_with_a_final_newline_and_plain_json(value):
    data = format_json(value)

    assert data.endswith(b"\n")
    assert json.loads(data.decode()) == value


def test_the_text_has_sorted_keys_and_two_spaces():
    assert format_json({"b": [1, 2.5], "a": {"é": None}}) == (
        '{\n  "a": {\n    "é": null\n  },\n  "b": [\n    1,\n    2.5\n  ]\n}\n'.encode()
    )


def test_key_order_does_not_change_the_text():
    assert format_json({"a": 1, "b": 2}) == format_json({"b": 2, "a": 1})


def test_numbers_that_are_not_finite_become_their_names():
    data = format_json([float("nan"), float("inf"), {"x": float("-inf")}])

    assert parse_json(data, name="x") == ["NaN", "Infinity", {"x": "-Infinity"}]


def test_what_utf8_and_json_cannot_carry_becomes_text():
    data = format_json({"name\udcff": "\ud800", "n": 10**5000, "nan": float("nan")})

    read = parse_json(data, name="x")

    assert read == {"name\\xff": "\\ud800", "n": hex(10**5000), "nan": "NaN"}


@pytest.mark.parametrize("number", [2**53 + 1, 2**63, -(2**70), 10**400, 10**4299])
def test_a_large_integer_is_exact(number):
    assert parse_json(format_json({"n": number}), name="x") == {"n": number}


@pytest.mark.parametrize(
    "number",
    ["1e309", "-1E309", "1e+309", "1.5e00000309", "1" * 300 + "e99", "1" * 310 + ".0", "10.5e0309"],
)
def test_a_number_out_of_range_is_refused_however_it_is_written(number):
    for text in (number, f'{{"a": [1, {number}]}}'):
        with pytest.raises(DamagedRecordError, match="out of range"):
            parse_json(text.encode(), name="x")


@pytest.mark.parametrize("number", ["1e308", "1e-400", "0.0e999", "1" * 210 + "e98"])
def test_a_long_number_within_range_is_read(number):
    assert parse_json(number.encode(), name="x") == float(number)


BAD = {
    "NaN": b"[NaN]",
    "Infinity": b'{"a": -Infinity}',
    "out of range": b"[1e400]",
    "digits": b"[" + b"9" * 5000 + b"]",
    "occurs twice": b'{"a": 1, "a": 2}',
    "deeper than 64": b"[" * 65 + b"]" * 65,
    "deeper": b"[" * 100_000,
    "surrogate": b'["\\ud800"]',
    "byte order mark": b"\xef\xbb\xbf{}",
    "not UTF-8": '{"a": 1}'.encode("utf-16"),
    "byte 1 is not UTF-8": b'"\xff"',
    "Extra data": b"{}x",
    "Expecting value": b"",
    "line 1": b"'a'",
}


@pytest.mark.parametrize(("reason", "data"), BAD.items(), ids=BAD.keys())
def test_bad_json_is_refused_with_its_name_and_reason(reason, data):
    with pytest.raises(DamagedRecordError) as caught:
        parse_json(data, name="run.json of run `k3f9zq`")

    assert "run.json of run `k3f9zq`" in caught.value.message
    assert reason in caught.value.message
    assert caught.value.hint


def test_brackets_inside_strings_do_not_count_as_depth():
    text = "[" * 500 + '\\"' + "{" * 500

    assert parse_json(format_json({"a": [text] * 100}), name="x") == {"a": [text] * 100}


def test_sixty_four_levels_are_read():
    data = b"[" * 64 + b"]" * 64 + b" " * 10

    assert parse_json(data, name="x") is not None


def test_a_text_over_the_limit_is_refused_unread():
    with pytest.raises(DamagedRecordError, match="limit"):
        parse_json(b" " * (MAX_BYTES + 1), name="x")


def test_a_text_cut_anywhere_is_refused():
    data = format_json({"id": "k3f9", "tags": ["a", "é"], "n": 1.5, "x": {"y": None}}).rstrip()
    for end in range(len(data)):
        with pytest.raises(DamagedRecordError):
            parse_json(data[:end], name="x")


def test_hostile_quoting_takes_linear_time():
    data = b'"' + b'\\"' * 2_000_000 + b"[" * 100
    start = time.process_time()

    with pytest.raises(DamagedRecordError):
        parse_json(data, name="x")

    assert time.process_time() - start < 2


def test_nan_is_read_where_a_person_wrote_the_file():
    assert decode_json(b"[NaN, Infinity]", nan=True)[1] == float("inf")

"""YAML that a person wrote is read as plain values, or refused with file, line and reason."""

import math
import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from repro.errors import InvalidInputError
from repro.model.canonical import format_json, parse_json
from repro.model.configfile import format_config, parse_config
from repro.store.yamlfile import MAX_ALIASES, MAX_BYTES, MAX_DEPTH, load_yaml, load_yaml_lines

plain_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8", exclude_characters="\x85\ufeff")),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("ab:# é\n"), inner, max_size=4)
    ),
    max_leaves=15,
)


@given(plain_values, st.sampled_from([None, False, True]))
def test_what_pyyaml_writes_is_read_back(value, flow):
    # Aliases count as what they stand for, and PyYAML makes none for equal values.
    data = yaml.safe_dump(value, default_flow_style=flow, allow_unicode=True, sort_keys=False)

    assert load_yaml(data.encode(), name="x") == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1E5", 100000.0),
        ("-2.e+3", -2000.0),
        (".5e3", 500.0),
        ("1.5e-7", 1.5e-7),
        ("'1e-3'", "1e-3"),
        ("no", False),
        ("on", True),
        ("~", None),
        ("", None),
        ("1_000", 1000),
        ("017", 15),
        ("0x1f", 31),
        ("12:30:45", 45045),
        (".inf", float("inf")),
        ("2024-01-01", "2024-01-01"),
        ("2024-01-01T10:00:00Z", "2024-01-01T10:00:00Z"),
        ("=", "="),
        ("e5", "e5"),
        ("1e", "1e"),
        ("|\n  a\n  b\n", "a\nb\n"),
        ('"\\u00e9\\n"', "é\n"),
        ("${oc.env:SECRET}", "${oc.env:SECRET}"),
        (str(10**400), 10**400),
    ],
)
def test_scalars_are_what_the_program_saw(text, value):
    read = load_yaml(f"a: {text}\n".encode(), name="x")

    assert read == {"a": value}
    assert type(read["a"]) is type(value)


def test_nan_is_read():
    assert math.isnan(load_yaml(b"[.nan]", name="x")[0])


def test_keys_are_the_text_as_written():
    data = b"on: 1\n1: 2\n~: 3\n1.50: 4\n2024-01-01: 5\n? long\n: 6\n"

    assert load_yaml(data, name="x") == {
        "on": 1,
        "1": 2,
        "~": 3,
        "1.50": 4,
        "2024-01-01": 5,
        "long": 6,
    }


@pytest.mark.parametrize("data", [b"", b"\n", b"# only a comment\n", b"---\n", b"\xef\xbb\xbf"])
def test_an_empty_document_is_none(data):
    assert load_yaml(data, name="x") is None


def test_a_byte_order_mark_and_a_directive_are_skipped():
    assert load_yaml("\ufeff%YAML 1.1\n---\na: é\n...\n".encode(), name="x") == {"a": "é"}


@pytest.mark.parametrize(
    "data",
    [
        b"a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  y: 3\n",
        b"a: &a {x: 1}\nb: &b {x: 2, z: 4}\nc:\n  <<: [*a, *b]\n",
        b"a: &a {x: 1}\nb:\n  y: 3\n  <<: *a\n",
        b"a: &a {x: 1}\nb: &b {<<: *a, y: 2}\nc: {<<: *b, z: 3}\n",
        b"a: &a [1, &b 2]\nb: *a\nc: [*b, *a]\n",
        b"a: &k b\n*k : 1\n",
        b"&k a: *k\n",
        b"'<<': 1\n",
    ],
)
def test_aliases_and_merge_keys_mean_what_pyyaml_makes_of_them(data):
    assert load_yaml(data, name="x") == yaml.safe_load(data)


def refusal(data):
    with pytest.raises(InvalidInputError) as caught:
        load_yaml(data, name="params.yaml")
    assert caught.value.hint
    assert caught.value.message.isprintable()
    return caught.value.message


def bomb(levels):
    lines = [b"a0: &a0 [x, x]\n"]
    lines += [
        b"a%d: &a%d [%s]\n" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 9)) for n in range(1, levels)
    ]
    return b"".join(lines)


REFUSED = {
    "`params.yaml` line 1: the tag `!!python/object/apply:os.system`": (
        b'a: !!python/object/apply:os.system ["id"]'
    ),
    "line 2: the tag `!!str`": b"a: 1\nb: !!str 5",
    "line 1: the tag `!mine`": b"a: !mine {b: 1}",
    "line 1: the tag `!`": b"a: ! b",
    "line 3: the key `a` occurs twice": b"a: 1\nb: 2\na: 3",
    "line 1: the key `a` occurs": b"{a: 1, 'a': 2}",
    "line 1: the key `1` occurs": b"{1: 1, '1': 2}",
    "line 2: a second document": b"a: 1\n---\nb: 2",
    "line 1: the alias `*a` names nothing": b"&a [*a]",
    "line 1: did not find expected": b"a: &b *b",
    "line 1: the alias `*y` names nothing": b"x: *y",
    "line 6: more than 200,000 values": bomb(9),
    f"line 2: more than {MAX_ALIASES} aliases": b"a: &a 1\nb: [" + b"*a, " * 101 + b"]",
    "line 3: more than 100 aliases": b"a: &a {b: 1}\nc:\n  <<: [" + b"*a, " * 10_000 + b"]",
    "line 200001: more than 200,000 values": b"".join(b"k%d: 1\n" % n for n in range(1_000_000)),
    "line 2: nested deeper than 40 levels": b"a:\n" + b"- " * 100_000,
    " nest": b"[" * 100_000,
    "line 1: a key must be text": b"? [a]\n: 1",
    "line 2: a key must be text": b"a: &a [1]\n*a : 1",
    "line 2: `<<` takes a mapping": b"a:\n  <<: 3",
    "line 1: mapping values are not allowed": b"a: b: c",
    "line 2: a tab stands where": b"a: 1\n\tb: 2",
    "line 1: unacceptable character": b"a: \x1b",
    "line 2: not UTF-8": b"a: 1\nb: \xff",
    "line 1: not UTF-8": "a: 1".encode("utf-16"),
    "is out of range": b"a: " + b"9" * 5000,
    "more than the limit of 16,777,216": b"x" * (MAX_BYTES + 1),
}


@pytest.mark.parametrize(("reason", "data"), REFUSED.items(), ids=range(len(REFUSED)))
def test_bad_yaml_is_refused_in_time_with_line_and_reason(reason, data):
    start = time.process_time()

    assert reason in refusal(data)
    assert time.process_time() - start < 20


@pytest.mark.parametrize(
    "data", [b"&a [*a]", b"a: !!str 5", b"a: 1\na: 2", b"a: b: c", b"[" * 1000, b"x: \x00", bomb(9)]
)
def test_the_parser_in_python_refuses_the_same(monkeypatch, data):
    monkeypatch.delattr(yaml, "CSafeLoader")

    assert "`params.yaml` line" in refusal(data)


def test_the_parser_in_python_reads_the_same(monkeypatch):
    data = b"a: 1e-3\nb: &b {x: [1, 'y', no]}\nc: {<<: *b, d: 2024-01-01}\n"
    expected = load_yaml(data, name="x")
    monkeypatch.delattr(yaml, "CSafeLoader")

    assert load_yaml(data, name="x") == expected


def test_aliases_cannot_nest_deeper_than_the_limit():
    lines = [f"a0: &a0 {'[' * 20}{']' * 20}"]
    lines += [f"a{n}: &a{n} {'[' * 20}*a{n - 1}{']' * 20}" for n in range(1, 3)]

    assert f"line 2: nested deeper than {MAX_DEPTH}" in refusal("\n".join(lines).encode())


def test_the_deepest_file_can_be_recorded():
    depth = MAX_DEPTH - 1
    value = load_yaml(b"a: " + b"{a: " * (depth - 1) + b"[1]" + b"}" * (depth - 1), name="x")

    assert parse_json(format_json({"config": value}), name="x") == {"config": value}
    assert parse_config(format_config(value), name="x") == value


def test_lines_are_told_by_the_keys_that_lead_to_a_value():
    data = b"a: 1\nb:\n  c:\n    - x\n    - d: 2\n"

    value, lines = load_yaml_lines(data, name="x")

    assert value == {"a": 1, "b": {"c": ["x", {"d": 2}]}}
    assert lines["a",] == 1
    assert lines["b",] == 2
    assert lines["b", "c"] == 3
    assert lines["b", "c", 0] == 4
    assert lines["b", "c", 1, "d"] == 5

"""config.yaml: what is written is read back, by us and by any YAML reader."""

import math
import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from repro.errors import DamagedRecordError
from repro.model.configfile import format_config, parse_config

words = "yes no On null ~ 1e-3 1_000 017 12:30:45 << = 2024-01-01 "
words += "# *a &a !x % @ ` ' {} [] .nan .5 --- ..."
tricky = st.sampled_from(
    [
        *words.split(),
        "- a",
        "? b",
        "a: b",
        "a #b",
        '"',
        "a\nb",
        " a",
        "a ",
        "\x85",
        "\u2028",
        "\ufeff",
    ]
) | st.sampled_from(
    [
        "\x7f",
        "\\",
        "😀",
        "\t",
        "",
        "NaN",
        "Infinity",
        '".nan"',
        "a? b",
        '? "x"',
        "k" * 1500,
        "é" * 1500,
    ]
)
texts = tricky | st.text()
scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts
    | st.sampled_from([10**400, -(2**64), 1e22, 1e16, 5e-324, -0.0, 1e-5])
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=15,
)
configs = st.dictionaries(texts, values, max_size=6)


def same(a, b):
    """Equal in type, order and sign too: True is not 1, 1 is not 1.0."""
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and repr(a) == repr(b)


@given(configs)
def test_what_is_written_is_read_back_with_the_same_types(config):
    assert same(parse_config(format_config(config), name="x"), config)


@given(configs)
def test_pyyaml_reads_the_very_same(config):
    assert same(yaml.safe_load(format_config(config)), config)


@given(configs)
def test_one_config_has_one_text(config):
    data = format_config(config)

    assert format_config(parse_config(data, name="x")) == data


def test_the_text_is_what_a_person_would_write():
    config = {
        "lr": 1e-5,
        "model": {"width": 64, "name": "resnet", "dropout": 0.1, "extra": {}},
        "betas": [0.9, 0.999],
        "tags": ["a", "b c"],
        "url": "http://x/y",
        "resume": None,
        "amp": True,
        "on": "yes",
    }

    expected = """\
lr: 1.0e-05
model:
  width: 64
  name: resnet
  dropout: 0.1
  extra: {}
betas: [0.9, 0.999]
tags: ["a", "b c"]
url: "http://x/y"
resume: null
amp: true
"on": "yes"
"""
    assert format_config(config).decode() == expected


def test_an_empty_config_is_an_empty_mapping():
    assert format_config({}) == b"{}\n"
    assert parse_config(b"{}\n", name="x") == {}


def test_numbers_that_are_not_finite_survive():
    config = {"a": float("inf"), "b": [float("-inf"), float("nan"), ".nan"], "c": float("nan")}
    data = format_config(config)

    for read in (parse_config(data, name="x"), yaml.safe_load(data)):
        assert same(read, config)
        assert math.isnan(read["b"][1])


def test_the_order_given_is_kept():
    assert list(parse_config(format_config({"b": 1, "a": {"d": 1, "c": 2}}), name="x")) == [
        "b",
        "a",
    ]


def test_what_utf8_cannot_carry_becomes_visible():
    data = format_config({"file\udcff": ["\ud83d"], "n": 10**5000})

    read = parse_config(data, name="x")

    assert read == {"file\\xff": ["\\ud83d"], "n": hex(10**5000)}
    assert yaml.safe_load(data) == read


FOREIGN = {
    "a comment": b"# hello\na: 1\n",
    "an alias": b"a: &x 1\nb: *x\n",
    "a tag": b"a: !!python/object/apply:os.system [id]\n",
    "single quotes": b"a: 'x'\n",
    "a block list": b"a:\n  - 1\n",
    "a bare word": b"hello\n",
    "a yes": b"a: yes\n",
    "a sexagesimal": b"a: 12:30:45\n",
    "an octal": b"a: 017\n",
    "an exponent without a dot": b"a: 1e-3\n",
    "an infinite float": b"a: 1.0e+400\n",
    "JSON's NaN": b"a: [NaN]\n",
    "duplicate keys": b"a: 1\na: 2\n",
    "duplicate nested keys": b"a:\n  b: 1\n  b: 2\n",
    "duplicate flow keys": b'a: [{"b": 1, "b": 2}]\n',
    "duplicate keys, one quoted": b'a: 1\n"a": 2\n',
    "odd indent": b"a:\n   b: 1\n",
    "too deep a step": b"a:\n    b: 1\n",
    "indent without a parent": b"  a: 1\n",
    "a mapping without entries": b"a:\nb: 1\n",
    "a mapping without entries at the end": b"a:\n",
    "a long key without a value": b'? "a"\n',
    "a long key with another indent": b'? "a"\n  : 1\n',
    "no final newline": b"a: 1",
    "an empty file": b"",
    "a blank line": b"a: 1\n\n",
    "a document start": b"---\na: 1\n",
    "carriage returns": b"a: 1\r\nb: 2\r\n",
    "not UTF-8": b"a: \xff\n",
    "half a surrogate pair": b'a: "\\ud800"\n',
    "an open string": b'a: "x\n',
    "an open list": b"a: [1, 2\n",
    "two strings": b'a: "x" "y"\n',
    "YAML's own escape": b'a: "\\x41"\n',
    "a huge integer": b"a: " + b"9" * 5000 + b"\n",
    "a deep list": b"a: " + b"[" * 5000 + b"]" * 5000 + b"\n",
    "deep mappings": b"".join(b"  " * n + b"a:\n" for n in range(100)) + b"  " * 100 + b"a: 1\n",
}


@pytest.mark.parametrize("data", FOREIGN.values(), ids=FOREIGN.keys())
def test_other_yaml_is_refused_by_name(data):
    with pytest.raises(DamagedRecordError, match=r"cannot read config\.yaml") as caught:
        parse_config(data, name="config.yaml")

    assert caught.value.hint


def test_a_text_cut_anywhere_but_between_lines_is_refused():
    data = format_config({"a": 1, "m": {"b": [1, {"c": "x"}], "d": "é\n"}, "e": 1e-7})
    for end in range(len(data)):
        if data[:end].endswith(b"\n") and not data[:end].endswith(b":\n"):
            continue
        with pytest.raises(DamagedRecordError):
            parse_config(data[:end], name="x")


def test_a_hundred_thousand_params_are_written_and_read_in_seconds():
    config = {f"group{n % 100}": {f"k{m}": m * 0.1 for m in range(1000)} for n in range(100)}
    start = time.process_time()

    assert parse_config(format_config(config), name="x") == config
    assert time.process_time() - start < 5

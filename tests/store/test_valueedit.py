"""One value of a params file is replaced; comments, order and all else stay as they stand."""

import json
import tomllib

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from repro.errors import InvalidInputError
from repro.model.config import flatten_config
from repro.store.paramsfile import parse_config_file
from repro.store.valueedit import edit_value

YAML = """\
# params
lr:   0.1   # the rate
model:

    # how wide
    width: 3
    act: 'relu'   # or gelu
    layers:
    - 1
    - 2   # last
  # less
opt: {name: adam, betas: [0.9, 0.99]}   # c
text: |
  one
  two

nothing:
date: 2026-01-01
a.b: 1
"""
JSON = """\
{
    "lr" : 0.10,
    "model": {"width": 3, "act": "relu",
              "k": {"d": 1}},
\t"e": 1e-3, "u": "\\u00e9"
}
"""
TOML = """\
# params
lr = 0.10   # the rate
"quoted key".x = 1
text = "a # b"  # c
many = [
  1, # one
  2,
]

[model]   # m
width = 3
act = 'relu'
inner.depth = 2
opt = {name = "adam", n = {k = 1}} # o

[model.deep]
when = 2026-01-01
long = '''
[lr]
lr = 3
'''

[[table]]
lr = 5

[last]
lr = 1"""


@pytest.mark.parametrize(
    ("key", "value", "old", "new"),
    [
        ("lr", 0.5, "lr:   0.1   #", "lr:   0.5   #"),
        ("lr", 1e-5, "lr:   0.1   #", "lr:   1.0e-05   #"),
        ("model.width", "wide", "width: 3", "width: wide"),
        ("model.act", "yes", "act: 'relu'", 'act: "yes"'),
        ("model.act", None, "act: 'relu'", "act: null"),
        ("model.layers", [4], "    - 1\n    - 2   # last", "     [4]   # last"),
        ("opt.name", "a, b", "name: adam", 'name: "a, b"'),
        ("opt.betas", [1, "x"], "betas: [0.9, 0.99]", 'betas: [1, "x"]'),
        ("text", "one", "text: |\n  one\n  two\n", "text: one\n"),
        ("nothing", True, "nothing:\n", "nothing: true\n"),
        ("date", "2027-01-01", "date: 2026-01-01", 'date: "2027-01-01"'),
        ("a.b", 2, "a.b: 1", "a.b: 2"),
    ],
)
def test_yaml_keeps_comments_order_and_layout(key, value, old, new):
    edited = edit_value(YAML.encode(), "p.yaml", key, value).decode()

    assert YAML.count(old) == 1
    assert edited == YAML.replace(old, new)
    assert yaml.safe_load(edited) is not None


@pytest.mark.parametrize(
    ("key", "value", "old", "new"),
    [
        ("lr", 0.5, "0.10", "0.5"),
        ("model.width", [1, None], '"width": 3', '"width": [1, null]'),
        ("model.k.d", "é", '"d": 1', '"d": "\\u00e9"'),
        ("u", float("inf"), '"\\u00e9"', "Infinity"),
    ],
)
def test_json_keeps_order_and_layout(key, value, old, new):
    edited = edit_value(JSON.encode(), "p.json", key, value).decode()

    assert edited == JSON.replace(old, new, 1)
    assert flatten_config(json.loads(edited))[key] == value


@pytest.mark.parametrize(
    ("key", "value", "old", "new"),
    [
        ("lr", 0.5, "lr = 0.10 ", "lr = 0.5 "),
        ("lr", 1e-5, "lr = 0.10 ", "lr = 1e-05 "),
        ("quoted key.x", True, "x = 1", "x = true"),
        ("text", 'q"#', '"a # b"', '"q\\"#"'),
        ("many", [3, "x"], "[\n  1, # one\n  2,\n]", '[3, "x"]'),
        ("model.width", float("nan"), "width = 3", "width = nan"),
        ("model.inner.depth", 3, "depth = 2", "depth = 3"),
        ("model.opt.n.k", 2, '{name = "adam", n = {k = 1}}', '{ name = "adam", n = { k = 2 } }'),
        ("last.lr", 2, "[last]\nlr = 1", "[last]\nlr = 2"),
    ],
)
def test_toml_keeps_comments_order_and_layout(key, value, old, new):
    edited = edit_value(TOML.encode(), "p.toml", key, value).decode()

    assert TOML.count(old) == 1
    assert edited == TOML.replace(old, new)
    assert tomllib.loads(edited)


@pytest.mark.parametrize(
    ("name", "text", "key", "value"),
    [
        ("p.yaml", "a: &x {lr: 1}\nb: *x\n", "b.lr", 2),
        ("p.yaml", "a: &x {lr: 1}\nb:\n  <<: *x\n", "b.lr", 2),
        ("p.yaml", "a: &x 1\nb: *x\n", "a", 2),
        ("p.yaml", "a: &x {lr: 1}\nb: *x\n", "a.lr", 2),
        ("p.yaml", "lr: 1\n", "lr", {"a": 1}),
        ("p.yaml", "lr: 1\n", "other", 2),
        ("p.toml", "lr = 1\n", "lr", None),
        ("p.toml", "when = 2026-01-01\n", "when", "2027-01-01"),
        ("p.toml", "a = {when = 2026-01-01, n = 1}\n", "a.n", 2),
        ("p.toml", 'y = "' + "#" * 100_000 + '"\nx = 1\n', "x", 2),
        ("p.toml", 'y = """\n' + "a\n" * 1500 + '"""\nz = 1\n', "z", 2),
        ("p.toml", "x = 1\n" + "y = [\n" + "1,\n" * 1500 + "]\nz = 1\n", "z", 2),
    ],
)
def test_what_cannot_be_edited_is_refused_by_name(name, text, key, value):
    with pytest.raises(InvalidInputError, match=f"`{key}` stands in `{name}`") as caught:
        edit_value(text.encode(), name, key, value)

    assert caught.value.hint


def test_an_equal_value_changes_no_byte():
    assert edit_value(JSON.encode(), "p.json", "lr", 0.1) == JSON.encode()


@pytest.mark.parametrize("name", ["p.yaml", "p.toml"])
def test_marks_and_line_ends_stay(name):
    text = "# é\r\nlr: 1 # c\r\nw: 2\r\n".replace(":", " =" if name == "p.toml" else ":")

    edited = edit_value(b"\xef\xbb\xbf" + text.encode(), name, "lr", 3)

    assert edited == b"\xef\xbb\xbf" + text.replace("1", "3").encode()


def test_a_file_that_is_wrong_is_named():
    with pytest.raises(InvalidInputError, match=r"`p\.json` is not JSON"):
        edit_value(b"{", "p.json", "lr", 1)


SCALARS = (
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.text(st.characters(codec="utf-8"), max_size=8)
)


@given(SCALARS | st.lists(SCALARS, max_size=3), st.sampled_from(["p.yaml", "p.json", "p.toml"]))
def test_any_value_is_read_back_or_refused(value, name):
    text = {"p.yaml": YAML, "p.json": JSON, "p.toml": TOML}[name]
    before = flatten_config(parse_config_file(text.encode(), name))

    try:
        edited = edit_value(text.encode(), name, "model.act", value)
    except InvalidInputError:
        assert name == "p.toml" or "\r" in str(value)
        return

    after = flatten_config(parse_config_file(edited, name))
    assert repr({**before, "model.act": value}) == repr(after)

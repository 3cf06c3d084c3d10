"""Config is what a program saw: typed, nested, in order."""

import argparse
import datetime
import json
import time
from collections import OrderedDict, namedtuple
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum, StrEnum
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.errors import UsageError
from repro.model.canonical import format_json, parse_json
from repro.model.config import (
    config_from_command,
    flatten_config,
    merge_config,
    nest_config,
    parse_assignment,
    parse_value,
    plain_value,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("-3", -3),
        ("+3", 3),
        ("0", 0),
        (str(10**400), 10**400),
        ("0.1", 0.1),
        ("1e-3", 0.001),
        ("1E5", 100000.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("-1.5e-07", -1.5e-07),
        ("true", True),
        ("True", True),
        ("false", False),
        ("False", False),
        ("none", None),
        ("null", None),
        ("None", None),
        ("inf", float("inf")),
        ("-inf", float("-inf")),
        ("1e400", float("inf")),
        ("[1,2]", [1, 2]),
        ('["a", null, 1e-3]', ["a", None, 0.001]),
        ('{"a":1}', {"a": 1}),
        ('"3"', "3"),
        ("", ""),
        ("abc", "abc"),
        ("017", "017"),
        ("00.5", "00.5"),
        ("1_000", "1_000"),
        ("0x10", "0x10"),
        ("yes", "yes"),
        ("no", "no"),
        ("TRUE!", "TRUE!"),
        ("1e", "1e"),
        ("1 2", "1 2"),
        (".", "."),
        ("-", "-"),
        ("\uff13", "\uff13"),
        ("12:30:45", "12:30:45"),
        ("[a,b]", "[a,b]"),
        ("[1,", "[1,"),
        ('{"a":1,"a":2}', '{"a":1,"a":2}'),
        ("[" * 5000, "[" * 5000),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_a_word_is_read_as_a_program_would(text, value):
    assert parse_value(text) == value
    assert type(parse_value(text)) is type(value)


def test_nan_is_a_number():
    assert parse_value("nan") != parse_value("nan")


@given(st.integers() | st.floats(allow_nan=False) | st.booleans())
def test_what_python_prints_is_read_back(value):
    assert parse_value(str(value)) == value


@pytest.mark.parametrize(
    ("text", "assignment"),
    [
        ("lr=0.1", ("lr", 0.1)),
        ("model.width=3", ("model.width", 3)),
        ("a=b=c", ("a", "b=c")),
        ("a=", ("a", "")),
        (" a =x", ("a", "x")),
        ("db/x=1", ("db/x", 1)),
    ],
)
def test_an_assignment_is_read(text, assignment):
    assert parse_assignment(text) == assignment


@pytest.mark.parametrize(
    "text", ["lr", "", "=1", " =1", "--lr=1", "a..b=1", ".a=1", "a.=1", "a." * 40 + "a=1"]
)
def test_a_wrong_assignment_is_a_usage_error_with_a_hint(text):
    with pytest.raises(UsageError) as caught:
        parse_assignment(text)

    assert caught.value.hint


@pytest.mark.parametrize(
    ("arguments", "config"),
    [
        ("--lr 0.1", {"lr": 0.1}),
        ("--lr=0.1", {"lr": 0.1}),
        ("--lr=", {"lr": ""}),
        ("-b 32", {"b": 32}),
        ("-b32", {"b": 32}),
        ("-lr 0.1", {"lr": 0.1}),
        ("--learning-rate 1e-3", {"learning_rate": 0.001}),
        ("--a.b 3 --a.c-d x", {"a": {"b": 3, "c_d": "x"}}),
        ("--flag", {"flag": True}),
        ("--flag --other", {"flag": True, "other": True}),
        ("--shift -1 --scale -.5e-3", {"shift": -1, "scale": -0.0005}),
        ("--betas 0.9 0.999", {"betas": [0.9, 0.999]}),
        ("--betas 0.9 -1 --x", {"betas": [0.9, -1], "x": True}),
        ("--name a b", {"name": "a"}),
        ("--tag a --tag b --tag c", {"tag": ["a", "b", "c"]}),
        ("--betas 1 2 --betas 3 4", {"betas": [[1, 2], [3, 4]]}),
        ("--v --v", {"v": True}),
        ("--v x --v", {"v": ["x", True]}),
        ("data.txt --lr 1 other.txt", {"lr": 1}),
        ("--in -", {"in": "-"}),
        ("--lr 1 -- --not 3", {"lr": 1}),
        ("lr=0.1 model.width=3", {"lr": 0.1, "model": {"width": 3}}),
        ("+a=1 ++b=2 ~c ~d=3", {"a": 1, "b": 2}),
        ("db=mysql optim/lr=1 hydra.run.dir=x hydra/launcher=y", {"db": "mysql", "optim/lr": 1}),
        ("--multirun lr=1,2", {"lr": "1,2"}),
        ("-m lr=1", {"lr": 1}),
        ("--cfg-options a.b=1 c=2", {"cfg_options": True, "a": {"b": 1}, "c": 2}),
        ("http://x/?a=b x==y a:b=c", {}),
        ("-5 -1.5", {}),
        ("--", {}),
        ("-", {}),
        ("---", {}),
        ("--a 1 --a.b 2", {"a": {"b": 2}}),
        ("--a..b 1", {"a..b": 1}),
        ("--=x", {}),
    ],
)
def test_config_is_read_off_a_command(arguments, config):
    assert config_from_command(["python", "train.py", *arguments.split()]) == config


def test_flags_of_launchers_are_no_config():
    command = "torchrun --nproc_per_node 4 --master_port=1 train.py --lr 0.1"

    assert config_from_command(command.split()) == {"lr": 0.1}


@given(
    st.lists(st.text(max_size=8) | st.sampled_from(["--a", "--a.b", "x=1", "--", "-1", "python"]))
)
def test_any_command_gives_a_config_that_can_be_recorded(argv):
    format_json(config_from_command(argv))


def test_later_layers_win_key_by_key_and_the_first_place_is_kept():
    merged = merge_config(
        {"b": 1, "m": {"x": 1, "y": 2}, "l": [1, 2]},
        {"a": 1, "m": {"y": 3, "z": 4}, "b": {"n": 1}},
        {"l": [3], "b": {"o": 2}},
    )

    assert merged == {"b": {"n": 1, "o": 2}, "m": {"x": 1, "y": 3, "z": 4}, "l": [3], "a": 1}
    assert list(merged) == ["b", "m", "l", "a"]
    assert list(merged["m"]) == ["x", "y", "z"]


def test_merging_shares_nothing_with_the_layers():
    layer = {"m": {"x": [1]}}

    merged = merge_config(layer)
    merged["m"]["x"].append(2)
    merged["m"]["y"] = 1

    assert layer == {"m": {"x": [1]}}


names = st.text("abcdefg_", min_size=1, max_size=5)
nested = st.recursive(
    st.integers() | st.text() | st.lists(st.integers()),
    lambda inner: st.dictionaries(names, inner, min_size=1, max_size=3),
)


@given(st.dictionaries(names, nested, max_size=4))
def test_nesting_undoes_flattening(config):
    assert nest_config(flatten_config(config)) == config


def test_flat_keys_are_dotted_and_lists_and_empty_mappings_are_values():
    config = {"a": {"b": {"c": 1}, "e": {}}, "l": [{"x": 1}]}

    assert flatten_config(config) == {"a.b.c": 1, "a.e": {}, "l": [{"x": 1}]}


@pytest.mark.parametrize("key", [".5", "a..b", "a.", ".", "", "a." * 5000 + "b"])
def test_a_key_that_cannot_be_split_stays_whole(key):
    assert nest_config({key: 1}) == {key: 1}


class Colour(Enum):
    RED = "red"


class Size(StrEnum):
    SMALL = "small"


@dataclass
class Model:
    width: int = 3
    layers: list = field(default_factory=lambda: [1, 2])


Point = namedtuple("Point", ["x", "y"])


class Scalar:
    """What scalars and arrays of numpy and torch have in common."""

    def __init__(self, value, shape=()):
        self.value, self.shape, self.dtype = value, shape, "float32"

    def tolist(self):
        return self.value


class Hostile:
    def __repr__(self):
        raise RuntimeError("no")

    def __getattr__(self, name):
        raise ValueError(name)


class LikeMapping:
    def keys(self):
        return ["a"]

    def __getitem__(self, key):
        return 1


class AttrsLike:
    __attrs_attrs__ = (SimpleNamespace(name="a"),)
    a = 5


class FloatLike(float):
    """numpy's float64 is a float of this kind."""

    def __repr__(self):
        return f"np.float64({float(self)})"


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (None, None),
        (True, True),
        (10**5000, hex(10**5000)),
        (FloatLike(0.1), 0.1),
        ("half\ud800", "half\\ud800"),
        (Path("a/b"), "a/b"),
        (Colour.RED, "red"),
        (Size.SMALL, "small"),
        ((1, (2, 3)), [1, [2, 3]]),
        ({3, 1, 2}, [1, 2, 3]),
        (frozenset({"b", "a"}), ["a", "b"]),
        (range(3), [0, 1, 2]),
        ({"a": {"b": (1,)}}, {"a": {"b": [1]}}),
        (
            {1: "a", None: "b", Colour.RED: "c", (1, 2): "d"},
            {"1": "a", "None": "b", "red": "c", "[1, 2]": "d"},
        ),
        (OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
        (Model(), {"width": 3, "layers": [1, 2]}),
        (Point(1, 2), {"x": 1, "y": 2}),
        (argparse.Namespace(lr=0.1, m=Model()), {"lr": 0.1, "m": {"width": 3, "layers": [1, 2]}}),
        (SimpleNamespace(a=1), {"a": 1}),
        (LikeMapping(), {"a": 1}),
        (AttrsLike(), {"a": 5}),
        (Scalar(2.5), 2.5),
        (Scalar([[1, 2]], (1, 2)), [[1, 2]]),
        (Scalar(None, (1000, 3)), "<Scalar of float32 (1000, 3)>"),
        (datetime.date(2026, 1, 2), "2026-01-02"),
        (b"ab", "b'ab'"),
        (Decimal("0.1"), "Decimal('0.1')"),
        (Fraction(1, 3), "Fraction(1, 3)"),
        (1j, "1j"),
        (json.loads, "json.loads"),
        (Model, f"{__name__}.Model"),
        (Hostile(), "<Hostile>"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_object_becomes_the_plain_value_that_says_the_same(value, plain):
    assert plain_value(value) == plain
    assert type(plain_value(value)) is type(plain)


def test_addresses_are_left_out_so_that_equal_objects_are_equal():
    assert plain_value(object()) == plain_value(object()) == "<object object>"
    assert " at 0x" not in str(plain_value(x for x in ()))


def test_a_cycle_ends():
    cycle = {"a": 1}
    cycle["self"] = cycle

    assert plain_value(cycle)["a"] == 1
    format_json(plain_value(cycle))


def test_endless_sharing_ends_in_time():
    value = []
    for _ in range(30):
        value = [value, value]
    start = time.process_time()

    plain_value(value)

    assert time.process_time() - start < 10


def test_any_depth_can_be_recorded():
    value = 1
    for _ in range(100_000):
        value = [value]
    plain = {"a": {"b": plain_value(value)}}

    assert parse_json(format_json(plain), name="x") == plain

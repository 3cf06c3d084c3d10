"""Every number of a training loop is taken; whatever is none is refused by name."""

import math
from collections import OrderedDict
from collections.abc import Mapping
from decimal import Decimal
from enum import IntEnum
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.sdk.values import plain_points, plain_step


class Scalar:
    """Like a scalar of numpy or torch."""

    def __init__(self, value: object) -> None:
        self.value = value

    def item(self) -> object:
        return self.value


class Matrix:
    def item(self) -> object:
        raise ValueError("only one element tensors can be converted")


class Level(IntEnum):
    HIGH = 3


class Index:
    def __index__(self) -> int:
        return 12


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.5, 0.5),
        (3, 3),
        (True, 1),
        (False, 0),
        (math.nan, "NaN"),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
        (2**53 + 1, float(2**53)),
        (10**300, 1e300),
        (Scalar(0.25), 0.25),
        (Scalar(7), 7),
        (Scalar(math.nan), "NaN"),
        (Level.HIGH, 3),
        (Decimal("0.5"), 0.5),
        (Fraction(1, 4), 0.25),
    ],
)
def test_a_number_is_taken(value: object, expected: float | str) -> None:
    [(name, found)] = plain_points({"x": value}).items()

    assert (name, found) == ("x", expected)
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "0.5",
        b"1",
        [1.0],
        (1,),
        {1.0},
        object(),
        1j,
        Scalar("text"),
        Scalar(None),
        Matrix(),
        print,
    ],
)
def test_what_is_no_number_is_refused_by_name(value: object) -> None:
    with pytest.raises(TypeError, match="metric `train/bad` must be a number"):
        plain_points({"ok": 1.0, "train": {"bad": value}})


@pytest.mark.parametrize("value", [10**400, -(10**400)])
def test_an_integer_beyond_a_float_is_refused_by_name(value: int) -> None:
    with pytest.raises(ValueError, match="`big` is an integer beyond"):
        plain_points({"big": value})


@pytest.mark.parametrize("data", [None, 1.0, "loss", [("loss", 1.0)], {"loss"}])
def test_what_is_no_mapping_is_refused(data: object) -> None:
    with pytest.raises(TypeError, match="names and numbers"):
        plain_points(data)


@pytest.mark.parametrize("name", [1, None, b"loss", ("a",)])
def test_a_name_must_be_text(name: object) -> None:
    with pytest.raises(TypeError, match="must be text"):
        plain_points({name: 1.0})


@pytest.mark.parametrize("name", ["", "x" * 513, "\ud800"])
def test_a_name_no_record_can_hold_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        plain_points({name: 1.0})


def test_nested_mappings_become_joined_names() -> None:
    data: Mapping[str, Any] = MappingProxyType(
        {"a": {"b": {"c": 1.0}, "d": 2}, "e": OrderedDict(f=3)}
    )

    assert plain_points(data) == {"a/b/c": 1.0, "a/d": 2, "e/f": 3}


def test_a_name_given_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="`a/b` is given twice"):
        plain_points({"a/b": 1.0, "a": {"b": 2.0}})


def test_a_mapping_inside_itself_is_refused() -> None:
    data: dict[str, Any] = {}
    data["x"] = data

    with pytest.raises(ValueError, match="nested too deep"):
        plain_points(data)


def test_control_characters_of_a_name_are_not_printed() -> None:
    with pytest.raises(TypeError, match=r"\\x1b\[2J") as caught:
        plain_points({"\x1b[2J": None})

    assert "\x1b" not in str(caught.value)


@given(
    st.dictionaries(
        st.text(st.characters(max_codepoint=127), min_size=1, max_size=9),
        st.floats() | st.integers(-(2**53), 2**53),
    )
)
def test_plain_numbers_come_through_unchanged(data: dict[str, float]) -> None:
    back = {name: float(value) for name, value in plain_points(data).items()}

    assert repr(back) == repr({name: float(value) for name, value in data.items()})


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (0, 0),
        (-7, -7),
        (2**63 - 1, 2**63 - 1),
        (3.0, 3),
        (Index(), 12),
        (Scalar(5), 5),
        (Scalar(5.0), 5),
    ],
)
def test_a_whole_number_is_a_step(step: object, expected: int) -> None:
    assert plain_step(step) == expected


@pytest.mark.parametrize("step", [True, 1.5, math.nan, math.inf, "3", b"3", [1], Scalar("3"), 1j])
def test_what_is_no_whole_number_is_no_step(step: object) -> None:
    with pytest.raises(TypeError, match="step"):
        plain_step(step)


@pytest.mark.parametrize("step", [2**63, -(2**63) - 1, 1e300])
def test_a_step_beyond_64_bits_is_refused(step: object) -> None:
    with pytest.raises(ValueError, match="64 bits"):
        plain_step(step)


def test_scalars_of_numpy_are_taken() -> None:
    numpy = pytest.importorskip("numpy")
    data = {
        "a": numpy.float32(0.5),
        "b": numpy.float64(0.1),
        "c": numpy.int64(3),
        "d": numpy.bool_(True),
        "e": numpy.array([2.0]),
    }

    assert plain_points(data) == {"a": 0.5, "b": 0.1, "c": 3, "d": 1, "e": 2.0}
    assert plain_step(numpy.int32(4)) == 4
    with pytest.raises(TypeError, match="`m`"):
        plain_points({"m": numpy.zeros(3)})

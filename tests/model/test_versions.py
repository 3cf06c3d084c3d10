"""Versions: their order, the nearest one, and what a file asks of an interpreter."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.model.versions import (
    Version,
    allows_python,
    find_nearest,
    is_same_version,
    parse_version,
)

# Source: the order that PEP 440 lists in "Summary of permitted suffixes and relative ordering".
ORDERED = [
    "1.dev0",
    "1.0.dev456",
    "1.0a1",
    "1.0a2.dev456",
    "1.0a12.dev456",
    "1.0a12",
    "1.0b1.dev456",
    "1.0b2",
    "1.0b2.post345.dev456",
    "1.0b2.post345",
    "1.0rc1.dev456",
    "1.0rc1",
    "1.0",
    "1.0+abc.5",
    "1.0+abc.7",
    "1.0+5",
    "1.0.post456.dev34",
    "1.0.post456",
    "1.1.dev1",
    "1.10",
    "2!0.1",
]


def test_versions_are_ordered_as_the_standard_lists_them() -> None:
    for before, after in itertools.pairwise(map(Version, ORDERED)):
        assert before < after


@pytest.mark.parametrize(
    ("one", "other"),
    [("1.0", "1.0.0"), ("v1.0-alpha.1", "1.0a1"), ("1.0-1", "1.0.post1"), ("1.0C2", "1.0rc2")],
)
def test_spellings_of_one_version_are_the_same(one: str, other: str) -> None:
    assert is_same_version(one, other)
    assert hash(Version(one)) == hash(Version(other))


@pytest.mark.parametrize("text", ["", "-1", "1.0/..", "1.0 --index-url=x", "1..2", "x", "1" * 300])
def test_what_is_no_version_is_none(text: str) -> None:
    assert parse_version(text) is None


@given(st.text(max_size=40))
def test_any_text_is_a_version_or_none(text: str) -> None:
    parse_version(text)


@pytest.mark.parametrize(
    ("wanted", "offered", "nearest"),
    [
        ("1.2.3", "1.2.4 1.2.1 1.3.3", "1.2.4"),
        ("1.2.3", "1.2.2 1.2.4", "1.2.4"),
        ("1.2.3", "1.2.1 1.3 2.0", "1.2.1"),
        ("2.14.1+cpu", "2.14.1 2.14.2 2.15", "2.14.1"),
        ("1.0", "1.1rc1 0.9", "0.9"),
        ("1.0rc1", "1.0rc2 1.0", "1.0rc2"),
        ("9.9", "1.0 1.17 1.2", "1.17"),
        ("no version", "1.0 2.0 3.0rc1", "2.0"),
    ],
)
def test_the_nearest_version_is_the_one_that_differs_least(
    wanted: str, offered: str, nearest: str
) -> None:
    assert find_nearest(wanted, offered.split()) == nearest


def test_nothing_is_near_where_nothing_is_offered() -> None:
    assert find_nearest("1.0", []) is None


@pytest.mark.parametrize(
    ("requires", "fits"),
    [
        ("", True),
        (">=3.8", True),
        (">=3.8,<3.11", False),
        (">=3.12", False),
        ("==3.11.*", True),
        ("!=3.11.*", False),
        ("~=3.10", True),
        ("~=3.10.1", False),
        ("nonsense", True),
        (">3.11.7", False),
    ],
)
def test_requires_python_is_obeyed(requires: str, *, fits: bool) -> None:
    assert allows_python(requires, "3.11.7") is fits

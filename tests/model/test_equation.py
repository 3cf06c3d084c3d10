"""A filter that finds the runs with a value."""

import math

import pytest

from repro.model.condition import Key, Space
from repro.model.equation import narrow, write_equation
from repro.model.values import ABSENT

LR = Key(Space.CONFIG, "lr")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (1, "lr = 1"),
        (1e-5, "lr = 1e-05"),
        (math.inf, "lr = inf"),
        (math.nan, "lr is nan"),
        (True, "lr = true"),
        (None, "lr is null"),
        (ABSENT, "lr is null"),
        ("adam", "lr = 'adam'"),
        ("it's a \\", "lr = 'it''s a \\\\'"),
        ([0.9, 0.95], "lr = '[0.9, 0.95]'"),
    ],
)
def test_each_value_is_written_as_a_filter_reads_it(value, written):
    assert write_equation("lr", LR, value) == written


@pytest.mark.parametrize("value", ["two\nlines", "\x1b[31m", "\x7f"])
def test_what_no_filter_can_say_is_not_said(value):
    assert write_equation("lr", LR, value) is None


def test_tags_and_moments_are_no_single_value():
    assert write_equation("tags", Key(Space.TAG, ""), "a, b") is None
    assert write_equation("created", Key(Space.FIELD, "created"), "2026-11-01T00:00:00Z") is None


def test_what_was_asked_for_is_asked_for_still():
    assert narrow("a or b", ["c = 1", "d = 2"]) == "(a or b) and c = 1 and d = 2"
    assert narrow("  ", ["c = 1"]) == "c = 1"

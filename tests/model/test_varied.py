"""REPRO_VARIED says which params were varied, and nothing else is taken for it."""

import pytest

from repro.errors import InvalidInputError
from repro.model.varied import format_varied, parse_varied


def test_what_is_written_is_read():
    overrides = {"lr": 1e-3, "model.name": "é\n", "n": None, "x": float("inf"), "l": [1, {"a": 2}]}

    assert parse_varied(format_varied(overrides)) == overrides


@pytest.mark.parametrize(
    "text",
    ["", "[]", "3", "{", '{"a": 1, "a": 2}', '{"": 1}', '{"a..b": 1}', '{"a": ' + "[" * 100,
     '{"' + ".".join("a" * 33) + '": 1}', '{"a": "' + "x" * 70_000 + '"}', '{"a": "\\ud800"}'],
)  # fmt: skip
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError):
        parse_varied(text)


def test_what_no_variable_holds_is_refused():
    with pytest.raises(InvalidInputError, match="a variable holds"):
        format_varied({"a": "x" * 70_000})

"""The page about filters says what the language is."""

import re
from typing import get_args

import pytest

from repro.model.binding import parse_filter
from repro.model.condition import Statistic
from repro.model.fields import FIELDS
from tests.docs.pages import DOCS
from tests.support.filters import BOOL, NUMBER, TEXT, Known

PAGE = (DOCS / "reference/query.md").read_text()
COMPARISONS = PAGE.partition("## Comparisons")[2].partition("## Values")[0]
EXAMPLES = [
    code
    for row in re.findall(r"^\| (`.+?) \|", COMPARISONS, re.MULTILINE)
    for code in re.findall(r"`([^`]{4,})`", row)
    if "…" not in code
]
KNOWN = Known(
    config={"lr": NUMBER, "seed": NUMBER, "dropout": NUMBER, "optimizer": TEXT, "a b": NUMBER},
    metrics={"loss": NUMBER, "val/loss": NUMBER, "top-5": NUMBER, "val loss": NUMBER},
    data={"train": TEXT},
    summary={"flag": BOOL},
)


def test_every_field_is_on_the_page():
    [line] = re.findall(r"^Fields are (.+)\.$", PAGE, re.MULTILINE)

    assert re.findall(r"`(\w+)`", line) == list(FIELDS)


def test_every_statistic_is_on_the_page():
    for statistic in get_args(Statistic):
        assert f"`{statistic}`" in PAGE


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_example_is_a_filter(text):
    assert parse_filter(text, KNOWN, now=0.0) is not None


def test_the_large_example_is_a_filter():
    [text] = re.findall(r"```\n(.+)\n```", PAGE)

    assert parse_filter(text, KNOWN, now=0.0) is not None
    assert len(EXAMPLES) > 15

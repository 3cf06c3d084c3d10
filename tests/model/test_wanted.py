"""Columns that somebody asked for."""

import pytest
from tests.support.filters import Known

from repro.errors import FilterError, UsageError
from repro.model.columns import STEP, TAGS, Column, field_column
from repro.model.condition import Key, Kind, Space
from repro.model.wanted import find_columns, parse_columns, split_names

NUMBER = {Kind.NUMBER}
KNOWN = Known(
    config={"lr": NUMBER, "optimizer.name": {Kind.TEXT}, "optimizer.beta": NUMBER, "a,b": NUMBER},
    metrics={"loss": NUMBER, "val/loss": NUMBER},
    data={"train": {Kind.TEXT}},
)
USUAL = [field_column("id"), field_column("duration"), Column("lr", Key(Space.CONFIG, "lr"))]


def titles(text: str) -> list[str]:
    return [column.title for column in parse_columns(text, KNOWN).apply(USUAL)]


def test_plain_names_are_the_columns_in_their_order_once() -> None:
    assert titles("metrics.loss.min, lr,branch,lr") == ["metrics.loss.min", "lr", "branch"]


def test_plus_adds_behind_the_fields_and_minus_takes_away() -> None:
    assert titles("+loss,-duration") == ["id", "loss", "lr"]
    assert titles("-lr") == ["id", "duration"]
    assert titles("+lr") == ["id", "duration", "lr"]


def test_minus_takes_away_from_a_pattern() -> None:
    assert titles("optimizer.*,-optimizer.beta") == ["optimizer.name"]


def test_a_pattern_is_all_that_fit() -> None:
    assert titles("optimizer.*") == ["optimizer.beta", "optimizer.name"]
    assert titles("metrics.*") == ["metrics.loss", "metrics.val/loss"]
    assert titles("*loss.max") == ["loss.max", "val/loss.max"]
    assert titles("data.trai?") == ["data.train"]
    assert titles("st*ed") == ["started"]


def test_a_bracket_in_a_pattern_is_itself() -> None:
    with pytest.raises(UsageError, match=r"like `\[l\]\*`"):
        find_columns("[l]*", KNOWN)


def test_step_and_tags_are_columns_too() -> None:
    assert find_columns("step", KNOWN) == [STEP]
    assert find_columns("tags", KNOWN) == [Column("tags", TAGS)]


def test_a_param_called_step_is_itself() -> None:
    known = Known(config={"step": NUMBER})
    assert find_columns("step", known) == [Column("step", Key(Space.CONFIG, "step"))]


def test_a_comma_within_quotes_belongs_to_the_name() -> None:
    assert split_names('config.`a,b`, lr,,"x, y"') == ["config.`a,b`", "lr", '"x, y"']
    assert find_columns("config.`a,b`", KNOWN)[0].key == Key(Space.CONFIG, "a,b")


def test_quotes_that_are_not_closed_end_no_list() -> None:
    assert split_names("a`,b") == ["a`", "b"]


def test_a_name_that_no_run_has_is_refused_with_near_ones() -> None:
    with pytest.raises(FilterError) as caught:
        parse_columns("lrr", KNOWN)
    assert "lr" in f"{caught.value.message} {caught.value.hint}"

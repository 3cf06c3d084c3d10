"""Lines laid out by a template."""

import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.filters import Known
from tests.support.records import NOW, a_summary, make_record, run_id

from repro.errors import FilterError, UsageError
from repro.model.condition import Kind
from repro.model.rowformat import fill_template, parse_template
from repro.model.times import format_time
from repro.model.wanted import find_column

NUMBER = {Kind.NUMBER}
KNOWN = Known(
    config={"lr": NUMBER, "n": NUMBER, "word": {Kind.TEXT}, "flag": {Kind.BOOL}, "none": NUMBER,
            "many": {Kind.TEXT}, "a)b": NUMBER, "huge": NUMBER},
    metrics={"loss": NUMBER, "train:loss": NUMBER},
)  # fmt: skip
RECORD = make_record(
    id=run_id("abcdef"), name="b\x1b[2J", created=format_time(NOW - 7200), snapshot="f" * 40,
    config={"lr": 0.1, "n": 12345, "word": "héé", "flag": True, "none": None, "many": [1, "x"],
            "a)b": 3, "huge": 10**400},
    metrics={"loss": a_summary(0.123456789), "train:loss": a_summary(math.nan)},
    tags=("v1", "v2"),
)  # fmt: skip


def line(text: str) -> str:
    template = parse_template(text, lambda name: find_column(name, KNOWN))
    return fill_template(template, RECORD, {RECORD.run.id: "abcd"}, NOW)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("%(id) %(lr)", "abcdef000000 0.1"),
        ("%(id:short)|%(snapshot:short)|%(created:relative)", "abcd|ffffffffff|2 hours ago"),
        ("%(loss)|%(loss:.3f)|%(metrics.loss.min:+.2e)", "0.123456789|0.123|+1.23e-01"),
        ("%(n:,)|%(n:.1f)|%(n:08)|%(n:>8)|%(n:*<8d)", "12,345|12345.0|00012345|   12345|12345***"),
        ("%(loss:%)|%(loss:d)", "12.345679%|0.123456789"),
        ("%(word:<6)|%(word:>6)|%(word:^5)|%(word:.1f)", "héé   |   héé| héé |héé"),
        ("%(flag)|%(none)|%(many)|%(tags)", 'true|null|[1, "x"]|v1, v2'),
        ("%(branch)|%(branch:>3)|%(branch:.2f)|%(ended:relative)", "|   ||2 hours ago"),
        ("100%% %(lr)%09%(lr)%0A%z", "100% 0.1\t0.1\n%z"),
        ("%(train:loss)|%(train:loss:.2f)", "nan|nan"),
        ("%(config.`a)b`)", "3"),
        ("%(name)", "b\\x1b[2J"),
        ("%(name:<20)|", "b\\x1b[2J            |"),
        ("%(step)", "0"),
    ],
)
def test_values_stand_in_their_places(text: str, expected: str) -> None:
    assert line(text) == expected


def test_an_integer_beyond_a_float_is_itself() -> None:
    assert line("%(huge:.2f)") == str(10**400)


def test_a_byte_by_its_code_is_that_byte() -> None:
    assert line("%00%ff").encode(errors="surrogateescape") == b"\0\xff"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("%(lr", "`%(lr` in the format is not closed"),
        ("%(lr) %(id:.3f", "`%(id:.3f` in the format is not closed"),
        ("%(lr:short)", "`short` is no form of `lr`"),
        ("%(lr:relative)", "`relative` is no form of `lr`"),
        ("%(lr:999999999)", "`999999999` is no form of `lr`"),
        ("%(lr:{})", "`{}` is no form of `lr`"),
    ],
)
def test_a_wrong_template_is_an_error_that_names_the_part(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        line(text)
    assert caught.value.message == said


def test_a_name_that_no_run_has_is_an_error_with_near_ones() -> None:
    with pytest.raises(FilterError):
        line("%(lrr)")
    with pytest.raises(FilterError):
        line("%()")


@given(st.text(alphabet='%()`":.<>^0123abdeflorst, \n\\', max_size=30))
def test_any_text_is_a_template_or_a_usage_error(text: str) -> None:
    with suppress(UsageError):
        assert isinstance(line(text), str)

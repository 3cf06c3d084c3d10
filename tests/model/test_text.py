"""Text from elsewhere is shown without obeying it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.model.text import escape, split_code


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\tc\rd", "a\\nb\\tc\\rd"),
        ("\x1b[2J\x1b]0;pwned\x07", "\\x1b[2J\\x1b]0;pwned\\x07"),
        ("\x7f\x9b31m\x00", "\\x7f\\x9b31m\\x00"),
        ("\u202etxt.exe", "\\u202etxt.exe"),
        ("a\u2066b\u2028c\ufeff", "a\\u2066b\\u2028c\\ufeff"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("tag\U000e0041", "tag\\U000e0041"),
        (b"caf\xe9".decode(errors="surrogateescape"), "caf\\xe9"),
        ("half\ud83d", "half\\ud83d"),
    ],
)
def test_what_a_terminal_would_obey_becomes_visible(text, shown):
    assert escape(text) == shown


@pytest.mark.parametrize("text", ["", "naïve café", "学習率", "🏃‍♂️ run", "C:\\x\\y", "<b>&amp;"])
def test_printable_text_stays_as_it_is(text):
    assert escape(text) == text


@given(st.text(st.characters()))
def test_any_text_can_be_printed_on_one_line(text):
    shown = escape(text)

    shown.encode()
    assert "\n" not in shown
    assert "\x1b" not in shown
    assert escape(shown) == shown


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("did you mean `a b`?", [("did you mean ", False), ("a b", True), ("?", False)]),
        ("`a``b`", [("a", True), ("b", True)]),
        ("a ` b", [("a ` b", False)]),
        ("``", [("``", False)]),
        ("", []),
    ],
)
def test_what_stands_between_backticks_is_code(text, pieces):
    assert list(split_code(text)) == pieces

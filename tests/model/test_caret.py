"""An error in a text is shown where it is, whatever the text."""

from hypothesis import given
from hypothesis import strategies as st

from repro.model.caret import point_at
from repro.model.width import places


def test_carets_are_under_the_place():
    assert point_at("lr < 1 && x", 7, 9) == (
        "lr < 1 && x",
        "       ^^",
    )


def test_the_end_of_a_text_has_a_caret_of_its_own():
    assert point_at("lr <", 4, 4) == ("lr <", "    ^")
    assert point_at("", 0, 0) == ("", "^")


def test_wide_letters_and_escapes_do_not_move_the_caret():
    assert point_at("学習\n= x", 4, 5) == ("学習\\n= x", "       ^")


def test_of_a_long_text_the_place_is_shown():
    text = "a" * 1000 + " < 1 and b = 'x' " + "c" * 1000
    start = text.index("b =")

    line, marks = point_at(text, start, start + 1)

    assert line[marks.index("^")] == "b"
    assert line.startswith("…")
    assert line.endswith("…")
    assert "< 1 and b = 'x'" in line


def test_a_long_place_is_cut():
    line, marks = point_at("x" * 10_000, 0, 10_000)

    assert line == "x" * 75 + "…"
    assert marks == "^" * 76


@given(st.text(), st.text(), st.text())
def test_any_text_is_pointed_at(before, marked, after):
    line, marks = point_at(before + marked + after, len(before), len(before + marked))

    assert "^" in marks
    assert places(line) <= 76
    assert places(marks) <= 77
    assert line.isprintable() or not (before + marked + after).isprintable()

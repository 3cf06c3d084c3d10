"""Colours of a terminal as names."""

from hypothesis import given
from hypothesis import strategies as st

from repro.model.ansi import Piece, Style, read_lines


def test_colours_go_on_until_they_are_reset():
    lines = list(read_lines(["a\x1b[31mred", "still\x1b[0m plain"]))

    assert lines == [
        (Piece("a", Style()), Piece("red", Style("red"))),
        (Piece("still", Style("red")), Piece(" plain", Style())),
    ]


def test_bold_faint_bright_and_those_of_256_colours():
    [line] = read_lines(["\x1b[1;92ma\x1b[22;2mb\x1b[38;5;31mc\x1b[38;2;1;31;3md\x1b[39me"])

    assert [(one.text, one.style) for one in line] == [
        ("a", Style("green", is_bold=True)),
        ("b", Style("green", is_dim=True)),
        ("c", Style("green", is_dim=True)),
        ("d", Style("green", is_dim=True)),
        ("e", Style(is_dim=True)),
    ]


def test_whatever_else_a_terminal_obeys_is_left_out():
    [line] = read_lines(["\x1b[2J\x1b]8;;http://evil\x07link\x1b]8;;\x1b\\\x1bc\x1b[5;5H"])

    assert line == (Piece("link", Style()),)


@given(st.text(alphabet=st.sampled_from("\x1b[]0123456789;:mKa\x07\u202e\n"), max_size=60))
def test_no_text_gets_a_control_through(text):
    for line in read_lines([text]):
        assert all(piece.text.isprintable() for piece in line)

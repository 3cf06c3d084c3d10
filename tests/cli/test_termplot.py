"""Charts in the characters of a terminal."""

import io
import math
import sys

import pytest

from repro.cli.termplot import draw_chart
from repro.errors import InvalidInputError
from repro.model.svgchart import Line, LineChart
from repro.model.width import places


def chart(*lines, width=40, height=16, **wish):
    words = {"title": "loss", "x_label": "step", "y_label": "loss", **wish}
    return LineChart(lines=lines, width=width, height=height, **words)


def line(*ys, label="one", colour=0, **wish):
    return Line(label=label, xs=range(len(ys)), ys=ys, colour=colour, **wish)


def draw(*lines, **wish):
    return draw_chart(chart(*lines, **wish))


def test_a_line_is_drawn_from_corner_to_corner_within_its_axes():
    drawn = draw(line(0.0, 1.0))

    assert drawn[0] == "loss over step"
    assert "1.0 ┤" in drawn[1]
    assert drawn[1][-1] in "⠁⠈⠉⡈⢈⠊⠑⠒⠔⠤⡠⢀⠠⣀⠜⠎⢠⡰⢰⠰⢄⠐⠂"
    assert drawn[-1].split() == ["-", "one", "1"]
    assert max(map(len, drawn)) == 40
    assert len(drawn) == 16


def test_lines_have_letters_at_their_ends_and_in_the_legend():
    drawn = draw(line(0.0, 1.0, label="up"), line(1.0, 0.0, label="down", colour=1))

    assert [row.split() for row in drawn[-2:]] == [["A", "up", "1"], ["B", "down", "0"]]
    assert drawn[1].endswith("A")
    assert any(row.endswith("B") for row in drawn[10:13])


def test_more_lines_than_there_is_room_for_are_counted():
    drawn = draw(*[line(float(number), label=f"run{number}", colour=number) for number in range(9)])

    assert drawn[-1] == "… and 5 more"


def test_a_gap_is_free_and_what_is_infinite_is_marked():
    ys = [1.0] * 20 + [math.nan] * 20 + [1.0] * 20 + [math.inf] + [1.0] * 19
    drawn = draw(line(*ys))

    [row] = [row for row in drawn[1:] if "⠒" in row or "⠤" in row or "⠉" in row or "⣀" in row]
    assert "      " in row.partition("┤")[2].strip()
    assert "▲" in drawn[1]


def test_smooth_lines_are_drawn_without_the_values_behind_them():
    drawn = draw(line(5.0, 5.0, label="raw", is_faint=True), line(1.0, 2.0, label="smooth"))

    assert not any("raw" in row for row in drawn)
    assert not any(row.startswith("5") for row in drawn)


def test_where_the_locale_has_no_braille_all_of_it_is_ascii(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    drawn = draw(line(0.0, 1.0, math.inf, label="é日本"), line(1.0, 0.0, colour=1))

    assert "\n".join(drawn).isascii()
    assert "^" in drawn[1]


def test_names_cannot_command_the_terminal():
    drawn = draw(line(1.0, label="\x1b[2J\n"), title="\x1b[31m", x_label="\r")

    assert "\x1b" not in "".join(drawn)
    assert "\\x1b[2J" in drawn[-1]


def test_lines_fit_the_width_however_wide_names_are():
    drawn = draw(line(1.0, 2.0, label="日本" * 40), title="日本" * 40, width=30)

    assert max(map(places, drawn)) <= 30


@pytest.mark.parametrize(
    "ys", [(), (math.nan,), (math.inf,), (5.0,), (1e308, -1e308), (0.0, 5e-324)]
)
@pytest.mark.parametrize("is_log_y", [False, True])
def test_whatever_the_values_there_is_a_chart(ys, is_log_y):
    assert len(draw(line(*ys), is_log_y=is_log_y, width=5, height=1)) >= 6


def test_on_a_terminal_each_line_has_its_colour(monkeypatch):
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)

    drawn = "".join(draw(line(0.0, 1.0), line(1.0, 0.0, colour=1)))

    assert "\x1b[38;5;33m" in drawn
    assert "\x1b[38;5;166mB\x1b[0m" in drawn


def test_a_letter_has_the_colour_of_its_line_under_lines_drawn_later(monkeypatch):
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)

    rows = draw(line(0.0, 1.0), line(0.0, 1.0, colour=1))[1:-2]

    assert "\x1b[38;5;33mA\x1b[0m" in "".join(rows)


def test_without_plotille_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "plotille", None)

    with pytest.raises(InvalidInputError, match="plotille") as refused:
        draw(line(1.0))

    assert "git-repro[plot]" in refused.value.hint

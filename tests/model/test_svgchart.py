"""Charts as SVG: what they show, that they stand alone, and that nothing in them is markup."""

import math
import re
from xml.etree import ElementTree

import pytest

from repro.model.palette import PALETTE
from repro.model.svgchart import Line, LineChart, draw_charts, line_chart

CROSS = "m-35-35l70 70m0-70l-70 70"
SVG = "{http://www.w3.org/2000/svg}"


def draw(*lines, **wish):
    words = {"title": "loss", "x_label": "step", "y_label": "loss", **wish}
    return line_chart(lines, **words)


def line(*ys, **wish):
    return Line(**{"label": "one", "xs": range(len(ys)), "ys": ys, **wish})


def paths(svg):
    """What is drawn of lines: the words of each path with its stroke."""
    found = re.findall(r'<path d="(M[^"]*l[^"]*)" stroke="(#\w+)"( stroke-dasharray="[^"]*")?', svg)
    return [(path, colour, bool(dashes)) for path, colour, dashes in found]


def texts(svg):
    return ["".join(one.itertext()) for one in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_a_line_goes_from_its_first_point_to_its_last():
    [(path, colour, _)] = paths(draw(line(0.0, 1.0, 0.5)))

    _, *moves = [[int(n) for n in re.findall(r"-?\d+", word)] for word in path.split("l")]
    assert colour == PALETTE[0]
    assert len(moves[0]) == 4
    assert moves[0][0] == pytest.approx(moves[0][2], abs=1)  # steps lie equally far apart
    assert moves[0][1] < 0 < moves[0][3]  # up, then down


def test_a_nan_is_a_gap_and_a_point_alone_a_dot():
    svg = draw(line(1.0, 2.0, math.nan, 3.0, math.nan, 4.0, 5.0))

    assert paths(svg)[0][0].count("M") == 2
    assert svg.count("<circle") == 1


def test_what_is_infinite_is_marked_at_the_edge_and_gives_no_axis():
    svg = draw(line(1.0, math.inf, 2.0, -math.inf, 1.0))

    up, down = re.findall(r"M\d+ (\d+)l-40 ?(-?70)h80z", svg)
    assert int(up[0]) < int(down[0])
    assert (up[1], down[1]) == ("70", "-70")
    assert "2.0" in texts(svg)
    assert "▲ infinite  ▼ -infinite" in texts(svg)


def test_a_nan_is_marked_at_its_step_and_the_mark_is_explained():
    svg = draw(line(1.0, math.nan, 2.0))

    assert svg.count(CROSS) == 1
    assert "× NaN" in texts(svg)
    assert "3 points, 1 of them NaN," in svg
    assert "× NaN" not in texts(draw(line(1.0, 2.0)))


def test_marks_that_would_stand_over_each_other_are_one():
    assert 10 < draw(line(*[math.nan] * 5000)).count(CROSS) < 50


def test_where_no_value_is_finite_no_number_is_at_the_axis():
    odd = texts(draw(line(math.nan, math.inf, math.nan)))

    assert "2.0" in odd  # a step
    assert {"0.2", "0.4", "0.8"}.isdisjoint(odd)


def test_what_a_logarithmic_axis_has_no_place_for_is_a_gap():
    svg = draw(line(1.0, 10.0, 0.0, 100.0, 10.0), is_log_y=True)

    assert paths(svg)[0][0].count("M") == 2
    assert {"1", "10", "100"} <= set(texts(svg))


def test_beyond_ten_lines_colours_come_again_with_dashes():
    lines = [line(1.0, 2.0, colour=number, label=str(number)) for number in range(12)]

    drawn = paths(draw(*lines))

    assert drawn[10][1:] == (PALETTE[0], True)
    assert drawn[0][1:] == (PALETTE[0], False)


def test_several_lines_have_a_legend_and_faint_ones_no_part_in_it():
    alone = texts(draw(line(1.0, 2.0, label="alone"), line(1.0, 3.0, is_faint=True)))
    two = texts(draw(line(1.0, 2.0, label="left"), line(1.0, 3.0, label="right")))
    many = texts(draw(*[line(1.0, label=f"run{number}") for number in range(40)]))

    assert "alone" not in alone
    assert {"left", "right"} <= set(two)
    assert "… and 10 more" in many


def test_a_screen_reader_hears_what_is_drawn():
    root = ElementTree.fromstring(draw(line(3.0, 1.0, 2.0, label="base")))

    assert root.get("role") == "img"
    assert root.find(f"{SVG}title").text == "loss"
    said = root.find(f"{SVG}desc").text
    assert said == "loss over step. base: 3 points, from 3 to 2, lowest 1, highest 3."


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", '"&<b>', "a\x1b[31m\x00\ufffe\n", "日本"]
)
def test_names_are_text_whatever_they_are(text):
    lines = [line(1.0, 2.0, label=text), line(2.0, 1.0, label=text)]
    svg = draw(*lines, title=text, x_label=text, y_label=text)

    root = ElementTree.fromstring(svg)
    assert not list(root.iter(f"{SVG}script"))
    assert "\x1b" not in svg


def test_it_stands_alone_and_is_the_same_inside_a_page():
    svg = draw(line(1.0, 2.0))

    assert "href" not in svg
    assert " id=" not in svg
    assert svg.count("http") == 1  # its own name of the language
    assert ' style="' not in svg
    assert "svg:root" in svg  # what it sets of colours holds for a file of its own alone


def test_a_chart_of_nothing_is_a_chart():
    assert texts(draw())
    assert texts(draw(line(math.nan, math.nan)))
    assert texts(draw(line()))


def test_charts_stand_below_each_other():
    chart = LineChart(lines=[line(1.0, 2.0)], title="loss", x_label="step", y_label="loss")
    other = LineChart(lines=[line(1.0)], title="acc", x_label="step", y_label="acc", height=200)

    root = ElementTree.fromstring(draw_charts([chart, other]))

    assert root.get("height") == "520"
    assert root.find(f"{SVG}title").text == "loss, acc"
    assert root.find(f"{SVG}g[@transform='translate(0 320)']") is not None


def test_a_thousand_points_take_few_bytes():
    ys = [math.sin(number / 30) for number in range(1000)]

    assert len(draw(line(*ys))) < 12_000


def bands(svg):
    """The corners of each tinted area."""
    found = re.findall(r'<path d="M([^"]*)z" fill="#\w+" fill-opacity', svg)
    return [[int(word) for word in words.split()] for words in found]


def test_a_band_is_tinted_behind_all_lines_and_the_axis_reaches_its_edges():
    svg = draw(line(1.0, 1.0, band=([0.5, -7.0], [1.5, 9.0])), line(1.0, 1.0, label="two"))

    [corners] = bands(svg)
    left, right = corners[0], corners[2]
    assert corners[0::2] == [left, right, right, left]
    high, higher, lowest, low = corners[1::2]  # from the top down
    assert higher < high < low < lowest
    assert svg.index("fill-opacity") < svg.index('stroke="#')
    assert "-5" in texts(svg)
    assert "at the end between -7 and 9" in svg


def test_a_band_below_zero_ends_at_the_foot_of_a_logarithmic_axis():
    [corners] = bands(draw(line(1.0, 10.0, band=([-1.0, 0.0], [2.0, math.inf])), is_log_y=True))

    assert corners[5] == corners[7] == max(corners[1::2])
    assert corners[3] == min(corners[1::2])

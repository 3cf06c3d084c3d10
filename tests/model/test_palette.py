"""The colours of charts can be told apart, by anybody, on white and on dark ground."""

import math
import re
from itertools import combinations
from pathlib import Path

import pytest

import repro.web
from repro.model.palette import PALETTE, TERMINAL_PALETTE

# G. Machado, M. Oliveira, L. Fernandes, "A Physiologically-based Model for Simulation of Color
# Vision Deficiency", 2009: of linear RGB, at full severity; and how far apart two colours are then.
VISIONS = {
    "usual": (((1, 0, 0), (0, 1, 0), (0, 0, 1)), 30),
    "protan": (
        ((0.152, 1.053, -0.205), (0.115, 0.786, 0.099), (-0.004, -0.048, 1.052)), 19,
    ),
    "deutan": (
        ((0.367, 0.861, -0.228), (0.280, 0.673, 0.047), (-0.012, 0.043, 0.969)), 19,
    ),
    "tritan": (
        ((1.256, -0.077, -0.179), (-0.078, 0.931, 0.148), (0.005, 0.691, 0.304)), 24,
    ),
}  # fmt: skip


def linear(colour):
    shares = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in shares]


def lab(rgb):
    r, g, b = (max(0.0, min(1.0, one)) for one in rgb)
    xyz = (
        (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505,
        0.2126 * r + 0.7152 * g + 0.0722 * b,
        (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089,
    )
    x, y, z = (one ** (1 / 3) if one > 0.008856 else 7.787 * one + 16 / 116 for one in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def seen(colour, matrix):
    rgb = linear(colour)
    return lab([sum(a * b for a, b in zip(row, rgb, strict=True)) for row in matrix])


def luminance(colour):
    r, g, b = linear(colour)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


@pytest.mark.parametrize("vision", VISIONS)
def test_any_two_colours_can_be_told_apart(vision):
    matrix, least = VISIONS[vision]
    pairs = combinations([seen(colour, matrix) for colour in PALETTE], 2)
    assert min(math.dist(one, other) for one, other in pairs) > least


@pytest.mark.parametrize("ground", ["#ffffff", "#0d1117"])
def test_lines_stand_out_from_the_ground(ground):
    for colour in PALETTE:
        low, high = sorted([luminance(colour), luminance(ground)])
        assert (high + 0.05) / (low + 0.05) >= 3


def test_colours_of_a_terminal_are_as_many_and_differ():
    assert len(set(TERMINAL_PALETTE)) == len(PALETTE)


def test_the_page_has_the_same_colours():
    css = (Path(repro.web.__file__).parent / "static" / "base.css").read_text()
    assert re.findall(r"--c\d: (#[0-9a-f]{6})", css) == list(PALETTE)

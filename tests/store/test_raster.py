"""SVG becomes PNG, where resvg is installed."""

import struct
import sys

import pytest

from repro.errors import InvalidInputError
from repro.model.svgchart import Line, line_chart
from repro.store.raster import svg_to_png

CHART = line_chart([Line(label="a", xs=[0, 1], ys=[1, 2])], title="t", x_label="x", y_label="y")


def test_a_chart_is_a_png_of_twice_its_size():
    pytest.importorskip("resvg_py")
    data = svg_to_png(CHART)

    assert data.startswith(b"\x89PNG")
    assert struct.unpack(">II", data[16:24]) == (1280, 640)


def test_without_resvg_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "resvg_py", None)

    with pytest.raises(InvalidInputError, match="resvg") as refused:
        svg_to_png(CHART)

    assert "git-repro[plot]" in refused.value.hint

"""A chart of lines as one SVG, without any script."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from repro.model.palette import PALETTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of a chart.

    Attributes:
        ys: As many as `xs`; the line has a gap where one is NaN.
        colour: Place in the palette; from its end on the lines are dashed.
    """

    label: str
    xs: Sequence[float]
    ys: Sequence[float]
    colour: int = 0


def line_chart(
    lines: Sequence[Line],
    *,
    title: str,
    x_label: str,
    y_label: str,
    width: int = 640,
    height: int = 320,
    is_log_x: bool = False,
    is_log_y: bool = False,
) -> str:
    """Draw lines; the `<svg>` stands alone and within HTML, and holds no script."""
    xs = [x for line in lines for x in line.xs if math.isfinite(x)] or [0.0]
    ys = [y for line in lines for y in line.ys if math.isfinite(y)] or [0.0]
    del is_log_x, is_log_y
    parts = []
    for line in lines:
        points = " ".join(
            f"{_place(x, xs, width):.1f},{height - _place(y, ys, height):.1f}"
            for x, y in zip(line.xs, line.ys, strict=True)
            if math.isfinite(x) and math.isfinite(y)
        )
        colour = PALETTE[line.colour % len(PALETTE)]
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}"/>')
    said = f"{escape(y_label)} over {escape(x_label)}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">'
        f"<title>{escape(title)}</title><desc>{said}</desc>{''.join(parts)}</svg>"
    )


def _place(value: float, values: Sequence[float], length: int) -> float:
    low, high = min(values), max(values)
    return length * (value - low) / (high - low) if high > low else length / 2

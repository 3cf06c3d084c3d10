"""A chart of lines as one SVG, without any script."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape as escape_html
from itertools import chain

from repro.model.axis import Axis, Quantity, make_axis
from repro.model.palette import PALETTE
from repro.model.readable import format_number, shorten
from repro.model.text import escape
from repro.model.width import places

FINE = 10  # units of a line in a pixel: whole numbers are short
_DASHES = ("", "60 30", "20 30", "90 30 20 30", "40 20 10 20 10 20")
_MOST_NAMED = 30  # lines in the legend
_MOST_TOLD = 10  # lines in the description
_LETTER = 7.5  # pixels of one, about
_LONGEST = 40  # characters of a label
_TOP, _RIGHT, _BELOW = 30, 14, 40
_ROW = 18  # pixels of a line of the legend
_ROOM_X, _ROOM_Y = 80, 40  # pixels between two ticks, about
_ROOM_MARK = 14  # pixels between two marks, at least
_MARKS = {
    "× NaN": "m-35-35l70 70m0-70l-70 70",
    "▲ infinite": "l-40 70h80z",
    "▼ -infinite": "l-40-70h80z",
}
_NAN, _ABOVE, _BENEATH = _MARKS

# Only where the SVG is a file of its own: within a page it takes the colour of the text there.
STYLE = (
    "<style>svg:root{color:#1f2328;background:#fff}"
    "@media(prefers-color-scheme:dark){svg:root{color:#e6edf3;background:#0d1117}}</style>"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of a chart.

    Attributes:
        xs: In the order in which they are joined.
        ys: As many; the line has a gap where one is not finite, and a mark at the edge.
        colour: Place in the palette; beyond its end colours come again, with dashes.
        is_faint: Whether it only stands behind another one, as raw values behind smooth ones; it
            is not in the legend.
        band: The lower and the upper edge of what is tinted around it, as many numbers each.
    """

    label: str
    xs: Sequence[float]
    ys: Sequence[float]
    colour: int = 0
    is_faint: bool = False
    band: tuple[Sequence[float], Sequence[float]] | None = None

    @property
    def heights(self) -> Iterator[float]:
        """All that the y axis must reach."""
        return chain(self.ys, *(self.band or ()))


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where the lines are drawn, in pixels."""

    left: int
    top: int
    width: int
    height: int
    x: Axis
    y: Axis


@dataclass(frozen=True, slots=True, kw_only=True)
class LineChart:
    """What there is to draw.

    Attributes:
        title: Also what a screen reader says first.
        width: Pixels.
        height: Pixels, less those of the legend, which is below where there are several lines.
    """

    lines: Sequence[Line]
    title: str
    x_label: str
    y_label: str
    width: int = 640
    height: int = 320
    is_log_x: bool = False
    is_log_y: bool = False
    x_quantity: Quantity = Quantity.NUMBER


def line_chart(  # noqa: PLR0913  # each is a choice of who draws
    lines: Sequence[Line],
    *,
    title: str,
    x_label: str,
    y_label: str,
    width: int = 640,
    height: int = 320,
    is_log_x: bool = False,
    is_log_y: bool = False,
    x_quantity: Quantity = Quantity.NUMBER,
) -> str:
    """Draw one chart, as `draw_charts` does."""
    chart = LineChart(
        lines=lines,
        title=title,
        x_label=x_label,
        y_label=y_label,
        width=width,
        height=height,
        is_log_x=is_log_x,
        is_log_y=is_log_y,
        x_quantity=x_quantity,
    )
    return draw_charts([chart])


def draw_charts(charts: Sequence[LineChart]) -> str:
    """Draw charts, one below the other, as an `<svg>` that stands alone or within HTML.

    It holds no script, no id and no address; labels are escaped. Where the colours of a line come
    again, dashes tell it apart.

    Cost: about 4 µs a point, 5 bytes of SVG each.
    """
    width = max(chart.width for chart in charts)
    top = 0
    parts = []
    for chart in charts:
        body, height = _chart(chart)
        parts.append(f'<g transform="translate(0 {top})">{body}</g>' if top else body)
        top += height
    title = _text(", ".join(chart.title for chart in charts))
    said = " ".join(map(_describe, charts))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" width="{width}"'
        f' height="{top}" viewBox="0 0 {width} {top}" fill="currentColor"'
        ' font-family="system-ui,sans-serif" font-size="12">'
        f"<title>{title}</title><desc>{said}</desc>{STYLE}{''.join(parts)}</svg>"
    )


def line_sample(colour: int) -> str:
    """A short piece of a line with that place in the palette, to stand beside a name in HTML."""
    line = Line(label="", xs=(), ys=(), colour=colour)
    return (
        '<svg class="sample" width="24" height="8" viewBox="0 0 240 80" aria-hidden="true"'
        f' fill="none" stroke-width="25">{_path(line, "M0 40h240")}</svg>'
    )


def _chart(chart: LineChart) -> tuple[str, int]:
    """The inside of the SVG of one chart, and its height in pixels."""
    frame = _make_frame(chart)
    named = _named(chart)
    legend, n_rows = _legend(named, chart.height, chart.width) if len(named) > 1 else ("", 0)
    odd: dict[str, None] = {}  # marks that stand for something
    drawn = "".join(_draw_band(line, frame) for line in chart.lines)
    drawn += "".join(_draw(line, frame, odd) for line in chart.lines)
    body = (
        f'<text x="{frame.left}" y="18" font-size="14" font-weight="600">'
        f"{_text(_cut(chart.title, (chart.width - frame.left) / 8))}</text>"
        f"{_axes(frame, chart.x_label, chart.y_label, list(odd))}"
        f'<g transform="scale({1 / FINE})" fill="none" stroke-width="16"'
        f' stroke-linejoin="round" stroke-linecap="round">{drawn}</g>{legend}'
    )
    return body, chart.height + n_rows * _ROW + (6 if n_rows else 0)


def _named(chart: LineChart) -> list[Line]:
    return [line for line in chart.lines if not line.is_faint]


def _make_frame(chart: LineChart) -> _Frame:
    ys = [one for line in chart.lines for one in line.heights if math.isfinite(one)]
    inner = max(40, chart.height - _TOP - _BELOW)
    n_ticks = max(2, inner // _ROOM_Y)
    y = make_axis(ys, n_ticks=n_ticks, is_log=chart.is_log_y, margin=0.04)
    y = y if ys else replace(y, ticks=())  # no number has a place
    left = 30 + int(max([places(tick.label) for tick in y.ticks] or [1]) * _LETTER)
    across = max(40, chart.width - left - _RIGHT)
    x = make_axis(
        (x for line in chart.lines for x in line.xs),
        n_ticks=max(2, across // _ROOM_X),
        is_log=chart.is_log_x,
        quantity=chart.x_quantity,
        margin=0.01,
    )
    return _Frame(left, _TOP, across, inner, x, y)


def _axes(frame: _Frame, x_label: str, y_label: str, odd: Sequence[str]) -> str:
    """The grid, the labels, and what the marks of `odd` stand for."""
    left, top = frame.left, frame.top
    right, bottom = left + frame.width, top + frame.height
    grid, labels = [], []
    for tick in frame.y.ticks:
        at = bottom - frame.y.share(tick.value) * frame.height
        grid.append(f"M{left} {at:.1f}H{right}")
        labels.append(
            f'<text x="{left - 6}" y="{at + 4:.1f}" text-anchor="end">{_text(tick.label)}</text>'
        )
    free = float(left)  # from here on there is no label yet
    for tick in frame.x.ticks:
        at = left + frame.x.share(tick.value) * frame.width
        grid.append(f"M{at:.1f} {top}V{bottom}")
        half = places(tick.label) * _LETTER / 2
        middle = min(at, right + _RIGHT - half)
        if middle - half < free - half * (free == left):
            continue
        free = middle + half + _LETTER
        labels.append(
            f'<text x="{middle:.1f}" y="{bottom + 16}" text-anchor="middle">'
            f"{_text(tick.label)}</text>"
        )
    middle_y = top + frame.height // 2
    remark = "  ".join(odd)
    room = frame.width - 2 * places(remark) * _LETTER
    return (
        f'<path d="{"".join(grid)}" stroke="currentColor" stroke-opacity=".15" fill="none"/>'
        f'<path d="M{left} {top}V{bottom}H{right}" stroke="currentColor" stroke-opacity=".6"'
        f' fill="none"/><g>{"".join(labels)}'
        f'<text x="{left + frame.width // 2}" y="{bottom + 33}" text-anchor="middle">'
        f"{_text(_cut(x_label, room / _LETTER))}</text>"
        + (f'<text x="{right}" y="{bottom + 33}" text-anchor="end">{remark}</text>' if odd else "")
        + f'<text transform="translate(14 {middle_y}) rotate(-90)" text-anchor="middle">'
        f"{_text(_cut(y_label, frame.height / _LETTER))}</text></g>"
    )


def _draw(line: Line, frame: _Frame, odd: dict[str, None]) -> str:
    """A path for the line, circles for points that stand alone, marks for what is not finite.

    Args:
        odd: The marks that were drawn are added.
    """
    stretches, beyond = _place(line, frame)
    path, dots = [], []
    for stretch in stretches:
        (x, y), rest = stretch[0], stretch[1:]
        if not rest:
            dots.append(f'<circle cx="{x}" cy="{y}" r="25"/>')
            continue
        path.append(f"M{x} {y}l")
        words = []
        for to_x, to_y in rest:
            words.append(f"{to_x - x} {to_y - y}")
            x, y = to_x, to_y
        path.append(" ".join(words).replace(" -", "-"))
    parts = [_path(line, "".join(path))] if path else []
    colour = _colour(line)
    if dots:
        parts.append(f'<g fill="{colour}" stroke="none">{"".join(dots)}</g>')
    if beyond:
        odd |= dict.fromkeys(mark for mark in _MARKS if any(one[2] == mark for one in beyond))
        marks = "".join(f"M{x} {y}{_MARKS[mark]}" for x, y, mark in beyond)
        parts.append(f'<path d="{marks}" fill="{colour}" stroke="{colour}"/>')
    faint = ' opacity=".3"' if line.is_faint else ""
    return f"<g{faint}><title>{_text(line.label)}</title>{''.join(parts)}</g>"


def _draw_band(line: Line, frame: _Frame) -> str:
    """The area between the edges of a band; one that leaves the chart goes on along its edge."""
    if line.band is None:
        return ""
    low, high = line.band
    there = zip(line.xs, low, high, strict=True)
    inside = [(x, *edges) for x, *edges in there if -1e-6 <= frame.x.share(x) <= 1.000001]
    around = [(x, y) for x, _, y in inside] + [(x, y) for x, y, _ in reversed(inside)]
    if not around:
        return ""
    corners = " ".join(f"{_across(frame, x)} {_down(frame, y)}" for x, y in around)
    return f'<path d="M{corners}z" fill="{_colour(line)}" fill-opacity=".18" stroke="none"/>'


def _across(frame: _Frame, x: float) -> int:
    return frame.left * FINE + round(frame.x.share(x) * frame.width * FINE)


def _down(frame: _Frame, y: float) -> int:
    share = frame.y.share(y)
    share = 0.0 if math.isnan(share) else min(max(share, 0.0), 1.0)
    return frame.top * FINE + round((1 - share) * frame.height * FINE)


def _path(line: Line, path: str) -> str:
    dash = _DASHES[line.colour // len(PALETTE) % len(_DASHES)]
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<path d="{path}" stroke="{_colour(line)}"{dashes}/>'


def _place(
    line: Line, frame: _Frame
) -> tuple[list[list[tuple[int, int]]], list[tuple[int, int, str]]]:
    """The points of each stretch without a gap, and marks of those that are not finite."""
    left, top = frame.left * FINE, frame.top * FINE
    across, down = frame.width * FINE, frame.height * FINE
    stretches: list[list[tuple[int, int]]] = []
    beyond: list[tuple[int, int, str]] = []
    free = dict.fromkeys(_MARKS, -math.inf)  # from where on there is room for the next mark
    is_joined = False
    for one_x, one_y in zip(line.xs, line.ys, strict=True):
        share_x, share_y = frame.x.share(one_x), frame.y.share(one_y)
        mark = _mark(one_y, share_y)
        is_outside = not -1e-6 <= share_x <= 1.000001
        if is_outside or mark is not None or math.isnan(share_y):
            is_joined = False
        if is_outside or (mark is None and math.isnan(share_y)):
            continue
        x = left + round(share_x * across)
        if mark is not None:
            if x >= free[mark]:
                free[mark] = x + _ROOM_MARK * FINE
                at_y = {_NAN: top + down - 45, _ABOVE: top, _BENEATH: top + down}[mark]
                beyond.append((x, at_y, mark))
            continue
        at = x, top + round((1 - share_y) * down)
        if not is_joined:
            stretches.append([at])
            is_joined = True
        elif stretches[-1][-1] != at:
            stretches[-1].append(at)
    return stretches, beyond


def _mark(value: float, share: float) -> str | None:
    """What stands at the edge for a value; None for one that has a place, or is left out."""
    if math.isnan(value):
        return _NAN
    if value == math.inf or share > 1.000001:
        return _ABOVE
    return _BENEATH if value == -math.inf or share < -1e-6 else None


def _legend(lines: Sequence[Line], top: int, width: int) -> tuple[str, int]:
    """The names of the lines below the chart, and how many rows they take."""
    x, row = 12.0, 0
    parts = []
    for line in lines[:_MOST_NAMED]:
        label = shorten(escape(line.label), _LONGEST)
        needed = 40 + places(label) * _LETTER
        if x + needed > width and x > 12:
            x, row = 12.0, row + 1
        y = top + row * _ROW + 8
        sample = _path(line, f"M{x * FINE:.0f} {y * FINE}h220")
        parts.append(
            f'<g transform="scale({1 / FINE})" fill="none" stroke-width="20">{sample}</g>'
            f'<text x="{x + 28:.0f}" y="{y + 4}">{_text(label)}</text>'
        )
        x += needed
    if len(lines) > _MOST_NAMED:
        row += 1
        more = f"… and {len(lines) - _MOST_NAMED} more"
        parts.append(f'<text x="12" y="{top + row * _ROW + 12}">{more}</text>')
    return "".join(parts), row + 1


def _describe(chart: LineChart) -> str:
    lines = _named(chart)
    told = [_text(f"{line.label}: {', '.join(_facts(line))}.") for line in lines[:_MOST_TOLD]]
    if len(lines) > _MOST_TOLD:
        told.append(f"And {len(lines) - _MOST_TOLD} more lines.")
    return " ".join([_text(f"{chart.y_label} over {chart.x_label}."), *told])


def _facts(line: Line) -> Iterator[str]:
    numbers = [y for y in line.ys if not math.isnan(y)]
    if not numbers:
        yield f"{len(line.ys):,} NaN" if line.ys else "nothing to draw"
        return
    yield f"{len(line.ys):,} point{'' if len(line.ys) == 1 else 's'}"
    if len(numbers) < len(line.ys):
        yield f"{len(line.ys) - len(numbers):,} of them NaN"
    yield f"from {format_number(numbers[0])} to {format_number(numbers[-1])}"
    yield f"lowest {format_number(min(numbers))}, highest {format_number(max(numbers))}"
    if line.band is not None:
        low, high = (format_number(edge[-1]) for edge in line.band)
        yield f"at the end between {low} and {high}"


def _colour(line: Line) -> str:
    return PALETTE[line.colour % len(PALETTE)]


def _cut(text: str, room: float) -> str:
    return shorten(text, max(4, int(room)))


def _text(text: str) -> str:
    """Text of the user for SVG: nothing in it is markup, a control character is shown."""
    # XML has no way at all to write these two.
    return escape_html(escape(text).translate({0xFFFE: "\\ufffe", 0xFFFF: "\\uffff"}))

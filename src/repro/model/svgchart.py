"""A chart of lines as one SVG, without any script."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape as escape_html

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
        ys: As many; the line has a gap where one is NaN, and a mark at the edge where one is
            infinite.
        colour: Place in the palette; beyond its end colours come again, with dashes.
        is_faint: Whether it only stands behind another one, as raw values behind smooth ones; it
            is not in the legend.
    """

    label: str
    xs: Sequence[float]
    ys: Sequence[float]
    colour: int = 0
    is_faint: bool = False


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
    drawn = "".join(_draw(line, frame) for line in chart.lines)
    body = (
        f'<text x="{frame.left}" y="18" font-size="14" font-weight="600">'
        f"{_text(_cut(chart.title, (chart.width - frame.left) / 8))}</text>"
        f"{_axes(frame, chart.x_label, chart.y_label)}"
        f'<g transform="scale({1 / FINE})" fill="none" stroke-width="16"'
        f' stroke-linejoin="round" stroke-linecap="round">{drawn}</g>{legend}'
    )
    return body, chart.height + n_rows * _ROW + (6 if n_rows else 0)


def _named(chart: LineChart) -> list[Line]:
    return [line for line in chart.lines if not line.is_faint]


def _make_frame(chart: LineChart) -> _Frame:
    pairs = [
        pair
        for line in chart.lines
        for pair in zip(line.xs, line.ys, strict=True)
        if not math.isnan(pair[1])
    ]
    inner = max(40, chart.height - _TOP - _BELOW)
    n_ticks = max(2, inner // _ROOM_Y)
    y = make_axis((y for _, y in pairs), n_ticks=n_ticks, is_log=chart.is_log_y, margin=0.04)
    left = 30 + int(max([places(tick.label) for tick in y.ticks] or [1]) * _LETTER)
    across = max(40, chart.width - left - _RIGHT)
    x = make_axis(
        (x for x, _ in pairs),
        n_ticks=max(2, across // _ROOM_X),
        is_log=chart.is_log_x,
        quantity=chart.x_quantity,
        margin=0.01,
    )
    return _Frame(left, _TOP, across, inner, x, y)


def _axes(frame: _Frame, x_label: str, y_label: str) -> str:
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
    return (
        f'<path d="{"".join(grid)}" stroke="currentColor" stroke-opacity=".15" fill="none"/>'
        f'<path d="M{left} {top}V{bottom}H{right}" stroke="currentColor" stroke-opacity=".6"'
        f' fill="none"/><g>{"".join(labels)}'
        f'<text x="{left + frame.width // 2}" y="{bottom + 33}" text-anchor="middle">'
        f"{_text(_cut(x_label, frame.width / _LETTER))}</text>"
        f'<text transform="translate(14 {middle_y}) rotate(-90)" text-anchor="middle">'
        f"{_text(_cut(y_label, frame.height / _LETTER))}</text></g>"
    )


def _draw(line: Line, frame: _Frame) -> str:
    """A path for the line, circles for points that stand alone, marks for what is infinite."""
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
        marks = "".join(
            f"M{x} {y}l-40 {side * 70}h80z" for x, y, side in beyond
        )  # a triangle that points out
        parts.append(f'<path d="{marks}" fill="{colour}" stroke="none"/>')
    faint = ' opacity=".3"' if line.is_faint else ""
    return f"<g{faint}><title>{_text(line.label)}</title>{''.join(parts)}</g>"


def _path(line: Line, path: str) -> str:
    dash = _DASHES[line.colour // len(PALETTE) % len(_DASHES)]
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<path d="{path}" stroke="{_colour(line)}"{dashes}/>'


def _place(
    line: Line, frame: _Frame
) -> tuple[list[list[tuple[int, int]]], list[tuple[int, int, int]]]:
    """The points of each stretch without a gap, and those beyond the axis with their side."""
    left, top = frame.left * FINE, frame.top * FINE
    across, down = frame.width * FINE, frame.height * FINE
    stretches: list[list[tuple[int, int]]] = []
    beyond: dict[tuple[int, int, int], None] = {}
    is_joined = False
    for one_x, one_y in zip(line.xs, line.ys, strict=True):
        share_x, share_y = frame.x.share(one_x), frame.y.share(one_y)
        if not -1e-6 <= share_x <= 1.000001 or math.isnan(share_y):
            is_joined = False
            continue
        x = left + round(share_x * across)
        if not -1e-6 <= share_y <= 1.000001:
            beyond[(x, top, 1) if share_y > 0 else (x, top + down, -1)] = None
            is_joined = False
            continue
        at = x, top + round((1 - share_y) * down)
        if not is_joined:
            stretches.append([at])
            is_joined = True
        elif stretches[-1][-1] != at:
            stretches[-1].append(at)
    return stretches, list(beyond)


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
        yield "nothing to draw"
        return
    yield f"{len(line.ys):,} point{'' if len(line.ys) == 1 else 's'}"
    yield f"from {format_number(numbers[0])} to {format_number(numbers[-1])}"
    yield f"lowest {format_number(min(numbers))}, highest {format_number(max(numbers))}"


def _colour(line: Line) -> str:
    return PALETTE[line.colour % len(PALETTE)]


def _cut(text: str, room: float) -> str:
    return shorten(text, max(4, int(room)))


def _text(text: str) -> str:
    """Text of the user for SVG: nothing in it is markup, a control character is shown."""
    # XML has no way at all to write these two.
    return escape_html(escape(text).translate({0xFFFE: "\\ufffe", 0xFFFF: "\\uffff"}))

"""Charts of lines in the characters of a terminal."""

import math
from collections.abc import Iterator, Sequence
from string import ascii_lowercase, ascii_uppercase
from typing import Any

from repro.cli import render
from repro.cli.screen import can_show, fit
from repro.errors import InvalidInputError
from repro.model.axis import Axis, make_axis
from repro.model.palette import PALETTE, TERMINAL_PALETTE
from repro.model.readable import format_number
from repro.model.svgchart import Line, LineChart
from repro.model.text import escape

_FEWEST_ROWS, _FEWEST_COLUMNS = 3, 8
_EMPTY = "\u2800"  # a character of braille without a dot
_EVERY = 24  # columns from one letter on a line to the next, where there are no colours
_LETTERS = ascii_uppercase + ascii_lowercase
_UNICODE = "│┤└─┬▲▼"
_ASCII = "|+`-+^v"
# Which of the four rows of dots of a character are set, as a character of ASCII.
_ROWS = (0x09, 0x12, 0x24, 0xC0)
_PLAIN = " '-'-|-|.|:|.|:|"


def draw_chart(chart: LineChart) -> list[str]:
    """Give the lines that show a chart, in colours where there may be any.

    Each of several lines has a letter at its end, and in the legend.

    Args:
        chart: `width` in places of a line, `height` in lines.

    Raises:
        InvalidInputError: plotille is not installed here.
    """
    names = [line for line in chart.lines if not line.is_faint]
    n_legend = min(len(names), max(1, chart.height // 3))
    rows = max(_FEWEST_ROWS, chart.height - 3 - n_legend)
    y = make_axis(
        (y for _, y in _drawn(chart)),
        n_ticks=max(2, rows // 3),
        is_log=chart.is_log_y,
        margin=0.02,
    )
    left = max([render.places(tick.label) for tick in y.ticks] or [0])
    columns = max(_FEWEST_COLUMNS, chart.width - left - 2)
    x = make_axis(
        (x for x, _ in _drawn(chart)),
        n_ticks=max(2, columns // 14),
        is_log=chart.is_log_x,
        quantity=chart.x_quantity,
    )
    glyphs = _UNICODE if can_show(_UNICODE + _EMPTY) else _ASCII
    raster = _Raster(columns, rows, x, y, glyphs)
    drawn = [raster.draw(line) for line in names]
    if len(names) > 1:
        # Behind all lines, which would take their colours.
        for line, places in zip(names, drawn, strict=True):
            raster.put_letters(line, places)
    title = f"{escape(chart.title)} over {escape(chart.x_label)}"
    return [
        render.colour(fit(title, chart.width), "bold"),
        *_beside_axis(raster.lines(), y, left, glyphs),
        *_below_axis(x, left, columns, glyphs),
        *_legend(names, n_legend, chart.width),
    ]


def _drawn(chart: LineChart) -> Iterator[tuple[float, float]]:
    """All points that have a place."""
    for line in chart.lines:
        if not line.is_faint:
            pairs = zip(line.xs, line.ys, strict=True)
            yield from (pair for pair in pairs if not math.isnan(pair[1]))


class _Raster:
    """The area of dots that lines are drawn in."""

    def __init__(self, columns: int, rows: int, x: Axis, y: Axis, glyphs: str) -> None:
        self._columns, self._rows = columns, rows
        self._x, self._y = x, y
        self._glyphs = glyphs
        self._has_colour = render.has_colour()
        self._canvas = _load_canvas()(columns, rows, mode="byte")
        self._taken: set[tuple[int, int]] = set()

    def draw(self, line: Line) -> list[tuple[float, float]]:
        """Draw a line; the shares of width and height at which its points are."""
        colour = _shade(line) if self._has_colour else None
        before: tuple[float, float] | None = None
        places: list[tuple[float, float]] = []
        for one_x, one_y in zip(line.xs, line.ys, strict=True):
            share_x, share_y = self._x.share(one_x), self._y.share(one_y)
            if not -1e-6 <= share_x <= 1.000001 or math.isnan(share_y):
                before = None
                continue
            at_x = min(max(share_x, 0.0), 1.0) * (1 - 0.5 / self._columns)
            if not -1e-6 <= share_y <= 1.000001:
                mark = self._glyphs[5] if share_y > 0 else self._glyphs[6]
                self._mark(at_x, 1.0 if share_y > 0 else 0.0, mark, colour)
                before = None
                continue
            at = at_x, min(max(share_y, 0.0), 1.0) * (1 - 0.25 / self._rows)
            if before is None:
                self._canvas.point(*at, color=colour)
            else:
                self._canvas.line(*before, *at, color=colour)
            before = at
            places.append(at)
        return places

    def put_letters(self, line: Line, places: Sequence[tuple[float, float]]) -> None:
        """One at the end; without colours some on the way, each line at columns of its own."""
        letter = _letter(line)
        if not places or not letter:
            return
        colour = _shade(line) if self._has_colour else None
        self._put(places[-1], letter, colour)
        if self._has_colour:
            return
        wanted = line.colour * 7 % _EVERY
        for place in places:
            column = int(place[0] * self._columns)
            if column >= wanted:
                wanted += _EVERY * (1 + (column - wanted) // _EVERY)
                self._put(place, letter, colour)

    def _put(self, place: tuple[float, float], letter: str, colour: int | None) -> None:
        """Put a letter there, or a few characters before it where another one is there."""
        row = int(place[1] * self._rows)
        column = int(place[0] * self._columns)
        free = [at for at in range(column, max(-1, column - 8), -1) if (row, at) not in self._taken]
        if free:
            self._taken.add((row, free[0]))
            self._canvas.text((free[0] + 0.25) / self._columns, place[1], letter, color=colour)

    def _mark(self, x: float, share: float, mark: str, colour: int | None) -> None:
        self._canvas.text(x, share * (1 - 0.25 / self._rows), mark, color=colour)

    def lines(self) -> list[str]:
        """What was drawn, from the top."""
        text = str(self._canvas.plot(linesep="\n"))
        if self._glyphs == _ASCII:
            text = "".join(map(_in_ascii, text))
        return text.replace(_EMPTY, " ").split("\n")


def _load_canvas() -> Any:
    try:
        from plotille import Canvas  # noqa: PLC0415  # an extra
    except ImportError:
        raise InvalidInputError(
            "charts in the terminal need plotille, which is not installed here",
            hint="`pip install 'git-repro[plot]'`; `-o FILE.svg` works without it",
        ) from None
    return Canvas


def _in_ascii(char: str) -> str:
    dots = ord(char) - ord(_EMPTY)
    if not 0 <= dots < 256:
        return char
    return _PLAIN[sum(1 << row for row, mask in enumerate(_ROWS) if dots & mask)]


def _shade(line: Line) -> int:
    return TERMINAL_PALETTE[line.colour % len(PALETTE)]


def _beside_axis(lines: Sequence[str], y: Axis, left: int, glyphs: str) -> Iterator[str]:
    labels = {}
    for tick in y.ticks:
        row = len(lines) - 1 - min(int(y.share(tick.value) * len(lines)), len(lines) - 1)
        labels[row] = tick.label
    for row, line in enumerate(lines):
        label = labels.get(row, "")
        axis = glyphs[1] if label else glyphs[0]
        yield f"{label.rjust(left)} {axis}{line}".rstrip()


def _below_axis(x: Axis, left: int, columns: int, glyphs: str) -> Iterator[str]:
    """The axis, and below it the labels that there is room for."""
    axis = [glyphs[3]] * columns
    labels = [" "] * (left + 2 + columns)
    free = 0
    for tick in x.ticks:
        at = min(int(x.share(tick.value) * columns), columns - 1)
        begin = left + 2 + at - len(tick.label) // 2
        begin = max(0, min(begin, left + 2 + columns - len(tick.label)))
        if begin < free:
            continue
        axis[at] = glyphs[4]
        labels[begin : begin + len(tick.label)] = tick.label
        free = begin + len(tick.label) + 2
    yield " " * (left + 1) + glyphs[2] + "".join(axis)
    yield "".join(labels).rstrip()


def _letter(line: Line) -> str:
    """What stands for a line where colours cannot."""
    return _LETTERS[line.colour] if line.colour < len(_LETTERS) else ""


def _legend(lines: Sequence[Line], most: int, width: int) -> Iterator[str]:
    """What each line is, and its last value."""
    shown = lines if len(lines) <= most else lines[: max(0, most - 1)]
    for line in shown:
        mark = (_letter(line) if len(lines) > 1 else "") or "-"
        last = format_number(line.ys[-1]) if line.ys else "no points"
        label = fit(escape(line.label), max(8, width - len(last) - 6))
        yield f"{render.shade(mark, _shade(line))} {label}  {last}"
    if len(shown) < len(lines):
        yield f"… and {len(lines) - len(shown)} more" if can_show("…") else "..."

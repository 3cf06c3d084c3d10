"""Text that a program coloured for a terminal, as pieces with names of colours."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from repro.model.text import escape

COLOURS = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")

# CSI, OSC, and the short ones (ECMA-48, 5th edition).
_SEQUENCE = re.compile(
    r"\x1b(?:\[([0-?]*)[ -/]*([@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-Z\\^-~])"
)
_BOLD, _DIM, _PLAIN = 1, 2, 22


@dataclass(frozen=True, slots=True)
class Style:
    """How text looks: the name of a colour, None for that of the page."""

    colour: str | None = None
    is_bold: bool = False
    is_dim: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """Text of one look, for eyes: escaped as `model/text.escape` does."""

    text: str
    style: Style


def read_lines(lines: Iterable[str]) -> Iterator[tuple[Piece, ...]]:
    """Give the pieces of each line; what a line set goes on in the next.

    Only the 16 colours of text, bold and faint are read. Whatever else a terminal would obey is
    left out.
    """
    style = Style()
    for line in lines:
        pieces: list[Piece] = []
        end = 0
        for match in _SEQUENCE.finditer(line):
            _add(pieces, line[end : match.start()], style)
            end = match.end()
            if match[2] == "m":
                style = _change(style, match[1])
        _add(pieces, line[end:], style)
        yield tuple(pieces)


def _add(pieces: list[Piece], text: str, style: Style) -> None:
    if text:
        pieces.append(Piece(escape(text.expandtabs(4)), style))


def _change(style: Style, parameters: str) -> Style:
    codes = [int(code) if code.isdecimal() and len(code) < 4 else 0 for code in _split(parameters)]
    place = 0
    while place < len(codes):
        code = codes[place]
        if code in (38, 48):  # a colour of many: the numbers that say which are no codes
            place += {5: 3, 2: 5}.get(codes[place + 1] if place + 1 < len(codes) else 0, 2)
            continue
        style = _with(style, code)
        place += 1
    return style


def _split(parameters: str) -> list[str]:
    return re.split("[;:]", parameters) if parameters else ["0"]


def _with(style: Style, code: int) -> Style:
    if code == 0:
        return Style()
    if code in (_BOLD, _DIM):
        return Style(style.colour, style.is_bold or code == _BOLD, style.is_dim or code == _DIM)
    if code == _PLAIN:
        return Style(style.colour)
    if 30 <= code <= 37 or 90 <= code <= 97:
        return Style(COLOURS[code % 10], style.is_bold, style.is_dim)
    if code == 39:
        return Style(None, style.is_bold, style.is_dim)
    return style

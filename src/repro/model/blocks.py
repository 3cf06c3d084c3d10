"""A page to read, block by block, before it is HTML or Markdown.

Texts of ours stand as `str`; what comes from a record, or is to be typed, is `Code`. Neither is
escaped here: that is for whoever writes the page.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from repro.model.readable import shorten
from repro.model.text import escape, split_code

_PLAIN = re.compile(r"(?:[A-Za-z0-9 ,:;()+-]|\.(?=[0-9 ]|$))*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Code:
    """A text that is shown as it is, whatever it looks like."""

    text: str


def quote(text: str, longest: int = 100) -> Code:
    """A text of a record as code, cut in the middle where it is long."""
    return Code(shorten(escape(text), longest))


Piece = str | Code
Text = tuple[Piece, ...]


def quote_names(text: str, longest: int) -> Text:
    """A sentence about a record, with what stands between backticks in it as code.

    What is around them is code, too, where it is not made of the plain words and numbers that
    sentences of ours are made of: it came from the record.
    """
    pieces = split_code(shorten(escape(text), longest))
    return tuple(
        piece if not is_code and _PLAIN.fullmatch(piece) else Code(piece)
        for piece, is_code in pieces
    )


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A few sentences."""

    text: Text


@dataclass(frozen=True, slots=True)
class Items:
    """An unordered list."""

    items: Sequence[Text]


@dataclass(frozen=True, slots=True)
class Commands:
    """Lines for a shell."""

    lines: Sequence[str]


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table.

    Attributes:
        is_best: Whether its value is the best of its column, or row.
        colour: Place in the palette of the run that it names.
    """

    text: Text
    is_best: bool = False
    colour: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Cells in rows.

    Attributes:
        caption: What it shows.
        heads: Of the columns.
        rows: As wide as `heads`; the first cell is the head of its row.
        right: Columns that are aligned to the right.
    """

    caption: str
    heads: Sequence[Cell]
    rows: Sequence[Sequence[Cell]]
    right: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Plot:
    """A line of a chart: its label, and its points."""

    label: str
    xs: Sequence[float]
    ys: Sequence[float]
    colour: int


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines over the same axes."""

    title: str
    x_label: str
    lines: Sequence[Plot]


@dataclass(frozen=True, slots=True)
class Image:
    """A picture.

    Attributes:
        content_type: Such as `image/png`.
    """

    caption: Text
    content_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Patch:
    """Lines of a patch, as git writes them."""

    lines: Sequence[str]


@dataclass(frozen=True, slots=True)
class Quote:
    """Lines that somebody wrote."""

    lines: Sequence[str]


@dataclass(frozen=True, slots=True)
class Fold:
    """Blocks that not everybody wants to see at once.

    Attributes:
        is_open: Whether they are so short that they may be seen at once.
    """

    title: Text
    blocks: Sequence["Block"]
    is_open: bool = False


Block = Paragraph | Items | Commands | Table | Chart | Image | Patch | Quote | Fold


@dataclass(frozen=True, slots=True)
class Section:
    """Blocks below a heading."""

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A whole page.

    Attributes:
        head: What stands before the first section.
    """

    title: Text
    head: Sequence[Block] = field(default=())
    sections: Sequence[Section] = field(default=())

"""A page as Markdown for a comment on GitHub or GitLab.

What comes from a record stands as code, in which neither host finds markup, mentions or issues.
"""

import html
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from repro.model.blocks import (
    Block,
    Cell,
    Chart,
    Code,
    Commands,
    Fold,
    Image,
    Items,
    Page,
    Paragraph,
    Patch,
    Plot,
    Quote,
    Section,
    Table,
    Text,
)
from repro.model.readable import count_of
from repro.model.sparkline import draw_sparkline
from repro.model.text import escape

MOST = 60_000  # characters; GitHub takes 65,536 of a comment
_ROWS = (200, 50, 20, 10, 5)  # of a table, until all of it fits
_WIDTH = 24  # characters of a curve
_MARKUP = re.compile(r"([\\`*_\[\]<>|~&!$])")
_NAMES = re.compile(r"([@#])")  # what follows could be a person or an issue
_ODD = re.compile(r"[`|\\]|^ | $|^$")
_WORD = re.compile(r"[^A-Za-z0-9 ]")


def write_markdown(page: Page, *, most: int = MOST) -> str:
    """Give the whole text, in at most so many characters.

    Tables lose their last rows where it is too long, then the page its last sections.
    """
    text = ""
    for rows in _ROWS:
        text = "\n\n".join(_page(page, rows)) + "\n"
        if len(text) <= most:
            return text
    return _cut(page, _ROWS[-1], most)


def _cut(page: Page, rows: int, most: int) -> str:
    """As many sections as there is room for; the head, with what its author wrote, is short."""
    head = "\n\n".join(_page(Page(title=page.title, head=page.head), rows))
    end = "\n\n… and more: `repro report -o report.html` has all.\n"
    parts, left = [], most - len(head) - len(end)
    if left < 0:
        return head[: most - len(end)] + end
    for section in page.sections:
        text = "\n\n" + "\n\n".join(_section(section, rows))
        if len(text) <= left:
            parts.append(text)
            left -= len(text)
    return head + "".join(parts) + end


def _page(page: Page, rows: int) -> Iterator[str]:
    yield f"# {_text(page.title)}"
    yield from _blocks(page.head, rows)
    for section in page.sections:
        yield from _section(section, rows)


def _section(section: Section, rows: int) -> Iterator[str]:
    yield f"## {_text((section.title,))}"
    yield from _blocks(section.blocks, rows)


def _blocks(blocks: Iterable[Block], rows: int) -> Iterator[str]:
    for kind, some in groupby(blocks, type):
        if kind is Chart:
            yield from _charts([block for block in some if isinstance(block, Chart)], rows)
        elif kind is Image:  # a comment can only point to pictures that lie elsewhere
            number = count_of(len(list(some)), "picture")
            yield f"{number}, which `repro report -o report.html` shows."
        else:
            yield from (part for block in some for part in _block(block, rows))


def _block(block: Block, rows: int) -> Iterator[str]:
    match block:
        case Paragraph():
            yield _text(block.text)
        case Items():
            yield "\n".join(f"- {_text(item)}" for item in block.items)
        case Commands():
            yield _fenced(block.lines, "sh")
        case Quote():
            yield _fenced(block.lines, "text")
        case Patch():
            yield _fenced(block.lines, "diff")
        case Table():
            yield _text((block.caption + ":",))
            yield from _table(block.heads, block.rows, block.right, rows)
        case Fold():
            # Within its line there is no Markdown, but HTML.
            summary = "".join(
                _entities(piece.text) if isinstance(piece, Code) else html.escape(escape(piece))
                for piece in block.title
            )
            yield f"<details><summary>{summary}</summary>"
            yield from _blocks(block.blocks, rows)
            yield "</details>"


def _table(
    heads: Sequence[Cell], rows: Sequence[Sequence[Cell]], right: frozenset[int], most: int
) -> Iterator[str]:
    lines = [_row(heads)]
    lines.append(f"|{'|'.join('--:' if n in right else '---' for n in range(len(heads)))}|")
    lines += map(_row, rows[:most])
    yield "\n".join(lines)
    if len(rows) > most:
        yield f"… and {len(rows) - most:,} more rows"


def _row(cells: Sequence[Cell]) -> str:
    return f"| {' | '.join(map(_cell, cells))} |"


def _cell(cell: Cell) -> str:
    text = _text(cell.text)
    return f"**{text}**" if cell.is_best else text


def _fenced(lines: Sequence[str], kind: str) -> str:
    text = "\n".join(map(escape, lines))
    longest = max(map(len, re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{kind}\n{text}\n{fence}"


def _charts(charts: Sequence[Chart], rows: int) -> Iterator[str]:
    """A table of sparklines, a row a run: no comment may hold a picture of ours."""
    labels = {line.colour: line.label for chart in charts for line in chart.lines}
    drawn = [draw_together(chart.lines) for chart in charts]
    heads = [Cell(("run",)), *(Cell((Code(chart.title),)) for chart in charts)]
    body = [
        [Cell((Code(labels[place]),)), *(Cell(_spark(sparks.get(place))) for sparks in drawn)]
        for place in sorted(labels)
    ]
    yield "From the first step to the last; within a column all have the same scale."
    yield from _table(heads, body, frozenset(), rows)


def _spark(spark: str | None) -> Text:
    return ("-",) if not spark else (Code(spark),)


def draw_together(lines: Sequence[Plot]) -> dict[int, str]:
    """Sparklines of some lines over the same axes, by their colour."""
    xs = [x for line in lines for x in line.xs]
    if not xs:
        return {}
    low, high = min(xs), max(xs)
    width = max(1, min(_WIDTH, max(len(line.xs) for line in lines)))
    placed = {line.colour: _resample(line, low, high, width) for line in lines}
    whole = draw_sparkline([value for values in placed.values() for value in values])
    sparks, begin = {}, 0
    for colour, values in placed.items():
        sparks[colour] = whole[begin : begin + len(values)].rstrip()
        begin += len(values)
    return sparks


def _resample(line: Plot, low: float, high: float, width: int) -> list[float]:
    """The mean of each stretch of steps up to the end of the line; the one before where none."""
    found: dict[int, list[float]] = {}
    for x, y in zip(line.xs, line.ys, strict=True):
        share = (x - low) / (high - low) if high > low else 0.0
        found.setdefault(min(int(share * width), width - 1), []).append(y)
    values: list[float] = []
    last = math.nan
    for place in range(max(found, default=-1) + 1):
        last = _mean(found[place]) if place in found else last
        values.append(last)
    return values


def _mean(values: Sequence[float]) -> float:
    return sum(value / len(values) for value in values)


def _text(text: Text) -> str:
    return "".join(_code(piece.text) if isinstance(piece, Code) else _own(piece) for piece in text)


def _own(text: str) -> str:
    """A text that is no code, and no markup, mention or issue either."""
    return _NAMES.sub(r"\1<!-- -->", _MARKUP.sub(r"\\\1", escape(text)))


def _code(text: str) -> str:
    shown = escape(text)
    return _entities(shown) if _ODD.search(shown) else f"`{shown}`"


def _entities(text: str) -> str:
    """As code, where backticks will not do: a pipe would end the cell of a table."""
    return f"<code>{_WORD.sub(lambda match: f'&#{ord(match[0])};', escape(text))}</code>"

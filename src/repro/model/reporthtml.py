"""A page as one HTML file: no script, and nothing that is loaded from elsewhere."""

import base64
import hashlib
import html
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
    Piece,
    Quote,
    Section,
    Table,
    Text,
)
from repro.model.imagetype import find_image_size
from repro.model.medium import enlarge
from repro.model.reportstyle import STYLE
from repro.model.svgchart import STYLE as ALONE
from repro.model.svgchart import Line, line_chart, line_sample
from repro.model.text import escape

_MOST_UPRIGHT = 11  # columns that fit on paper that stands
_MOST_COLUMNS = 20  # of one table, that fit on any paper once their words may be broken
_LONGEST_WORD = 16  # characters that stay together on paper
_UPRIGHT_EM, _WIDE_EM = 67.0, 116.0  # what paper has beside its margins
_CHARACTER_EM, _PADDING_EM, _SAMPLE_EM, _BROKEN_EM = 0.62, 0.6, 2.2, 4.5
_MARKS = {"+": "ins", "-": "del"}


def write_html(page: Page) -> str:
    """Give the whole file; every text of the page is made visible and harmless."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:"
    title = "".join(_safe(_plain(piece)) for piece in page.title)
    links = "".join(
        f'<li><a href="#{_id(one)}">{_safe(one.title)}</a></li>' for one in page.sections
    )
    parts = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}; base-uri \'none\'">\n',
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
        '<meta name="referrer" content="no-referrer">\n',
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main{_width(page)}>\n",
        f"<h1>{_text(page.title)}</h1>\n",
        *_blocks(page.head),
        f'<nav aria-label="Sections"><ul>{links}</ul></nav>\n',
        *(piece for section in page.sections for piece in _section(section)),
        "</main>\n</body>\n</html>\n",
    ]
    return "".join(parts)


def _width(page: Page) -> str:
    """Whether it is printed on paper that lies: a table has more columns than fit beside."""
    blocks = (block for section in page.sections for block in section.blocks)
    tables = [block for block in blocks if isinstance(block, Table)]
    is_wide = any(len(table.heads) > _MOST_UPRIGHT for table in tables)
    return ' class="wide"' if is_wide else ""


def _section(section: Section) -> Iterator[str]:
    yield f'<section aria-labelledby="{_id(section)}">\n'
    yield f'<h2 id="{_id(section)}">{_safe(section.title)}</h2>\n'
    yield from _blocks(section.blocks)
    yield "</section>\n"


def _id(section: Section) -> str:
    return section.title.lower().replace(" ", "-")


def _blocks(blocks: Iterable[Block]) -> Iterator[str]:
    for is_drawn, some in groupby(blocks, lambda block: isinstance(block, Chart | Image)):
        if is_drawn:
            yield '<div class="charts">\n'
        for block in some:
            yield from _block(block)
            yield "\n"
        if is_drawn:
            yield "</div>\n"


def _block(block: Block) -> Iterator[str]:
    match block:
        case Paragraph():
            yield f"<p>{_text(block.text)}</p>"
        case Items():
            yield f"<ul>{''.join(f'<li>{_text(item)}</li>' for item in block.items)}</ul>"
        case Commands() | Quote():
            yield f'<pre tabindex="0">{_safe_lines(block.lines)}</pre>'
        case Patch():
            yield f'<pre tabindex="0">{"".join(_patch(block.lines))}</pre>'
        case Table():
            yield from _table(block)
        case Chart():
            # As for a table: on a phone a chart is wider than the page.
            label = _safe(f"Curves of {block.title}")
            yield f'<figure tabindex="0" aria-label="{label}">{_chart(block)}</figure>'
        case Image():
            data = base64.b64encode(block.data).decode()
            caption = _text(block.caption)
            alt = "".join(_safe(_plain(piece)) for piece in block.caption)
            size = enlarge(*(find_image_size(block.data) or (None, None)))
            larger = f' class="pixels" width="{size[0]}" height="{size[1]}"' if size else ""
            yield f'<figure><img alt="{alt}"{larger} src="data:{block.content_type};base64,{data}">'
            yield f"<figcaption>{caption}</figcaption></figure>"
        case Fold():
            is_open = " open" if block.is_open else ""
            yield f"<details{is_open}><summary>{_text(block.title)}</summary>\n"
            yield from _blocks(block.blocks)
            yield "</details>"


def _split(table: Table) -> Iterator[Table]:
    """The table in parts that fit on paper, each with its first column."""
    n_parts = -(-(len(table.heads) - 1) // (_MOST_COLUMNS - 1))
    if n_parts <= 1:
        yield table
        return
    size = -(-(len(table.heads) - 1) // n_parts)
    for part, start in enumerate(range(1, len(table.heads), size), 1):
        places = [0, *range(start, min(start + size, len(table.heads)))]
        yield Table(
            caption=f"{table.caption} ({part} of {n_parts})",
            heads=[table.heads[place] for place in places],
            rows=[[row[place] for place in places] for row in table.rows],
            right=frozenset(n for n, place in enumerate(places) if place in table.right),
        )


def _is_tight(table: Table) -> bool:
    """Whether it fits on paper only if any word may be broken."""
    columns = zip(table.heads, *table.rows, strict=True)
    needed = sum(_column_em(cells, place in table.right) for place, cells in enumerate(columns))
    return needed > (_WIDE_EM if len(table.heads) > _MOST_UPRIGHT else _UPRIGHT_EM)


def _column_em(cells: Sequence[Cell], is_right: bool) -> float:
    """How wide a column is where short words stay whole, and numbers on one line."""
    sample = 0.0 if all(cell.colour is None for cell in cells) else _SAMPLE_EM
    widest = max(_cell_em(cell, is_right) for cell in cells)
    return widest + sample + _PADDING_EM


def _cell_em(cell: Cell, is_right: bool) -> float:
    text = "".join(map(_plain, cell.text))
    words = [len(word) for word in ([text] if is_right else text.split())]
    longest = max(words, default=0)
    return _BROKEN_EM if longest > _LONGEST_WORD else longest * _CHARACTER_EM


def _table(table: Table) -> Iterator[str]:
    for part in _split(table):
        yield from _one_table(part)


def _one_table(table: Table) -> Iterator[str]:
    # A box that scrolls must be reachable without a mouse, and say what it is.
    yield f'<div class="scroll" tabindex="0" role="region" aria-label="{_safe(table.caption)}">'
    tight = ' class="tight"' if _is_tight(table) else ""
    yield f"<table{tight}><caption>{_safe(table.caption)}</caption>\n<thead><tr>"
    yield "".join(
        f'<th scope="col"{_classes(table, place, cell)}>{_cell(cell)}</th>'
        for place, cell in enumerate(table.heads)
    )
    yield "</tr></thead>\n<tbody>\n"
    for first, *others in table.rows:
        cells = (
            f"<td{_classes(table, place, cell)}>{_cell(cell)}</td>"
            for place, cell in enumerate(others, 1)
        )
        head = f'<th scope="row"{_classes(table, 0, first)}>{_cell(first)}</th>'
        yield f"<tr>{head}{''.join(cells)}</tr>\n"
    yield "</tbody></table></div>"


def _classes(table: Table, place: int, cell: Cell) -> str:
    """Numbers stand to the right; on paper only words that are long are broken."""
    words = "".join(map(_plain, cell.text)).split()
    classes = [
        *(["n"] if place in table.right else []),
        *(["long"] if any(len(word) > _LONGEST_WORD for word in words) else []),
    ]
    return f' class="{" ".join(classes)}"' if classes else ""


def _cell(cell: Cell) -> str:
    sample = "" if cell.colour is None else line_sample(cell.colour)
    text = "".join(_safe(_plain(piece)) for piece in cell.text)
    return sample + (f"<b>{text}</b>" if cell.is_best else text)


def _chart(chart: Chart) -> str:
    lines = [Line(label=o.label, xs=o.xs, ys=o.ys, colour=o.colour) for o in chart.lines]
    drawn = line_chart(lines, title=chart.title, x_label=chart.x_label, y_label=chart.title)
    return drawn.replace(ALONE, "", 1)  # it is for a file of its own, and the policy refuses it


def _patch(lines: Sequence[str]) -> Iterator[str]:
    """The lines, those that came or went as blocks; `---` and `+++` before a hunk are neither."""
    for mark, some in groupby(_marked(lines), lambda pair: pair[0]):
        text = _safe_lines([line for _, line in some])
        yield f"<{mark}>{text}</{mark}>" if mark else f"{text}\n"


def _marked(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    is_hunk = False
    for line in lines:
        if line.startswith(("diff --git ", "@@ ")):
            is_hunk = line.startswith("@@ ")
        yield (_MARKS.get(line[:1], "") if is_hunk else ""), line


def _text(text: Text) -> str:
    return "".join(
        f"<code>{_safe(piece.text)}</code>" if isinstance(piece, Code) else _safe(piece)
        for piece in text
    )


def _plain(piece: Piece) -> str:
    return piece.text if isinstance(piece, Code) else piece


def _safe(text: str) -> str:
    return html.escape(escape(text))


def _safe_lines(lines: Sequence[str]) -> str:
    return "\n".join(map(_safe, lines))

"""What the sections of a report are made of: names of runs, cells, values side by side."""

from collections.abc import Iterator, Sequence

from repro.model.blocks import Block, Cell, Code, Paragraph, Table, Text, quote
from repro.model.report import Report
from repro.model.rowtext import is_numeric, row_texts
from repro.model.run import Record
from repro.model.sidebyside import Row

_MOST_CELLS = 1500  # of one table of values side by side
_FEWEST_ROWS = 10  # of it, however many runs there are
_MORE = Code("repro compare")


def label_run(report: Report, record: Record) -> Text:
    """The short id of a run, with its name."""
    short = Code(report.short[record.run.id])
    return (short, " (", quote(record.run.name), ")") if record.run.name else (short,)


def plain_cell(text: str) -> Cell:
    """A cell with a text of ours."""
    return Cell((text,))


def quoted_cell(text: str, longest: int = 100) -> Cell:
    """A cell with something of a record; a dash where there is nothing."""
    return Cell((quote(text, longest),)) if text not in ("", "-") else plain_cell("-")


def row_cells(row: Row) -> list[Cell]:
    """The value of each run, the best marked."""
    best, plain = row.best(), is_numeric(row) or row.part == "code"
    return [
        Cell((text if plain or text == "-" else Code(text),), is_best=place in best)
        for place, text in enumerate(row_texts(row))
    ]


def rows_of(report: Report, part: str) -> list[Row]:
    """All items of one part."""
    return [row for row in report.rows if row.part == part]


def telling_rows(report: Report, part: str) -> list[Row]:
    """What differs in one part; of a single run all of it."""
    return [row for row in rows_of(report, part) if row.tells or len(report.runs) == 1]


def cut_items(items: Sequence[Text], most: int) -> list[Text]:
    """The first items, and how many more there are."""
    more = [(f"… and {len(items) - most:,} more",)] if len(items) > most else []
    return [*items[:most], *more]


def lay_beside(report: Report, part: str, caption: str) -> Iterator[Block]:
    """What differs in one part, a row an item, a column a run."""
    rows = telling_rows(report, part)
    if not rows:
        return
    most = max(_FEWEST_ROWS, _MOST_CELLS // len(report.runs))
    heads = [plain_cell("value")]
    if len(report.runs) > 1:
        heads = [
            Cell((Code(report.short[record.run.id]),), colour=place)
            for place, record in enumerate(report.runs)
        ]
    yield Table(
        caption=caption,
        heads=[plain_cell(part), *heads],
        rows=[[Cell((quote(row.key),)), *row_cells(row)] for row in rows[:most]],
    )
    yield from say_more(len(rows), most)


def say_more(number: int, most: int) -> list[Block]:
    """Say that a table is cut, where it is."""
    if number <= most:
        return []
    return [Paragraph((f"… and {number - most:,} more: ", _MORE, " has all."))]

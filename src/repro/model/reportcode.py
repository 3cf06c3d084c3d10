"""The codes of a report: which files differ, and patches as far as there is room."""

from collections.abc import Iterator
from itertools import accumulate

from repro.model.blocks import Block, Code, Fold, Items, Paragraph, Patch, Text, quote
from repro.model.readable import count_of
from repro.model.report import CodeChange, Report

_MOST_FILES = 40
_SHORT = 40  # lines of a patch that may be seen at once
_FEWEST_CHARS = 400  # of a patch that is worth showing
_LONGEST = 300  # characters of a path
_DIGITS = 12  # of a commit


def lay_out_code(report: Report, patch_chars: int) -> Iterator[Block]:
    """The blocks about code: which commit it is, and what differs.

    Args:
        patch_chars: Room for all patches together.
    """
    first = report.runs[0].run
    if first.snapshot is None:
        return
    row = next((row for row in report.rows if row.part == "code"), None)
    is_same = row is None or not row.differs
    who = "All runs have the same code" if is_same else "Runs with the same code share a letter"
    text: Text = (f"{who}; that of ",) if len(report.runs) > 1 else ("The code of ",)
    text += (
        Code(report.short[first.id]),
        " is commit ",
        Code((first.base or first.snapshot)[:_DIGITS]),
    )
    text += (" on ", quote(first.branch)) if first.branch else ()
    yield Paragraph((*text, ", with changes that were not committed." if first.dirty else "."))
    runs = _runs_of(report)
    for change in report.codes:
        shown = _fitting(change.lines, patch_chars)
        patch_chars -= sum(len(line) + 1 for line in shown)
        yield _lay_out(report, change, runs.get(change.letter, ""), shown)


def _fitting(lines: tuple[str, ...], chars: int) -> tuple[str, ...]:
    """The first lines that fit; none where there is room for so few that they tell nothing."""
    if chars < _FEWEST_CHARS:
        return ()
    ends = accumulate(len(line) + 1 for line in lines)
    return lines[: sum(end <= chars for end in ends)]


def _runs_of(report: Report) -> dict[str, str]:
    """The first run with each code."""
    found: dict[str, str] = {}
    for row in report.rows:
        if row.part == "code":
            for record, letter in zip(report.runs, row.values, strict=True):
                found.setdefault(str(letter), record.run.id)
    return found


def _lay_out(report: Report, change: CodeChange, run_id: str, shown: tuple[str, ...]) -> Fold:
    baseline = report.runs[0].run.id
    if change.is_of_baseline:
        title: Text = (f"{count_of(len(change.files), 'file')} not committed in ",)
        title += (Code(report.short[baseline]),)
        command = f"repro show {baseline} --patch"
    else:
        files = "" if change.problem else f": {count_of(len(change.files), 'file')}"
        title = (f"Code {change.letter} against the code of ", Code(report.short[baseline]), files)
        command = f"repro diff {baseline} {run_id}"
    if change.problem is not None:
        why: Text = (quote(change.problem, _LONGEST), "; ", Code(command), " may show it.")
        return Fold(title, [Paragraph(why)], is_open=True)
    listed: list[Text] = [(quote(f"{one.status} {one.path}", _LONGEST),) for one in change.files]
    if len(listed) > _MOST_FILES:
        listed = [*listed[:_MOST_FILES], (f"… and {len(listed) - _MOST_FILES:,} more",)]
    blocks: list[Block] = [Items(listed)]
    if shown:
        blocks.append(Patch(shown))
    if change.is_cut or len(shown) < len(change.lines):
        blocks.append(Paragraph(("There is more: ", Code(command), " shows all.")))
    return Fold(title, blocks, is_open=len(shown) <= _SHORT)

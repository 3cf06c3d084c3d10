"""The codes of a report: which files differ, and patches as far as there is room."""

from collections.abc import Iterator

from repro.model.blocks import Block, Code, Fold, Items, Paragraph, Patch, Text
from repro.model.diagnosis import count_of
from repro.model.report import CodeChange, Report

_MOST_FILES = 40
_SHORT = 40  # lines of a patch that may be seen at once
_FEWEST_CHARS = 400  # of a patch that is worth showing
_DIGITS = 12  # of a commit


class PatchRoom:
    """How many characters of patches there is still room for."""

    def __init__(self, chars: int) -> None:
        self._left = chars

    def take(self, lines: tuple[str, ...]) -> tuple[str, ...]:
        """As many of the lines as there is room for, which is less from then on."""
        kept = 0
        for line in lines if self._left >= _FEWEST_CHARS else ():
            if len(line) + 1 > self._left:
                break
            self._left -= len(line) + 1
            kept += 1
        return lines[:kept]


def lay_out_code(report: Report, room: PatchRoom) -> Iterator[Block]:
    """The blocks about code: which commit it is, and what differs."""
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
    text += (" on ", Code(first.branch)) if first.branch else ()
    yield Paragraph((*text, ", with changes that were not committed." if first.dirty else "."))
    runs = _runs_of(report)
    for change in report.codes:
        yield _lay_out(report, change, runs.get(change.letter, ""), room)


def _runs_of(report: Report) -> dict[str, str]:
    """The first run with each code."""
    found: dict[str, str] = {}
    for row in report.rows:
        if row.part == "code":
            for record, letter in zip(report.runs, row.values, strict=True):
                found.setdefault(str(letter), record.run.id)
    return found


def _lay_out(report: Report, change: CodeChange, run_id: str, room: PatchRoom) -> Fold:
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
        why: Text = (Code(change.problem), "; ", Code(command), " may show it.")
        return Fold(title, [Paragraph(why)], is_open=True)
    listed: list[Text] = [(Code(f"{one.status} {one.path}"),) for one in change.files]
    if len(listed) > _MOST_FILES:
        listed = [*listed[:_MOST_FILES], (f"… and {len(listed) - _MOST_FILES:,} more",)]
    blocks: list[Block] = [Items(listed)]
    shown = room.take(change.lines)
    if shown:
        blocks.append(Patch(shown))
    if change.is_cut or len(shown) < len(change.lines):
        blocks.append(Paragraph(("There is more: ", Code(command), " shows all.")))
    return Fold(title, blocks, is_open=len(shown) <= _SHORT)

"""In what the codes of some runs differ, as far as a report shows it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from repro.core.diff import CodeState, code_state_of, diff_code
from repro.core.harm import refuse_harmful
from repro.core.project import Project
from repro.errors import ReproError
from repro.model.report import CodeChange
from repro.model.run import Record
from repro.model.scrub import scrub
from repro.model.sidebyside import Row
from repro.store.clonekey import read_marker
from repro.store.patches import read_patch_start

_MOST_CODES = 12  # that are compared
_MOST_BYTES = 48_000  # of all patches together
_LONGEST = 300  # characters of a line: what is longer was not written by a person


def read_code_changes(
    project: Project, records: Sequence[Record], rows: Sequence[Row]
) -> tuple[CodeChange, ...]:
    """Give what the first run had not committed, then what each other code differs in from its.

    What looks like a secret is marked, as in a record: a report leaves this machine.

    Args:
        rows: Of the same runs; one of them has the letters of the codes.

    Cost: git lists the files of each code that differ, and shows the first ones.
    """
    pairs = list(_pairs(records, rows))
    most = _MOST_BYTES // max(1, min(len(pairs), _MOST_CODES))
    return tuple(
        _read(project, records[0], letter, other, most, is_left=place >= _MOST_CODES)
        for place, (letter, other) in enumerate(pairs)
    )


def _pairs(records: Sequence[Record], rows: Sequence[Row]) -> Iterator[tuple[str, Record]]:
    """The letter of each code to compare, with the first run that has it."""
    first = records[0]
    code = next((row for row in rows if row.part == "code"), None)
    start = None if code is None else code.values[0]
    if code is None or not isinstance(start, str):
        return  # the code of the first one is lost: there is nothing to compare with
    if first.run.dirty and first.run.base:
        yield start, first
    seen = {start}
    for record, letter in zip(records, code.values, strict=True):
        if isinstance(letter, str) and letter not in seen:
            seen.add(letter)
            yield letter, record


def _read(
    project: Project, first: Record, letter: str, other: Record, most: int, *, is_left: bool
) -> CodeChange:
    is_first = other is first
    before = str(first.run.base if is_first else first.run.snapshot)
    after = str(other.run.snapshot)
    found = CodeChange(letter=letter, before=before, after=after, is_of_baseline=is_first)
    if is_left:
        return replace(found, problem="one of too many codes to show")
    try:
        for record in (first, other):
            refuse_harmful(project, record)
        start = CodeState(before, None) if is_first else code_state_of(first)
        end = CodeState(after, None) if is_first else code_state_of(other)
        files = diff_code(project, start, end, {})
        patch = read_patch_start(project.repository.git, before, after, most)
    except ReproError as error:
        return replace(found, problem=error.message)
    text = scrub(patch.data, read_marker(project.repository.private))
    lines = text.decode(errors="surrogateescape").removesuffix("\n").split("\n")
    shown = tuple(map(_shorten, lines)) if text else ()
    return replace(found, files=files, lines=shown, is_cut=patch.is_cut)


def _shorten(line: str) -> str:
    line = line.removesuffix("\r").expandtabs(4)
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"

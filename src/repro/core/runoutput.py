"""What the command of a run printed: its end, or all of it, in progress or over."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from repro.core.artifactfiles import Blocks
from repro.core.project import Project
from repro.core.query import read_part
from repro.core.stored import OUTPUT
from repro.model.output import collapse_output, find_cut
from repro.model.run import Record
from repro.store.content import ContentStore

_A_LINE = 512  # bytes of one, about: so much is read for as many lines as are wanted
_LEAST = 64 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputEnd:
    """The last lines of an output.

    Attributes:
        lines: As a terminal would show them last; colours are in them, nothing is escaped.
        size: Bytes of the whole output.
        is_whole: Whether nothing stands before `lines`.
    """

    lines: tuple[str, ...]
    size: int
    is_whole: bool


def read_output_end(project: Project, record: Record, most: int) -> OutputEnd:
    """Give the last lines of what a run printed.

    Args:
        most: At most so many lines; of very long ones fewer.

    Raises:
        DamagedRecordError: It is missing in the record.
    """
    room = max(_LEAST, most * _A_LINE)
    if record.commit:
        data = read_part(project, record, OUTPUT) or b""
        cut = find_cut(data)
        end, size = data[-room:], len(data) if cut is None else cut.size
    else:
        end, size = _read_live(project.live / record.run.id / OUTPUT, room)
    text = collapse_output(end).decode(errors="surrogateescape")
    lines = text.removesuffix("\n").split("\n") if text else []
    if len(end) < size and lines:
        del lines[0]  # most likely only its end
    shown = lines[-most:]
    is_whole = len(end) >= size and len(shown) == len(lines)
    return OutputEnd(lines=tuple(shown), size=size, is_whole=is_whole)


def open_output(project: Project, record: Record) -> Iterator[bytes]:
    """Give all that a run printed, in blocks; where its middle is not here, a line says so.

    Raises:
        DamagedRecordError: It is missing in the record, or damaged in the content store.
    """
    if not record.commit:
        try:
            return Blocks((project.live / record.run.id / OUTPUT).open("rb"))
        except FileNotFoundError:
            return Blocks(b"")
    data = read_part(project, record, OUTPUT) or b""
    cut = find_cut(data)
    content = ContentStore(project.store)
    return Blocks(content.open(cut.digest) if cut and content.has(cut.digest) else data)


def _read_live(path: Path, room: int) -> tuple[bytes, int]:
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - room))
            return file.read(room), size
    except FileNotFoundError:  # a run of the SDK alone has none
        return b"", 0

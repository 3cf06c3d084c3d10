"""The journals of a run, read with every line checked (FORMAT.md section "Journals")."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import msgspec

from repro.errors import DamagedRecordError, NewerFormatError
from repro.model.times import is_moment
from repro.store.process import Process, parse_process

JOURNAL_VERSION = 1
WORDS = "words.jsonl"  # what people say of the run, while it is in progress

_decode = msgspec.json.Decoder().decode
_NAME = re.compile(r"(?:journal-(\d+)-(\d+)|words)\.jsonl\Z")
_START = re.compile(rb"[0-9a-f]{8} \{")
_LONGEST_HEADER = 1 << 16  # bytes
_CHECKED = 64  # bytes before a place, looked at to know the file again


@dataclass(frozen=True, slots=True)
class Journal:
    """What one process wrote about a run.

    Attributes:
        name: File name.
        header: Its first record: format, run, rank, pid, start, boot, host, t. Empty when the
            process died before it was written.
        records: All others, in the order they were written.
        skipped_lines: Lines left out, torn or with a wrong checksum.
    """

    name: str
    header: dict[str, Any]
    records: list[dict[str, Any]]
    skipped_lines: int


@dataclass(frozen=True, slots=True)
class Place:
    """How far a journal was read.

    Attributes:
        name: File name.
        inode: Of the file.
        offset: Bytes that were read; what stands behind is new.
        check: CRC-32 of the last bytes before `offset`, at most 64.
        records: How many were read, the header not counted.
        rank: What the header says.
        opened: What the header says, in seconds since 1970.
    """

    name: str
    inode: int
    offset: int = 0
    check: int = 0
    records: int = 0
    rank: int = 0
    opened: float = 0.0


def read_journals(live_dir: Path) -> list[Journal]:
    """Read all journals of a run, ordered by rank, time of opening, pid.

    Damage costs the damaged lines only, which are counted.

    Raises:
        NewerFormatError: A journal was written by a newer repro.
        DamagedRecordError: A journal cannot be read at all.

    Cost: about 2 µs a line, all records in memory.
    """
    try:
        journals = [
            parse_journal((live_dir / name).read_bytes(), name=name) for name in _names(live_dir)
        ]
    except OSError as error:
        raise _unreadable(error) from error
    return sorted(journals, key=_opening)


def read_on(
    live_dir: Path, places: Mapping[str, Place], *, most: int = -1
) -> list[tuple[Journal, Place]] | None:
    """Read what is new in the journals of a run, in the order of `read_journals`.

    A last line that is still being written stays for the next time.

    Args:
        places: How far each was read, by name; one that is not named is read whole.
        most: Bytes of each that are read at most, but for one line that is longer; -1 is all.

    Returns:
        Each journal with its new records and its new place; None where a journal is not the one
        that was read: gone, shorter, replaced, or with a header that came late.

    Raises:
        NewerFormatError: As of `read_journals`.
        DamagedRecordError: As of `read_journals`.

    Cost: proportional to what is new.
    """
    try:
        names = _names(live_dir)
        found = [_read_one(live_dir / name, places.get(name), most) for name in names]
    except OSError as error:
        raise _unreadable(error) from error
    known = [one for one in found if one is not None]
    if len(known) < len(found) or not places.keys() <= set(names):
        return None
    return sorted(known, key=lambda one: _opening(one[0]))


def find_writer(path: Path) -> Process | None:
    """The process that opened a journal; None where the file does not say.

    Cost: its first line is read.
    """
    try:
        with path.open("rb") as file:
            header = parse_line(file.readline(_LONGEST_HEADER).rstrip(b"\n"))
    except OSError:
        return None
    return parse_process(header)


def stamp_journals(live_dir: Path) -> str:
    """A text that changes whenever the journals of a run do; empty where there are none.

    Cost: one look at the folder, and one at each journal.
    """
    parts = []
    try:
        for name in _names(live_dir):
            stat = (live_dir / name).stat()
            parts.append(f"{name}:{stat.st_ino}:{stat.st_size}:{stat.st_mtime_ns}")
    except OSError:  # sealed just now
        return ""
    return " ".join(parts)


def _names(live_dir: Path) -> list[str]:
    return [name for name in sorted(os.listdir(live_dir)) if _NAME.match(name)]


def _unreadable(error: OSError) -> DamagedRecordError:
    return DamagedRecordError(f"`{error.filename}` cannot be read: {error.strerror}")


def _read_one(path: Path, place: Place | None, most: int) -> tuple[Journal, Place] | None:
    if place is not None:
        stat = path.stat()
        if (stat.st_ino, stat.st_size) == (place.inode, place.offset):
            header = {"rank": place.rank, "t": place.opened}
            return Journal(path.name, header, [], 0), place
    with path.open("rb") as file:
        inode = os.fstat(file.fileno()).st_ino
        before = place or Place(path.name, inode)
        checked = min(before.offset, _CHECKED)
        file.seek(before.offset - checked)
        data = file.read(checked) + file.read(most)
        if most >= 0 and b"\n" not in data[checked:]:
            data += file.read()
    if inode != before.inode or crc32(data[:checked]) != before.check:
        return None
    new = _without_torn(data[checked:])
    is_joined = checked and data[checked - 1 : checked] != b"\n" and new[:1] not in (b"", b"\n")
    if is_joined:  # what was taken for a whole line was the start of another one
        return None
    journal = parse_journal(new, name=path.name)
    if before.offset and journal.header:
        return None
    header = journal.header or {"rank": before.rank, "t": before.opened}
    end = data[: checked + len(new)]
    now = Place(
        path.name,
        inode,
        before.offset + len(new),
        crc32(end[-_CHECKED:]),
        before.records + len(journal.records),
        int(header.get("rank", 0)),
        float(header.get("t", 0.0)),
    )
    return Journal(path.name, header, journal.records, journal.skipped_lines), now


def _without_torn(data: bytes) -> bytes:
    """All lines but a last one that is not whole yet; one may lack nothing but its line feed."""
    end = data.rfind(b"\n") + 1
    last = data[end:]
    is_whole = bool(last) and (parse_line(last) or _record_behind(last)) is not None
    return data if is_whole else data[:end]


def _opening(journal: Journal) -> tuple[int, float, list[int]]:
    match = _NAME.match(journal.name)
    numbers = [int(part) for part in match.groups() if part] if match else []
    return int(journal.header.get("rank", 0)), float(journal.header.get("t", 0.0)), numbers


def parse_journal(data: bytes, *, name: str) -> Journal:
    """Read the lines of one journal.

    Raises:
        NewerFormatError: A newer repro wrote it.
    """
    header: dict[str, Any] = {}
    records: list[dict[str, Any]] = []
    skipped = 0
    for line in data.split(b"\n"):
        if not line:
            continue
        record = parse_line(line)
        if record is None:
            skipped += 1
            # Where a torn line could not be cut off, the next one stands behind it.
            record = _record_behind(line)
        if record is None:
            continue
        if record.get("k") != "journal":
            records.append(record)
        elif _is_header(record):
            header = record
        else:
            skipped += 1
    version = header.get("format", JOURNAL_VERSION)
    if version != JOURNAL_VERSION:
        raise NewerFormatError(
            f"`{name}` has journal format {version}, this repro reads {JOURNAL_VERSION}",
            hint="upgrade repro: `pip install --upgrade git-repro`",
        )
    return Journal(name, header, records, skipped)


def _is_header(record: dict[str, Any]) -> bool:
    return type(record.get("rank", 0)) is int and is_moment(record.get("t", 0.0))


def parse_line(line: bytes) -> dict[str, Any] | None:
    """The record of one line, without its line feed; None when it is torn or damaged."""
    body = line[9:]
    if line[:9] != b"%08x " % crc32(body):
        return None
    try:
        record = _decode(body)
    except (msgspec.DecodeError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _record_behind(line: bytes) -> dict[str, Any] | None:
    for match in _START.finditer(line, 1):
        record = parse_line(line[match.start() :])
        if record is not None:
            return record
    return None

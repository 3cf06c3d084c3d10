"""The journals of a run, read with every line checked (FORMAT.md section "Journals")."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import msgspec

from repro.errors import DamagedRecordError, NewerFormatError
from repro.model.times import is_moment

JOURNAL_VERSION = 1

_decode = msgspec.json.Decoder().decode
_NAME = re.compile(r"journal-(\d+)-(\d+)\.jsonl\Z")
_START = re.compile(rb"[0-9a-f]{8} \{")


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


def read_journals(live_dir: Path) -> list[Journal]:
    """Read all journals of a run, ordered by rank, time of opening, pid.

    Damage costs the damaged lines only, which are counted.

    Raises:
        NewerFormatError: A journal was written by a newer repro.
        DamagedRecordError: A journal cannot be read at all.

    Cost: about 2 µs a line, all records in memory.
    """
    journals = []
    try:
        for name in sorted(os.listdir(live_dir)):
            if _NAME.match(name):
                journals.append(parse_journal((live_dir / name).read_bytes(), name=name))
    except OSError as error:
        raise DamagedRecordError(f"`{error.filename}` cannot be read: {error.strerror}") from error
    return sorted(journals, key=_opening)


def _opening(journal: Journal) -> tuple[int, float, list[int]]:
    match = _NAME.match(journal.name)
    numbers = [int(part) for part in match.groups()] if match else []
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

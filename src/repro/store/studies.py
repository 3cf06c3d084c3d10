"""The journal of a study as a git commit: pages of entries (FORMAT.md section "Studies")."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from repro.errors import DamagedRecordError, NewerFormatError, UsageError
from repro.model.canonical import Json, format_json, parse_json
from repro.model.text import escape
from repro.store.objects import Objects, blob_id, read_file, read_tree
from repro.store.quarantine import Existing

STUDIES = "refs/repro/studies/"
STUDY_FORMAT = 1
PAGE = 100  # entries

_FILE = "study.json"
_FOLDER = "journal"
_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]|\.(?!\.)){0,99}\Z")

Entry = dict[str, Any]


def check_name(name: str) -> str:
    """Give the name of a study that a ref can have.

    Raises:
        UsageError: It is none.
    """
    if not _NAME.match(name) or name.endswith((".", ".lock")):
        raise UsageError(
            f"`{escape(name[:80])}` cannot be the name of a study",
            hint="use letters, digits, `.`, `_` and `-`, at most 100",
        )
    return name


@dataclass(frozen=True, slots=True)
class Pages:
    """A journal as far as somebody who appends to it must know it.

    Attributes:
        full: Blobs of the pages that are full.
        tail: Lines of the last page, each with its line feed; fewer than a page.
    """

    full: tuple[str, ...] = ()
    tail: tuple[bytes, ...] = ()

    @property
    def count(self) -> int:
        """How many entries there are."""
        return len(self.full) * PAGE + len(self.tail)

    def files(self, name: str, lines: Sequence[bytes]) -> dict[str, bytes | Existing]:
        """The files of a journal of study `name` with more lines at its end."""
        about: dict[str, Json] = {
            "format": STUDY_FORMAT,
            "name": name,
            "entries": self.count + len(lines),
        }
        files: dict[str, bytes | Existing] = {_FILE: format_json(about)}
        files |= {_page(n): Existing("100644", oid) for n, oid in enumerate(self.full)}
        rest = [*self.tail, *lines]
        for place in range(0, len(rest), PAGE):
            files[_page(len(self.full) + place // PAGE)] = b"".join(rest[place : place + PAGE])
        return files

    def extended(self, lines: Sequence[bytes], object_format: str) -> "Pages":
        """The journal with these lines at its end.

        Args:
            object_format: Of the repository, `sha1` or `sha256`.
        """
        rest = (*self.tail, *lines)
        n_full = len(rest) // PAGE
        pages = [b"".join(rest[n * PAGE : (n + 1) * PAGE]) for n in range(n_full)]
        full = (*self.full, *(blob_id(page, object_format) for page in pages))
        return Pages(full, rest[n_full * PAGE :])


def _page(number: int) -> str:
    return f"{_FOLDER}/{number}.jsonl"


def format_entry(entry: Mapping[str, Any]) -> bytes:
    """An entry as its line; numbers that JSON lacks are bare words, as in Optuna's own files."""
    return json.dumps(entry, separators=(",", ":")).encode() + b"\n"


def parse_entry(line: bytes) -> Entry | None:
    """The entry of a line; None where it is none."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None


def read_study(
    objects: Objects, commit: str, name: str, start: int = 0
) -> tuple[Pages, list[Entry]]:
    """Read a journal, and its entries from `start` on.

    Raises:
        DamagedRecordError: It is not as FORMAT.md says, or has fewer entries than `start`.
        NewerFormatError: It was written by a newer version.

    Cost: pages that are wholly before `start` are not read.
    """
    count = _count(objects, commit, name)
    if count < start:
        raise _damaged(name, f"it has {count:,} entries, and had {start:,} before")
    tree = read_tree(objects, commit).get(_FOLDER)
    listed = read_tree(objects, tree.oid) if tree is not None else {}
    n_full, n_tail = divmod(count, PAGE)
    sizes = [PAGE] * n_full + [n_tail] * (n_tail > 0)
    names = [f"{n}.jsonl" for n in range(len(sizes))]
    if set(listed) != set(names):
        odd = sorted(set(listed) ^ set(names))[0]
        verb = "is no page of it" if odd in listed else "is missing"
        raise _damaged(name, f"`{_FOLDER}/{escape(odd)}` {verb}, of {count:,} entries")
    entries: list[Entry] = []
    tail: tuple[bytes, ...] = ()
    for number, size in enumerate(sizes):
        is_last = size < PAGE
        if (number + 1) * PAGE <= start and not is_last:
            continue
        lines = _lines(objects, listed[names[number]].oid, name, number, size)
        parsed = [_parse(line, name, number) for line in lines]
        entries += parsed[max(0, start - number * PAGE) :]
        tail = lines if is_last else ()
    return Pages(tuple(listed[one].oid for one in names[:n_full]), tail), entries


def _count(objects: Objects, commit: str, name: str) -> int:
    data = read_file(objects, commit, _FILE)
    if data is None:
        raise _damaged(name, f"`{_FILE}` is missing")
    about = parse_json(data, name=f"{_FILE} of study `{escape(name)}`")
    match about:
        case {"format": int(number)} if number > STUDY_FORMAT:
            raise NewerFormatError(
                f"study `{escape(name)}` is of format {number}, newer than {STUDY_FORMAT}",
                hint="upgrade git-repro",
            )
        case {"format": 1, "entries": int(count)} if 0 <= count < 1 << 40:
            return count
    raise _damaged(name, f"`{_FILE}` says neither its format nor its size")


def _lines(objects: Objects, oid: str, name: str, number: int, size: int) -> tuple[bytes, ...]:
    kind, data = objects.read(oid)
    lines = tuple(data.splitlines(keepends=True)) if kind == "blob" else ()
    if len(lines) != size or not lines[-1].endswith(b"\n"):
        raise _damaged(name, f"page {number} is cut short: {len(lines)} of {size} entries")
    return lines


def _parse(line: bytes, name: str, number: int) -> Entry:
    entry = parse_entry(line)
    if entry is None:
        raise _damaged(name, f"page {number} has a line that is no entry")
    return entry


def _damaged(name: str, what: str) -> DamagedRecordError:
    ref = f"{STUDIES}{name}"
    return DamagedRecordError(
        f"the journal of study `{escape(name)}` is damaged: {what}",
        hint=f"`git log {ref}` lists its earlier states, `git update-ref {ref} COMMIT` takes one",
    )

"""A dataset's manifest: a page for each of its folders, as values and as text.

FORMAT.md section "Manifests" is the specification; whoever hashes is in `repro.store.hashing`.
"""

import os
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from repro.errors import DamagedRecordError
from repro.model.paths import LONGEST_PATH, find_name_fault
from repro.model.text import escape

PAGE, VOUCHERS = ".page", ".sha256"  # file names in the record's tree of a dataset
MOST = (
    10**9
)  # files, or folders, of a dataset; some small objects can claim more than any disk holds
LARGEST_SIZE = 2**63 - 1

_HEX_32 = re.compile(r"[0-9a-f]{32}\Z")
_HEX_64 = re.compile(r"[0-9a-f]{64}\Z")
_NUMBER = re.compile(r"(?:0|[1-9][0-9]{0,18})\Z")
# Controls, what reorders or hides text, and what some file system or git reads as something else:
# a first dot, `~`, `\`, `:`. The ranges are spelled out, for they may not depend on a version.
_ENCODED = re.compile(
    "^\\.|[\x00-\x1f\x7f-\x9f%~\\\\:/\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e007f\udc80-\udcff]"
)
_ESCAPE = re.compile(rb"%([0-9A-F]{2})")


class FileEntry(NamedTuple):
    """A file of a folder.

    Attributes:
        name: Bytes that are not UTF-8 as surrogates.
        digest: Its xxh3-128, 32 hex digits.
        size: Bytes.
        sha256: 64 hex digits; None where its bytes were not kept.
    """

    name: str
    digest: str
    size: int
    is_executable: bool = False
    sha256: str | None = None


class LinkEntry(NamedTuple):
    """A symbolic link that stays inside of the dataset."""

    name: str
    target: str


class FolderEntry(NamedTuple):
    """A folder in a folder.

    Attributes:
        digest: The xxh3-128 of its page, 32 hex digits.
        files: How many files and links are in it and below.
        folders: How many folders are below it.
        size: Bytes of the files.
    """

    name: str
    digest: str
    files: int
    folders: int
    size: int


Entry = FileEntry | LinkEntry | FolderEntry
Page = tuple[Entry, ...]


def encode_name(name: str) -> str:
    r"""Give a file name as pages and git trees hold it: printable, on one line, never special.

    Percent signs, controls, marks that reorder or hide text, bytes that are not UTF-8, `~`, `\`,
    `:` and a first dot become `%XX` for each of their bytes.
    """
    return _ENCODED.sub(_percent, name)


def _percent(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in os.fsencode(match.group()))


def decode_name(text: str) -> str:
    """Give the file name that `encode_name` wrote as `text`."""
    raw = _ESCAPE.sub(lambda match: bytes([int(match[1], 16)]), os.fsencode(text))
    return os.fsdecode(raw)


class Total(NamedTuple):
    """How much is in a folder and below: files with links, folders, bytes of the files."""

    files: int
    folders: int
    size: int


def total_of(entries: Iterable[Entry]) -> Total:
    """Count what is in a folder and below."""
    files = folders = size = 0
    for entry in entries:
        if isinstance(entry, FolderEntry):
            files += entry.files
            folders += entry.folders + 1
            size += entry.size
        else:
            files += 1
            size += entry.size if isinstance(entry, FileEntry) else 0
    return Total(files, folders, size)


def sort_entries(entries: Iterable[Entry]) -> Page:
    """Put entries in the order of a page: by the bytes of their names."""
    return tuple(sorted(entries, key=lambda entry: os.fsencode(entry.name)))


def format_page(entries: Iterable[Entry]) -> bytes:
    """Write the page of a folder; `entries` are in the order of `sort_entries`."""
    return "".join(map(_format_entry, entries)).encode()


def _format_entry(entry: Entry) -> str:
    name = encode_name(entry.name)
    if isinstance(entry, FileEntry):
        return f"{'exec' if entry.is_executable else 'file'} {entry.digest} {entry.size} {name}\n"
    if isinstance(entry, FolderEntry):
        return f"dir {entry.digest} {entry.files} {entry.folders} {entry.size} {name}\n"
    return f"link {encode_target(entry.target)} {name}\n"


def encode_target(target: str) -> str:
    """Give the target of a link as `encode_name` does its names, and without spaces."""
    parts = (part if part in (".", "..") else encode_name(part) for part in target.split("/"))
    return "/".join(parts).replace(" ", "%20")


def decode_target(text: str) -> str:
    """Give the target that `encode_target` wrote as `text`."""
    return "/".join(map(decode_name, text.split("/")))


def encode_path(path: str) -> str:
    """Give a path with each of its names as `encode_name` writes it."""
    return "/".join(map(encode_name, path.split("/")))


def decode_path(text: str) -> str:
    """Give the path that `encode_path` wrote as `text`."""
    return "/".join(map(decode_name, text.split("/")))


def format_vouchers(entries: Iterable[Entry]) -> bytes:
    """Write the sha256 of each file of a folder, as `sha256sum` does; empty where none is kept."""
    return "".join(
        f"{entry.sha256}  {encode_name(entry.name)}\n"
        for entry in entries
        if isinstance(entry, FileEntry) and entry.sha256 is not None
    ).encode()


def parse_page(page: bytes, vouchers: bytes = b"", *, where: str) -> Page:
    """Read what `format_page`, and `format_vouchers` beside it, wrote.

    Args:
        where: What to call the folder in an error.

    Raises:
        DamagedRecordError: It is no page, or one that would do harm: names that lead elsewhere,
            names given twice, links out of the dataset, sizes beyond all bounds.
    """
    try:
        entries = tuple(map(_parse_line, _lines(page)))
        if vouchers:
            entries = _vouched(entries, vouchers)
    except (ValueError, UnicodeDecodeError) as error:
        raise _damaged(where, str(error)) from error
    _check_names(entries, where)
    if format_page(entries) != page or format_vouchers(entries) != vouchers:
        raise _damaged(where, "it is not written as a page is")
    return entries


def _damaged(where: str, reason: str) -> DamagedRecordError:
    return DamagedRecordError(
        f"the manifest of `{escape(where)}` is damaged: {escape(reason)}",
        hint="the record was damaged or made to do harm; nothing of it was written",
    )


def _lines(data: bytes) -> list[str]:
    if data and not data.endswith(b"\n"):
        raise ValueError("its last line is cut short")
    return data.decode().split("\n")[:-1]


def _parse_line(line: str) -> Entry:
    kind, _, rest = line.partition(" ")
    if kind in ("file", "exec"):
        digest, size, name = rest.split(" ", 2)
        return FileEntry(decode_name(name), _hex(digest), _number(size), kind == "exec")
    if kind == "dir":
        digest, *numbers, name = rest.split(" ", 4)
        files, folders, below = map(_number, numbers)
        return FolderEntry(decode_name(name), _hex(digest), files, folders, below)
    if kind == "link":
        target, name = rest.split(" ", 1)
        return LinkEntry(decode_name(name), decode_target(target))
    raise ValueError(f"`{line[:60]}` is no entry")


def _hex(text: str) -> str:
    if not _HEX_32.match(text):
        raise ValueError(f"`{text[:60]}` is no digest")
    return text


def _number(text: str) -> int:
    if not _NUMBER.match(text) or int(text) > LARGEST_SIZE:
        raise ValueError(f"`{text[:60]}` is no size")
    return int(text)


def _vouched(entries: Page, vouchers: bytes) -> Page:
    found: dict[str, str] = {}
    for line in _lines(vouchers):
        digest, gap, name = line.partition("  ")
        if not gap or not _HEX_64.match(digest):
            raise ValueError(f"`{line[:60]}` is no sha256 of a file")
        found[decode_name(name)] = digest
    return tuple(
        entry._replace(sha256=found.get(entry.name)) if isinstance(entry, FileEntry) else entry
        for entry in entries
    )


def _check_names(entries: Page, where: str) -> None:
    before = b""
    for entry in entries:
        fault = find_name_fault(entry.name)
        if fault is not None or "/" in entry.name or "\0" in entry.name:
            reason = fault or "holds a slash or a NUL"
            raise _damaged(where, f"it names `{entry.name[:80]}`, which {reason}")
        raw = os.fsencode(entry.name)
        if raw <= before:
            raise _damaged(where, f"`{entry.name[:80]}` is there twice, or out of order")
        before = raw


def is_inner_link(target: str, depth: int) -> bool:
    """Whether a link `depth` folders below the top of a dataset stays inside of it.

    `..` may only stand at the front: behind a name it may lead anywhere, for that can be a link.
    """
    if not target or target.startswith("/") or "\0" in target:
        return False
    if len(os.fsencode(target)) > LONGEST_PATH:
        return False
    parts = [part for part in target.split("/") if part not in ("", ".")]
    climbs = 0
    while climbs < len(parts) and parts[climbs] == "..":
        climbs += 1
    return climbs <= depth and ".." not in parts[climbs:]


def format_section(path: str, page: bytes, vouchers: bytes) -> bytes:
    """Write a page and its sha256 lines as a part of the file that holds all of a dataset.

    Args:
        path: Of the folder, empty for the top; each folder comes before those inside of it.
    """
    return f"folder {len(page)} {len(vouchers)} {encode_path(path)}\n".encode() + page + vouchers


def parse_manifest(data: bytes, *, where: str) -> dict[str, tuple[bytes, bytes]]:
    """Take apart a row of what `format_section` wrote: page and vouchers by the path of the folder.

    Raises:
        DamagedRecordError: It is cut short, or no manifest.
    """
    found: dict[str, tuple[bytes, bytes]] = {}
    place = 0
    while place < len(data):
        end = data.find(b"\n", place, place + 4 * LONGEST_PATH)
        words = os.fsdecode(data[place : max(end, place)]).split(" ", 3)
        if len(words) != 4 or words[0] != "folder" or not all(map(_NUMBER.match, words[1:3])):
            raise _damaged(where, "it is no manifest")
        middle = end + 1 + int(words[1])
        place = middle + int(words[2])
        path = decode_path(words[3])
        if place > len(data) or path in found:
            raise _damaged(where, "it is cut short, or names a folder twice")
        found[path] = data[end + 1 : middle], data[middle:place]
    return found


class DataFacts(NamedTuple):
    """What `data.json` and `repro.lock` say of a dataset.

    Attributes:
        path: Where it is, relative to the root, or absolute where the user asked for it.
        digest: `xxh3:` and 32 hex digits, of the page of its top, or of its one file.
        is_file: Whether it is one file and no folder.
        files: Files and links in it.
        size: Their bytes.
        kept: Whether all its bytes went to the content store.
    """

    path: str
    digest: str
    is_file: bool
    files: int
    size: int
    kept: bool


def join_path(folder: str, name: str) -> str:
    """The path of a name in a folder of a dataset; that of the top is empty."""
    return f"{folder}/{name}" if folder else name


def depth_of(folder: str) -> int:
    """How many folders a folder of a dataset is below the top."""
    return folder.count("/") + 1 if folder else 0


def by_name(page: Page) -> Mapping[str, Entry]:
    """The entries of a page by their names."""
    return {entry.name: entry for entry in page}

"""Datasets of real files, measured as a run would, and manifests that are made to do harm."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from repro.core.measure import measure
from repro.core.measured import Measured, Source
from repro.model.manifest import (
    Entry,
    FileEntry,
    FolderEntry,
    LinkEntry,
    Page,
    format_page,
    format_vouchers,
    is_inner_link,
    sort_entries,
    total_of,
)
from repro.model.paths import find_name_fault
from repro.store.hashing import digest_bytes
from repro.store.pages import CheckedPages, iter_pages
from repro.store.statcache import StatCache
from tests.support import write_files

_NOBODY = 65534
X, S = "0" * 32, "0" * 64  # an xxh3 and a sha256
HARM: dict[str, str | bytes] = {
    "a name that leads up": f"file {X} 1 ..\n",
    "a name that leads up, encoded": f"file {X} 1 %2E.\n",
    "a name that leads up and ends in a space": f"file {X} 1 %2E. \n",
    "a name that leads nowhere": f"file {X} 1 %2E\n",
    "an absolute name": f"file {X} 1 /etc/passwd\n",
    "an absolute name, encoded": f"file {X} 1 %2Fetc%2Fpasswd\n",
    "a path": f"file {X} 1 a/b\n",
    "an encoded path": f"file {X} 1 a%2Fb\n",
    "the git folder": f"dir {X} 1 0 1 %2Egit\n",
    "the git folder, unencoded": f"dir {X} 1 0 1 .git\n",
    "the git folder in capitals": f"dir {X} 1 0 1 %2EGIT\n",
    "the git folder with a dot behind": f"dir {X} 1 0 1 %2Egit.\n",
    "the git folder with a space behind": f"dir {X} 1 0 1 %2Egit \n",
    "the git folder as NTFS shortens it": f"dir {X} 1 0 1 git%7E1\n",
    "the git folder as a stream of NTFS": f"dir {X} 1 0 1 %2Egit%3A%3A$INDEX_ALLOCATION\n",
    "the git folder as HFS+ reads it": f"dir {X} 1 0 1 %2Eg%E2%80%8Cit\n",
    "the git folder behind a backslash": f"dir {X} 1 0 1 a%5C%2Egit\n",
    "a hook": f"exec {X} 1 %2Egit/hooks/post-checkout\n",
    "a hook, encoded": f"exec {X} 1 %2Egit%2Fhooks%2Fpost-checkout\n",
    "a NUL": f"file {X} 1 a%00b\n",
    "a raw NUL": f"file {X} 1 a\0b\n",
    "a raw newline": f"file {X} 1 a\nb\n",
    "a raw carriage return": f"file {X} 1 a\rb\n",
    "a raw mark that reorders text": f"file {X} 1 a\u202eb\n",
    "a raw mark that hides text": f"file {X} 1 a\u00adb\n",
    "a raw mark of Arabic": f"file {X} 1 a\u061cb\n",
    "a raw tag": f"file {X} 1 a\U000e0061b\n",
    "no name": f"file {X} 1 \n",
    "a name of 256 bytes": f"file {X} 1 {'a' * 256}\n",
    "a name of 5,000 bytes": f"file {X} 1 {'a' * 5000}\n",
    "a name of 128 characters of two bytes": f"file {X} 1 {'é' * 128}\n",
    "a name encoded without need": f"file {X} 1 %61\n",
    "a name encoded in small letters": f"file {X} 1 %7e\n",
    "a name with a lone percent sign": f"file {X} 1 50%\n",
    "half a character": f"file {X} 1 %C3%A9\n",
    "a name twice": f"file {X} 1 a\nfile {X} 1 a\n",
    "a name twice with two digests": f"file {X} 1 a\nfile {'1' * 32} 1 a\n",
    "a file and a folder of one name": f"file {X} 1 a\ndir {X} 0 0 0 a\n",
    "a folder and a link of one name": f"dir {X} 0 0 0 a\nlink b a\n",
    "names out of order": f"file {X} 1 b\nfile {X} 1 a\n",
    "names in the order of UTF-16": f"file {X} 1 \U00010000\nfile {X} 1 \ue000\n",
    "names in the order of their codes": f"file {X} 1 %FF\nfile {X} 1 é\n",
    "size -1": f"file {X} -1 a\n",
    "size 2^63": f"file {X} {2**63} a\n",
    "size 10^30": f"file {X} {10**30} a\n",
    "size 1.5": f"file {X} 1.5 a\n",
    "size 1e3": f"file {X} 1e3 a\n",
    "size +1": f"file {X} +1 a\n",
    "size 1_000": f"file {X} 1_000 a\n",
    "size in other digits": f"file {X} ١ a\n",
    "size with zeros in front": f"file {X} 01 a\n",
    "size in quotes": f'file {X} "10" a\n',
    "no size": f"file {X}  a\n",
    "a count of -1": f"dir {X} -1 0 1 a\n",
    "a count of 2^63": f"dir {X} 1 {2**63} 1 a\n",
    "a count too few": f"dir {X} 1 1 a\n",
    "a digest of 31 digits": f"file {X[1:]} 1 a\n",
    "a digest of 33 digits": f"file {X}0 1 a\n",
    "a digest in capitals": f"file {'A' * 32} 1 a\n",
    "a digest that is not hex": f"file {'g' * 32} 1 a\n",
    "a digest that is a path": "file ../../x 1 a\n",
    "a digest with its kind": f"file xxh3:{X} 1 a\n",
    "no digest": "file  1 a\n",
    "no final newline": f"file {X} 1 a",
    "an empty line": f"file {X} 1 a\n\n",
    "only a newline": "\n",
    "line ends of Windows": f"file {X} 1 a\r\nfile {X} 1 b\r\n",
    "a byte order mark": f"\ufefffile {X} 1 a\n",
    "two spaces": f"file {X}  1 a\n",
    "a space in front": f" file {X} 1 a\n",
    "a tab": f"file\t{X} 1 a\n",
    "another kind": f"fifo {X} 1 a\n",
    "a kind in capitals": f"File {X} 1 a\n",
    "a hard link": "hardlink /etc/passwd a\n",
    "a line of one word": "file\n",
    "a link without a name": "link a\n",
    "a link with an encoded dot": "link %2E%2E/x a\n",
    "a link with an encoded slash": "link a%2Fb c\n",
    "a page in UTF-16": f"file {X} 1 a\n".encode("utf-16"),
    "a page that is not UTF-8": f"file {X} 1 ".encode() + b"\xff\n",
    "a page of zeros": bytes(100),
    "a git tree": b"100644 a\0" + bytes(20),
}
BAD_VOUCHERS: dict[str, str | bytes] = {
    "for another name": f"{S}  b\n",
    "for one name twice": f"{S}  a\n{S}  a\n",
    "for one name twice, differing": f"{S}  a\n{'1' * 64}  a\n",
    "for a link": f"{S}  l\n",
    "for a path": f"{S}  ../a\n",
    "without a name": f"{S}  \n",
    "with 63 digits": f"{S[1:]}  a\n",
    "in capitals": f"{'A' * 64}  a\n",
    "with one space": f"{S} a\n",
    "in the binary form of sha256sum": f"{S} *a\n",
    "with line ends of Windows": f"{S}  a\r\n",
    "without a final newline": f"{S}  a",
    "not UTF-8": f"{S}  ".encode() + b"\xff\n",
    "with an empty line": f"\n{S}  a\n",
}
OUTER_LINKS = [
    "/etc/passwd",
    "..",
    "../x",
    "./../x",
    "a/../../x",
    "a/../x",
    "../../../../../etc/passwd",
    "",
    "a\0b",
    "x/" * 2048 + "x",
]


@contextmanager
def as_nobody() -> Iterator[None]:
    """Give up the rights of root for a while; the effective user is what the kernel asks."""
    if os.geteuid() != 0:
        yield
        return
    os.setegid(_NOBODY)
    os.seteuid(_NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


def open_to_all(folder: Path) -> None:
    """Let anybody pass through a folder, and those above it, where root can say so."""
    if os.geteuid() == 0:
        for one in (folder, *folder.parents[:-1]):
            one.chmod(one.stat().st_mode | 0o011)


@contextmanager
def in_memory(folder: Path) -> Iterator[Path]:
    """A folder where holes cost nothing, not even in the page cache, and times know no bounds."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else folder) as name:
        yield Path(name)


@contextmanager
def another_file_system(folder: Path) -> Iterator[Path]:
    """A folder on another file system than `folder` is on: in memory, or on a disk."""
    for place in (Path("/dev/shm"), Path("/var/tmp")):
        if place.is_dir() and place.stat().st_dev != folder.stat().st_dev:
            with tempfile.TemporaryDirectory(prefix="repro-test-", dir=place) as name:
                Path(name).chmod(0o755)
                yield Path(name)
            return
    pytest.skip("no second file system at hand")


def later() -> int:
    """A clock that is a second ahead: what was written just now is no racy file to it."""
    return time.time_ns() + 1_000_000_000


def look(
    top: Path, cache: Path | StatCache, *, now_ns: Callable[[], int] = later, **source: Any
) -> Measured:
    """Measure what lies at `top`, with the cache in a file, or with an open one.

    With one in a file all pages are read before it is closed.
    """
    on_progress = source.pop("on_progress", None)
    wanted = Source(top=top, **source)
    if isinstance(cache, StatCache):
        return measure(wanted, cache, now_ns=now_ns, on_progress=on_progress)
    opened = StatCache(cache)
    try:
        found = measure(wanted, opened, now_ns=now_ns, on_progress=on_progress)
        pages = dict(iter_pages(found.page_of))
        return replace(found, page_of=pages.__getitem__)
    finally:
        opened.close()


def all_pages(measured: Measured) -> dict[str, Page]:
    """Every page of what was measured, by the path of its folder, each checked."""
    checked = CheckedPages.of(measured.page_of, digest=measured.digest, is_file=measured.is_file)
    return dict(iter_pages(checked))


def make_dataset(top: Path, files: Mapping[str, str | bytes] | None = None) -> Path:
    """A folder of a few files in three folders, or of `files`."""
    write_files(top, dict(files) if files else {"a": "1", "b/c": "22", "b/d/e": "333", "f g": "4"})
    return top


def folder_entry(name: str, page: Page) -> FolderEntry:
    """What a page says of a folder with `page`."""
    return FolderEntry(name, digest_bytes(format_page(page)), *total_of(page))


def as_reader(pages: Mapping[str, Page]) -> Callable[[str], tuple[bytes, bytes]]:
    """What gives the text of pages, as from a record."""
    return lambda path: (format_page(pages[path]), format_vouchers(pages[path]))


def _is_fit(name: str) -> bool:
    return find_name_fault(name) is None


names = (
    st.binary(min_size=1, max_size=255)
    .filter(lambda raw: not {0, ord("/")} & set(raw))
    .map(lambda raw: raw.decode(errors="surrogateescape"))
    .filter(_is_fit)
) | st.text("abcAB.%~\\: \n\r\té\u200c\u202e\ufeff\U0001f600", min_size=1, max_size=20).filter(
    _is_fit
)
digests = st.integers(0, 2**128 - 1).map("{:032x}".format)
vouchers = st.none() | st.integers(0, 2**256 - 1).map("{:064x}".format)
sizes = st.integers(0, 2**63 - 1)
targets = st.lists(names | st.sampled_from(["..", "."]), min_size=1, max_size=5).map("/".join)
entries: st.SearchStrategy[Entry] = (
    st.builds(FileEntry, names, digests, sizes, st.booleans(), vouchers)
    | st.builds(FolderEntry, names, digests, sizes, sizes, sizes)
    | st.builds(LinkEntry, names, targets.filter(lambda target: is_inner_link(target, 5)))
)
pages = st.lists(entries, max_size=8, unique_by=lambda entry: entry.name).map(sort_entries)

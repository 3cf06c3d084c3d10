"""Keys and passwords in the content of a file, by what they look like."""

import os
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate, islice
from typing import NamedTuple

from repro.model.marking import Marker
from repro.model.secretlike import Hit
from repro.model.secretnames import find_assigned
from repro.model.secretshapes import find_shaped

LONGEST = 20 << 20  # bytes of a text that are looked at
LONGEST_BINARY = 1 << 20
_BINARY_LOOK = 8000  # git takes a file for binary by a NUL in so many bytes
# Text of two bytes a letter, as Windows has it: in files without a mark, in programs.
_WIDE = rb"(?:[\x09\x0a\x0d\x20-\x7e]\0){16,}+"
_MOST = 100  # secrets that are named of one file
# Files in which what stands behind `=` or `:` is a value without quotes, not code.
_PLAIN_VALUES = (
    r"(?:\A|[./_-])(?:env|ini|cfg|conf|config|properties|toml|ya?ml|netrc|envrc)(?:\Z|[._-])"
)


class Found(NamedTuple):
    """A secret in a file.

    Attributes:
        rule: What it looks like.
        line: From 1.
        fingerprint: Of the secret, in this clone (`Marker.fingerprint`).
    """

    rule: str
    line: int
    fingerprint: str


def find_secrets(data: bytes, path: str, marker: Marker) -> tuple[Found, ...]:
    """Give the keys and passwords in `data`, by line.

    Only what is one with great likelihood: placeholders, names of variables and words of a
    sentence are none. Not found is what is encoded once more, compressed, or in pieces.

    Args:
        path: Of the file: in a configuration, values stand without quotes.

    Cost: some 50 MB/s of source; at most `LONGEST` bytes are looked at, of a binary file
        `LONGEST_BINARY`.
    """
    data, is_text = _readable(data)
    plain = takes_plain(path)
    found: dict[int, Found] = {}
    line, done = 1, 0
    hits = find_hits(data, is_text=is_text, plain=plain)
    if b"\0" in data:
        hits += _find_wide(data, plain=plain)
    for hit in sorted(hits, key=lambda hit: hit.start):
        line += data.count(b"\n", done, hit.start)
        done = hit.start
        found[hit.start] = Found(hit.rule, line, marker.fingerprint(hit.secret))
    return tuple(found.values())


def _find_wide(data: bytes, *, plain: bool) -> Iterator[Hit]:
    for wide in re.finditer(_WIDE, data):
        for hit in find_hits(wide[0][::2], is_text=True, plain=plain):
            yield hit._replace(start=wide.start() + 2 * hit.start)


def find_in_names(paths: Iterable[str], marker: Marker) -> dict[str, Found]:
    """Give the paths that have a key in them, of those with a shape of their own.

    Cost: as `find_secrets` of all paths in one text.
    """
    names = list(paths)
    starts = list(accumulate((len(os.fsencode(name)) + 1 for name in names), initial=0))
    data = b"\n".join(map(os.fsencode, names))
    found = {}
    for hit in find_shaped(data):
        name = names[bisect_right(starts, hit.start) - 1]
        found[name] = Found(f"{hit.rule} in the name", 0, marker.fingerprint(hit.secret))
    return found


def find_hits(data: bytes, *, is_text: bool, plain: bool) -> list[Hit]:
    """Give at most some two hundred secrets with their places, in no order, none in another.

    Args:
        is_text: Whether names in it mean something.
        plain: Whether values stand without quotes.
    """
    hits = list(islice(find_shaped(data), _MOST))
    if is_text:
        shaped = [*hits]
        apart = (
            hit
            for hit in find_assigned(data, plain)
            if not any(_overlap(hit, one) for one in shaped)
        )
        hits += islice(apart, _MOST)
    return hits


def _overlap(a: Hit, b: Hit) -> bool:
    return a.start < b.start + len(b.secret) and b.start < a.start + len(a.secret)


def takes_plain(path: str) -> bool:
    """Whether values stand without quotes in a file of this name."""
    return re.search(_PLAIN_VALUES, path.rpartition("/")[2].lower()) is not None


def _readable(data: bytes) -> tuple[bytes, bool]:
    """The part that is looked at, and whether it is text."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):  # what PowerShell's `>` writes
        return data[:LONGEST].decode("utf-16", errors="replace").encode(), True
    if b"\0" in data[:_BINARY_LOOK]:
        return data[:LONGEST_BINARY], False
    return data[:LONGEST], True

"""A patch as git prints it, taken apart: the lines of each file, with their numbers."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_FILE = b"diff --git "
_HUNK = re.compile(rb"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@ ?(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class PatchLine:
    """A line of a hunk.

    Attributes:
        sign: `+` added, `-` removed, a space where it stays, a backslash for a word of git itself.
        before: Its number in the old file, from 1; None where that lacks it.
        after: Its number in the new file.
        text: Without its end; bytes that are not UTF-8 are surrogates.
    """

    sign: str
    before: int | None
    after: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines that lie together.

    Attributes:
        heading: What git says of where they are, such as the name of a function.
    """

    before: int
    after: int
    heading: str
    lines: tuple[PatchLine, ...]


def split_patch(patch: bytes) -> list[bytes]:
    """The parts of a patch, one a file; a file that becomes one of another type has two."""
    parts: list[list[bytes]] = []
    for line in patch.split(b"\n"):
        # A line of a file has a sign before it, so none begins like that.
        if line.startswith(_FILE):
            parts.append([])
        if parts:
            parts[-1].append(line)
    return [b"\n".join(lines) for lines in parts]


def parse_hunks(part: bytes) -> tuple[Hunk, ...]:
    """The hunks of one file; none of a binary one, or of one that only has another mode.

    Args:
        part: As `split_patch` gives it; one that was cut off gives what is there.
    """
    return tuple(_hunks(part.split(b"\n")))


def _hunks(lines: list[bytes]) -> Iterator[Hunk]:
    place = 0
    while place < len(lines):
        match = _HUNK.match(lines[place])
        place += 1
        if match is None:
            continue
        old, new = int(match[1]), int(match[3])
        left_old = 1 if match[2] is None else int(match[2])
        left_new = 1 if match[4] is None else int(match[4])
        before, after = old, new
        found: list[PatchLine] = []
        while place < len(lines) and (left_old or left_new or lines[place].startswith(b"\\")):
            sign, text = lines[place][:1], lines[place][1:].decode(errors="surrogateescape")
            has_old, has_new = sign in (b" ", b"-"), sign in (b" ", b"+")
            if not (has_old or has_new or sign == b"\\"):
                break
            found.append(
                PatchLine(
                    sign.decode(), before if has_old else None, after if has_new else None, text
                )
            )
            before, left_old = before + has_old, left_old - has_old
            after, left_new = after + has_new, left_new - has_new
            place += 1
        yield Hunk(old, new, match[5].decode(errors="surrogateescape"), tuple(found))

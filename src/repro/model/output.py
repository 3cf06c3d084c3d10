"""The output of a command as text to keep: progress collapsed, the middle of too much cut."""

import re
from dataclasses import dataclass

from repro.model.text import escape

LIMIT = 10 << 20
_ESCAPE = b"\x1b"
# What moves the cursor or sets colours: CSI, OSC, and the short ones (ECMA-48, 5th edition).
_SEQUENCES = re.compile(
    rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-Z\\^-~])"
)

_CUT = re.compile(
    rb"^\[\xe2\x80\xa6 ([\d,]{1,20}) bytes left out; all of it in the store as"
    rb" (sha256:[0-9a-f]{64}) \xe2\x80\xa6\]\n",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Cut:
    """Where `cut_output` seems to have cut an output: a command can print such a line, too.

    Attributes:
        head: What stands before the line.
        tail: What stands behind it.
        size: Bytes of the whole.
        digest: Of the whole, `sha256:<64 hex>`.
    """

    head: bytes
    tail: bytes
    size: int
    digest: str


def collapse_output(raw: bytes) -> bytes:
    r"""Give the output with each line as a terminal would show it last.

    A carriage return goes back to the start of the line, where what follows writes over it:
    `b" 10%\r 20%\n"` becomes `b" 20%\n"`. `\r\n` is a plain end of line. Backspaces and escape
    sequences stay; in a line with escape sequences, whose width cannot be told from the bytes,
    the last part that has any text wins. Collapsing what was collapsed changes nothing.

    Cost: O(n) time and memory.
    """
    if b"\r" not in raw:
        return raw
    lines = raw.replace(b"\r\n", b"\n").split(b"\n")
    return b"\n".join(_last_state(line) if b"\r" in line else line for line in lines)


def _last_state(line: bytes) -> bytes:
    parts = [part for part in line.split(b"\r") if part]
    if not parts:
        return b""
    if len(parts) == 1 or _ESCAPE in line:
        return parts[-1]
    # From the last one backwards: of an earlier state only what reaches further right is seen.
    # Positions count characters, else a cut through "█" would leave half of it.
    shown = parts[-1].decode(errors="surrogateescape")
    for part in reversed(parts[:-1]):
        if len(part) > len(shown):  # never fewer bytes than characters
            text = part.decode(errors="surrogateescape")
            shown += text[len(shown) :]
    return shown.encode(errors="surrogateescape")


def cut_output(data: bytes, limit: int = LIMIT, digest: str = "") -> bytes:
    """Give `data`, or its head and tail with a line between that counts what was left out.

    The cut falls between two lines where there is a line end nearby, never inside a character.

    Args:
        limit: Most bytes to keep of `data`; the line between comes on top.
        digest: Under which the content store has all of it.
    """
    if len(data) <= limit:
        return data
    half = limit // 2
    head = _whole_lines(data[:half])
    tail = _from_line_start(data[len(data) - (limit - half) :])
    left_out = len(data) - len(head) - len(tail)
    mark = f"[… {left_out:,} bytes left out; all of it in the store as {digest} …]".encode()
    before = b"" if not head or head.endswith(b"\n") else b"\n"
    return head + before + mark + b"\n" + tail


def find_cut(output: bytes) -> Cut | None:
    """Where a recorded output was cut, None for one that is whole."""
    mark = _CUT.search(output) if len(output) > LIMIT // 2 else None
    if mark is None:
        return None
    head, tail = output[: mark.start()], output[mark.end() :]
    left_out = int(mark[1].replace(b",", b""))
    return Cut(head, tail, len(head) + left_out + len(tail), mark[2].decode())


def _whole_lines(head: bytes) -> bytes:
    end = head.rfind(b"\n") + 1
    if end > len(head) // 2:
        return head[:end]
    cut = len(head)
    while cut > max(0, len(head) - 4) and head[cut - 1] & 0xC0 == 0x80:
        cut -= 1
    is_lead = 0 < cut <= len(head) and head[cut - 1] >= 0xC0
    return head[: cut - 1] if is_lead else head


def _from_line_start(tail: bytes) -> bytes:
    start = tail.find(b"\n") + 1
    if 0 < start < len(tail) // 2:
        return tail[start:]
    skip = 0
    while skip < min(3, len(tail)) and tail[skip] & 0xC0 == 0x80:
        skip += 1
    return tail[skip:]


def last_lines(raw: bytes, most: int) -> list[str]:
    """Give the last lines of output that hold any text, for eyes: no colours, nothing obeyed.

    Args:
        raw: The output, or the end of it.
        most: At most so many.
    """
    plain = _SEQUENCES.sub(b"", collapse_output(raw.rstrip(b"\r\n")))
    lines = (line.expandtabs(4).rstrip() for line in plain.decode(errors="replace").split("\n"))
    return [escape(line) for line in lines if line][-most:] if most else []

"""Text from elsewhere, made safe to show on a terminal."""

import re
from collections.abc import Iterator

# What a terminal obeys instead of showing: controls (C0, DEL, C1), marks that reorder or hide text
# (bidi controls, invisible spaces, tag characters), line separators, halves of surrogate pairs.
UNSAFE = (
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ud800-\udfff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def escape(text: str) -> str:
    r"""Give `text` on one line with all it could do to a terminal made visible.

    Controls become `\n`, `\t`, `\x1b`; marks that reorder or hide text `\u202e`; a byte of a
    file name that is not UTF-8 `\xff`. Every other character stays, the backslash too, so this
    is for eyes only: it cannot be undone.
    """
    if text.isprintable():
        return text
    # Compiled when first needed: 0.7 ms that most programs which import us never spend.
    return re.sub(UNSAFE, _visible, text)


def split_code(text: str) -> Iterator[tuple[str, bool]]:
    """The pieces of a sentence, and whether each stands between backticks; none is empty.

    A backtick without a partner belongs to the text around it.
    """
    end = 0
    for match in re.finditer("`([^`]+)`", text):
        if match.start() > end:
            yield text[end : match.start()], False
        yield match[1], True
        end = match.end()
    if end < len(text):
        yield text[end:], False


def is_argument(text: str) -> bool:
    """Whether a program can be given this text as a word: it has no NUL, and can be encoded."""
    try:
        return b"\0" not in text.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        return False


def _visible(match: re.Match[str]) -> str:
    char = match.group()
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # surrogateescape: one byte that is not UTF-8
        code -= 0xDC00
    if code < 0x100:
        return _NAMED.get(char, f"\\x{code:02x}")
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"

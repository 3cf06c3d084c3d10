"""Quoting inside a line of shell: where a place of it stands, and how text is put there."""

import shlex
from enum import Enum


class Quote(Enum):
    """What encloses a place of a line of shell."""

    NONE = ""
    SINGLE = "'"
    DOUBLE = '"'


def scan_quotes(line: str) -> list[Quote]:
    """Give what encloses each character of a line; of quotes inside of quotes the outer ones.

    Source: POSIX.1-2017, Shell Command Language, section 2.2 "Quoting".
    """
    found: list[Quote] = []
    quote = Quote.NONE
    is_escaped = False
    for char in line:
        found.append(quote)
        if is_escaped:
            is_escaped = False
        elif char == "\\" and quote is not Quote.SINGLE:
            is_escaped = True
        elif quote is Quote.NONE and char in "'\"":
            quote = Quote(char)
        elif char == quote.value:
            quote = Quote.NONE
    return found


def quote_for(text: str, quote: Quote) -> str:
    """Write `text` so that the shell takes it literally where `quote` encloses it."""
    if quote is Quote.SINGLE:
        return text.replace("'", "'\\''")
    if quote is Quote.DOUBLE:
        return "".join(f"\\{char}" if char in '\\"$`' else char for char in text)
    return shlex.quote(text) if text else ""
